//! Dividing: the union is the capture, flows stay whole and in order, times are kept.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Kind, Replay, Split, Timing, UDP, file, load, replay};
use crate::profile::Stop;
use crate::replay::{Cursor, ReplayPlan};
use crate::units::Rate;

const HZ: u64 = 1_000_000_000;

/// A frame with its number in its last bytes, so that frames of one flow differ.
fn numbered(kind: Kind, n: u16) -> Vec<u8> {
    let mut frame = kind.frame();
    let end = frame.len();
    frame[end - 2..].copy_from_slice(&n.to_be_bytes());
    frame
}

/// All that a worker sends.
fn sent(plan: &ReplayPlan, workers: u16, pps: Option<f64>) -> Vec<Vec<Vec<u8>>> {
    let parts = plan.parts(workers, HZ, pps);
    let all = |part| {
        let mut cursor = Cursor::new(part, plan.capture.bytes());
        let mut out = Vec::new();
        while cursor.left() > 0 {
            out.push(cursor.ahead().next().unwrap().to_vec());
            cursor.advance(1);
        }
        out
    };
    parts.iter().map(all).collect()
}

/// Flows of both families and directions; the number of the flow stands in the ports.
fn frames() -> impl Strategy<Value = Vec<(u64, Vec<u8>)>> {
    let one = (0u16..12, any::<bool>(), any::<bool>(), 0u64..50);
    proptest::collection::vec(one, 1..80).prop_map(|frames| {
        let mut time = 0;
        let mut frame = |(n, (flow, back, v6, gap)): (usize, (u16, bool, bool, u64))| {
            let (mut ends, mut ports) = ([1, 2], [flow, 80]);
            if back {
                ends.reverse();
                ports.reverse();
            }
            time += gap;
            (time, numbered(Kind { v6, ends, ports, ..UDP }, n as u16))
        };
        frames.into_iter().enumerate().map(&mut frame).collect()
    })
}

proptest! {
    #[test]
    fn workers_together_send_the_file_and_each_flow_stays_in_order(
        frames in frames(), workers in 1u16..6, loops in 1u64..4, count in 1u64..200, is_five_tuple: bool,
    ) {
        let split = if is_five_tuple { Split::FiveTuple } else { Split::Symmetric };
        let profile = Replay { loops, split, timing: Timing::Rate, ..replay() };
        let capture = load(&file(&frames), &profile).unwrap();
        let plan = ReplayPlan::compile(capture, &profile, Rate::Max, Stop::Count(count)).unwrap();
        let parts = sent(&plan, workers, None);
        // The union: the first frames of the file's rounds.
        let total = count.min(loops * frames.len() as u64) as usize;
        let expected: Vec<&Vec<u8>> = frames.iter().cycle().take(total).map(|(_, f)| f).collect();
        let (mut union, mut wanted): (Vec<&Vec<u8>>, _) = (parts.iter().flatten().collect(), expected.clone());
        union.sort();
        wanted.sort();
        prop_assert_eq!(union, wanted);
        // What one worker sends of a flow is all of it, in the file's order.
        let key = |frame: &[u8]| {
            let l4 = if frame[12] == 8 { 34 } else { 54 };
            let (mut a, mut b) = ([frame[l4], frame[l4 + 1]], [frame[l4 + 2], frame[l4 + 3]]);
            if split == Split::Symmetric && b < a {
                std::mem::swap(&mut a, &mut b);
            }
            (frame[12], a, b)
        };
        let mut owners = BTreeMap::new();
        for (worker, part) in parts.iter().enumerate() {
            for frame in part {
                prop_assert_eq!(*owners.entry(key(frame)).or_insert(worker), worker);
            }
            let own: Vec<_> = part.iter().collect();
            let in_file: Vec<_> =
                expected.iter().filter(|f| owners.get(&key(f)) == Some(&worker)).copied().collect();
            prop_assert_eq!(own, in_file);
        }
    }

    #[test]
    fn times_are_the_captures_by_the_factor_and_rounds_do_not_drift(
        frames in frames().prop_filter("a loop needs a length", |f| f.last().unwrap().0 > f[0].0),
        tenths in 1u64..40,
    ) {
        let factor = tenths as f64 / 10.0;
        let profile = Replay { loops: 0, timing: Timing::Factor(factor), ..replay() };
        let capture = load(&file(&frames), &profile).unwrap();
        let plan = ReplayPlan::compile(capture, &profile, Rate::Max, Stop::Never).unwrap();
        let pps = plan.requested_pps(0);
        let part = &plan.parts(1, HZ, pps)[0];
        let mut cursor = Cursor::new(part, plan.capture.bytes());
        let span = frames.last().unwrap().0 - frames[0].0;
        let round_us = span as f64 + span as f64 / (frames.len() - 1) as f64;
        for round in 0..3 {
            for (us, frame) in &frames {
                let due = (round as f64 * round_us + (us - frames[0].0) as f64) * factor * 1000.0;
                prop_assert!((cursor.next_due() as f64 - due).abs() <= 2.001, "{} {}", cursor.next_due(), due);
                prop_assert_eq!(cursor.ahead().next().unwrap(), &frame[..]);
                cursor.advance(1);
            }
        }
        let mean = frames.len() as f64 / (round_us * factor / 1e6);
        prop_assert!((pps.unwrap() / mean - 1.0).abs() < 1e-9);
    }
}

#[test]
fn rates_in_bits_count_the_mean_frame() {
    let frames = [(0, vec![1; 60]), (0, vec![2; 1514])];
    let pps = |text: &str| {
        let profile = Replay { timing: Timing::Rate, ..replay() };
        let capture = load(&file(&frames), &profile).unwrap();
        let plan = ReplayPlan::compile(capture, &profile, text.parse().unwrap(), Stop::Never).unwrap();
        plan.requested_pps(1000)
    };
    let (frame, wire) = ((64.0 + 1518.0) / 2.0 * 8.0, (84.0 + 1538.0) / 2.0 * 8.0);
    assert_eq!(pps("10%"), Some(1e8 / wire));
    assert_eq!(pps("1MbpsL1"), Some(1e6 / wire));
    assert_eq!(pps("1Mbps"), Some(1e6 / frame));
    assert_eq!(pps("5kpps"), Some(5000.0));
    assert_eq!(pps("max"), None);
}

#[test]
fn at_a_rate_the_workers_departures_are_one_even_row() {
    let frames: Vec<_> = (0..40).map(|n| (0, numbered(Kind { ports: [n % 7, 9], ..UDP }, n))).collect();
    let profile = Replay { timing: Timing::Rate, ..replay() };
    let capture = load(&file(&frames), &profile).unwrap();
    let plan = ReplayPlan::compile(capture, &profile, Rate::Pps(3e6), Stop::Never).unwrap();
    let mut due = Vec::new();
    for part in &plan.parts(3, HZ, Some(3e6)) {
        let mut cursor = Cursor::new(part, plan.capture.bytes());
        while cursor.left() > 0 {
            due.push(cursor.next_due());
            cursor.advance(1);
        }
    }
    due.sort_unstable();
    assert_eq!(due, (0..40).map(|n| n * 1000 / 3).collect::<Vec<_>>());
}
