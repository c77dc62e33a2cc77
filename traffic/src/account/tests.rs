//! The books against a reader that remembers everything.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn expect(workers: u16, flows: u64, queues: u16) -> Expectation {
    Expectation {
        tag: 9,
        shards: Shard::all(workers, flows),
        flows: vec![flows],
        counts: None,
        same_clock: true,
        queues,
    }
}

fn marked(shard: u16, seq: u64, time: u64) -> Vec<u8> {
    let mut frame = vec![0; 60];
    let window = frame[42..].first_chunk_mut().unwrap();
    stamp::write(window, 9, shard, seq, time);
    frame
}

proptest! {
    /// Numbers come in any order, several times, over two queues by flow: all counts are those of a perfect
    /// memory.
    #[test]
    fn counts_are_those_of_a_perfect_memory(
        arrivals in proptest::collection::vec((0u16..3, 0u64..60), 0..200), flows in 1u64..20
    ) {
        let e = expect(3, flows, 2);
        let mut queues = [Accountant::new(&e), Accountant::new(&e)];
        let mut seen: BTreeSet<(u16, u64)> = BTreeSet::new();
        let mut highest = [[0u64; 3]; 2];
        let (mut reordered, mut duplicated) = (0, 0);
        for (shard, seq) in &arrivals {
            let flow = e.shards[usize::from(*shard)].frame(*seq) % flows;
            let q = (flow % 2) as usize;
            queues[q].frame(&marked(*shard, *seq, 5), 25);
            let high = &mut highest[q][usize::from(*shard)];
            if !seen.insert((*shard, *seq)) {
                duplicated += 1;
            } else if *seq < *high {
                reordered += 1;
            }
            *high = (*high).max(seq + 1);
        }
        let (total, shards) = merge(&[&queues[0], &queues[1]], &e);
        let expected: u64 = (0..3).map(|s| highest[0][s].max(highest[1][s])).sum();
        prop_assert_eq!(total.received, seen.len() as u64);
        prop_assert_eq!(total.lost, expected - seen.len() as u64);
        prop_assert_eq!((total.reordered, total.duplicated), (reordered, duplicated));
        prop_assert_eq!(shards.len(), 3);
        let distinct: BTreeSet<u64> = seen.iter().map(|(s, n)| e.shards[usize::from(*s)].frame(*n) % flows).collect();
        prop_assert_eq!(distinct_flows(&[&queues[0], &queues[1]], &e), Some(vec![distinct.len() as u64]));
        let latency = queues[0].latency().report("t", 1_000_000_000);
        prop_assert!(latency.count == 0 || (latency.min_ns, latency.max_ns) == (20, 20));
    }

    #[test]
    fn any_bytes_are_booked_without_panic(
        frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..70), 0..20),
    ) {
        let e = expect(2, 7, 1);
        let mut q = Accountant::new(&e);
        for f in &frames {
            q.frame(f, 1);
        }
        let (t, _) = merge(&[&q], &e);
        let foreign = t.foreign_arp + t.foreign_ipv4 + t.foreign_ipv6 + t.foreign_other;
        prop_assert_eq!(t.received + t.duplicated + t.invalid + t.too_late + foreign, frames.len() as u64);
    }
}

#[test]
fn foreign_frames_are_counted_by_kind_and_never_ours() {
    let e = expect(1, 1, 1);
    let mut q = Accountant::new(&e);
    for ether_type in [[8, 6], [8, 0], [0x86, 0xdd], [0x88, 0xcc]] {
        let mut frame = vec![0; 60];
        frame[12..14].copy_from_slice(&ether_type);
        q.frame(&frame, 0);
    }
    q.frame(&[], 0);
    let mut other_trial = vec![0; 60];
    stamp::write(other_trial[42..].first_chunk_mut().unwrap(), 10, 0, 0, 0);
    q.frame(&other_trial, 0);
    let (t, _) = merge(&[&q], &e);
    assert_eq!((t.foreign_arp, t.foreign_ipv4, t.foreign_ipv6, t.foreign_other, t.received), (1, 1, 1, 3, 0));
}

#[test]
fn impossible_marks_are_invalid_not_loss() {
    let mut e = expect(2, 4, 1);
    e.counts = Some(vec![10, 10]);
    let mut q = Accountant::new(&e);
    q.frame(&marked(2, 0, 0), 0);
    q.frame(&marked(0, 10, 0), 0);
    q.frame(&marked(1, 9, 0), 0);
    let (t, _) = merge(&[&q], &e);
    assert_eq!((t.invalid, t.received, t.lost), (2, 1, 9));

    let e = expect(1, 4, 1);
    let mut q = Accountant::new(&e);
    q.frame(&marked(0, shard::JUMP_LIMIT + 1, 0), 0);
    assert_eq!(merge(&[&q], &e).0.invalid, 1);
}

#[test]
fn beyond_the_window_late_and_copy_are_not_told_apart() {
    let e = expect(1, 1, 1);
    let mut q = Accountant::new(&e);
    q.frame(&marked(0, 0, 0), 0);
    q.frame(&marked(0, shard::WINDOW + 5, 0), 0);
    q.frame(&marked(0, 0, 0), 0);
    q.frame(&marked(0, 6, 0), 0);
    q.frame(&marked(0, 6, 0), 0);
    let (t, _) = merge(&[&q], &e);
    assert_eq!((t.too_late, t.reordered, t.duplicated, t.received), (1, 1, 1, 3));
    // What came too late is neither received nor lost.
    assert_eq!(t.lost, shard::WINDOW + 6 - 3 - 1);
}

#[test]
fn too_many_flows_are_not_tracked_and_said_so() {
    let e = expect(1, FLOW_MEMORY_LIMIT_BYTES, 1);
    let q = Accountant::new(&e);
    assert_eq!(distinct_flows(&[&q], &e), None);
    assert_eq!(merge(&[&q], &e).0.flows_seen, None);
}
