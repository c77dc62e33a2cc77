//! When captured frames may leave: a pure function of the clock, by the pacer's rule.
//!
//! Each frame has an absolute time; asked often, frames leave at it. After a stall one burst leaves at once and the
//! rest of the backlog at no more than twice the pace of the capture. What is owed beyond 10 ms is no frame lost but
//! time: the whole schedule moves on by it, and the frames that were due in it count as given up. Frames of one time
//! leave together, as they were captured.

use super::cursor::Cursor;
use crate::pacer::BACKLOG_LIMIT_MS;

/// One worker's departures.
#[derive(Clone, Debug)]
pub struct ReplayClock {
    /// Whether frames have times at all.
    paced: bool,
    /// The schedule's time zero; moves on when time is given up.
    epoch: u64,
    /// When last asked.
    asked: u64,
    /// How far the schedule was granted.
    reached: u64,
    backlog_limit: u64,
    given_up: u64,
}

impl ReplayClock {
    /// By a clock of `hz`; unpaced it grants whole bursts always.
    pub fn new(paced: bool, hz: u64) -> ReplayClock {
        let backlog_limit = hz / 1000 * BACKLOG_LIMIT_MS;
        ReplayClock { paced, epoch: 0, asked: 0, reached: 0, backlog_limit, given_up: 0 }
    }

    /// Time zero.
    pub fn start(&mut self, now: u64) {
        (self.epoch, self.asked, self.reached, self.given_up) = (now, now, 0, 0);
    }

    /// How many of the cursor's next frames may leave at `now`, at most `most`.
    #[inline]
    pub fn grant(&mut self, now: u64, cursor: &Cursor<'_>, most: u64) -> u64 {
        if !self.paced {
            return most.min(cursor.left());
        }
        let next = cursor.next_due();
        // CPUs' clocks may differ by a few ticks at the start.
        let now = now.max(self.asked);
        let passed = now - self.asked;
        self.asked = now;
        let mut time = now - self.epoch;
        if next > time {
            self.reached = time;
            return 0;
        }
        if time - next > self.backlog_limit {
            time = self.give_up(time, next, cursor);
        }
        // Nothing is owed before the next frame.
        let until = (self.reached + 2 * passed).max(next).min(time);
        let (count, last) = cursor.due(until, most);
        // What a full burst leaves over is no allowance for the next one.
        self.reached = if count == most { last } else { until };
        count
    }

    /// Moves the schedule on by what is owed beyond the limit.
    #[cold]
    fn give_up(&mut self, time: u64, next: u64, cursor: &Cursor<'_>) -> u64 {
        let excess = time - next - self.backlog_limit;
        self.given_up += cursor.due_before(next + excess);
        self.epoch += excess;
        time - excess
    }

    /// Frames that were due in time that was given up, since the start.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }

    /// Ticks from one of the cursor's frames to the next, in the mean; 0 unpaced.
    pub fn interval(&self, cursor: &Cursor<'_>) -> u64 {
        if self.paced { cursor.mean_gap() } else { 0 }
    }
}
