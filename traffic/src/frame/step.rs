//! One varying field on its way through a burst.

use super::patch::{Covered, Patch, Width};
use super::sums::Sums;

/// Varying fields and checksums stand within the first bytes of a frame, at offsets that fit a byte.
pub const HEAD_BYTES: usize = u8::MAX as usize + 1 + 8;

/// The first bytes of a frame's room. Any [`Patch::at`], and 8 bytes from there, are within it: nothing to check.
pub type Head = [u8; HEAD_BYTES];

/// A field's place in its cycle.
///
/// The rule `v += stride; if v > top { v -= span }`, with `v - top - 1` in the place of `v`: "more than `top`" is
/// the carry of the addition, and a frame waits two instructions for the one before it.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// `v - top - 1`, modulo 2^64.
    ahead: u64,
    /// `ahead` at the shard's first place.
    first: u64,
    /// `top + 1`.
    end: u64,
    stride: u64,
    /// `stride - span`, modulo 2^64.
    back: u64,
    at: u8,
    width: Width,
    in_ip: bool,
    in_l4: bool,
}

impl Step {
    /// A field that moves `frames` frames at a time, at the stream's frame `first`, behind the lead-in.
    pub fn new(patch: &Patch, frames: u64, first: u64) -> Step {
        // Values are kept as they stand in the frame, constant bits below them included.
        let (stride, span, top) = patch.values.sequence().map_or((0, 0, 0), |s| s.stepping(frames));
        let (stride, span) = (stride << patch.shift, span << patch.shift);
        let end = patch.stored(top) + 1;
        let first = patch.stored(patch.values.at(first)).wrapping_sub(end);
        let back = stride.wrapping_sub(span);
        let Patch { at, width, covered: Covered { ip: in_ip, l4: in_l4, .. }, .. } = *patch;
        Step { ahead: first, first, end, stride, back, at, width, in_ip, in_l4 }
    }

    /// As it stands in the next frame.
    #[inline(always)]
    pub fn stored(&self) -> u64 {
        self.ahead.wrapping_add(self.end)
    }

    /// Goes to the next frame.
    #[inline(always)]
    pub fn advance(&mut self) {
        let (next, beyond) = self.ahead.overflowing_add(self.stride);
        self.ahead = if beyond { self.ahead.wrapping_add(self.back) } else { next };
    }

    /// Goes to the stream's frame `frame`.
    pub fn go_to(&mut self, patch: &Patch, frame: u64) {
        self.ahead = patch.stored(patch.values.at(frame)).wrapping_sub(self.end);
    }

    /// Goes to the shard's first place.
    pub fn start_over(&mut self) {
        self.ahead = self.first;
    }

    /// Writes the field into frames and goes on; `then` gets each frame with its new sums and the place of its old
    /// ones.
    #[inline(always)]
    pub fn write<'f>(
        &mut self,
        frames: impl Iterator<Item = (&'f mut Head, &'f mut Sums)>,
        then: impl Fn(&mut Head, &mut Sums, Sums),
    ) {
        match (self.in_ip, self.in_l4) {
            (true, true) => self.write_covered::<true, true>(frames, then),
            (true, false) => self.write_covered::<true, false>(frames, then),
            (false, true) => self.write_covered::<false, true>(frames, then),
            (false, false) => self.write_covered::<false, false>(frames, then),
        }
    }

    #[inline(always)]
    fn write_covered<'f, const IP: bool, const L4: bool>(
        &mut self,
        frames: impl Iterator<Item = (&'f mut Head, &'f mut Sums)>,
        then: impl Fn(&mut Head, &mut Sums, Sums),
    ) {
        match self.width {
            Width::Two => self.write_bytes::<IP, L4, 2>(frames, |v| (v as u16).to_be_bytes(), then),
            Width::Four => self.write_bytes::<IP, L4, 4>(frames, |v| (v as u32).to_be_bytes(), then),
            Width::Six => {
                let low = |v: u64| {
                    let [_, _, bytes @ ..] = v.to_be_bytes();
                    bytes
                };
                self.write_bytes::<IP, L4, 6>(frames, low, then);
            }
            Width::Eight => self.write_bytes::<IP, L4, 8>(frames, u64::to_be_bytes, then),
        }
    }

    #[inline(always)]
    fn write_bytes<'f, const IP: bool, const L4: bool, const N: usize>(
        &mut self,
        frames: impl Iterator<Item = (&'f mut Head, &'f mut Sums)>,
        bytes: impl Fn(u64) -> [u8; N],
        then: impl Fn(&mut Head, &mut Sums, Sums),
    ) {
        // A copy, which frames can't alias: it stays in registers.
        let Step { mut ahead, end, stride, back, at, .. } = *self;
        for (head, place) in frames {
            let bytes = bytes(ahead.wrapping_add(end));
            put(head, at, bytes);
            let mut sums = *place;
            if IP || L4 {
                sums.add::<IP, L4>(sum(bytes));
            }
            then(head, place, sums);
            let (next, beyond) = ahead.overflowing_add(stride);
            ahead = if beyond { ahead.wrapping_add(back) } else { next };
        }
        self.ahead = ahead;
    }
}

/// Stores `bytes` at `at`, which can't be outside.
#[inline(always)]
pub fn put<const N: usize>(head: &mut Head, at: u8, bytes: [u8; N]) {
    const { assert!(N <= 8, "a field fits behind every offset") };
    if let Some(place) = head[usize::from(at)..].first_chunk_mut::<N>() {
        *place = bytes;
    }
}

/// The sum of stored bytes.
#[inline(always)]
fn sum<const N: usize>(bytes: [u8; N]) -> u64 {
    let words = bytes.as_chunks::<2>().0;
    words.iter().map(|word| u64::from(u16::from_ne_bytes(*word))).sum()
}
