//! One varying field on its way: for how many frames it goes up evenly, and where it goes then.

use super::patch::{Covered, Patch};
use super::sums::{Sums, minus, native};
use super::word::Word;

/// A field between two leaps.
#[derive(Clone, Debug)]
pub struct Moving {
    patch: Patch,
    way: Way,
    /// Which word it stands in, and how far up.
    word: usize,
    up: u32,
    /// As it stood in the frame behind its last leap.
    value: u64,
    /// Frames from there to the next leap.
    run: u64,
    /// Of those, the ones that are left.
    left: u64,
}

/// Never, as a number of frames.
const NEVER: u64 = u64::MAX;

#[derive(Clone, Copy, Debug)]
enum Way {
    /// `v += stride; if v > top { v -= span }`, in bits as they stand in the frame.
    Steps { stride: u64, span: u64, top: u64 },
    /// Looked up by the frame's number.
    LookedUp,
}

/// Sums of the fields that checksums cover.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trio {
    /// IPv4 (of a tunnel, the inner one) and layer 4.
    pub inner: Sums,
    /// A tunnel's own IPv4 header.
    pub outer: u64,
}

impl Trio {
    /// Adds a sum of 16 bits wherever it is covered.
    pub fn add(&mut self, covered: Covered, sum: u64) {
        let part = |covers: bool| if covers { sum } else { 0 };
        self.inner = self.inner.plus(Sums::new(part(covered.ip), part(covered.l4)));
        self.outer += part(covered.outer_ip);
    }

    /// Makes room for more.
    pub fn fold(&mut self) {
        self.inner = self.inner.folded();
        self.outer = super::checksum::fold(self.outer);
    }
}

impl Moving {
    /// A field that is seen every `frames` frames, in this word.
    pub fn new(patch: &Patch, frames: u64, (word, up): (usize, u32)) -> Moving {
        let way = patch.values.sequence().map_or(Way::LookedUp, |sequence| {
            let (stride, span, top) = sequence.stepping(frames);
            Way::Steps { stride: stride << patch.shift, span: span << patch.shift, top: patch.stored(top) }
        });
        Moving { patch: patch.clone(), way, word, up, value: 0, run: 0, left: 0 }
    }

    /// Whether what it was at a place in the shard's period says what it will be there.
    pub fn repeats(&self) -> bool {
        !self.patch.values.is_random()
    }

    /// Stands in the stream's frame `frame`. Nothing of it is in its word or in the sums before.
    pub fn begin(&mut self, frame: u64, frames: u64, words: &mut [Word], sums: &mut Trio) {
        self.value = self.patch.stored(self.patch.values.at(frame));
        self.run = match self.way {
            Way::Steps { .. } => self.even(),
            Way::LookedUp => self.still(frame, frames),
        };
        self.left = self.run;
        self.move_by(self.value, words);
        sums.add(self.patch.covered, native(self.value));
    }

    /// What each frame adds to its word and to the sums.
    pub fn stride(&self, words: &mut [Word], sums: &mut Trio) {
        let Way::Steps { stride, .. } = self.way else { return };
        if let Some(word) = words.get_mut(self.word) {
            word.stride = word.stride.wrapping_add(stride << self.up);
        }
        sums.add(self.patch.covered, native(stride));
    }

    /// Goes over `frames` frames, no more than are left before its next leap, and leaps if that is there. The frames
    /// that are left from there on.
    #[inline(always)]
    pub fn go_on(&mut self, elapsed: u64, place: (u64, u64), words: &mut [Word], sums: &mut Trio) -> u64 {
        self.left -= elapsed;
        if self.left == 0 {
            self.leap(place, words, sums);
        }
        self.left
    }

    /// Frames before its next leap.
    pub fn left(&self) -> u64 {
        self.left
    }

    fn leap(&mut self, (frame, frames): (u64, u64), words: &mut [Word], sums: &mut Trio) {
        match self.way {
            Way::Steps { stride, span, .. } => {
                let next = self.value.wrapping_add(stride.wrapping_mul(self.run)).wrapping_sub(span);
                self.move_by(span.wrapping_neg(), words);
                sums.add(self.patch.covered, minus(native(span)));
                // The same place to start from, as always where nothing is skipped.
                if next != self.value {
                    self.value = next;
                    self.run = self.even();
                }
            }
            Way::LookedUp => {
                let next = self.patch.stored(self.patch.values.at(frame));
                self.move_by(next.wrapping_sub(self.value), words);
                sums.add(self.patch.covered, native(next));
                sums.add(self.patch.covered, minus(native(self.value)));
                self.value = next;
                self.run = self.still(frame, frames);
            }
        }
        self.left = self.run;
    }

    /// Frames from `value` on before it would go beyond the top.
    fn even(&self) -> u64 {
        let Way::Steps { stride, top, .. } = self.way else { return 1 };
        // A value above the top is one before the cycle: nobody knows how it goes on.
        top.checked_sub(self.value).map_or(1, |above| above.checked_div(stride).map_or(NEVER, |n| n + 1))
    }

    /// Frames from `frame` on before it is looked up again.
    fn still(&self, frame: u64, frames: u64) -> u64 {
        let every = self.patch.values.every();
        if self.patch.values.is_random() { 1 } else { (every - frame % every).div_ceil(frames.max(1)) }
    }

    fn move_by(&self, stored: u64, words: &mut [Word]) {
        if let Some(word) = words.get_mut(self.word) {
            word.value = word.value.wrapping_add(stored << self.up);
        }
    }

    /// Where it is between leaps, to come back to.
    pub fn place(&self) -> (u64, u64) {
        (self.value, self.run)
    }

    /// Comes back to a place, behind a leap there.
    pub fn come_back(&mut self, (value, run): (u64, u64)) {
        (self.value, self.run, self.left) = (value, run, run);
    }
}
