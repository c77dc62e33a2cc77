//! The sender's side of the bench: all that it knows of profiles, plans and cursors.

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use traffic::cursor::{Cursor, Frames};
use traffic::frame::word::{Head, Heads};
use traffic::mixed::{Mixed, Room};
use traffic::pcap::PcapWriter;
use traffic::plan::Plan;
use traffic::profile::load::load_file;
use traffic::profile::replay::{Replay, Rewrite, Split, Timing, Truncated};
use traffic::profile::sizes::NamedMix;
use traffic::profile::{Field, FrameSizes, Profile, Stop};
use traffic::replay::{self, Capture, ReplayClock, ReplayPlan};
use traffic::shard::Shard;
use traffic::units::Rate;

use crate::{BURST, CHUNK, TAG, chunks};

/// Bytes behind each frame's start, as in a worker's pool.
const ROOM: usize = 1536;

/// A burst of a worker's pool.
struct Burst(Vec<[u8; ROOM]>);

impl Frames for Burst {
    fn count(&self) -> usize {
        self.0.len()
    }
    fn heads(
        &mut self,
        which: Range<usize>,
    ) -> Heads<impl Iterator<Item = [&mut Head; 4]>, impl Iterator<Item = &mut Head>> {
        let (fours, rest) = self.0[which].as_chunks_mut::<4>();
        fn head(room: &mut [u8; ROOM]) -> &mut Head {
            room.first_chunk_mut().unwrap()
        }
        Heads(fours.iter_mut().map(|four| four.each_mut().map(head)), rest.iter_mut().map(head))
    }
    fn frames(&mut self, which: Range<usize>) -> impl Iterator<Item = &mut [u8]> {
        self.0[which].iter_mut().map(|room| room.as_mut_slice())
    }
}

fn profile(name: &str, stamp: bool) -> Profile {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../bench/profiles/{name}.toml"));
    Profile { stamp, ..load_file(&path).unwrap() }
}

/// What a sender does to a frame.
pub fn patch(name: &str, stamp: bool, frames: u64) -> Duration {
    let plan = Plan::compile(&profile(name, stamp)).unwrap();
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

/// An mbuf that becomes any frame.
struct Any<'a> {
    bytes: &'a mut [u8; ROOM],
    held: &'a mut usize,
}

impl Room for Any<'_> {
    fn held(&self) -> usize {
        *self.held
    }
    fn set_len(&mut self, bytes: u16) {
        *self.held = bytes.into();
    }
    fn bytes(&mut self) -> &mut [u8] {
        self.bytes
    }
    fn head(&mut self) -> Option<&mut Head> {
        self.bytes.first_chunk_mut()
    }
}

/// What a sender of so many streams does to a frame: of 100 flows each, to an address and a port of its own.
pub fn streams(count: usize, stamp: bool, frames: u64) -> Duration {
    let mut profile = profile("flows_100", stamp);
    let stream = |n: usize| {
        let mut stream = profile.streams[0].clone();
        stream.ipv4.as_mut().unwrap().dst = Field::Fixed(Ipv4Addr::from(0x0a80_0001 + n as u32));
        stream.udp.as_mut().unwrap().dst = Field::Fixed(1024 + n as u16);
        stream
    };
    profile.streams = (0..count).map(stream).collect();
    mixed(&profile, frames)
}

/// What a sender of frames of three sizes does to a frame.
pub fn sizes(frames: u64) -> Duration {
    let mut profile = profile("flows_100", true);
    profile.streams[0].frame_size = FrameSizes::Named(NamedMix::Imix);
    mixed(&profile, frames)
}

/// What a sender of a capture does to a frame, of sizes nearly as in IMIX: 9 of 64, 6 of 570, 1 of 1518 bytes.
pub fn replay(frames: u64) -> Duration {
    let mut pcap = PcapWriter::new(Vec::new()).unwrap();
    for n in 0..64 {
        let bytes = match n % 16 {
            0 => 1514,
            1..=6 => 566,
            _ => 60,
        };
        pcap.write(n, &vec![n as u8; bytes]).unwrap();
    }
    let file = pcap.finish().unwrap();
    let replay = Replay {
        file: "bench.pcap".into(),
        timing: Timing::Rate,
        loops: 0,
        limit_frames: None,
        truncated: Truncated::default(),
        split: Split::default(),
        rewrite: Rewrite::default(),
    };
    let capture = Capture::read(file.as_slice(), file.len() as u64, &replay).unwrap();
    let plan = ReplayPlan::compile(capture, &replay, Rate::Max, Stop::Never).unwrap();
    let parts = plan.parts(1, 1_000_000_000, None);
    let cursor = replay::Cursor::new(&parts[0], plan.capture.bytes());
    let clock = ReplayClock::new(false, 1_000_000_000);
    let work = |(cursor, clock, burst): &mut (replay::Cursor<'_>, ReplayClock, Burst), first: u64| {
        for time in first..first + (CHUNK / BURST) as u64 {
            let granted = clock.grant(time, cursor, BURST as u64);
            for (room, frame) in burst.0.iter_mut().zip(cursor.ahead()) {
                room[..frame.len()].copy_from_slice(frame);
            }
            black_box(cursor.advance(granted));
            black_box(&mut burst.0);
        }
    };
    chunks(frames, &mut (cursor, clock, Burst(vec![[0; ROOM]; BURST])), |_, _| (), work)
}

fn mixed(profile: &Profile, frames: u64) -> Duration {
    let plan = Plan::compile(profile).unwrap();
    let mixed = Mixed::new(&plan, &plan.shards(1), 0, TAG, None);
    let mut room = [0; ROOM];
    let first = Mixed::prefill(&plan);
    room[..first.len()].copy_from_slice(&first);
    let work = |(mixed, rooms): &mut (Mixed, Vec<([u8; ROOM], usize)>), first: u64| {
        for time in first..first + (CHUNK / BURST) as u64 {
            mixed.pick(0, BURST as u64);
            mixed.write(rooms.iter_mut().map(|(bytes, held)| Any { bytes, held }), time);
            black_box(mixed.sent(BURST, |_| ()));
            black_box(&mut *rooms);
        }
    };
    chunks(frames, &mut (mixed, vec![(room, first.len()); BURST]), |_, _| (), work)
}
