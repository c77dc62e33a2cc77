//! The sender's side of the bench: all that it knows of profiles, plans and cursors.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;

use traffic::cursor::{Cursor, Frames};
use traffic::frame::step::Head;
use traffic::plan::Plan;
use traffic::profile::load::load_file;
use traffic::shard::Shard;

use crate::{BURST, CHUNK, TAG, chunks};

/// Bytes behind each frame's start, as in a worker's pool.
const ROOM: usize = 1536;

/// A burst of a worker's pool.
struct Burst(Vec<[u8; ROOM]>);

impl Frames for Burst {
    fn count(&self) -> usize {
        self.0.len()
    }
    fn heads(&mut self, from: usize) -> impl Iterator<Item = &mut Head> {
        self.0[from..].iter_mut().map(|room| room.first_chunk_mut().unwrap())
    }
    fn frames(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.0.iter_mut().map(|room| room.as_mut_slice())
    }
}

fn plan(name: &str, stamp: bool) -> Plan {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../bench/profiles/{name}.toml"));
    let mut profile = load_file(&path).unwrap();
    profile.stamp = stamp;
    Plan::compile(&profile).unwrap()
}

/// What a sender does to a frame.
pub fn patch(profile: &str, stamp: bool, frames: u64) -> Duration {
    let plan = plan(profile, stamp);
    let template = &plan.streams[0].templates[0];
    let cursor = Cursor::new(template, Shard::new(0, 1, plan.flows()), TAG);
    let mut room = [0; ROOM];
    room[..template.bytes.len()].copy_from_slice(&template.bytes);
    let burst = Burst(vec![room; BURST]);
    let work = |(cursor, burst): &mut (Cursor, Burst), first: u64| {
        for time in first..first + (CHUNK / BURST) as u64 {
            cursor.write(burst, time);
            black_box(&mut burst.0);
        }
    };
    chunks(frames, &mut (cursor, burst), |_, _| (), work)
}
