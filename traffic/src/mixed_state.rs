//! One stream's part of a worker that sends several: its next frame, written into any room.

use crate::divisor::gcd;
use crate::frame::step::{Head, Step};
use crate::frame::{Check, Patch, Template, Width, checksum};
use crate::mixed::Room;
use crate::plan::StreamPlan;
use crate::shard::Shard;
use crate::stamp::{Marker, STAMP_BYTES};

/// What is the same for all frames of a burst.
#[derive(Clone, Copy, Debug)]
pub struct Writing {
    /// The trial's.
    pub tag: u32,
    /// Of the marks.
    pub time: u64,
    /// Bytes copied of each template.
    pub head_bytes: usize,
}

/// A part of a stream, on its way.
#[derive(Debug)]
pub struct State {
    shard: Shard,
    /// The next frame's number within the shard.
    seq: u64,
    /// The stream's number of that frame.
    frame: u64,
    /// Frames before the shard's places begin again.
    left: u64,
    /// Up to here values are looked up: until one frame behind the lead-in.
    settled: u64,
    fields: Box<[Moving]>,
    sizes: Box<[Sized]>,
    /// Which of `sizes` a frame has, in turn.
    order: Box<[u16]>,
    at: usize,
    /// Frames after which the sizes go one further: where places and sizes have a common divisor, a flow would have the
    /// same few sizes for ever otherwise. 0: never.
    shift_every: u64,
    /// Frames before they do.
    until_shift: u64,
    /// Frames that may still be picked.
    remaining: u64,
    limit: u64,
}

/// A varying field.
#[derive(Debug)]
struct Moving {
    patch: Patch,
    step: Option<Step>,
    /// 1 for each checksum that covers it.
    covered: [u64; CHECKS],
}

/// Checksums that a frame can have: of a tunnel's IPv4 header, of IPv4, of layer 4.
const CHECKS: usize = 3;

/// A frame of one size.
#[derive(Debug)]
struct Sized {
    bytes: Box<[u8]>,
    len: u16,
    stamp_at: Option<usize>,
    checks: [Option<Check>; CHECKS],
    sums: [u64; CHECKS],
}

impl Sized {
    /// Short frames are padded to what is copied, so that this takes no odd rest.
    fn new(t: &Template, head_bytes: usize) -> Sized {
        let checks = [t.outer_ip, t.ip, t.l4];
        let mut bytes = t.bytes.clone();
        bytes.resize(bytes.len().max(head_bytes), 0);
        let bytes = bytes.into_boxed_slice();
        let sums = checks.map(|c| c.map_or(0, |c| checksum::fold(c.sum)));
        Sized { len: t.bytes.len() as u16, bytes, stamp_at: t.stamp_at, checks, sums }
    }
}

impl State {
    /// At the shard's frame 0, for `limit` frames at most.
    pub fn new(stream: &StreamPlan, shard: Shard, limit: u64, head_bytes: usize) -> State {
        let lead = stream.lead_in.div_ceil(stream.flows.max(1)) * stream.flows;
        let moving = |patch: &Patch| Moving {
            step: (patch.values.sequence().is_some())
                .then(|| Step::new(patch, shard.workers(), lead + shard.frame(0))),
            covered: [patch.covered.outer_ip, patch.covered.ip, patch.covered.l4].map(u64::from),
            patch: patch.clone(),
        };
        // Varying fields are those of any size.
        let patches = stream.templates.first().map(|t| t.patches.as_slice()).unwrap_or_default();
        let (slots, sizes) = (shard.slots().max(1), stream.size_order.len().max(1) as u64);
        let common = gcd(slots, sizes);
        let mut state = State {
            shift_every: if common > 1 { slots / common * sizes } else { 0 },
            until_shift: 0,
            shard,
            seq: 0,
            frame: 0,
            left: 0,
            settled: if stream.lead_in > 0 { stream.lead_in + 1 } else { 0 },
            fields: patches.iter().map(moving).collect(),
            sizes: stream.templates.iter().map(|t| Sized::new(t, head_bytes)).collect(),
            order: stream.size_order.clone().into(),
            at: 0,
            remaining: limit,
            limit,
        };
        state.seek(0);
        state
    }

    /// Its part.
    pub fn shard(&self) -> &Shard {
        &self.shard
    }

    /// The next frame's number within the shard.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The most frames.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes one of the frames that are left, if any is.
    #[inline]
    pub fn take_one(&mut self) -> bool {
        let has = self.remaining > 0;
        self.remaining -= u64::from(has);
        has
    }

    /// Undoes [`State::take_one`].
    pub fn give_back_one(&mut self) {
        self.remaining += 1;
    }

    /// Goes back over one frame that was written and not sent.
    pub fn rewind_one(&mut self) {
        self.seek(self.seq.saturating_sub(1));
    }

    fn seek(&mut self, seq: u64) {
        let slots = self.shard.slots().max(1);
        self.seq = seq;
        self.left = slots - seq % slots;
        let shifts = seq.checked_div(self.shift_every).unwrap_or(0);
        self.until_shift = self.shift_every - seq.checked_rem(self.shift_every).unwrap_or(0);
        self.at = ((seq + shifts) % self.order.len().max(1) as u64) as usize;
        self.seek_fields();
    }

    fn seek_fields(&mut self) {
        self.frame = self.shard.frame(self.seq);
        for field in &mut self.fields {
            if let Some(step) = &mut field.step {
                step.go_to(&field.patch, self.frame);
            }
        }
    }

    /// Writes the next frame into `room`, and goes on; its bytes.
    #[inline]
    pub fn write<R: Room>(&mut self, room: &mut R, writing: Writing) -> u16 {
        let Some(sized) = self.order.get(self.at).and_then(|size| self.sizes.get(usize::from(*size))) else {
            return 0;
        };
        copy_head(&sized.bytes, room.bytes(), writing.head_bytes);
        if room.held() != usize::from(sized.len) {
            room.set_len(sized.len);
        }
        let mut sums = sized.sums;
        let Some(head) = room.head() else { return 0 };
        for field in &mut self.fields {
            let sum = field.write(head, self.frame);
            for (total, covered) in sums.iter_mut().zip(field.covered) {
                *total += sum * covered;
            }
        }
        if let Some(at) = sized.stamp_at
            && let Some(window) = room.bytes().get_mut(at..).and_then(|b| b.first_chunk_mut::<STAMP_BYTES>())
        {
            let mark = Marker::new(writing.tag, self.shard.id, writing.time).marks(self.seq).next();
            sums[2] += mark.map_or(0, |mark| mark.write(window));
        }
        if let Some(head) = room.head() {
            for (check, sum) in sized.checks.iter().zip(sums) {
                if let Some(check) = check {
                    put_checksum(head, *check, sum);
                }
            }
        }
        let len = sized.len;
        self.advance();
        len
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.seq += 1;
        self.left -= 1;
        self.next_size();
        if self.left == 0 {
            self.begin_again();
        } else {
            self.frame += self.shard.workers();
            if self.seq < self.settled {
                self.seek_fields();
            }
        }
    }

    #[inline(always)]
    fn next_size(&mut self) {
        self.at = if self.at + 1 >= self.order.len() { 0 } else { self.at + 1 };
        self.until_shift = self.until_shift.wrapping_sub(1);
        if self.until_shift == 0 {
            self.until_shift = self.shift_every;
            self.at = if self.at + 1 >= self.order.len() { 0 } else { self.at + 1 };
        }
    }

    fn begin_again(&mut self) {
        self.left = self.shard.slots().max(1);
        if !self.fields.is_empty() {
            self.seek_fields();
        }
    }
}

impl Moving {
    /// Writes the value of frame `frame` and goes on; its part of the sums.
    #[inline(always)]
    fn write(&mut self, head: &mut Head, frame: u64) -> u64 {
        let stored = match &mut self.step {
            Some(step) => {
                let stored = step.stored();
                step.advance();
                stored
            }
            None => self.patch.stored(self.patch.values.at(frame)),
        };
        if !self.patch.is_alone() {
            self.patch.write(head, stored);
            return self.patch.summed(stored);
        }
        let at = usize::from(self.patch.at);
        match self.patch.width {
            Width::Two => put(head, at, (stored as u16).to_be_bytes()),
            Width::Four => put(head, at, (stored as u32).to_be_bytes()),
            Width::Six => {
                let [_, _, bytes @ ..] = stored.to_be_bytes();
                put(head, at, bytes)
            }
            Width::Eight => put(head, at, stored.to_be_bytes()),
        }
    }
}

/// Stores bytes and returns their sum.
#[inline(always)]
fn put<const N: usize>(head: &mut Head, at: usize, bytes: [u8; N]) -> u64 {
    if let Some(place) = head.get_mut(at..).and_then(|b| b.first_chunk_mut()) {
        *place = bytes;
    }
    bytes.as_chunks::<2>().0.iter().map(|word| u64::from(u16::from_ne_bytes(*word))).sum()
}

#[inline(always)]
fn put_checksum(head: &mut Head, check: Check, sum: u64) {
    let stored = match checksum::finish(sum) {
        0 => check.zero,
        sound => sound,
    };
    put(head, usize::from(check.at), stored.to_ne_bytes());
}

/// Copies a template's first bytes in whole words of 32.
#[inline(always)]
fn copy_head(from: &[u8], to: &mut [u8], bytes: usize) {
    let bytes = bytes.min(from.len());
    let (from_chunks, from_rest) = from[..bytes].as_chunks::<32>();
    let Some(to) = to.get_mut(..bytes) else { return };
    let (to_chunks, to_rest) = to.as_chunks_mut::<32>();
    for (to, from) in to_chunks.iter_mut().zip(from_chunks) {
        *to = *from;
    }
    to_rest.copy_from_slice(from_rest);
}
