//! Where a sending worker's frames come from: what is due, written into mbufs, taken back where the port refused it.

use std::ops::Range;

use dpdk::{FrameMut, TxBurst};
use traffic::cursor::{Cursor, Frames, MAX_BURST};
use traffic::frame::word::{Head, Heads};
use traffic::mixed::{Mixed, Room};
use traffic::pacer::{Departures, Pacer};

/// A burst of a sender.
pub type Burst<'e> = TxBurst<'e, MAX_BURST>;

/// Frames by the clock. All costs are a burst's but those of [`Source::write`].
pub trait Source {
    /// Time zero.
    fn start(&mut self, epoch: u64);
    /// Goes on at so many thousandths of the rate that was asked; nothing without one.
    fn rescale(&mut self, now: u64, per_mille: u32);
    /// Whether a burst must know its time: by a rate, or for its marks.
    fn is_timed(&self) -> bool;
    /// How many frames may leave at `now`, `burst` at most.
    fn grant(&mut self, now: u64, burst: u64) -> u64;
    /// Writes the frames of `burst`, which may be fewer than were granted.
    fn write(&mut self, burst: &mut Burst<'_>, now: u64);
    /// The first `sent` frames were handed to the driver at `at`: how late they were.
    fn book(&self, departures: &mut Departures, sent: u64, at: u64);
    /// Of `granted` frames `taken` were written and the first `sent` were sent: their bytes. The next frames are those
    /// that were not.
    fn settle(&mut self, granted: u64, taken: u64, sent: u64) -> u64;
    /// Frames left to send, of a count.
    fn left(&self) -> u64;
    /// Ticks from one frame to the next; 0 without a rate.
    fn interval(&self) -> u64;
    /// Frames that were due and given up after stalls.
    fn given_up(&self) -> u64;
    /// What was sent: (number in the mark, frames) of each shard.
    fn sent(&mut self) -> Vec<(u16, u64)>;
}

/// One template with stepped fields: the fast way.
#[derive(Debug)]
pub struct Plain {
    /// The next frame.
    pub cursor: Cursor,
    /// When it is due.
    pub pacer: Pacer,
    /// Its shard's number in the mark.
    pub shard: u16,
    /// Frames to send in all.
    pub limit: u64,
    /// Bytes of a frame, without FCS.
    pub frame_bytes: u64,
}

impl Source for Plain {
    fn start(&mut self, epoch: u64) {
        self.pacer.start(epoch);
    }
    #[cold]
    fn rescale(&mut self, now: u64, per_mille: u32) {
        self.pacer.rescale(now, per_mille);
    }
    fn is_timed(&self) -> bool {
        self.pacer.is_paced() || self.cursor.is_marked()
    }
    #[inline(always)]
    fn grant(&mut self, now: u64, burst: u64) -> u64 {
        self.pacer.grant(now, burst.min(self.left()))
    }
    #[inline(always)]
    fn write(&mut self, burst: &mut Burst<'_>, now: u64) {
        self.cursor.write(&mut Taken(burst), now);
    }
    #[inline(always)]
    fn book(&self, departures: &mut Departures, sent: u64, at: u64) {
        departures.book(&self.pacer, sent, at);
    }
    #[inline(always)]
    fn settle(&mut self, granted: u64, taken: u64, sent: u64) -> u64 {
        if sent < taken {
            self.cursor.rewind(taken - sent);
        }
        if taken < granted {
            self.pacer.return_grant(granted - taken);
        }
        sent * self.frame_bytes
    }
    #[inline(always)]
    fn left(&self) -> u64 {
        self.limit - self.cursor.seq()
    }
    fn interval(&self) -> u64 {
        self.pacer.interval()
    }
    #[inline(always)]
    fn given_up(&self) -> u64 {
        self.pacer.given_up()
    }
    fn sent(&mut self) -> Vec<(u16, u64)> {
        vec![(self.shard, self.cursor.seq())]
    }
}

/// A burst as the cursor wants it.
struct Taken<'b, 'e>(&'b mut Burst<'e>);

impl Frames for Taken<'_, '_> {
    #[inline(always)]
    fn count(&self) -> usize {
        self.0.len()
    }
    #[inline(always)]
    fn heads(
        &mut self,
        which: Range<usize>,
    ) -> Heads<impl Iterator<Item = [&mut Head; 4]>, impl Iterator<Item = &mut Head>> {
        let (fours, rest) = self.0.fours(which);
        Heads(fours.map(|four| four.map(FrameMut::into_head)), rest.map(FrameMut::into_head))
    }
    #[inline(always)]
    fn frames(&mut self, which: Range<usize>) -> impl Iterator<Item = &mut [u8]> {
        self.0.frames_from(which.start).take(which.len()).map(FrameMut::into_data)
    }
}

/// Several streams or sizes.
#[derive(Debug)]
pub struct Streams {
    mixed: Mixed,
    /// Of each lane: its pacer and the ticks from time zero to its first frame.
    lanes: Vec<(Pacer, u64)>,
    /// The lanes of the frames that may leave now, in their order, and how many are of each.
    picks: Vec<(usize, u64)>,
    epoch: u64,
}

impl Streams {
    /// `lanes` are those of `mixed`, each with the ticks before its first frame.
    pub fn new(mixed: Mixed, lanes: Vec<(Pacer, u64)>) -> Streams {
        Streams { mixed, lanes, picks: Vec::with_capacity(MAX_BURST), epoch: 0 }
    }
}

impl Source for Streams {
    fn start(&mut self, epoch: u64) {
        self.epoch = epoch;
        for (pacer, delay) in &mut self.lanes {
            pacer.start(epoch + *delay);
        }
    }
    #[cold]
    fn rescale(&mut self, now: u64, per_mille: u32) {
        // A lane that has not begun has its epoch ahead, which only a later rate may move.
        for (pacer, _) in self.lanes.iter_mut().filter(|(_, delay)| now >= self.epoch + *delay) {
            pacer.rescale(now, per_mille);
        }
    }
    fn is_timed(&self) -> bool {
        self.mixed.is_marked() || self.lanes.iter().any(|(pacer, delay)| pacer.is_paced() || *delay > 0)
    }
    /// Streams with rates of their own come first: the others may be sent as fast as the port takes them.
    #[inline]
    fn grant(&mut self, now: u64, burst: u64) -> u64 {
        self.picks.clear();
        for (lane, (pacer, delay)) in self.lanes.iter_mut().enumerate().rev() {
            let room = burst.saturating_sub(self.mixed.picked() as u64);
            if room == 0 {
                break;
            }
            if now < self.epoch + *delay {
                continue;
            }
            let due = pacer.grant(now, room);
            if due > 0 {
                let picked = self.mixed.pick(lane, due);
                pacer.return_grant(due - picked);
                self.picks.push((lane, picked));
            }
        }
        self.mixed.picked() as u64
    }
    #[inline]
    fn write(&mut self, burst: &mut Burst<'_>, now: u64) {
        let lanes = &mut self.lanes;
        self.mixed.unpick(burst.len(), |lane| give_back(lanes, lane));
        self.mixed.write(burst.frames_mut().map(Frame), now);
    }
    fn book(&self, departures: &mut Departures, sent: u64, at: u64) {
        let mut left = sent;
        for (lane, picked) in &self.picks {
            if let Some((pacer, _)) = self.lanes.get(*lane) {
                departures.book(pacer, left.min(*picked), at);
            }
            left = left.saturating_sub(*picked);
        }
    }
    #[inline]
    fn settle(&mut self, _: u64, _: u64, sent: u64) -> u64 {
        // What the port refused was due and is lost to the rate, as with one stream.
        self.mixed.sent(sent as usize, |_| ())
    }
    fn left(&self) -> u64 {
        self.mixed.left()
    }
    fn interval(&self) -> u64 {
        self.lanes.iter().map(|(pacer, _)| pacer.interval()).filter(|ticks| *ticks > 0).min().unwrap_or(0)
    }
    fn given_up(&self) -> u64 {
        self.lanes.iter().map(|(pacer, _)| pacer.given_up()).sum()
    }
    fn sent(&mut self) -> Vec<(u16, u64)> {
        self.mixed.written().collect()
    }
}

fn give_back(lanes: &mut [(Pacer, u64)], lane: usize) {
    if let Some((pacer, _)) = lanes.get_mut(lane) {
        pacer.return_grant(1);
    }
}

/// A frame as the streams want it.
struct Frame<'b>(FrameMut<'b>);

impl Room for Frame<'_> {
    #[inline(always)]
    fn held(&self) -> usize {
        self.0.len().into()
    }
    #[inline(always)]
    fn set_len(&mut self, bytes: u16) {
        self.0.set_len(bytes);
    }
    #[inline(always)]
    fn bytes(&mut self) -> &mut [u8] {
        self.0.data()
    }
    #[inline(always)]
    fn head(&mut self) -> Option<&mut Head> {
        Some(self.0.head())
    }
}
