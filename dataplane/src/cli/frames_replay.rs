//! `dataplane frames` of a replay: the captured frames as they would be sent, rewritten and divided.

use traffic::generator::Generator;
use traffic::profile::replay::Replay;
use traffic::profile::{Profile, Stop};
use traffic::replay::{Cursor, Part, ReplayError, ReplayPlan};

use crate::warnln;

/// Times in a pcap are nanoseconds.
const HZ: u64 = 1_000_000_000;

/// Frames in their order.
pub trait Frames {
    /// The next one, and when it is due, in nanoseconds from the start; none at the end.
    fn next_frame(&mut self) -> Option<(u64, &[u8])>;
}

impl Frames for Generator {
    fn next_frame(&mut self) -> Option<(u64, &[u8])> {
        Generator::next_frame(self)
    }
}

impl Frames for Cursor<'_> {
    fn next_frame(&mut self) -> Option<(u64, &[u8])> {
        if self.left() == 0 {
            return None;
        }
        let (due_ns, frame) = (self.next_due(), self.ahead().next()?);
        self.advance(1);
        Some((due_ns, frame))
    }
}

/// One worker's frames.
#[derive(Debug)]
pub struct Replayed {
    plan: ReplayPlan,
    part: Part,
}

impl Replayed {
    /// Reads the capture of `profile`, and says what is to be said about it.
    pub fn load(
        profile: &Profile,
        replay: &Replay,
        worker: u16,
        workers: u16,
    ) -> Result<Replayed, ReplayError> {
        let plan = ReplayPlan::load(replay, profile.rate, profile.stop)?;
        plan.capture.warnings.iter().for_each(|w| warnln!("warning: {w}"));
        let parts = plan.parts(workers, HZ, plan.requested_pps(0));
        // The caller has seen to it that there is such a worker.
        let part = parts.into_iter().nth(worker.into()).unwrap_or_default();
        Ok(Replayed { plan, part })
    }

    /// How many frames to show when nobody says it: the profile's count, or `default`.
    pub fn count(&self, stop: Stop, default: u64) -> u64 {
        if matches!(stop, Stop::Count(_)) { self.part.total() } else { default }
    }

    /// At the beginning.
    pub fn frames(&self) -> Cursor<'_> {
        Cursor::new(&self.part, self.plan.capture.bytes())
    }
}
