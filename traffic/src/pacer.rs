//! When frames are due: a pure function of the clock.
//!
//! Frame `n` is due at `epoch + n / rate`, an absolute time, so errors don't add up. Asked often enough
//! (every few nanoseconds, as a worker does) frames leave one at a time; asked late, up to a burst leaves at
//! once. After a stall the backlog is worked off at no more than twice the rate, and whatever is owed beyond
//! 10 ms is given up and counted: a stall never becomes a line-rate burst.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the gaps between frames are spread around the rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Gap {
    /// All alike.
    #[default]
    Constant,
    /// Exponential, as of independent senders; repeatable.
    Poisson,
    /// So many frames at once every so often; the rate follows from it.
    #[serde(untagged)]
    Burst {
        /// Frames a burst.
        #[schemars(range(min = 1, max = 1_000_000))]
        burst: u32,
        /// Seconds from one burst's first frame to the next one's.
        every_s: f64,
    },
}

/// Backlog beyond this is given up.
pub const BACKLOG_LIMIT_MS: u64 = 10;

/// One worker's departures.
#[derive(Clone, Debug)]
pub struct Pacer {
    /// Frames a tick in 2^-64ths; `None` paces nothing.
    frames_per_tick: Option<u64>,
    epoch: u64,
    /// Frames due when last asked.
    due: u64,
    /// Frames granted or given up: where the sender is on the time axis.
    used: u64,
    given_up: u64,
    backlog_limit: u64,
}

impl Pacer {
    /// A pacer for `pps` packets a second by a clock of `hz`; `None` grants whole bursts always.
    ///
    /// The rate must be below the clock's, which is to say below a billion.
    pub fn new(pps: Option<f64>, hz: u64) -> Pacer {
        // Rounded up, so that a frame is not a tick late for the want of a fraction.
        let per_tick = |pps: f64| (pps / hz as f64 * 2f64.powi(64)).ceil().min(u64::MAX as f64) as u64;
        let limit = pps.map_or(0, |pps| (pps * BACKLOG_LIMIT_MS as f64 / 1e3) as u64);
        Pacer {
            frames_per_tick: pps.map(per_tick),
            epoch: 0,
            due: 0,
            used: 0,
            given_up: 0,
            backlog_limit: limit.max(1),
        }
    }

    /// Time zero: the first frame is due at once.
    pub fn start(&mut self, now: u64) {
        self.epoch = now;
        (self.due, self.used, self.given_up) = (0, 0, 0);
    }

    /// How many frames may leave at `now`, at most `burst`. Times must not go backwards.
    #[inline]
    pub fn grant(&mut self, now: u64, burst: u64) -> u64 {
        let Some(per_tick) = self.frames_per_tick else { return burst };
        let due = ((u128::from(now.wrapping_sub(self.epoch)) * u128::from(per_tick)) >> 64) as u64 + 1;
        let new = due - self.due;
        if new == 0 {
            return 0;
        }
        self.due = due;
        let owed = due - self.used;
        let granted = owed.min(burst).min(2 * new);
        self.used += granted;
        if owed > self.backlog_limit + granted {
            let excess = owed - granted - self.backlog_limit;
            self.used += excess;
            self.given_up += excess;
        }
        granted
    }

    /// Takes back a grant that was not used because fewer frames were at hand; they stay due.
    pub fn return_grant(&mut self, frames: u64) {
        self.used -= frames;
    }

    /// Ticks from one frame to the next; 0 without a rate.
    pub fn interval(&self) -> u64 {
        self.frames_per_tick
            .map_or(0, |rate| u64::try_from((1u128 << 64) / u128::from(rate.max(1))).unwrap_or(u64::MAX))
    }

    /// Frames that were due and never granted, since the start.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HZ: u64 = 1_000_000_000;

    #[test]
    fn unpaced_grants_whole_bursts() {
        assert_eq!(Pacer::new(None, HZ).grant(5, 32), 32);
    }

    #[test]
    fn one_frame_at_a_time_when_asked_often() {
        let mut p = Pacer::new(Some(1000.0), HZ);
        p.start(500);
        let mut departures = Vec::new();
        for now in (500..10_000_500).step_by(100) {
            let n = p.grant(now, 32);
            assert!(n <= 1);
            if n == 1 {
                departures.push(now - 500);
            }
        }
        assert_eq!(departures, (0..10).map(|i| i * 1_000_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_stall_is_not_caught_up_by_a_burst() {
        let mut p = Pacer::new(Some(1e6), HZ);
        p.start(0);
        p.grant(0, 32);
        // 50 ms away: 50,000 due, 10 ms of them kept.
        assert_eq!(p.grant(50_000_000, 32), 32);
        assert!((39_900..40_000).contains(&p.given_up()), "{}", p.given_up());
        // From then on at most two a microsecond.
        let sent: u64 = (1..=1000).map(|us| p.grant(50_000_000 + us * 1000, 32)).sum();
        assert!((1990..=2000).contains(&sent), "{sent}");
    }

    proptest! {
        #[test]
        fn grants_never_run_ahead_and_never_fall_behind_unseen(
            pps in 1.0f64..50e6, gaps in proptest::collection::vec(1u64..3_000_000, 1..200)
        ) {
            let mut p = Pacer::new(Some(pps), HZ);
            p.start(0);
            let (mut now, mut sent) = (0u64, 0u64);
            for gap in gaps {
                now += gap;
                let n = p.grant(now, 64);
                prop_assert!(n <= 64);
                sent += n;
                let due = (now as f64 * pps / HZ as f64) as u64 + 1;
                prop_assert!(sent + p.given_up() <= due + 1);
            }
        }

        #[test]
        fn the_long_run_rate_is_exact(pps in 10.0f64..1e6) {
            let mut p = Pacer::new(Some(pps), HZ);
            p.start(0);
            let mut sent = 0;
            for us in 0..=1_000_000u64 {
                sent += p.grant(us * 1000, 64);
            }
            prop_assert!((sent as f64 - pps).abs() <= 2.0, "{} of {}", sent, pps);
        }
    }
}
