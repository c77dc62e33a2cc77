//! A worker's place in its shard: the values of the next frames, written into them without division or allocation.
//!
//! A burst is written in runs of frames whose fields go up evenly ([`Track`]), a word of eight bytes over all of a
//! run's frames and then the next: what there is to decide gets decided once a run, and its few numbers stay in
//! registers.

use std::ops::Range;

use crate::frame::checksum::UDP_ZERO;
use crate::frame::sums::{Falling, Fields, Rising, Sums};
use crate::frame::word::{HEAD_BYTES, Head, Heads, write_words};
use crate::frame::{Check, NicFrame, Template};
use crate::shard::Shard;
use crate::stamp::{Moment, Origin};
use crate::track::Track;

mod tail;

use tail::{Mark, Tail};

/// Frames written at once at most.
pub const MAX_BURST: usize = 64;

/// Frames to be written: each holds its template's bytes, or an earlier frame's, and has room for [`Head`] at least.
pub trait Frames {
    /// How many there are.
    fn count(&self) -> usize;
    /// The first bytes of each of `which`, in fours, and of those that are left then.
    fn heads(
        &mut self,
        which: Range<usize>,
    ) -> Heads<impl Iterator<Item = [&mut Head; 4]>, impl Iterator<Item = &mut Head>>;
    /// All bytes of each of `which`.
    fn frames(&mut self, which: Range<usize>) -> impl Iterator<Item = &mut [u8]>;
}

/// The next frame of one worker.
#[derive(Clone, Debug)]
pub struct Cursor {
    track: Track,
    /// Of all that never changes.
    base: Sums,
    ip_at: u8,
    l4_at: u8,
    /// What is sent for a layer-4 checksum of zero.
    l4_zero: u16,
    origin: Origin,
    stamp_at: Option<usize>,
    /// The NIC fills in the checksums.
    for_nic: bool,
}

impl Cursor {
    /// At the shard's frame 0. For a template of [`crate::plan::Plan::is_plain`].
    pub fn new(t: &Template, shard: Shard, tag: u32) -> Cursor {
        Cursor::of(t, shard, tag, false)
    }

    /// As [`Cursor::new`], for frames whose checksums the NIC fills in.
    pub fn for_nic(frame: &NicFrame, shard: Shard, tag: u32) -> Cursor {
        Cursor::of(&frame.template, shard, tag, true)
    }

    fn of(t: &Template, shard: Shard, tag: u32, for_nic: bool) -> Cursor {
        let check = |check: Option<Check>| check.unwrap_or(Check { at: 0, sum: 0, zero: 0 });
        let (ip, l4) = (check(t.ip), check(t.l4));
        let origin = Origin::new(tag, shard.id);
        // A NIC takes what it finds in the payload into its sum.
        let in_sum = t.stamp_at.is_some() && !for_nic;
        let marks = if in_sum { origin.sum() } else { 0 };
        let mut still = t.still();
        if let Some(ip) = still.get_mut(usize::from(ip.at)..).and_then(|b| b.first_chunk_mut()) {
            *ip = [0; 2];
        }
        Cursor {
            track: Track::new(
                &t.patches,
                (t.flows().unwrap_or(1), t.lead_in()),
                shard,
                (&still, t.ip.map(|ip| ip.at)),
                in_sum,
            ),
            base: Sums::new(ip.sum, l4.sum + marks),
            ip_at: ip.at,
            l4_at: l4.at,
            l4_zero: l4.zero_sent(),
            origin,
            stamp_at: t.stamp_at,
            for_nic,
        }
    }

    /// Whether frames carry the mark.
    pub fn is_marked(&self) -> bool {
        self.stamp_at.is_some()
    }

    /// The next frame's number within the shard.
    #[inline(always)]
    pub fn seq(&self) -> u64 {
        self.track.seq()
    }

    /// Goes to frame `seq` of the shard.
    pub fn seek(&mut self, seq: u64) {
        self.track.seek(seq);
    }

    /// Goes back over `frames` frames that were written and not sent.
    pub fn rewind(&mut self, frames: u64) {
        if frames > 0 {
            self.seek(self.seq() - frames.min(self.seq()));
        }
    }

    /// Writes what differs into the next frames, [`MAX_BURST`] at most, and goes on. Their marks have the same `time`.
    #[inline]
    pub fn write(&mut self, frames: &mut impl Frames, time: u64) {
        let count = frames.count().min(MAX_BURST);
        let moment = Moment::new(time);
        let mut base = self.base;
        if self.stamp_at.is_some() && !self.for_nic {
            base = base.plus(Sums::new(0, moment.sum()));
        }
        let mut done = 0;
        while done < count {
            let run = (self.track.run().min((count - done) as u64)) as usize;
            self.write_run(frames, (done, run), base, moment);
            self.track.pass(run as u64);
            done += run;
        }
    }

    /// Writes `run` frames, from frame `done` on.
    #[inline(always)]
    fn write_run(
        &mut self,
        frames: &mut impl Frames,
        (done, run): (usize, usize),
        base: Sums,
        moment: Moment,
    ) {
        let seq = self.track.seq();
        let (words, sums, step) = self.track.here();
        let first = base.plus(sums);
        let mark = Mark { origin: self.origin, seq, moment };
        let which = done..done + run;
        // The last word goes along with the checksums. Words may reach into the mark's place: they are written before.
        let (others, last) = words.split_at_mut(words.len().saturating_sub(1));
        let (triples, rest) = others.as_chunks_mut::<3>();
        for words in triples {
            write_words(words, frames.heads(which.clone()));
        }
        match rest {
            [a, b] => {
                let mut pair = [*a, *b];
                write_words(&mut pair, frames.heads(which.clone()));
                [*a, *b] = pair;
            }
            rest => {
                for word in rest {
                    write_words(std::array::from_mut(word), frames.heads(which.clone()));
                }
            }
        }
        let last = last.first_mut().map(|word| word.leap_over(run));
        let tail = Tail { which, word: last, stamp_at: self.stamp_at, mark };
        let (ip, places) = (Falling::ip(first, step), (self.ip_at, self.l4_at));
        if self.for_nic {
            tail.write(frames, Falling::zero(), Rising::l4_sum(first, step), places);
        } else if last.is_none() && self.stamp_at.is_none() {
            // No frame differs from the one that its mbuf held.
        } else if self.l4_zero == UDP_ZERO {
            tail.write(frames, ip, Rising::l4(first, step), places);
        } else {
            tail.write(frames, ip, Falling::l4(first, step), places);
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

/// One frame with room enough.
struct One {
    bytes: Vec<u8>,
}

impl Frames for One {
    fn count(&self) -> usize {
        1
    }
    fn heads(
        &mut self,
        which: Range<usize>,
    ) -> Heads<impl Iterator<Item = [&mut Head; 4]>, impl Iterator<Item = &mut Head>> {
        Heads(std::iter::empty(), self.bytes.first_chunk_mut().into_iter().take(which.len()))
    }
    fn frames(&mut self, which: Range<usize>) -> impl Iterator<Item = &mut [u8]> {
        std::iter::once(self.bytes.as_mut_slice()).take(which.len())
    }
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

    /// The only word takes IPv4's checksum with it, but where that borrows: over more frames than it has values, both
    /// are met, with the mark and without, in UDP and TCP.
    #[test]
    fn a_checksum_that_goes_along_with_a_word_is_right_where_it_borrows() {
        let word = |n: u64| -> Field<std::net::Ipv4Addr> { field((10 << 24, 10 << 24, 99_999, n)) };
        for (tcp, stamped, inc) in [(false, false, 1), (false, true, 1), (true, false, 3), (true, true, 259)]
        {
            let mut stream = udp_stream(104);
            stream.ipv4.as_mut().unwrap().src = word(inc);
            if tcp {
                let ports = crate::profile::Ports { src: 1.into(), dst: 2.into() };
                (stream.udp, stream.tcp) = (None, Some(crate::profile::Tcp::from(ports)));
            }
            let template = Template::new(&stream, FrameSize::new(104).unwrap(), stamped).unwrap();
            let shard = Shard::new(0, 1, template.flows().unwrap());
            let mut cursor = Cursor::new(&template, shard, 7);
            let ip_at = template.ip.unwrap().at;
            assert_eq!(cursor.track.words().iter().map(|word| word.at).collect::<Vec<u8>>(), [ip_at]);
            let mut room = [0; HEAD_BYTES];
            room[..template.bytes.len()].copy_from_slice(&template.bytes);
            let mut burst = Burst(vec![room; MAX_BURST]);
            let (mut rises, mut before) = (0, u16::MAX);
            while cursor.seq() < 1 << 17 {
                let first = cursor.seq();
                cursor.write(&mut burst, 99);
                for (seq, bytes) in (first..).zip(&burst.0) {
                    check(&template, shard, seq, stamped, &bytes[..template.bytes.len()]).unwrap();
                    let now = u16::from_be_bytes([bytes[usize::from(ip_at)], bytes[usize::from(ip_at) + 1]]);
                    rises += u32::from(now > before);
                    before = now;
                }
            }
            assert!(rises > 1, "it never borrowed");
        }
    }

    struct Burst(Vec<Head>);

    impl Frames for Burst {
        fn count(&self) -> usize {
            self.0.len()
        }
        fn heads(
            &mut self,
            which: Range<usize>,
        ) -> Heads<impl Iterator<Item = [&mut Head; 4]>, impl Iterator<Item = &mut Head>> {
            let (fours, rest) = self.0[which].as_chunks_mut::<4>();
            Heads(fours.iter_mut().map(|four| four.each_mut()), rest.iter_mut())
        }
        fn frames(&mut self, which: Range<usize>) -> impl Iterator<Item = &mut [u8]> {
            self.0[which].iter_mut().map(|head| head.as_mut_slice())
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
