//! Captured frames as a worker's source: an mbuf becomes any of them by a copy.

use traffic::pacer::Departures;
use traffic::replay::{Cursor, ReplayClock};

use super::source::{Burst, Source};

/// One worker's part of a capture. A frame that the port refuses stays the next one, so that what is sent is the
/// capture without a hole; time that goes by meanwhile is given up by the clock's rule.
#[derive(Debug)]
pub struct Replayed<'c> {
    /// The next frame.
    pub cursor: Cursor<'c>,
    /// When it is due.
    pub clock: ReplayClock,
    /// The worker's number.
    pub worker: u16,
    sent: u64,
}

impl<'c> Replayed<'c> {
    /// At the beginning.
    pub fn new(cursor: Cursor<'c>, clock: ReplayClock, worker: u16) -> Replayed<'c> {
        Replayed { cursor, clock, worker, sent: 0 }
    }
}

impl Source for Replayed<'_> {
    fn start(&mut self, epoch: u64) {
        self.clock.start(epoch);
    }
    fn rescale(&mut self, _: u64, _: u32) {}
    fn is_timed(&self) -> bool {
        true
    }
    #[inline(always)]
    fn grant(&mut self, now: u64, burst: u64) -> u64 {
        self.clock.grant(now, &self.cursor, burst)
    }
    #[inline(always)]
    fn write(&mut self, burst: &mut Burst<'_>, _: u64) {
        for (mut mbuf, frame) in burst.frames_mut().zip(self.cursor.ahead()) {
            if let Some(place) = mbuf.data().get_mut(..frame.len()) {
                place.copy_from_slice(frame);
            }
            mbuf.set_len(frame.len() as u16);
        }
    }
    /// A replay's own times are kept by its clock: nothing is booked.
    fn book(&self, _: &mut Departures, _: u64, _: u64) {}
    #[inline(always)]
    fn settle(&mut self, _: u64, _: u64, sent: u64) -> u64 {
        self.sent += sent;
        self.cursor.advance(sent)
    }
    #[inline(always)]
    fn left(&self) -> u64 {
        self.cursor.left()
    }
    fn interval(&self) -> u64 {
        self.clock.interval(&self.cursor)
    }
    #[inline(always)]
    fn given_up(&self) -> u64 {
        self.clock.given_up()
    }
    fn sent(&mut self) -> Vec<(u16, u64)> {
        vec![(self.worker, self.sent)]
    }
}
