//! One stream's part of a worker that sends several: its next frame, written into any room.

use crate::divisor::gcd;
use crate::frame::sums::Sums;
use crate::mixed::Room;
use crate::mixed_image::{Canvas, Foot, Image, Places};
use crate::plan::StreamPlan;
use crate::shard::Shard;
use crate::stamp::{self, Moment, Origin};
use crate::track::Track;

/// What is the same for all frames of a burst.
#[derive(Clone, Copy, Debug)]
pub struct Writing<'c> {
    canvas: &'c Canvas,
    /// When the marks are made.
    moment: Moment,
    /// Its part of layer 4's sum.
    sum: Sums,
}

impl Writing<'_> {
    /// On this canvas, of marks with this time.
    pub fn new(canvas: &Canvas, time: u64) -> Writing<'_> {
        let moment = Moment::new(time);
        Writing { canvas, moment, sum: Sums::new(0, moment.sum()) }
    }
}

/// A part of a stream, on its way. What every frame needs comes first, within as few lines of the cache as can be.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct State {
    track: Track,
    origin: Origin,
    /// Of all frames, where they have one size.
    foot: Foot,
    /// The next frame's image.
    image: u16,
    /// Whether all images are simple: they are of any stream's sizes, or none is.
    is_simple: bool,
    images: Box<[Image]>,
    sizes: Option<Box<Sizes>>,
    /// Frames that were picked, where that is counted.
    picked: u64,
    limit: u64,
}

/// Which image a frame has, in turn.
#[derive(Debug)]
struct Sizes {
    order: Box<[u16]>,
    at: usize,
    /// Frames after which the sizes go one further: where places and sizes have a common divisor, a flow would have the
    /// same few sizes for ever otherwise. 0: never.
    shift_every: u64,
    /// Frames before they do.
    until_shift: u64,
}

/// Frames up to a state's next leap.
#[derive(Clone, Copy, Debug)]
pub struct Next {
    /// The first one's word, and what the next frame has more.
    pub value: u64,
    /// See above.
    pub stride: u64,
    /// The first one's sums without the moment's, and what the next frame has more.
    pub sums: Sums,
    /// See above.
    pub step: Sums,
    /// How many there are: one at least.
    pub left: u16,
    /// The number of the frame behind the last of them.
    pub leap_at: u64,
}

impl State {
    /// At the shard's frame 0, for `limit` frames at most.
    pub fn new(stream: &StreamPlan, shard: Shard, tag: u32, limit: u64, canvas: &Canvas) -> Option<State> {
        let origin = Origin::new(tag, shard.id);
        // Varying fields are those of any size, and so is whether there is a mark.
        let first = stream.templates.first();
        let patches = first.map(|t| t.patches.as_slice()).unwrap_or_default();
        let is_marked = first.is_some_and(|t| t.stamp_at.is_some());
        let images: Box<[Image]> = stream.templates.iter().map(|t| Image::new(t, canvas, origin)).collect();
        let mut state = State {
            foot: images.first()?.foot,
            is_simple: images.iter().all(|image| image.is_simple),
            track: Track::new(patches, (stream.flows, stream.lead_in), shard, (&[], None), is_marked),
            origin,
            images,
            image: 0,
            sizes: (stream.size_order.len() > 1)
                .then(|| Box::new(Sizes::new(&stream.size_order, shard.slots()))),
            picked: 0,
            limit,
        };
        state.seek(0);
        Some(state)
    }

    /// Its part.
    pub fn shard(&self) -> &Shard {
        self.track.shard()
    }

    /// Whether all frames are of one size, and those of the simple kind.
    pub fn is_simple(&self) -> bool {
        self.is_simple && self.sizes.is_none()
    }

    /// Of its marks.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Where frames have what; none where that is not in their first bytes.
    pub fn places(&self) -> Option<Places> {
        self.foot.places()
    }

    /// How many words fields are in.
    pub fn words(&self) -> usize {
        self.track.words().len()
    }

    /// Where the first of them stands.
    pub fn word_at(&self) -> Option<u8> {
        self.track.words().first().map(|word| word.at)
    }

    /// What is at `at` in all frames of the first size.
    pub fn piece<const N: usize>(&self, at: u8) -> [u8; N] {
        self.images.first().map_or([0; N], |image| image.own(at))
    }

    /// The next frames, whose only word is at `word_at`.
    pub fn next(&mut self, word_at: u8) -> Next {
        let left = self.track.run().min(u16::MAX.into());
        let around = u64::from_be_bytes(self.piece(word_at));
        let (words, sums, step) = self.track.here();
        let (value, stride) = words.first().map_or((0, 0), |word| (word.value, word.stride));
        let sums = self.foot.sums(sums);
        let leap_at = self.seq() + left;
        Next { value: value | around, stride, sums, step, left: left as u16, leap_at }
    }

    /// Goes over so many frames, which somebody else wrote: no more than [`State::next`] gave.
    pub fn go_over(&mut self, frames: u64) {
        self.track.go_over(frames);
    }

    /// The next frame's number within the shard.
    pub fn seq(&self) -> u64 {
        self.track.seq()
    }

    /// The most frames.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// So many frames are picked of those before the limit: from here on that is counted.
    pub fn count_from(&mut self, picked: u64) {
        self.picked = picked;
    }

    /// Takes one of the frames that are left, if any is.
    pub fn take_one(&mut self) -> bool {
        let has = self.picked < self.limit;
        self.picked += u64::from(has);
        has
    }

    /// Undoes [`State::take_one`].
    pub fn give_back_one(&mut self) {
        self.picked = self.picked.saturating_sub(1);
    }

    /// Goes back over one frame that was written and not sent.
    pub fn rewind_one(&mut self) {
        self.seek(self.seq().saturating_sub(1));
    }

    fn seek(&mut self, seq: u64) {
        self.track.seek(seq);
        if let Some(sizes) = &mut self.sizes {
            self.image = sizes.seek(seq);
        }
    }

    /// Writes the next frame into `room`, and goes on; its bytes. Rooms have its length already, and all frames of all
    /// streams are simple and of one size, unless frames `DIFFER`.
    /// The canvas has `PIECES` of a frame's own, or more than [`Canvas::FEW`].
    #[inline(always)]
    pub fn write<R: Room, const DIFFER: bool, const PIECES: usize>(
        &mut self,
        room: &mut R,
        writing: &Writing<'_>,
    ) -> u16 {
        let image = if DIFFER { self.images.get(usize::from(self.image)) } else { self.images.first() };
        let Some(image) = image else { return 0 };
        self.track.run();
        // Nearer than the image's own; of several sizes it would have to follow them.
        let foot = if DIFFER { &image.foot } else { &self.foot };
        let len = foot.len;
        if DIFFER {
            room.set_len(len);
        }
        if DIFFER && !self.is_simple {
            self.write_any(room, writing);
        } else {
            let seq = self.track.seq();
            let (words, mut sums, _) = self.track.here();
            if let Some(head) = room.head() {
                image.copy_pieces::<PIECES>(head, writing.canvas);
                image.write_words(head, words);
            }
            if let Some(window) = foot.window(room.bytes()) {
                stamp::put(window, self.origin, seq, writing.moment);
                sums = sums.plus(writing.sum);
            }
            if let Some(head) = room.head() {
                foot.finish(head, sums);
            }
        }
        self.track.pass_one();
        if DIFFER && let Some(sizes) = &mut self.sizes {
            self.image = sizes.next();
        }
        len
    }

    /// Writes frames with more of everything.
    #[inline(never)]
    fn write_any<R: Room>(&mut self, room: &mut R, writing: &Writing<'_>) {
        let Some(image) = self.images.get(usize::from(self.image)) else { return };
        image.copy_whole(room.bytes());
        let seq = self.track.seq();
        let (words, mut sums, _) = self.track.here();
        if let Some(head) = room.head() {
            image.copy_into(head, writing.canvas);
            image.write_words(head, words);
        }
        if let Some(window) = image.foot.window(room.bytes()) {
            stamp::put(window, self.origin, seq, writing.moment);
            sums = sums.plus(writing.sum);
        }
        if let Some(head) = room.head() {
            image.finish_any(head, sums, self.track.outer());
        }
        self.track.pass_outer();
    }
}

impl Sizes {
    fn new(order: &[u16], slots: u64) -> Sizes {
        let (slots, sizes) = (slots.max(1), order.len().max(1) as u64);
        let common = gcd(slots, sizes);
        let shift_every = if common > 1 { slots / common * sizes } else { 0 };
        Sizes { order: order.into(), at: 0, shift_every, until_shift: 0 }
    }

    fn seek(&mut self, seq: u64) -> u16 {
        let shifts = seq.checked_div(self.shift_every).unwrap_or(0);
        self.until_shift = self.shift_every - seq.checked_rem(self.shift_every).unwrap_or(0);
        self.at = ((seq + shifts) % self.order.len().max(1) as u64) as usize;
        self.here()
    }

    #[inline(always)]
    fn next(&mut self) -> u16 {
        self.step();
        self.until_shift = self.until_shift.wrapping_sub(1);
        if self.until_shift == 0 {
            self.until_shift = self.shift_every;
            self.step();
        }
        self.here()
    }

    #[inline(always)]
    fn step(&mut self) {
        self.at = if self.at + 1 >= self.order.len() { 0 } else { self.at + 1 };
    }

    #[inline(always)]
    fn here(&self) -> u16 {
        self.order.get(self.at).copied().unwrap_or(0)
    }
}
