//! The eight bytes around varying fields, written at once.

use super::patch::Patch;

/// Varying fields, checksums and the marks of short frames stand within the first bytes of a frame, at offsets that fit
/// a byte.
pub const HEAD_BYTES: usize = u8::MAX as usize + 1 + 24;

/// The first bytes of a frame's room. Any [`Patch::at`], and 24 bytes from there, are within it: nothing to check.
pub type Head = [u8; HEAD_BYTES];

/// Frames one after the other: in fours, for loops that step four at once, and those that are left.
#[derive(Debug)]
pub struct Heads<F, R>(pub F, pub R);

impl<'f, F: Iterator<Item = [&'f mut Head; 4]>, R: Iterator<Item = &'f mut Head>> Heads<F, R> {
    /// Does it to each.
    #[inline(always)]
    pub fn each(self, mut act: impl FnMut(&mut Head)) {
        for [a, b, c, d] in self.0 {
            act(a);
            act(b);
            act(c);
            act(d);
        }
        for head in self.1 {
            act(head);
        }
    }
}

/// Bytes of a word.
const BYTES: usize = 8;

/// Eight bytes of a frame, and what they grow by from one frame to the next: fields that stand near each other go up
/// together, each by its own stride, as long as none of them wraps.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// As a big-endian number.
    pub value: u64,
    /// What the next frame has more.
    pub stride: u64,
    /// Where it stands.
    pub at: u8,
}

impl Word {
    /// Goes over `frames` frames, and gives the word before them.
    #[inline(always)]
    pub fn leap_over(&mut self, frames: usize) -> Word {
        let before = *self;
        self.value = self.value.wrapping_add(self.stride.wrapping_mul(frames as u64));
        before
    }

    /// Its first two bytes, which are zero, are `value`, and go down by `step` a frame.
    #[inline(always)]
    #[must_use]
    pub fn with_first(self, (value, step): (u64, u64)) -> Word {
        let stride = self.stride.wrapping_sub(step << 48);
        Word { value: self.value.wrapping_add(value << 48), stride, at: self.at }
    }

    /// Writes one frame, its own bits among those of `still`, and goes on.
    #[inline(always)]
    pub fn write_over(&mut self, head: &mut Head, still: &Head) {
        let around = still[usize::from(self.at)..].first_chunk::<BYTES>().copied().unwrap_or_default();
        let word = u64::from_ne_bytes(around) | self.value.to_be();
        put(head, self.at, word.to_ne_bytes());
        self.value = self.value.wrapping_add(self.stride);
    }
}

/// Writes words into frames one after the other, and goes on.
#[inline(never)]
pub fn write_words<'f, const N: usize>(
    words: &mut [Word; N],
    heads: Heads<impl Iterator<Item = [&'f mut Head; 4]>, impl Iterator<Item = &'f mut Head>>,
) {
    // A copy, which frames can't alias: it stays in registers.
    let mut now = *words;
    heads.each(|head| {
        for word in &mut now {
            put(head, word.at, word.value.to_be_bytes());
            word.value = word.value.wrapping_add(word.stride);
        }
    });
    *words = now;
}

/// Where words must stand to cover all `patches`, and for each patch its word and how far up in it its value stands.
///
/// In ascending order: a word is written over by the next one where they overlap, so that what it has there does not
/// matter. A word that can also cover the two bytes at `joined`, as its first ones, does, and is the last one where it
/// can be.
pub fn cover(patches: &[Patch], joined: Option<u8>) -> (Vec<u8>, Vec<(usize, u32)>) {
    let mut order: Vec<&Patch> = patches.iter().collect();
    order.sort_by_key(|p| (p.bytes().start, p.bytes().end));
    let mut words: Vec<u8> = Vec::new();
    for patch in &order {
        let fits = |at: &u8| patch.bytes().end <= usize::from(*at) + BYTES;
        if !words.last().is_some_and(fits) {
            words.push(patch.at);
        }
    }
    if let Some(at) = joined {
        let (first, end) = (usize::from(at), usize::from(at) + BYTES);
        let behind = words.iter().position(|word| *word > at);
        let next = behind.and_then(|word| words.get(word + 1)).copied().map_or(usize::MAX, usize::from);
        let is_free = |p: &&Patch| {
            let bytes = p.bytes();
            bytes.end <= first || bytes.start >= next || bytes.start >= first + 2 && bytes.end <= end
        };
        if let Some(word) = behind.filter(|word| usize::from(words[*word]) < end && order.iter().all(is_free))
        {
            words[word] = at;
        }
    }
    let place = |patch: &Patch| {
        // The last one that begins before a field has it whole: it would have one of its own otherwise.
        let word = words.iter().rposition(|at| *at <= patch.at).unwrap_or(0);
        let end = words.get(word).map_or(BYTES, |at| usize::from(*at) + BYTES);
        (word, 8 * end.saturating_sub(patch.bytes().end) as u32)
    };
    let mut places: Vec<(usize, u32)> = patches.iter().map(place).collect();
    if let Some(word) = words.iter().position(|at| Some(*at) == joined)
        && words.get(word + 1).is_some_and(|next| usize::from(words[word]) + BYTES <= usize::from(*next))
    {
        words[word..].rotate_left(1);
        let last = words.len() - 1;
        for (place, _) in &mut places {
            *place = match *place {
                before if before < word => before,
                same if same == word => last,
                behind => behind - 1,
            };
        }
    }
    (words, places)
}

/// Stores `bytes` at `at`, which can't be outside.
#[inline(always)]
pub fn put<const N: usize>(head: &mut Head, at: u8, bytes: [u8; N]) {
    const { assert!(N <= HEAD_BYTES - 256, "what is written fits behind every offset") };
    if let Some(place) = head[usize::from(at)..].first_chunk_mut::<N>() {
        *place = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Covered, Width};
    use crate::values::Values;

    fn patch(at: u8, width: Width) -> Patch {
        let values = Values::range(0, 0, 9, 1);
        Patch { at, width, shift: 0, low: 0, mask: u64::MAX, covered: Covered::default(), values }
    }

    #[test]
    fn neighbours_share_a_word() {
        let ports = [patch(34, Width::Two), patch(36, Width::Two)];
        let patches =
            [patch(6, Width::Six), patch(26, Width::Four), patch(0, Width::Six), patch(30, Width::Four)];
        let all: Vec<Patch> = patches.into_iter().chain(ports).collect();
        let (words, places) = cover(&all, None);
        assert_eq!(words, [0, 6, 26, 34]);
        assert_eq!(places, [(1, 16), (2, 32), (0, 16), (2, 0), (3, 48), (3, 32)]);
        // No word has room for both addresses and the checksum before them.
        assert_eq!(cover(&all, Some(24)), (words, places));
    }

    #[test]
    fn a_word_takes_a_checksum_with_it() {
        let (mac, src, port) = (patch(6, Width::Six), patch(26, Width::Four), patch(34, Width::Two));
        assert_eq!(cover(std::slice::from_ref(&src), Some(24)), (vec![24], vec![(0, 16)]));
        let all = [port.clone(), src.clone(), mac.clone()];
        assert_eq!(cover(&all, Some(24)), (vec![6, 34, 24], vec![(1, 48), (2, 16), (0, 16)]));
        // The ports' word would be written over.
        let near = [src, patch(31, Width::Six)];
        assert_eq!(cover(&near, Some(24)), (vec![24, 31], vec![(0, 16), (1, 16)]));
        // It stands elsewhere.
        assert_eq!(cover(&[mac, port], Some(24)).0, [6, 34]);
    }
}
