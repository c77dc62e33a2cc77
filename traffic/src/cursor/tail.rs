//! What is written into each frame of a run at last: the last word, the mark and the checksums, in one loop.

use std::ops::Range;

use super::Frames;
use crate::frame::sums::{Falling, Fields};
use crate::frame::word::{Head, Heads, Word, put, write_words};
use crate::stamp::{self, Moment, Origin, STAMP_BYTES};

/// Writes a word into one frame after the other.
#[inline(always)]
fn spell(word: Word) -> impl FnMut(&mut Head) {
    let Word { mut value, stride, at } = word;
    move |head| {
        put(head, at, value.to_be_bytes());
        value = value.wrapping_add(stride);
    }
}

/// Marks of frames one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pub origin: Origin,
    pub seq: u64,
    pub moment: Moment,
}

impl Mark {
    /// Into one frame after the other, within their first bytes.
    #[inline(always)]
    fn near(self, at: u8) -> impl FnMut(&mut Head) {
        let mut seq = self.seq;
        move |head| {
            if let Some(window) = head[usize::from(at)..].first_chunk_mut::<STAMP_BYTES>() {
                stamp::put(window, self.origin, seq, self.moment);
            }
            seq += 1;
        }
    }

    /// Anywhere.
    #[inline(always)]
    fn far<'f>(self, at: usize, frames: impl Iterator<Item = &'f mut [u8]>) {
        let mut seq = self.seq;
        frames.for_each(|frame| {
            if let Some(window) = frame.get_mut(at..).and_then(|b| b.first_chunk_mut::<STAMP_BYTES>()) {
                stamp::put(window, self.origin, seq, self.moment);
            }
            seq += 1;
        });
    }
}

/// What is written into frames one after the other at last.
#[derive(Clone, Debug)]
pub struct Tail {
    pub which: Range<usize>,
    pub word: Option<Word>,
    pub stamp_at: Option<usize>,
    pub mark: Mark,
}

impl Tail {
    /// Writes it, and the checksums, at their `places`.
    #[inline(always)]
    pub fn write(self, frames: &mut impl Frames, ip: Falling, l4: impl Fields, places: (u8, u8)) {
        let joined = self.word.filter(|word| word.at == places.0).zip(ip.straight(self.which.len()));
        match joined {
            Some((word, ip)) => {
                let tail = Tail { word: Some(word.with_first(ip)), ..self };
                End { ip: Joined, l4, places }.write_all(frames, tail);
            }
            None => End { ip, l4, places }.write_all(frames, self),
        }
    }
}

/// A checksum that a word takes with it.
#[derive(Clone, Copy, Debug)]
struct Joined;

/// A checksum that is written by itself, or not.
trait Checksum {
    fn write(&mut self, head: &mut Head, at: u8);
}

impl<F: Fields> Checksum for F {
    #[inline(always)]
    fn write(&mut self, head: &mut Head, at: u8) {
        put(head, at, self.next().to_ne_bytes());
    }
}

impl Checksum for Joined {
    #[inline(always)]
    fn write(&mut self, _: &mut Head, _: u8) {}
}

/// The checksums of frames one after the other.
#[derive(Clone, Copy, Debug)]
struct End<I, L> {
    ip: I,
    l4: L,
    /// Of both.
    places: (u8, u8),
}

impl<I: Checksum, L: Fields> End<I, L> {
    /// Writes them with all that can go along.
    #[inline(always)]
    fn write_all(self, frames: &mut impl Frames, tail: Tail) {
        let Tail { which, word, stamp_at, mark } = tail;
        match (word, stamp_at.map(u8::try_from)) {
            (None, None) => self.write(frames.heads(which), |_| ()),
            (Some(word), None) => self.write(frames.heads(which), spell(word)),
            (None, Some(Ok(at))) => self.write(frames.heads(which), mark.near(at)),
            (Some(word), Some(Ok(at))) => {
                let (mut spell, mut mark) = (spell(word), mark.near(at));
                self.write(frames.heads(which), move |head| {
                    spell(head);
                    mark(head);
                });
            }
            (word, Some(Err(_))) => {
                if let Some(word) = word {
                    write_words(&mut [word], frames.heads(which.clone()));
                }
                mark.far(stamp_at.unwrap_or_default(), frames.frames(which.clone()));
                self.write(frames.heads(which), |_| ());
            }
        }
    }

    // A function of its own for each kind of frame, a call a run: within a worker's whole loop there are not registers
    // enough, and a sum that waits in memory for the next frame costs more than everything else.
    #[inline(never)]
    fn write<'f>(
        self,
        heads: Heads<impl Iterator<Item = [&'f mut Head; 4]>, impl Iterator<Item = &'f mut Head>>,
        mut more: impl FnMut(&mut Head),
    ) {
        let End { mut ip, mut l4, places: (ip_at, l4_at) } = self;
        heads.each(|head| {
            more(head);
            ip.write(head, ip_at);
            put(head, l4_at, l4.next().to_ne_bytes());
        });
    }
}
