//! Mixed frames against what their streams say, and against the plain cursor.

use super::*;
use crate::frame::Template;
use crate::frame::word::HEAD_BYTES;
use crate::profile::{Field, FrameSizes, List, Profile};
use crate::stamp;
use crate::testing::{udp_stream, valid_checksums};
use proptest::prelude::*;

/// A frame's room in memory.
struct Memory {
    bytes: Vec<u8>,
    len: usize,
}

impl Room for &mut Memory {
    fn held(&self) -> usize {
        self.len
    }
    fn set_len(&mut self, bytes: u16) {
        self.len = bytes.into();
    }
    fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
    fn head(&mut self) -> Option<&mut Head> {
        self.bytes.first_chunk_mut()
    }
}

/// Rooms as a pool has them.
fn pool(plan: &Plan, count: usize) -> Vec<Memory> {
    let bytes = Mixed::prefill(plan);
    let len = bytes.len();
    let room = || {
        let mut bytes = bytes.clone();
        bytes.resize(len.max(HEAD_BYTES), 0);
        Memory { bytes, len }
    };
    (0..count).map(|_| room()).collect()
}

/// The next frames of a worker, in rooms that were used before.
fn frames(mixed: &mut Mixed, rooms: &mut [Memory], count: u64) -> Vec<Vec<u8>> {
    let picked = mixed.pick(0, count) as usize;
    mixed.write(rooms.iter_mut().take(picked), 99);
    let frames = rooms.iter().take(picked).map(|r| r.bytes[..r.len].to_vec()).collect();
    rooms.rotate_left(3);
    mixed.sent(picked, |_| ());
    frames
}

fn three_streams() -> Profile {
    let mut imix = udp_stream(64);
    imix.frame_size = FrameSizes::Named(crate::profile::sizes::NamedMix::Imix);
    imix.weight = 2;
    imix.ipv4.as_mut().unwrap().src =
        Field::range([10, 0, 0, 1].into(), [10, 0, 0, 1].into(), [10, 0, 0, 7].into(), [0, 0, 0, 1].into());
    let mut listed = udp_stream(100);
    listed.udp.as_mut().unwrap().dst = Field::List(List { list: vec![5, 3, 9], nest: 1 });
    listed.udp.as_mut().unwrap().src = Field::range(1, 1, 2, 1);
    let mut one = udp_stream(66);
    one.ipv4.as_mut().unwrap().tos = 8.into();
    Profile::of(vec![imix, listed, one])
}

/// What the shard's frame `seq` must be: its template with every field's value, valid, and the mark.
fn check(plan: &Plan, shard: &Shard, bytes: &[u8]) -> Result<u64, TestCaseError> {
    let mark = stamp::read(bytes, 7).unwrap();
    prop_assert_eq!((mark.shard, mark.time), (shard.id, 99));
    let stream = &plan.streams[usize::from(shard.stream)];
    let sizes = stream.size_order.len() as u64;
    // The rule, told in another way: all pairs of a place and a size come, and then the sizes go one further.
    let cycle = (1..=sizes).map(|n| n * shard.slots()).find(|frames| frames % sizes == 0).unwrap();
    let round = mark.seq + if cycle < sizes * shard.slots() { mark.seq / cycle } else { 0 };
    let template: &Template =
        &stream.templates[usize::from(stream.size_order[(round % stream.size_order.len() as u64) as usize])];
    let mut want = template.bytes.clone();
    for p in &template.patches {
        p.write(&mut want, p.stored(p.values.at(shard.frame(mark.seq))));
    }
    let at = template.stamp_at.unwrap();
    want[at..at + 18].copy_from_slice(&bytes[at..at + 18]);
    for check in [template.ip, template.l4].into_iter().flatten() {
        let at = usize::from(check.at);
        want[at..at + 2].copy_from_slice(&bytes[at..at + 2]);
    }
    prop_assert_eq!(bytes, &want[..]);
    prop_assert!(valid_checksums(bytes));
    Ok(mark.seq)
}

proptest! {
    /// All streams come by their weights, their frames in order and whole, whatever the rooms held before, and what is
    /// not sent comes again.
    #[test]
    fn every_frame_is_its_streams_next(
        workers in 1u16..4, bursts in proptest::collection::vec((1u64..64, 0u64..10), 1..20),
    ) {
        let plan = Plan::compile(&three_streams()).unwrap();
        let shards = plan.shards(workers);
        for worker in 0..workers {
            let mut mixed = Mixed::new(&plan, &shards, worker, 7, None);
            let mut rooms = pool(&plan, 64);
            let mut next = vec![0u64; shards.len()];
            for (count, refused) in &bursts {
                let picked = mixed.pick(0, *count) as usize;
                prop_assert_eq!(picked as u64, *count);
                mixed.write(rooms.iter_mut().take(picked), 99);
                let kept = picked.saturating_sub(*refused as usize);
                for room in &rooms[..kept] {
                    let bytes = &room.bytes[..room.len];
                    let id = stamp::read(bytes, 7).unwrap().shard;
                    let seq = check(&plan, &shards[usize::from(id)], bytes)?;
                    prop_assert_eq!(seq, next[usize::from(id)]);
                    next[usize::from(id)] += 1;
                }
                let sum: u64 = rooms[..kept].iter().map(|r| r.len as u64).sum();
                prop_assert_eq!(mixed.sent(kept, |_| ()), sum);
                rooms.rotate_left(3);
            }
            for (id, written) in mixed.written() {
                prop_assert_eq!(written, next[usize::from(id)]);
            }
        }
    }
}

/// Streams that differ in a few bytes of their headers, so that lines of the cache will do for each.
fn alike(tcp: bool, flows: &[u8]) -> Profile {
    let stream = |(n, flows): (usize, &u8)| {
        let mut stream = udp_stream(if tcp { 80 } else { 64 });
        let ip = stream.ipv4.as_mut().unwrap();
        ip.dst = Field::Fixed([10, 0, 1, n as u8].into());
        if *flows > 0 {
            let last = [10, 0, 0, *flows].into();
            ip.src = Field::range([10, 0, 0, 1].into(), [10, 0, 0, 1].into(), last, [0, 0, 0, 1].into());
        }
        stream.weight = 1 + n as u32 % 3;
        if tcp {
            let ports = crate::profile::Ports { src: 1.into(), dst: 2.into() };
            (stream.udp, stream.tcp) = (None, Some(crate::profile::Tcp::from(ports)));
        }
        stream
    };
    Profile::of(flows.iter().enumerate().map(stream).collect())
}

proptest! {
    /// As above, of frames that are alike: by the count, too, and without marks byte for byte as with them.
    #[test]
    fn every_frame_of_streams_that_are_alike_is_the_next(
        tcp: bool,
        flows in proptest::collection::vec(0u8..20, 2..9),
        workers in 1u16..3,
        limit in proptest::option::of(100u64..600),
        bursts in proptest::collection::vec((1u64..64, 0u64..10), 1..20),
    ) {
        let profile = alike(tcp, &flows);
        let plan = Plan::compile(&profile).unwrap();
        let bare = Plan::compile(&Profile { stamp: false, ..profile }).unwrap();
        let shards = plan.shards(workers);
        let limits = limit.map(|frames| plan.count_shares(frames, &shards));
        for worker in 0..workers {
            let of = |plan: &Plan| Mixed::new(plan, &shards, worker, 7, limits.as_deref());
            let (mut mixed, mut unmarked) = (of(&plan), of(&bare));
            prop_assert!(mixed.quick.is_some() && unmarked.quick.is_some());
            let (mut rooms, mut bare_rooms) = (pool(&plan, 64), pool(&bare, 64));
            let mut next = vec![0u64; shards.len()];
            for (count, refused) in &bursts {
                let picked = mixed.pick(0, *count) as usize;
                prop_assert_eq!(unmarked.pick(0, *count) as usize, picked);
                mixed.write(rooms.iter_mut().take(picked), 99);
                unmarked.write(bare_rooms.iter_mut().take(picked), 99);
                let kept = picked.saturating_sub(*refused as usize);
                for (room, bare) in rooms[..kept].iter().zip(&bare_rooms) {
                    let (bytes, bare) = (&room.bytes[..room.len], &bare.bytes[..bare.len]);
                    let id = stamp::read(bytes, 7).unwrap().shard;
                    prop_assert_eq!(check(&plan, &shards[usize::from(id)], bytes)?, next[usize::from(id)]);
                    prop_assert_eq!(&bytes[..40], &bare[..40]);
                    prop_assert!(valid_checksums(bare) && stamp::read(bare, 7).is_none());
                    next[usize::from(id)] += 1;
                }
                mixed.sent(kept, |_| ());
                unmarked.sent(kept, |_| ());
                rooms.rotate_left(3);
                bare_rooms.rotate_left(3);
            }
            for ((id, written), (_, bare)) in mixed.written().zip(unmarked.written()) {
                prop_assert_eq!((written, bare), (next[usize::from(id)], next[usize::from(id)]));
            }
        }
    }
}

/// One size has no room for the mark: its stream carries none, and the other stream's frames do, whatever mbufs held.
#[test]
fn a_stream_without_room_for_marks_leaves_the_other_its_own() {
    let mut tcp = udp_stream(64);
    (tcp.udp, tcp.tcp) =
        (None, Some(crate::profile::Tcp::from(crate::profile::Ports { src: 1.into(), dst: 2.into() })));
    tcp.frame_size = FrameSizes::Named(crate::profile::sizes::NamedMix::Imix);
    tcp.ipv4.as_mut().unwrap().src =
        Field::range([10, 0, 0, 1].into(), [10, 0, 0, 1].into(), [10, 0, 0, 9].into(), [0, 0, 0, 1].into());
    let plan = Plan::compile(&Profile::of(vec![tcp, udp_stream(64)])).unwrap();
    assert!(plan.is_marked() && !plan.stamped());
    assert_eq!((plan.unmarked_streams(), plan.flows()), (vec![0], 1));
    assert!(plan.warnings[0].starts_with("frames of stream 0 carry no mark"), "{}", plan.warnings[0]);
    let mut mixed = Mixed::new(&plan, &plan.shards(1), 0, 7, None);
    let mut rooms = pool(&plan, 64);
    let mut marked = 0;
    for _ in 0..20 {
        for frame in frames(&mut mixed, &mut rooms, 33) {
            assert!(valid_checksums(&frame));
            if let Some(mark) = stamp::read(&frame, 7) {
                assert_eq!((mark.shard, mark.seq, frame.len()), (1, marked, 60));
                marked += 1;
            } else {
                // No other frame's mark is left in the payload.
                let letters = |at: usize| b"abcdefghijklmnopqrstuvwxyz012345"[at % 32];
                assert!((54..frame.len()).all(|at| frame[at] == letters(at)), "{frame:?}");
            }
        }
    }
    assert_eq!(marked, 330);
}

#[test]
fn weights_and_counts_are_kept_over_workers() {
    let plan = Plan::compile(&three_streams()).unwrap();
    for workers in 1..4 {
        let shards = plan.shards(workers);
        let limits = plan.count_shares(402, &shards);
        let mut of_stream = [0; 3];
        for worker in 0..workers {
            let mut mixed = Mixed::new(&plan, &shards, worker, 7, Some(&limits));
            let mut rooms = pool(&plan, 64);
            while mixed.left() > 0 {
                assert!(!frames(&mut mixed, &mut rooms, 64).is_empty());
            }
            for (id, written) in mixed.written() {
                of_stream[usize::from(shards[usize::from(id)].stream)] += written;
            }
        }
        // 402 = 100 cycles of four frames, 2 : 1 : 1, and two more: one of the first, one of the second.
        assert_eq!(of_stream, [201, 101, 100]);
    }
}
