//! A capture that is sent again: read and rewritten ([`capture`]), divided over workers by flow ([`part`]), walked
//! through round by round ([`cursor`]), each frame at its time ([`clock`]).

pub mod capture;
pub mod clock;
pub mod cursor;
pub mod error;
pub mod flow;
pub mod headers;
pub mod part;
pub mod rewrite;
#[cfg(test)]
mod tests;

pub use capture::{Capture, MAX_BYTES, MAX_FRAMES};
pub use clock::ReplayClock;
pub use cursor::Cursor;
pub use error::ReplayError;
pub use part::Part;

use crate::profile::Stop;
use crate::profile::replay::{Replay, Timing};
use crate::units::Rate;

/// Rounds at most, where they are counted.
pub const MAX_LOOPS: u64 = 1 << 32;

/// A replay that can be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayPlan {
    /// The frames.
    pub capture: Capture,
    /// When they leave.
    pub timing: Timing,
    /// The profile's, for [`Timing::Rate`].
    pub rate: Rate,
    /// Frames to send over all workers and rounds; `u64::MAX` without an end.
    pub total: u64,
}

impl ReplayPlan {
    /// Reads the capture. `rate` and `stop` are the profile's.
    pub fn load(replay: &Replay, rate: Rate, stop: Stop) -> Result<ReplayPlan, ReplayError> {
        Self::compile(Capture::load(replay)?, replay, rate, stop)
    }

    /// For a capture that is in memory.
    pub fn compile(
        capture: Capture,
        replay: &Replay,
        rate: Rate,
        stop: Stop,
    ) -> Result<ReplayPlan, ReplayError> {
        let frames = capture.frames().len();
        let rounds = if replay.loops == 0 { u64::MAX } else { replay.loops.saturating_mul(frames as u64) };
        let count = if let Stop::Count(count) = stop { count } else { u64::MAX };
        let total = rounds.min(count);
        let plan = ReplayPlan { capture, timing: replay.timing, rate, total };
        if plan.gap_factor().is_some() && total > frames as u64 && plan.capture.span_ns() == 0 {
            return Err(ReplayError::NoTime { path: replay.file.clone(), frames });
        }
        Ok(plan)
    }

    /// What gaps are multiplied by; none where they are not the capture's.
    fn gap_factor(&self) -> Option<f64> {
        match self.timing {
            Timing::Original => Some(1.0),
            Timing::Factor(factor) => Some(factor),
            Timing::Rate => None,
        }
    }

    /// From a round's first frame to the next round's, in nanoseconds of the capture's own time: its span and one mean
    /// gap, as the gap behind the last frame is not known.
    fn round_ns(&self) -> f64 {
        let (span, gaps) = (self.capture.span_ns() as f64, (self.capture.frames().len() - 1).max(1) as f64);
        span + span / gaps
    }

    /// Packets a second over all workers, in the mean; none where frames leave as fast as the port takes them. A link
    /// of 0 Mbit/s is unknown: 10 Gbit/s is assumed, as DPDK's virtual devices report.
    pub fn requested_pps(&self, link_mbps: u32) -> Option<f64> {
        if let Some(factor) = self.gap_factor() {
            let round_s = self.round_ns() * factor / 1e9;
            return (round_s > 0.0).then(|| self.capture.frames().len() as f64 / round_s);
        }
        let link_bps = f64::from(if link_mbps == 0 { 10_000 } else { link_mbps }) * 1e6;
        self.rate.mean_pps(self.capture.mean_frame_bytes(), link_bps)
    }

    /// The parts of `workers` workers, by a clock of `hz` ticks a second, at `pps` over all (of
    /// [`ReplayPlan::requested_pps`]).
    pub fn parts(&self, workers: u16, hz: u64, pps: Option<f64>) -> Vec<Part> {
        let ticks_per_ns = hz as f64 / 1e9;
        let frames = self.capture.frames();
        let (due, round): (Vec<u64>, f64) = match (self.gap_factor(), pps) {
            (Some(factor), Some(_)) => {
                let scale = factor * ticks_per_ns;
                let due = frames.iter().map(|f| (f.time_ns as f64 * scale) as u64);
                (due.collect(), self.round_ns() * scale)
            }
            (None, Some(pps)) => {
                let ticks = hz as f64 / pps;
                let due = (0..frames.len()).map(|n| (n as f64 * ticks) as u64);
                (due.collect(), frames.len() as f64 * ticks)
            }
            (_, None) => (vec![0; frames.len()], 0.0),
        };
        part::divide(frames, &due, round, self.total, workers)
    }
}
