//! When frames are due: a pure function of the clock.
//!
//! Frame `n` is due at `epoch + n / rate`, an absolute time, so errors don't add up. Asked often enough
//! (every few nanoseconds, as a worker does) frames leave one at a time; asked late, up to a burst leaves at
//! once. After a stall the backlog is worked off at no more than twice the rate, and whatever is owed beyond
//! 10 ms is given up and counted: a stall never becomes a line-rate burst.
//!
//! Other gaps than the constant one ([`Gap`]) have a due time for each frame and keep the same rule.

mod bursts;
pub mod departures;
pub mod gap;
mod poisson;
mod shaped;

use bursts::BurstTimes;
pub use departures::Departures;
pub use gap::Gap;
use poisson::Poisson;
use shaped::{GRANT_MAX, Schedule, Shaped};

/// Backlog beyond this is given up.
pub const BACKLOG_LIMIT_MS: u64 = 10;

/// One worker's departures.
#[derive(Clone, Debug)]
pub struct Pacer {
    /// Frames a tick in 2^-64ths; `None` paces nothing, or by a schedule.
    frames_per_tick: Option<u64>,
    /// Ticks from one frame to the next; 0 without a rate.
    interval: f64,
    epoch: u64,
    /// Frames due when last asked.
    due: u64,
    /// Frames granted or given up: where the sender is on the time axis.
    used: u64,
    /// The first frame of the last grant.
    first: u64,
    given_up: u64,
    backlog_limit: u64,
    /// Frames a tick, and frames that may be owed, as asked at first.
    asked: (u64, u64),
    /// Gaps that are not constant.
    shaped: Option<Box<Shaped>>,
}

impl Pacer {
    /// A pacer for `pps` packets a second by a clock of `hz`; `None` grants whole bursts always.
    ///
    /// The rate must be below the clock's, which is to say below a billion.
    pub fn new(pps: Option<f64>, hz: u64) -> Pacer {
        // Rounded up, so that a frame is not a tick late for the want of a fraction.
        let per_tick = |pps: f64| (pps / hz as f64 * 2f64.powi(64)).ceil().min(u64::MAX as f64) as u64;
        let frames_per_tick = pps.map(per_tick);
        Pacer {
            frames_per_tick,
            interval: frames_per_tick.map_or(0.0, |rate| 2f64.powi(64) / rate.max(1) as f64),
            epoch: 0,
            due: 0,
            used: 0,
            first: 0,
            given_up: 0,
            backlog_limit: backlog(pps),
            asked: (frames_per_tick.unwrap_or(0), backlog(pps)),
            shaped: None,
        }
    }

    /// As [`Pacer::new`], with gaps of the profile's choice. Workers need seeds of their own. `pps` is the worker's
    /// part of the mean rate, for bursts as well ([`Gap::mean_pps`]): it makes the worker's part of each burst, the
    /// whole burst where it is not given.
    pub fn with_gap(pps: Option<f64>, hz: u64, gap: Gap, seed: u64) -> Pacer {
        match (gap, pps) {
            (Gap::Constant, _) | (Gap::Poisson, None) => Pacer::new(pps, hz),
            (Gap::Poisson, Some(mean_pps)) => {
                let jump_ticks = 2 * hz * BACKLOG_LIMIT_MS / 1000;
                let schedule = Schedule::Poisson(Poisson::new(hz as f64 / mean_pps, seed, jump_ticks));
                Pacer::new(pps, hz).shaped(Shaped::new(schedule, GRANT_MAX as u64, backlog(pps)))
            }
            (Gap::Burst { burst, every_s }, pps) => {
                let size = pps.map_or(burst.into(), |pps| pps * every_s);
                let (mean_pps, whole) = (Some(size / every_s), size.ceil() as u64);
                let schedule = Schedule::Bursts(BurstTimes::new(size, every_s * hz as f64));
                let shaped = Shaped::new(schedule, 2 * whole, backlog(mean_pps).max(whole));
                Pacer::new(mean_pps, hz).shaped(shaped)
            }
        }
    }

    /// For a worker behind others whose parts of the mean rate are `pps` together: so the workers' parts of every
    /// burst add up to it. Of no consequence for other gaps.
    pub fn behind(mut self, pps: f64, gap: Gap) -> Pacer {
        if let (Some(shaped), Gap::Burst { every_s, .. }) = (&mut self.shaped, gap) {
            shaped.behind(pps * every_s);
        }
        self
    }

    fn shaped(self, shaped: Shaped) -> Pacer {
        Pacer { frames_per_tick: None, shaped: Some(Box::new(shaped)), ..self }
    }

    /// Time zero: the first frame is due at once.
    pub fn start(&mut self, now: u64) {
        self.epoch = now;
        (self.due, self.used, self.first, self.given_up) = (0, 0, 0, 0);
        if let Some(shaped) = &mut self.shaped {
            shaped.restart();
        }
    }

    /// Goes on from `now` at so many thousandths of the rate that was asked at first: what is owed stays owed, and no
    /// frame leaves that the old rate had not made due. Of no consequence without a constant gap.
    pub fn rescale(&mut self, now: u64, per_mille: u32) {
        let Some(old) = self.frames_per_tick else { return };
        let (asked, backlog) = self.asked;
        let scaled = |value: u64| {
            u64::try_from(u128::from(value) * u128::from(per_mille) / 1000).unwrap_or(u64::MAX).max(1)
        };
        let new = scaled(asked);
        // The place on the time axis is kept as a fraction of a frame; one frame is left, so that it is never negative.
        let base = self.used.saturating_sub(1);
        let place = u128::from(now.wrapping_sub(self.epoch)) * u128::from(old);
        let ahead = place.saturating_sub(u128::from(base) << 64);
        self.epoch = now.wrapping_sub(u64::try_from(ahead / u128::from(new)).unwrap_or(0));
        self.used -= base;
        self.due = self.due.saturating_sub(base);
        self.first = 0;
        self.frames_per_tick = Some(new);
        self.interval = 2f64.powi(64) / new as f64;
        self.backlog_limit = scaled(backlog);
    }

    /// How many frames may leave at `now`, at most `burst`. Times must not go backwards.
    #[inline]
    pub fn grant(&mut self, now: u64, burst: u64) -> u64 {
        let Some(per_tick) = self.frames_per_tick else { return self.grant_otherwise(now, burst) };
        let due = ((u128::from(now.wrapping_sub(self.epoch)) * u128::from(per_tick)) >> 64) as u64 + 1;
        let new = due - self.due;
        if new == 0 {
            return 0;
        }
        self.due = due;
        let owed = due - self.used;
        let granted = owed.min(burst).min(2 * new);
        self.first = self.used;
        self.used += granted;
        if owed > self.backlog_limit + granted {
            let excess = owed - granted - self.backlog_limit;
            self.used += excess;
            self.given_up += excess;
        }
        granted
    }

    /// Without a rate, or by a schedule.
    #[inline]
    fn grant_otherwise(&mut self, now: u64, burst: u64) -> u64 {
        match &mut self.shaped {
            None => burst,
            Some(shaped) => shaped.grant(now.wrapping_sub(self.epoch), burst),
        }
    }

    /// Takes back the last `frames` of the last grant, which were not used because fewer were at hand; they stay due.
    pub fn return_grant(&mut self, frames: u64) {
        match &mut self.shaped {
            None => self.used -= frames,
            Some(shaped) => shaped.return_grant(frames),
        }
    }

    /// When frame `i` of the last grant was due, by the clock that it was granted by.
    #[inline]
    pub fn due(&self, i: u64) -> u64 {
        let since = match &self.shaped {
            None => ((self.first + i) as f64 * self.interval).ceil() as u64,
            Some(shaped) => shaped.due(i),
        };
        self.epoch.wrapping_add(since)
    }

    /// Whether frames have due times.
    #[inline]
    pub fn is_paced(&self) -> bool {
        self.frames_per_tick.is_some() || self.shaped.is_some()
    }

    /// Ticks from one frame to the next, in the mean; 0 without a rate.
    pub fn interval(&self) -> u64 {
        self.interval.round() as u64
    }

    /// Frames that were due and never granted, since the start.
    pub fn given_up(&self) -> u64 {
        self.given_up + self.shaped.as_ref().map_or(0, |shaped| shaped.given_up())
    }
}

/// Frames that may be owed at `pps`.
fn backlog(pps: Option<f64>) -> u64 {
    pps.map_or(0, |pps| (pps * BACKLOG_LIMIT_MS as f64 / 1e3) as u64).max(1)
}

#[cfg(test)]
mod tests;
