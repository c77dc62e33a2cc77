//! The packet path without a driver: what a frame costs a sender and a receiver.
//!
//! `packets` times every case. `packets CASE FRAMES` runs one case over so many frames and says nothing, for
//! `bench/callgrind`, which counts the instructions of two lengths and takes the difference.
#![allow(clippy::unwrap_used, reason = "a bench may stop at the first surprise")]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

use traffic::account::{Accountant, Expectation};
use traffic::cursor::{Cursor, Frames};
use traffic::frame::step::Head;
use traffic::plan::Plan;
use traffic::profile::load::load_file;
use traffic::shard::Shard;
use traffic::stamp;

/// Frames a burst, as workers have them by default.
const BURST: usize = 32;
/// Bytes behind each frame's start, as in a worker's pool.
const ROOM: usize = 1536;
/// Bytes of a frame of 64 without FCS.
const FRAME: usize = 60;
const TAG: u32 = 7;
/// Frames that are timed, and how often; the best turn counts.
const TIMED: u64 = 20_000_000;
const TURNS: usize = 5;

/// A case by name: runs over so many frames.
type Case = (&'static str, fn(u64));

const CASES: [Case; 9] = [
    ("patch_1_field", |n| patch("flows_100", false, n)),
    ("patch_2_fields", |n| patch("fields_2", false, n)),
    ("patch_6_fields", |n| patch("fields_6", false, n)),
    ("patch_7_fields", |n| patch("fields_7", false, n)),
    ("patch_1_field_stamp", |n| patch("flows_100", true, n)),
    ("account_in_order", |n| account(100, n)),
    ("account_1000000_flows", |n| account(1_000_000, n)),
    ("account_reordered", reordered),
    ("account_foreign", foreign),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match args.as_slice() {
        [] => CASES.iter().for_each(time),
        [name, frames] => {
            let case = CASES.iter().find(|c| c.0 == name).unwrap();
            case.1(frames.parse().unwrap());
        }
        _ => eprintln!("usage: packets [CASE FRAMES]"),
    }
}

fn time(case: &Case) {
    let turn = || {
        let start = Instant::now();
        case.1(TIMED);
        start.elapsed().as_secs_f64() * 1e9 / TIMED as f64
    };
    let best = (0..TURNS).map(|_| turn()).fold(f64::INFINITY, f64::min);
    println!("{:24} {best:8.2} ns/frame", case.0);
}

fn plan(name: &str, stamp: bool) -> Plan {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../bench/profiles/{name}.toml"));
    let mut profile = load_file(&path).unwrap();
    profile.stamp = stamp;
    Plan::compile(&profile).unwrap()
}

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

/// What a sender does to a frame.
fn patch(profile: &str, stamp: bool, frames: u64) {
    let plan = plan(profile, stamp);
    let mut cursor = Cursor::new(&plan.streams[0].templates[0], Shard::new(0, 1, plan.flows()), TAG);
    let mut room = [0; ROOM];
    room[..FRAME].copy_from_slice(&plan.streams[0].templates[0].bytes);
    let mut burst = Burst(vec![room; BURST]);
    for time in 0..frames / BURST as u64 {
        cursor.write(&mut burst, time);
        black_box(&mut burst.0);
    }
}

fn accountant(flows: u64) -> Accountant {
    let shards = Shard::all(1, flows);
    Accountant::new(&Expectation {
        tag: TAG,
        shards,
        flows: vec![flows],
        counts: None,
        same_clock: true,
        clock_slack: 0,
        queues: 1,
    })
}

/// Frames numbered by `seq`, a burst at a time as a sender stamps them, into the books.
fn book(flows: u64, frames: u64, seq: impl Fn(u64) -> u64) {
    let mut books = accountant(flows);
    let mut buffers = [[0; FRAME]; BURST];
    for burst in 0..frames / BURST as u64 {
        for (i, frame) in buffers.iter_mut().enumerate() {
            let window = frame.last_chunk_mut().unwrap();
            stamp::write(window, TAG, 0, seq(burst * BURST as u64 + i as u64), burst * 800);
        }
        for frame in black_box(&buffers) {
            books.frame(frame, burst * 800 + 3000 + (burst & 63));
        }
    }
    black_box(&books);
}

fn account(flows: u64, frames: u64) {
    book(flows, frames, |n| n);
}

/// Neighbours have changed places: the slow path, every second frame.
fn reordered(frames: u64) {
    book(100, frames, |n| n ^ 1);
}

fn foreign(frames: u64) {
    let mut books = accountant(100);
    let buffers = [[8; FRAME]; BURST];
    for burst in 0..frames / BURST as u64 {
        for frame in black_box(&buffers) {
            books.frame(frame, burst);
        }
    }
    black_box(&books);
}
