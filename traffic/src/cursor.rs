//! A worker's place in its shard: the values of the next frames, written into them without division or allocation.
//!
//! A burst is written field by field, not frame by frame: what kind of field it is gets decided once a burst, its
//! few numbers stay in registers, and the sums that checksums are made of wait in an array meanwhile.

use crate::frame::Template;
use crate::frame::step::{HEAD_BYTES, Head, Step, put};
use crate::frame::sums::Sums;
use crate::frame::{Check, NicFrame, Patch};
use crate::shard::Shard;
use crate::stamp::{Marker, STAMP_BYTES};

/// Frames written at once at most.
pub const MAX_BURST: usize = 64;

/// Frames to be written: each holds its template's bytes, or an earlier frame's, and has room for [`Head`] at least.
pub trait Frames {
    /// How many there are.
    fn count(&self) -> usize;
    /// The first bytes of each, from frame `from` on.
    fn heads(&mut self, from: usize) -> impl Iterator<Item = &mut Head>;
    /// All bytes of each.
    fn frames(&mut self) -> impl Iterator<Item = &mut [u8]>;
}

/// The next frame of one worker.
#[derive(Clone, Debug)]
pub struct Cursor {
    seq: u64,
    /// Frames before the values go back to the shard's first place.
    left: u64,
    /// As `left`, at the first place.
    turn: u64,
    /// Up to here values are looked up: until one frame behind the lead-in, where stepping takes over.
    settled: u64,
    steps: Vec<Step>,
    patches: Vec<Patch>,
    shard: Shard,
    tag: u32,
    /// Of all that never changes.
    base: Sums,
    /// Of the frames that are being written.
    sums: Box<[Sums; MAX_BURST]>,
    checksums: Checksums,
    stamp_at: Option<usize>,
    /// The NIC fills in the checksums.
    for_nic: bool,
    /// Checksums' places are written behind all fields, not with the last one.
    checks_later: bool,
}

impl Cursor {
    /// At the shard's frame 0. For a template of [`crate::plan::Plan::is_plain`].
    pub fn new(t: &Template, shard: Shard, tag: u32) -> Cursor {
        let (flows, lead_in) = (t.flows().unwrap_or(1), t.lead_in());
        let check = |check: Option<Check>| check.unwrap_or(Check { at: 0, sum: 0, zero: 0 });
        let (ip, l4) = (check(t.ip), check(t.l4));
        // Behind the lead-in frames the cycle stands where `lead_in` frames more of it would have brought it.
        let lead = lead_in.div_ceil(flows) * flows;
        let step = |patch| Step::new(patch, shard.workers(), lead + shard.frame(0));
        // Where the step from the last place to the first is as long as all others, the values get there by themselves.
        let even = shard.frame(shard.slots()) == shard.frame(0) + shard.workers() * shard.slots();
        let mut cursor = Cursor {
            seq: 0,
            left: 0,
            turn: if even { u64::MAX } else { shard.slots() },
            // A shard reaches its frame `seq` no earlier than the stream reaches frame `seq`.
            settled: if lead_in > 0 { lead_in + 1 } else { 0 },
            steps: t.patches.iter().map(step).collect(),
            patches: t.patches.clone(),
            shard,
            tag,
            base: Sums::new(ip.sum, l4.sum),
            sums: Box::new([Sums::default(); MAX_BURST]),
            checksums: Checksums { ip_at: ip.at, l4_at: l4.at, l4_zero: l4.zero },
            stamp_at: t.stamp_at,
            for_nic: false,
            checks_later: t.stamp_at.is_some(),
        };
        cursor.seek(0);
        cursor
    }

    /// As [`Cursor::new`], for frames whose checksums the NIC fills in.
    pub fn for_nic(frame: &NicFrame, shard: Shard, tag: u32) -> Cursor {
        Cursor { for_nic: true, checks_later: true, ..Cursor::new(&frame.template, shard, tag) }
    }

    /// The next frame's number within the shard.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Goes to frame `seq` of the shard.
    pub fn seek(&mut self, seq: u64) {
        self.seq = seq;
        self.left = self.turn - seq % self.turn;
        let frame = self.shard.frame(seq);
        for (step, patch) in self.steps.iter_mut().zip(&self.patches) {
            step.go_to(patch, frame);
        }
    }

    /// Goes back over `frames` frames that were written and not sent.
    pub fn rewind(&mut self, frames: u64) {
        if frames > 0 {
            self.seek(self.seq - frames.min(self.seq));
        }
    }

    /// Writes what differs into the next frames, [`MAX_BURST`] at most, and goes on. Their marks have the same `time`.
    #[inline]
    pub fn write(&mut self, frames: &mut impl Frames, time: u64) {
        let count = frames.count().min(MAX_BURST);
        let first = self.seq;
        self.sums[..count].fill(self.base);
        self.write_fields(frames, count);
        if self.for_nic {
            return self.leave_to_nic(frames, count, (first, time));
        }
        let Some(at) = self.stamp_at else { return };
        let (marker, checksums) = (Marker::new(self.tag, self.shard.id, time), self.checksums);
        for ((frame, sums), mark) in frames.frames().zip(&mut self.sums[..count]).zip(marker.marks(first)) {
            if let Some(window) = window(frame, at) {
                sums.add::<false, true>(mark.write(window));
            }
            if let Some(head) = frame.first_chunk_mut() {
                checksums.put(head, *sums);
            }
        }
    }

    /// Marks, and what the NIC wants to find in the checksums' places. Written even where nothing varies: drivers that
    /// fill them in by themselves leave theirs in the mbuf.
    #[inline(never)]
    fn leave_to_nic(&mut self, frames: &mut impl Frames, count: usize, (first, time): (u64, u64)) {
        let marks = Marker::new(self.tag, self.shard.id, time).marks(first);
        let Checksums { ip_at, l4_at, .. } = self.checksums;
        for ((frame, sums), mark) in frames.frames().zip(&self.sums[..count]).zip(marks) {
            if let Some(window) = self.stamp_at.and_then(|at| window(frame, at)) {
                mark.write(window);
            }
            if let Some(head) = frame.first_chunk_mut() {
                let (_, inverse) = sums.finish();
                put(head, ip_at, [0; 2]);
                put(head, l4_at, (!inverse).to_ne_bytes());
            }
        }
    }

    /// Writes the fields of `count` frames, and goes on. With the last field come the checksums, unless the mark
    /// or the NIC comes later.
    #[inline(always)]
    fn write_fields(&mut self, frames: &mut impl Frames, count: usize) {
        let mut done = 0;
        while done < count {
            if self.seq < self.settled {
                self.seek(self.seq);
            }
            let most = if self.seq < self.settled { 1 } else { self.left };
            let run = most.min((count - done) as u64) as usize;
            let sums = &mut self.sums[done..done + run];
            let (last, others) =
                if self.checks_later { (None, &mut *self.steps) } else { split_last(&mut self.steps) };
            for step in others {
                step.write(frames.heads(done).zip(&mut *sums), |_, place, sums| *place = sums);
            }
            if let Some(step) = last {
                let checksums = self.checksums;
                step.write(frames.heads(done).zip(sums), |head, _, sums| checksums.put(head, sums));
            }
            done += run;
            self.seq += run as u64;
            self.left -= run as u64;
            if self.left == 0 {
                self.left = self.turn;
                self.steps.iter_mut().for_each(Step::start_over);
            }
        }
    }

    /// [`Self::write`] for a single frame of any length.
    pub fn write_one(&mut self, frame: &mut [u8], time: u64) {
        let mut room = One { bytes: vec![0; frame.len().max(HEAD_BYTES)] };
        room.bytes[..frame.len()].copy_from_slice(frame);
        self.write(&mut room, time);
        frame.copy_from_slice(&room.bytes[..frame.len()]);
    }
}

/// Where a frame has its checksums.
#[derive(Clone, Copy, Debug)]
struct Checksums {
    ip_at: u8,
    l4_at: u8,
    /// What is sent for a layer-4 checksum of zero.
    l4_zero: u16,
}

impl Checksums {
    #[inline(always)]
    fn put(self, head: &mut Head, sums: Sums) {
        let (ip, l4) = sums.finish();
        put(head, self.ip_at, ip.to_ne_bytes());
        put(head, self.l4_at, if l4 == 0 { self.l4_zero } else { l4 }.to_ne_bytes());
    }
}

/// The last one, and those before it.
fn split_last(steps: &mut [Step]) -> (Option<&mut Step>, &mut [Step]) {
    match steps.split_last_mut() {
        Some((last, others)) => (Some(last), others),
        None => (None, &mut []),
    }
}

/// One frame with room enough.
struct One {
    bytes: Vec<u8>,
}

impl Frames for One {
    fn count(&self) -> usize {
        1
    }
    fn heads(&mut self, from: usize) -> impl Iterator<Item = &mut Head> {
        self.bytes.first_chunk_mut().into_iter().skip(from)
    }
    fn frames(&mut self) -> impl Iterator<Item = &mut [u8]> {
        std::iter::once(self.bytes.as_mut_slice())
    }
}

/// The mark's bytes; frames are never shorter than their template.
#[inline(always)]
fn window(frame: &mut [u8], at: usize) -> Option<&mut [u8; STAMP_BYTES]> {
    frame.get_mut(at..)?.first_chunk_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Field;
    use crate::stamp;
    use crate::testing::{udp_stream, valid_checksums};
    use crate::units::FrameSize;
    use proptest::prelude::*;

    type Numbers = (u64, u64, u64, u64);

    fn field<T: crate::profile::Value>((start, min, span, inc): Numbers) -> Field<T> {
        let value = |n| T::from_u64(n).unwrap();
        Field::range(value(start), value(min), value(min + span), value(inc))
    }

    /// Fields of every width, with and without lead-in.
    fn template(ranges: [Numbers; 4], stamped: bool) -> Template {
        let mut stream = udp_stream(104);
        stream.ethernet.dst = field(ranges[0]);
        let ip = stream.ipv4.as_mut().unwrap();
        (ip.src, ip.dst) = (field(ranges[1]), field(ranges[2]));
        stream.udp.as_mut().unwrap().src = field(ranges[3]);
        Template::new(&stream, FrameSize::new(104).unwrap(), stamped).unwrap()
    }

    fn range() -> impl Strategy<Value = Numbers> {
        (0u64..60, 0u64..50, 0u64..12, 0u64..5)
    }

    proptest! {
        /// Every shard's frames, laid side by side, are the stream's frames, with valid checksums, marked or not, in
        /// bursts of any size, after rewinds too.
        #[test]
        fn shards_write_the_stream(ranges in [range(), range(), range(), range()], workers in 1u16..5, stamped: bool,
                                   bursts in proptest::collection::vec((1..=MAX_BURST, 0u64..20), 1..8)) {
            let template = template(ranges, stamped);
            let len = template.bytes.len();
            for shard in Shard::all(workers, template.flows().unwrap()) {
                let mut cursor = Cursor::new(&template, shard, 7);
                let mut room = [0; HEAD_BYTES];
                room[..len].copy_from_slice(&template.bytes);
                for (frames, back) in &bursts {
                    let first = cursor.seq();
                    let mut burst = Burst(vec![room; *frames]);
                    cursor.write(&mut burst, 99);
                    prop_assert_eq!(cursor.seq(), first + *frames as u64);
                    for (seq, bytes) in (first..).zip(&burst.0) {
                        check(&template, shard, seq, stamped, &bytes[..len])?;
                    }
                    cursor.rewind(*back);
                }
            }
        }

        #[test]
        fn a_short_frame_is_written_as_in_a_burst(ranges in [range(), range(), range(), range()]) {
            let template = template(ranges, true);
            let shard = Shard::new(0, 1, template.flows().unwrap());
            let mut cursor = Cursor::new(&template, shard, 7);
            let mut bytes = template.bytes.clone();
            for seq in 0..100 {
                cursor.write_one(&mut bytes, 99);
                check(&template, shard, seq, true, &bytes)?;
            }
        }
    }

    struct Burst(Vec<Head>);

    impl Frames for Burst {
        fn count(&self) -> usize {
            self.0.len()
        }
        fn heads(&mut self, from: usize) -> impl Iterator<Item = &mut Head> {
            self.0[from..].iter_mut()
        }
        fn frames(&mut self) -> impl Iterator<Item = &mut [u8]> {
            self.0.iter_mut().map(|head| head.as_mut_slice())
        }
    }

    /// Whether `bytes` are the shard's frame `seq`.
    fn check(t: &Template, shard: Shard, seq: u64, stamped: bool, bytes: &[u8]) -> Result<(), TestCaseError> {
        for p in &t.patches {
            prop_assert_eq!(p.read(bytes), p.values.at(shard.frame(seq)), "seq {} at {}", seq, p.at);
        }
        if stamped {
            let mark = stamp::read(bytes, 7).unwrap();
            prop_assert_eq!((mark.shard, mark.seq, mark.time), (shard.id, seq, 99));
        }
        prop_assert!(valid_checksums(bytes));
        Ok(())
    }
}
