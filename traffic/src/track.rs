//! A worker's way through a stream: the varying fields and the sums of one frame after the other.
//!
//! Between two leaps (a field wraps, or is looked up; the shard's places begin again) all fields go up evenly, and so
//! do the sums that checksums are made of. So a frame costs an addition for each eight bytes that hold varying fields,
//! and one for both sums; what wraps is nobody's business until the next leap, whose distance is known.

use crate::frame::moving::{Moving, Trio};
use crate::frame::sums::Sums;
use crate::frame::word::{Word, cover};
use crate::frame::{Covered, Patch};
use crate::shard::Shard;
use crate::stamp::{MASK_48, seq_sum};

/// Frames between two leaps at most: sums have room for so many.
const RUN_MAX: u64 = 1 << 14;

/// The next frame of one shard.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Track {
    words: Box<[Word]>,
    /// Its number within the shard.
    seq: u64,
    /// The number of the frame before which the next leap is due.
    leap_at: u64,
    /// The fields' and the number's part of its sums.
    sums: Sums,
    /// What the next frame has more.
    step: Sums,
    path: Box<Path>,
}

/// What only leaps need.
#[derive(Clone, Debug)]
struct Path {
    shard: Shard,
    fields: Box<[Moving]>,
    /// What words hold beside their fields.
    around: Box<[u64]>,
    /// Whether the mark's number is in layer 4's sum.
    is_marked: bool,
    /// The stream's number of the frame behind the last leap, and frames from there to the next.
    frame: u64,
    len: u64,
    /// Frames from the shard's first place to where its places begin again with another step than all others.
    turn: u64,
    /// Of those, the ones that are left behind the last leap.
    turn_left: u64,
    /// Up to here values are looked up: until one frame behind the lead-in.
    settled: u64,
    first: Option<Place>,
    /// The part of the sum of a tunnel's own header, and what the next frame has more.
    outer: u64,
    outer_step: u64,
}

/// The shard's first place, behind the lead-in.
#[derive(Clone, Debug)]
struct Place {
    words: Box<[u64]>,
    fields: Box<[(u64, u64)]>,
    sums: Trio,
}

impl Track {
    /// At the shard's frame 0, of a stream with these varying fields, flows and frames before its cycle. Words hold the
    /// bytes of `around` beside their fields, and one takes those at `joined` with it ([`cover`]). Whether the frames'
    /// marks are in their sums.
    pub fn new(
        patches: &[Patch],
        (flows, lead_in): (u64, u64),
        shard: Shard,
        (around, joined): (&[u8], Option<u8>),
        is_marked: bool,
    ) -> Track {
        let (places, of_patches) = cover(patches, joined);
        let around = places.iter().map(|at| read(around, usize::from(*at)));
        let fields: Box<[Moving]> =
            patches.iter().zip(of_patches).map(|(p, place)| Moving::new(p, shard.workers(), place)).collect();
        // Where the step from the last place to the first is as long as all others, the values get there by themselves.
        let even = shard.frame(shard.slots()) == shard.frame(0) + shard.workers() * shard.slots();
        let mut words: Box<[Word]> = places.iter().map(|at| Word { value: 0, stride: 0, at: *at }).collect();
        let mut step = Trio::default();
        fields.iter().for_each(|field| field.stride(&mut words, &mut step));
        if is_marked {
            step.add(Covered { l4: true, ..Covered::default() }, seq_sum(1));
        }
        step.fold();
        let repeats = !even && fields.iter().all(Moving::repeats);
        let path = Path {
            shard,
            around: around.collect(),
            is_marked,
            frame: 0,
            len: 0,
            turn: if even { u64::MAX } else { shard.slots() },
            turn_left: 0,
            // A shard reaches its frame `seq` no earlier than the stream reaches frame `seq`.
            settled: if lead_in > 0 { lead_in + 1 } else { 0 },
            first: None,
            outer: 0,
            outer_step: step.outer,
            fields,
        };
        let mut track = Track {
            seq: 0,
            leap_at: 0,
            sums: Sums::default(),
            step: step.inner,
            words,
            path: Box::new(path),
        };
        if repeats {
            // Behind the lead-in the cycle stands where as many frames more of it would have brought it.
            let lead = lead_in.div_ceil(flows.max(1)) * flows.max(1);
            let sums = track.place_at(lead + shard.frame(0));
            let words = track.words.iter().map(|w| w.value).collect();
            let fields = track.path.fields.iter().map(Moving::place).collect();
            track.path.first = Some(Place { words, fields, sums });
        }
        track.seek(0);
        track
    }

    /// The next frame's number within the shard.
    #[inline(always)]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Its part.
    pub fn shard(&self) -> &Shard {
        &self.path.shard
    }

    /// Frames from the next one on that go up evenly: one at least.
    #[inline(always)]
    pub fn run(&mut self) -> u64 {
        if self.seq == self.leap_at {
            self.leap();
        }
        self.leap_at - self.seq
    }

    /// The next frame's words and its part of both sums, and how much more those are with each frame.
    #[inline(always)]
    pub fn here(&mut self) -> (&mut [Word], Sums, Sums) {
        (&mut self.words, self.sums, self.step)
    }

    /// The next frame's part of a tunnel's own header's sum.
    #[inline(always)]
    pub fn outer(&self) -> u64 {
        self.path.outer
    }

    /// Goes over `frames` frames, no more than [`Track::run`]. The words have gone on already.
    #[inline(always)]
    pub fn pass(&mut self, frames: u64) {
        self.seq += frames;
        self.sums = self.sums.plus(self.step.times(frames));
    }

    /// All words.
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// As [`Track::pass`], and the words go on with it.
    pub fn go_over(&mut self, frames: u64) {
        for word in &mut self.words {
            word.leap_over(frames as usize);
        }
        self.pass(frames);
    }

    /// As [`Track::pass`], over one frame.
    #[inline(always)]
    pub fn pass_one(&mut self) {
        self.seq += 1;
        self.sums = self.sums.plus(self.step);
    }

    /// Goes over one frame of [`Track::outer`].
    #[inline(always)]
    pub fn pass_outer(&mut self) {
        self.path.outer += self.path.outer_step;
    }

    /// Goes to frame `seq` of the shard.
    pub fn seek(&mut self, seq: u64) {
        self.seq = seq;
        let sums = self.place_at(self.path.shard.frame(seq));
        self.take(sums);
        let path = &mut self.path;
        path.turn_left = path.turn - seq % path.turn;
        let run = path.fields.iter().map(Moving::left).fold(RUN_MAX, u64::min);
        self.run_for(if seq < self.path.settled { 1 } else { run });
    }

    /// Puts words and fields to the stream's frame `frame`.
    fn place_at(&mut self, frame: u64) -> Trio {
        let path = &mut *self.path;
        for (word, around) in self.words.iter_mut().zip(&path.around) {
            word.value = *around;
        }
        path.frame = frame;
        let mut sums = Trio::default();
        for field in &mut path.fields {
            field.begin(frame, path.shard.workers(), &mut self.words, &mut sums);
        }
        sums.fold();
        sums
    }

    /// The sums of the next frame are these, and its number.
    fn take(&mut self, mut sums: Trio) {
        if self.path.is_marked {
            sums.add(Covered { l4: true, ..Covered::default() }, seq_sum(self.seq));
        }
        sums.fold();
        (self.sums, self.path.outer) = (sums.inner, sums.outer);
    }

    /// The next leap is no further than `run` frames away, nor than where the numbers in marks begin again.
    fn run_for(&mut self, run: u64) {
        self.path.len = run.min(self.path.turn_left).min(MASK_48 + 1 - (self.seq & MASK_48));
        self.leap_at = self.seq + self.path.len;
    }

    #[inline(never)]
    fn leap(&mut self) {
        let path = &mut *self.path;
        let elapsed = path.len;
        path.turn_left -= elapsed;
        if self.seq < path.settled || self.seq & MASK_48 == 0 {
            return self.seek(self.seq);
        }
        if path.turn_left == 0 {
            return self.begin_again();
        }
        path.frame += elapsed * path.shard.workers();
        let place = (path.frame, path.shard.workers());
        let mut sums = Trio { inner: self.sums, outer: path.outer };
        sums.fold();
        let mut run = RUN_MAX;
        for field in &mut path.fields {
            run = run.min(field.go_on(elapsed, place, &mut self.words, &mut sums));
        }
        sums.fold();
        (self.sums, self.path.outer) = (sums.inner, sums.outer);
        self.run_for(run);
    }

    /// At the shard's first place, where all is as it was.
    fn begin_again(&mut self) {
        let Some(first) = self.path.first.take() else { return self.seek(self.seq) };
        for (word, value) in self.words.iter_mut().zip(&first.words) {
            word.value = *value;
        }
        let path = &mut *self.path;
        let mut run = RUN_MAX;
        for (field, place) in path.fields.iter_mut().zip(&first.fields) {
            field.come_back(*place);
            run = run.min(place.1);
        }
        path.turn_left = path.turn;
        path.frame = path.shard.frame(self.seq);
        self.take(first.sums);
        self.path.first = Some(first);
        self.run_for(run);
    }
}

/// Eight bytes as a big-endian number; zeros behind the end.
fn read(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    let there = bytes.get(at..bytes.len().min(at + 8)).unwrap_or_default();
    word[..there.len()].copy_from_slice(there);
    u64::from_be_bytes(word)
}
