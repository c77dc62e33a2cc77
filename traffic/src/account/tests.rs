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
        clock_slack: 0,
        queues,
        per_flow: false,
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
        let latency = queues[0].latency().next().unwrap().report("t", 1_000_000_000);
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
        prop_assert_eq!(t.received + t.duplicated + t.invalid + t.too_late + t.foreign(), frames.len() as u64);
        prop_assert!(t.foreign_broadcast + t.foreign_multicast <= t.foreign() && t.foreign_tagged <= t.foreign());
    }
}

#[test]
fn foreign_frames_are_counted_by_kind_and_never_ours() {
    let e = expect(1, 1, 1);
    let mut q = Accountant::new(&e);
    for ether_type in [[8, 6], [8, 0], [0x86, 0xdd], [0x88, 0xcc], [0x88, 0xf7]] {
        let mut frame = vec![0; 60];
        frame[12..14].copy_from_slice(&ether_type);
        assert_eq!(q.frame(&frame, 0), Booked::Foreign);
    }
    q.frame(&[], 0);
    let mut other_trial = vec![0; 60];
    stamp::write(other_trial[42..].first_chunk_mut().unwrap(), 10, 0, 0, 0);
    q.frame(&other_trial, 0);
    let (t, _) = merge(&[&q], &e);
    let by_type = [t.foreign_arp, t.foreign_ipv4, t.foreign_ipv6, t.foreign_lldp, t.foreign_other];
    assert_eq!((by_type, t.foreign(), t.received), ([1, 1, 1, 1, 3], 7, 0));
    assert_eq!([t.foreign_tagged, t.foreign_broadcast, t.foreign_multicast], [0; 3]);
}

#[test]
fn foreign_frames_are_looked_at_behind_their_tags_and_by_their_address() {
    let e = expect(1, 1, 1);
    let mut q = Accountant::new(&e);
    let mut book = |dst: [u8; 6], tags: &[[u8; 4]], ether_type: [u8; 2]| {
        let mut frame = [&dst[..], &[2; 6], &tags.concat(), &ether_type].concat();
        frame.resize(64, 0);
        q.frame(&frame, 0);
    };
    book([0xff; 6], &[[0x81, 0, 0, 5]], [8, 6]);
    book([1, 0x80, 0xc2, 0, 0, 0x0e], &[], [0x88, 0xcc]);
    book([0x33, 0x33, 0, 0, 0, 1], &[[0x88, 0xa8, 0, 1], [0x81, 0, 0, 2]], [0x86, 0xdd]);
    book([2; 6], &[[0x81, 0, 0, 1]; 5], [8, 0]);
    // Cut off within its tag.
    q.frame(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0x81, 0], 0);
    let (t, _) = merge(&[&q], &e);
    let by_type = [t.foreign_arp, t.foreign_ipv4, t.foreign_ipv6, t.foreign_lldp, t.foreign_other];
    assert_eq!(by_type, [1, 0, 1, 1, 2]);
    assert_eq!([t.foreign_tagged, t.foreign_broadcast, t.foreign_multicast], [4, 2, 2]);
}

#[test]
fn latency_is_told_apart_by_stream_and_summed_in_copies() {
    let mut e = expect(4, 4, 1);
    let of_streams = |e: &mut Expectation, streams: [u16; 4]| {
        e.shards.iter_mut().zip(streams).for_each(|(shard, stream)| shard.stream = stream);
    };
    of_streams(&mut e, [0, 0, 1, 1]);
    let mut q = Accountant::new(&e);
    for (shard, late) in [(0, 10), (1, 20), (2, 1000), (3, 3000)] {
        assert_eq!(q.frame(&marked(shard, 0, 5), 5 + late), Booked::Ours);
    }
    let spans = |q: &Accountant| -> Vec<_> {
        let reports = q.latency().map(|h| h.report("t", 1_000_000_000));
        reports.map(|r| (r.count, r.min_ns, r.max_ns)).collect()
    };
    assert_eq!(spans(&q), [(2, 10, 20), (2, 1000, 3000)]);
    let mut copy = Accountant::new_copy(&e);
    copy.copy_from(&q);
    copy.copy_from(&q);
    assert_eq!(spans(&copy), [(4, 10, 3000)]);
    // Too many to be told apart are one.
    of_streams(&mut e, [0, 0, 1, LATENCY_STREAMS_MAX as u16]);
    assert_eq!(Accountant::new(&e).latency().count(), 1);
}

#[test]
fn a_frame_is_said_to_be_what_it_was_booked_as() {
    use Booked::{Foreign, Invalid, Ours};
    let mut e = expect(1, 1, 1);
    e.counts = Some(vec![3]);
    let mut q = Accountant::new(&e);
    let booked = [marked(0, 0, 0), marked(0, 0, 0), marked(0, 3, 0), marked(1, 0, 0), vec![0; 60]]
        .map(|frame| q.frame(&frame, 0));
    assert_eq!(booked, [Ours, Ours, Invalid, Invalid, Foreign]);
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
fn what_a_kernel_quotes_is_no_copy() {
    let e = expect(1, 1, 1);
    let mut q = Accountant::new(&e);
    let frame = marked(0, 0, 0);
    let ip = |mut head: Vec<u8>, protocol: usize, icmp: usize, kind: u8| {
        (head[protocol], head[icmp]) = (if protocol == 23 { 1 } else { 58 }, kind);
        [head, frame.clone()].concat()
    };
    let v4 = [&[0; 12][..], &[0x08, 0x00, 0x45], &[0; 27]].concat();
    let v6 = [&[0; 12][..], &[0x86, 0xdd, 0x60], &[0; 47]].concat();
    let unreachable = [ip(v4.clone(), 23, 34, 3), ip(v6, 20, 54, 1)];
    assert_eq!(q.frame(&frame, 1), Booked::Ours);
    for quoting in &unreachable {
        assert!(stamp::read(quoting, e.tag).is_some(), "the mark is found in it");
        assert_eq!(q.frame(quoting, 1), Booked::Foreign);
    }
    // An echo of ours that is there twice is a copy like any other.
    assert_eq!(q.frame(&ip(v4, 23, 34, 0), 1), Booked::Ours);
    assert_eq!(q.frame(&frame, 1), Booked::Ours);
    let (t, _) = merge(&[&q], &e);
    assert_eq!((t.received, t.duplicated, t.foreign()), (1, 2, 2));
}

#[test]
fn too_many_flows_are_not_tracked_and_said_so() {
    let e = expect(1, FLOW_MEMORY_LIMIT_BYTES, 1);
    let q = Accountant::new(&e);
    assert_eq!(distinct_flows(&[&q], &e), None);
    assert_eq!(merge(&[&q], &e).0.flows_seen, None);
}

#[test]
fn each_flow_has_its_own_books() {
    let e = Expectation { per_flow: true, ..expect(3, 10, 2) };
    let mut queues = [Accountant::new(&e), Accountant::new(&e)];
    let shards = &e.shards;
    // The stream's frames 0 to 99, ten of each flow. Flow 4 loses its frames from 50 on, flow 7 all; frame 30 comes
    // twice, and frame 62 behind the one that comes after it in its shard on its queue.
    let mut order: Vec<u64> = (0..100).filter(|n| n % 10 != 7 && (n % 10 != 4 || *n < 50)).collect();
    order.push(30);
    let place = |order: &[u64], frame| order.iter().position(|n| *n == frame).unwrap();
    let owner =
        |flow: u64| (0..3).find(|k| (0..shards[*k].slots()).any(|s| shards[*k].flow(s) == flow)).unwrap();
    let of = |k: usize, frame| (0..100).find(|seq| shards[k].frame(*seq) == frame).unwrap();
    let after = shards[owner(2)].frame(of(owner(2), 62) + 2);
    let (late, early) = (place(&order, 62), place(&order, after));
    order.swap(late, early);
    for frame in order {
        let k = owner(frame % 10);
        queues[(frame % 2) as usize].frame(&marked(k as u16, of(k, frame), 5), 25);
    }
    let books: Vec<&Accountant> = queues.iter().collect();
    let sent = |shard: &Shard| Some(shard.count_share(100));
    let rows = flow_books(&books, &e, sent, (100, &[])).unwrap();
    assert_eq!(rows.len(), 10);
    let row = |flow, received, lost, reordered, duplicated| FlowBook {
        stream: 0,
        flow,
        received,
        lost,
        reordered,
        duplicated,
    };
    assert_eq!(rows[..2], [row(7, 0, 10, 0, 0), row(4, 5, 5, 0, 0)], "the worst first");
    let odd: Vec<_> = rows[2..].iter().filter(|r| r.reordered + r.duplicated > 0).copied().collect();
    assert_eq!(rows[2..4], odd, "then the odd ones");
    assert!(odd == [row(0, 10, 0, 0, 1), row(2, 10, 0, 1, 0)], "{odd:?}");
    assert!(rows[4..].iter().all(|r| *r == row(r.flow, 10, 0, 0, 0)));
    assert_eq!(flow_books(&books, &e, sent, (1, &[])).unwrap(), rows[..1]);
    assert_eq!(flow_books(&books, &e, sent, (9, &[0])).unwrap(), [], "a stream without marks");
    assert_eq!(serde_json::to_string(&rows[0]).unwrap(), "[0,7,0,10,0,0]");
    assert_eq!(flow_books(&[], &expect(1, 4, 1), sent, (9, &[])), None, "not asked for");
}

#[test]
fn books_stay_within_their_bounds() {
    let with = |flows, queues, per_flow| Expectation { per_flow, ..expect(1, flows, queues) };
    // A million flows' books: 64 bytes each, and what every receiver has.
    let million = with(1_000_000, 1, true);
    assert_eq!(million.track(), (Track::Books, 64_000_000));
    assert!((64_000_000..65_000_000).contains(&million.memory_bytes()), "{}", million.memory_bytes());
    assert_eq!(with(1_000_000, 1, false).track(), (Track::Received, 8_000_000));
    assert_eq!(with(30_000_000, 1, true).track().0, Track::Received);
    assert_eq!(with(40_000_000, 1, true).track(), (Track::Nothing, 0));
    for (shards, queues) in [(1, 1), (4096, 1), (4096, 8), (65_535, 16), (65_535, 128)] {
        let shard = Shard::new(0, 1, 1);
        let e = Expectation { shards: vec![shard; shards], ..expect(1, 1, queues) };
        let bytes = e.window() / 8 * shards as u64 * u64::from(queues);
        assert!(bytes <= WINDOW_MEMORY_LIMIT_BYTES, "{shards} shards on {queues} queues: {bytes}");
        assert!(e.window() == WINDOW || bytes * 2 > WINDOW_MEMORY_LIMIT_BYTES || e.window() == WINDOW_MIN);
    }
}
