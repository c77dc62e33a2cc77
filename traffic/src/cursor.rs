//! A worker's place in its shard: the values of the next frame, written into it without division or allocation.

use crate::frame::checksum;
use crate::frame::{Patch, Template, Width};
use crate::plan::StreamPlan;
use crate::shard::Shard;
use crate::stamp;

/// More varying fields than a stream can have.
pub const MAX_FIELDS: usize = 7;

/// One varying field on its way: `value += stride; if value > top { value -= span }` is one frame of this shard.
#[derive(Clone, Copy, Debug)]
struct Step {
    value: u64,
    stride: u64,
    span: u64,
    top: u64,
    /// Value at the shard's first place, where it goes on after its last.
    first: u64,
    at: usize,
    shift: u32,
    low: u64,
    /// All ones where the checksum covers the field, else zero.
    ip_mask: u64,
    l4_mask: u64,
    width: Width,
}

/// The next frame of one worker.
#[derive(Clone, Debug)]
pub struct Cursor {
    seq: u64,
    /// Place within the shard's period.
    slot: u64,
    slots: u64,
    /// Up to here values are looked up: until one frame behind the lead-in, where stepping takes over.
    settled: u64,
    ip_sum: u64,
    l4_sum: u64,
    ip_checksum_at: usize,
    l4_checksum_at: usize,
    stamp_at: usize,
    udp: bool,
    stamped: bool,
    tag: u32,
    shard: Shard,
    fields: usize,
    steps: [Step; MAX_FIELDS],
    patches: Vec<Patch>,
}

impl Cursor {
    /// At the shard's frame 0.
    pub fn new(stream: &StreamPlan, shard: Shard, tag: u32) -> Cursor {
        let t: &Template = &stream.template;
        let idle = Step {
            value: 0,
            stride: 0,
            span: 0,
            top: 0,
            first: 0,
            at: 0,
            shift: 0,
            low: 0,
            ip_mask: 0,
            l4_mask: 0,
            width: Width::Two,
        };
        let mut steps = [idle; MAX_FIELDS];
        // Behind the lead-in frames the cycle stands where `lead_in` frames more of it would have brought it.
        let lead = stream.lead_in.div_ceil(stream.flows) * stream.flows;
        for (step, p) in steps.iter_mut().zip(&t.patches) {
            let (stride, span, top) = p.values.stepping(shard.workers());
            let first = p.values.at(lead + shard.frame(0));
            let mask = |covered: bool| if covered { u64::MAX } else { 0 };
            *step = Step {
                value: first,
                stride,
                span,
                top,
                first,
                at: p.at,
                shift: p.shift,
                low: p.low,
                ip_mask: mask(p.in_ip),
                l4_mask: mask(p.in_l4),
                width: p.width,
            };
        }
        let mut cursor = Cursor {
            seq: 0,
            slot: 0,
            slots: shard.slots(),
            // A shard reaches its frame `seq` no earlier than the stream reaches frame `seq`.
            settled: if stream.lead_in > 0 { stream.lead_in + 1 } else { 0 },
            ip_sum: t.ip_sum,
            l4_sum: t.l4_sum,
            ip_checksum_at: t.ip_checksum_at,
            l4_checksum_at: t.l4_checksum_at,
            stamp_at: t.stamp_at.unwrap_or(0),
            udp: t.udp,
            stamped: t.stamp_at.is_some(),
            tag,
            shard,
            fields: t.patches.len().min(MAX_FIELDS),
            steps,
            patches: t.patches.clone(),
        };
        cursor.seek(0);
        cursor
    }

    /// The next frame's number within the shard.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// How many fields vary.
    pub fn fields(&self) -> usize {
        self.fields
    }

    /// Whether frames get the mark.
    pub fn stamped(&self) -> bool {
        self.stamped
    }

    /// Goes to frame `seq` of the shard.
    pub fn seek(&mut self, seq: u64) {
        self.seq = seq;
        self.slot = seq % self.slots;
        let frame = self.shard.frame(seq);
        for (step, p) in self.steps.iter_mut().zip(&self.patches) {
            step.value = p.values.at(frame);
        }
    }

    /// Goes back over `frames` frames that were written and not sent.
    pub fn rewind(&mut self, frames: u64) {
        if frames > 0 {
            self.seek(self.seq - frames.min(self.seq));
        }
    }

    /// Writes what differs into the next frame and goes on. `FIELDS` and `STAMPED` are [`Self::fields`] and
    /// [`Self::stamped`]: constants, so that a worker's loop has no decision to make.
    ///
    /// `frame` holds the template's bytes, or an earlier frame's; it may be longer than the frame.
    #[inline(always)]
    pub fn write_next<const FIELDS: usize, const STAMPED: bool>(&mut self, frame: &mut [u8], time: u64) {
        if self.seq < self.settled {
            self.seek(self.seq);
        }
        let (mut ip, mut l4) = (self.ip_sum, self.l4_sum);
        for step in &mut self.steps[..FIELDS] {
            let word = step.write(frame);
            ip = ip.wrapping_add(word & step.ip_mask);
            l4 = l4.wrapping_add(word & step.l4_mask);
            step.value += step.stride;
            if step.value > step.top {
                // Wraps only in the lead-in, where the next frame's value is looked up again.
                step.value = step.value.wrapping_sub(step.span);
            }
        }
        if STAMPED && let Some(window) = frame.get_mut(self.stamp_at..).and_then(<[u8]>::first_chunk_mut) {
            l4 += stamp::write(window, self.tag, self.shard.id, self.seq, time);
        }
        if FIELDS > 0 {
            put(frame, self.ip_checksum_at, checksum::finish(ip).to_ne_bytes());
        }
        if FIELDS > 0 || STAMPED {
            let sum = if self.udp { checksum::finish_udp(l4) } else { checksum::finish(l4) };
            put(frame, self.l4_checksum_at, sum.to_ne_bytes());
        }
        self.seq += 1;
        self.slot += 1;
        if self.slot == self.slots {
            self.slot = 0;
            for step in &mut self.steps[..FIELDS] {
                step.value = step.first;
            }
        }
    }

    /// [`Self::write_next`] for callers that have no loop to specialise.
    pub fn write_next_any(&mut self, frame: &mut [u8], time: u64) {
        macro_rules! dispatch {
            ($($n:literal)*) => {
                match (self.fields, self.stamped) {
                    $(($n, false) => self.write_next::<$n, false>(frame, time),
                      ($n, true) => self.write_next::<$n, true>(frame, time),)*
                    _ => {}
                }
            };
        }
        dispatch!(0 1 2 3 4 5 6 7);
    }
}

impl Step {
    /// Writes the value and returns it as it was stored, for the sums.
    #[inline(always)]
    fn write(&self, frame: &mut [u8]) -> u64 {
        let v = self.value << self.shift | self.low;
        match self.width {
            Width::Two => {
                let be = (v as u16).to_be();
                put(frame, self.at, be.to_ne_bytes());
                u64::from(be)
            }
            Width::Four => {
                let be = (v as u32).to_be();
                put(frame, self.at, be.to_ne_bytes());
                u64::from(be)
            }
            Width::Six => {
                let b = v.to_be_bytes();
                put(frame, self.at, [b[2], b[3], b[4], b[5], b[6], b[7]]);
                0
            }
        }
    }
}

/// Stores `bytes` at `at`; frames are never shorter than their template, so the check only costs a compare.
#[inline(always)]
fn put<const N: usize>(frame: &mut [u8], at: usize, bytes: [u8; N]) {
    if let Some(place) = frame.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<N>) {
        *place = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::Sequence;
    use crate::testing::{stream_with, valid_checksums};
    use proptest::prelude::*;

    /// Fields of every width, with and without lead-in.
    fn plan(ranges: [(u64, u64, u64, u64); 4]) -> StreamPlan {
        let mut template = stream_with(100);
        let patch = |at, width, in_ip, (start, min, span, inc): (u64, u64, u64, u64)| Patch {
            at,
            width,
            shift: 0,
            low: 0,
            in_ip,
            in_l4: width != Width::Six,
            values: Sequence::range(start, min, min + span, inc),
        };
        template.patches = vec![
            patch(0, Width::Six, false, ranges[0]),
            patch(26, Width::Four, true, ranges[1]),
            patch(30, Width::Four, true, ranges[2]),
            patch(34, Width::Two, false, ranges[3]),
        ];
        template.retake_sums();
        StreamPlan {
            frame_size: crate::units::FrameSize::new(104).unwrap(),
            flows: template.flows().unwrap(),
            lead_in: template.lead_in(),
            template,
        }
    }

    fn range() -> impl Strategy<Value = (u64, u64, u64, u64)> {
        (0u64..60, 0u64..50, 0u64..12, 0u64..5)
    }

    proptest! {
        /// Every shard's frames, laid side by side, are the stream's frames, with valid checksums, after rewinds too.
        #[test]
        fn shards_write_the_stream(ranges in [range(), range(), range(), range()], workers in 1u16..5,
                                   back in 0u64..20) {
            let plan = plan(ranges);
            for shard in Shard::all(workers, plan.flows) {
                let mut cursor = Cursor::new(&plan, shard, 7);
                let mut bytes = plan.template.bytes.clone();
                for _ in 0..back { cursor.write_next_any(&mut bytes, 0); }
                cursor.rewind(back);
                for seq in 0..150 {
                    cursor.write_next_any(&mut bytes, 99);
                    let frame = shard.frame(seq);
                    for p in &plan.template.patches {
                        let want = p.values.at(frame).to_be_bytes();
                        let n = p.width.bytes();
                        prop_assert_eq!(&bytes[p.at..p.at + n], &want[8 - n..], "seq {} at {}", seq, p.at);
                    }
                    let mark = stamp::read(&bytes, 7).unwrap();
                    prop_assert_eq!((mark.shard, mark.seq, mark.time), (shard.id, seq, 99));
                    prop_assert!(valid_checksums(&bytes));
                }
            }
        }
    }
}
