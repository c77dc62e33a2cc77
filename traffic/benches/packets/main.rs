//! The packet path without a driver: what a frame costs a sender and a receiver.
//!
//! `packets` times every case. `packets CASE FRAMES` runs one case over so many frames and says nothing, for
//! `bench/callgrind`, which counts the instructions within [`counted`]. What a case prepares (frames that come
//! in, numbered one after the other) stands outside of it, so that it is neither timed nor counted.
#![allow(clippy::unwrap_used, reason = "a bench may stop at the first surprise")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use traffic::account::{Accountant, Expectation};
use traffic::shard::Shard;
use traffic::stamp;

mod sending;

/// Frames a burst, as workers have them by default.
const BURST: usize = 64;
/// Bytes of a frame of 64 without FCS.
const FRAME: usize = 60;
/// Frames that come in before the clock is read again: 60 KiB, which the second cache holds as it would
/// hold a NIC's.
const CHUNK: usize = 1024;
const TAG: u32 = 7;
/// Frames that are timed, and how often; the best turn counts.
const TIMED: u64 = 10_240_000;
const TURNS: usize = 5;

/// A case: its name, what it does with so many frames and how long that took, and the most nanoseconds a frame
/// that are wanted.
type Case = (&'static str, fn(u64) -> Duration, Option<f64>);

/// Not counted: its copies are the C library's, which chooses them by the CPU.
const REPLAY: &str = "replay";

const CASES: [Case; 19] = [
    ("patch_1_field", |n| sending::patch("flows_100", false, n), None),
    ("patch_2_fields", |n| sending::patch("fields_2", false, n), None),
    ("patch_6_fields", |n| sending::patch("fields_6", false, n), None),
    ("patch_7_fields", |n| sending::patch("fields_7", false, n), None),
    ("patch_1_field_stamp", |n| sending::patch("flows_100", true, n), None),
    ("patch_64_streams", |n| sending::streams(64, false, n), None),
    ("patch_64_streams_stamp", |n| sending::streams(64, true, n), None),
    ("patch_imix_stamp", sending::sizes, None),
    (REPLAY, sending::replay, None),
    ("stamp", mark, None),
    ("parse", parse, None),
    ("account_100_flows", |n| book(100, n, |seq| seq), Some(12.0)),
    ("account_1000000_flows", |n| book(1_000_000, n, |seq| seq), Some(40.0)),
    // One of four queues that a shard is spread over flow by flow: always the fourth number next.
    ("account_spread", |n| book(1_000_000, n, |seq| seq * 4), None),
    // …and packet by packet, without any order in it.
    ("account_scattered", |n| book(1_000_000, n, scattered), None),
    // Neighbours have changed places.
    ("account_reordered", |n| book(100, n, |seq| seq ^ 1), None),
    // Each flow with books of its own: in turn, and with all neighbours changed.
    ("account_per_flow", |n| book_flows(n, |seq| seq), Some(40.0)),
    ("account_per_flow_reordered", |n| book_flows(n, |seq| seq ^ 1), Some(40.0)),
    ("account_foreign", foreign, None),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match args.as_slice() {
        [] => CASES.iter().for_each(time),
        [list] if list == "--list" => {
            let counted = CASES.iter().filter(|case| case.0 != REPLAY);
            counted.for_each(|case| println!("{}", case.0));
        }
        [name, frames] => {
            let case = CASES.iter().find(|c| c.0 == name).unwrap();
            case.1(frames.parse().unwrap());
        }
        _ => eprintln!("usage: packets [--list | CASE FRAMES]"),
    }
}

fn time((name, run, wanted): &Case) {
    let turn = || run(TIMED).as_secs_f64() * 1e9 / TIMED as f64;
    let best = (0..TURNS).map(|_| turn()).fold(f64::INFINITY, f64::min);
    let verdict = wanted.map_or(String::new(), |most| {
        format!("   wanted: {most} at most, {}", if best <= most { "reached" } else { "MISSED" })
    });
    println!("{name:26} {best:8.2} ns/frame{verdict}");
}

/// What `bench/callgrind` counts: everything in here.
#[inline(never)]
fn counted(work: impl FnOnce()) {
    work();
}

/// How long `work` takes.
fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    counted(work);
    start.elapsed()
}

/// Runs `prepare` and then, timed, `work` over so many frames, a chunk at a time; both are told the number of
/// the chunk's first burst.
fn chunks<T>(
    frames: u64,
    state: &mut T,
    prepare: impl Fn(&mut T, u64),
    work: impl Fn(&mut T, u64),
) -> Duration {
    let mut spent = Duration::ZERO;
    for chunk in 0..frames / CHUNK as u64 {
        let first = chunk * (CHUNK / BURST) as u64;
        prepare(state, first);
        spent += timed(|| work(state, first));
    }
    spent
}

/// Frames as they come in, with their end's 18 bytes to be marked.
fn buffers() -> Vec<[u8; FRAME]> {
    vec![[8; FRAME]; CHUNK]
}

/// Marks a chunk, a burst at a time, as a sender does.
fn write_marks(buffers: &mut [[u8; FRAME]], first_burst: u64, seq: impl Fn(u64) -> u64) {
    for (burst, frames) in (first_burst..).zip(buffers.chunks_mut(BURST)) {
        for (i, frame) in (0..).zip(frames) {
            stamp::write(frame.last_chunk_mut().unwrap(), TAG, 0, seq(burst * BURST as u64 + i), burst * 800);
        }
    }
}

/// The mark alone.
fn mark(frames: u64) -> Duration {
    let work = |buffers: &mut Vec<[u8; FRAME]>, first: u64| {
        for (burst, frames) in (first..).zip(buffers.chunks_mut(BURST)) {
            let (origin, moment) = (stamp::Origin::new(TAG, 0), stamp::Moment::new(burst * 800));
            for (seq, frame) in (burst * BURST as u64..).zip(frames) {
                stamp::put(frame.last_chunk_mut().unwrap(), origin, seq, moment);
            }
        }
        black_box(buffers);
    };
    chunks(frames, &mut buffers(), |_, _| (), work)
}

/// The mark read, and nothing made of it.
fn parse(frames: u64) -> Duration {
    let prepare = |buffers: &mut Vec<[u8; FRAME]>, first| write_marks(buffers, first, |seq| seq);
    let work = |buffers: &mut Vec<[u8; FRAME]>, _| {
        for frame in black_box(buffers) {
            black_box(stamp::read(frame.as_slice(), TAG));
        }
    };
    chunks(frames, &mut buffers(), prepare, work)
}

fn accountant(flows: u64, per_flow: bool) -> Accountant {
    let shards = Shard::all(1, flows);
    let flows = vec![flows];
    Accountant::new(&Expectation {
        tag: TAG,
        shards,
        flows,
        counts: None,
        same_clock: true,
        clock_slack: 0,
        queues: 1,
        per_flow,
    })
}

/// Marked frames whose numbers are `seq` of 0, 1, 2, …, into the books: what a receiver does to a frame.
fn book(flows: u64, frames: u64, seq: impl Fn(u64) -> u64) -> Duration {
    book_with(accountant(flows, false), frames, seq)
}

/// The same of a million flows, each with its own books.
fn book_flows(frames: u64, seq: impl Fn(u64) -> u64) -> Duration {
    book_with(accountant(1_000_000, true), frames, seq)
}

fn book_with(books: Accountant, frames: u64, seq: impl Fn(u64) -> u64) -> Duration {
    let prepare = |(buffers, _): &mut (Vec<_>, _), first| write_marks(buffers, first, &seq);
    chunks(frames, &mut (buffers(), books), prepare, receive)
}

/// A number within a window's reach of the last ones, ever another one.
fn scattered(n: u64) -> u64 {
    const WITHIN: u64 = 1 << 14;
    (n & !(WITHIN - 1)) | (n.wrapping_mul(0x9e37_79b1) & (WITHIN - 1))
}

fn receive((buffers, books): &mut (Vec<[u8; FRAME]>, Accountant), first: u64) {
    for (burst, frames) in (first..).zip(black_box(buffers).chunks(BURST)) {
        for frame in frames {
            books.frame(frame, burst * 800 + 3000 + (burst & 63));
        }
    }
    black_box(books);
}

/// Frames without a mark, each counted by its kind.
fn foreign(frames: u64) -> Duration {
    chunks(frames, &mut (buffers(), accountant(100, false)), |_, _| (), receive)
}
