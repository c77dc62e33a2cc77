//! Departures that are not evenly spaced: every frame has a due time of its own.

use super::bursts::BurstTimes;
use super::poisson::Poisson;

/// Frames a grant at most.
pub const GRANT_MAX: usize = 64;

/// When frames are due.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// At random times.
    Poisson(Poisson),
    /// In bursts.
    Bursts(BurstTimes),
}

/// Grants what is due; what is owed after a stall goes out at no more than twice the rate.
#[derive(Clone, Debug)]
pub struct Shaped {
    schedule: Schedule,
    /// Frames due when last asked.
    due: u64,
    owed: u64,
    /// Frames that may leave before more are due: two for each that became due, `credit_limit` at most.
    credit: u64,
    credit_limit: u64,
    backlog_limit: u64,
    given_up: u64,
    /// When the frames of the last grant were due, `returned` ones behind them.
    dues: [u64; GRANT_MAX],
    granted: usize,
    returned: usize,
}

impl Shaped {
    /// At most `credit_limit` frames leave at once, and at most `backlog_limit` are owed.
    pub fn new(schedule: Schedule, credit_limit: u64, backlog_limit: u64) -> Shaped {
        Shaped {
            schedule,
            due: 0,
            owed: 0,
            credit: 0,
            credit_limit,
            backlog_limit,
            given_up: 0,
            dues: [0; GRANT_MAX],
            granted: 0,
            returned: 0,
        }
    }

    /// Behind workers that take `size` frames of each burst.
    pub fn behind(&mut self, size: f64) {
        if let Schedule::Bursts(b) = &mut self.schedule {
            b.behind(size);
        }
    }

    /// Time zero.
    pub fn restart(&mut self) {
        match &mut self.schedule {
            Schedule::Poisson(p) => p.restart(),
            Schedule::Bursts(b) => b.restart(),
        }
        (self.due, self.owed, self.credit, self.given_up) = (0, 0, 0, 0);
        (self.granted, self.returned) = (0, 0);
    }

    /// How many frames may leave `elapsed` ticks after time zero, at most `burst`.
    #[inline]
    pub fn grant(&mut self, elapsed: u64, burst: u64) -> u64 {
        let due = match &mut self.schedule {
            Schedule::Poisson(p) => p.due_by(elapsed),
            Schedule::Bursts(b) => b.due_by(elapsed),
        };
        let new = due - self.due;
        if new == 0 && self.owed == 0 {
            return 0;
        }
        self.due = due;
        self.owed += new;
        self.credit = (self.credit + 2 * new).min(self.credit_limit);
        self.forget_lost();
        let granted = self.owed.min(burst).min(self.credit).min(GRANT_MAX as u64);
        self.owed -= granted;
        self.credit = if self.owed == 0 { 0 } else { self.credit - granted };
        self.fill_dues(granted as usize);
        if self.owed > self.backlog_limit {
            self.give_up(self.owed - self.backlog_limit);
        }
        granted
    }

    /// What the schedule itself passed over; returned frames are among it.
    #[inline]
    fn forget_lost(&mut self) {
        let Schedule::Poisson(p) = &mut self.schedule else { return };
        let lost = p.take_lost();
        if lost > 0 {
            let lost = lost + self.returned as u64;
            self.returned = 0;
            self.given_up += lost;
            self.owed = self.owed.saturating_sub(lost);
        }
    }

    /// Frames that were returned come first.
    #[inline]
    fn fill_dues(&mut self, granted: usize) {
        let held = self.returned;
        self.dues.copy_within(self.granted..self.granted + held, 0);
        for due in self.dues.iter_mut().take(granted).skip(held) {
            *due = match &mut self.schedule {
                Schedule::Poisson(p) => p.take(),
                Schedule::Bursts(b) => b.take(),
            };
        }
        self.granted = granted;
        self.returned = held.saturating_sub(granted);
    }

    #[cold]
    fn give_up(&mut self, excess: u64) {
        match &mut self.schedule {
            Schedule::Poisson(p) => p.skip(excess),
            Schedule::Bursts(b) => b.skip(excess),
        }
        self.owed -= excess;
        self.given_up += excess;
    }

    /// Takes back the last `frames` of the last grant; they stay due.
    pub fn return_grant(&mut self, frames: u64) {
        let frames = (frames as usize).min(self.granted);
        self.granted -= frames;
        self.returned += frames;
        self.owed += frames as u64;
        self.credit = (self.credit + frames as u64).min(self.credit_limit);
    }

    /// When frame `i` of the last grant was due, in ticks after time zero.
    #[inline]
    pub fn due(&self, i: u64) -> u64 {
        self.dues.get(i as usize).copied().unwrap_or(0)
    }

    /// Frames that were due and never granted.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }
}
