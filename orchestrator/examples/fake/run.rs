//! One run as a function of time.

use traffic::profile::Stop;
use traffic::wire::{Role, RunSpec, RunState, RunStatus, Sample, Summary};

use super::agent::Setup;
use super::ether::{PPS, Sending};
use super::{figures, now_ns};

const NS_PER_MS: u64 = 1_000_000;
/// Samples that a sender in mode `tx-dies` takes before it does.
const SAMPLES_BEFORE_DEATH: u64 = 3;
const DEATH: &str = "the engine was killed by signal 11 (SIGSEGV)";
const NO_DEVICE: &str = "device vdev:net_memif0 can't be opened: no such driver";

pub struct Run {
    pub spec: RunSpec,
    created_ns: u64,
    pub started_ns: Option<u64>,
    /// Behind the start, when it was told to stop.
    pub stopped_after_ns: Option<u64>,
    /// A sender that was told to close its port.
    released: bool,
    dies: bool,
    fails_to_prepare: bool,
    /// The agent died under it.
    pub cut_off: Option<String>,
}

impl Run {
    pub fn new(setup: &Setup, mode: &str, spec: RunSpec) -> Run {
        Run {
            created_ns: now_ns() + setup.prepare_ms * NS_PER_MS,
            started_ns: None,
            stopped_after_ns: None,
            released: false,
            dies: mode == "tx-dies" && spec.role == Role::Tx,
            fails_to_prepare: matches!(
                (mode, spec.role),
                ("prepare-fails", Role::Rx) | ("tx-prepare-fails", Role::Tx)
            ),
            cut_off: None,
            spec,
        }
    }

    pub fn start(&mut self, setup: &Setup) {
        if self.started_ns.is_none() && self.state(setup) == RunState::Ready {
            self.started_ns = Some(now_ns());
            self.announce(setup);
        }
    }

    pub fn stop(&mut self, setup: &Setup) {
        match self.state(setup) {
            RunState::Sent => self.released = true,
            RunState::Failed | RunState::Done => {}
            _ => {
                let elapsed = self.started_ns.map_or(0, |at| now_ns().saturating_sub(at));
                self.stopped_after_ns.get_or_insert(elapsed);
                self.announce(setup);
            }
        }
    }

    /// Tells the receivers what is sent.
    fn announce(&self, setup: &Setup) {
        if let (Role::Tx, Some(started_ns)) = (self.spec.role, self.started_ns) {
            let ends_after_ns = self.ends_after_ns(setup);
            setup.ether.put(self.spec.tag, Sending { started_ns, ends_after_ns });
        }
    }

    pub fn tick_ns(&self, setup: &Setup) -> u64 {
        u64::from(setup.tick_ms.unwrap_or(self.spec.sample_interval_ms)).max(1) * NS_PER_MS
    }

    /// When it ends, if nobody tells it to before.
    fn ends_after_ns(&self, setup: &Setup) -> u64 {
        let planned = match self.spec.profile.stop {
            _ if self.spec.role != Role::Tx => u64::MAX,
            Stop::DurationS(s) => (s * 1e9) as u64,
            Stop::Count(frames) => (frames as f64 / PPS * 1e9) as u64,
            Stop::Never => u64::MAX,
        };
        let death = if self.dies { self.tick_ns(setup) * (SAMPLES_BEFORE_DEATH + 1) } else { u64::MAX };
        let limit = u64::from(self.spec.limit_s) * 1_000_000_000;
        planned.min(self.stopped_after_ns.unwrap_or(u64::MAX)).min(death).min(limit)
    }

    /// What has passed since the start, its end at most; and whether that is reached.
    fn elapsed(&self, setup: &Setup) -> (u64, bool) {
        let Some(at) = self.started_ns else { return (0, self.stopped_after_ns.is_some()) };
        let (elapsed, end) = (now_ns().saturating_sub(at), self.ends_after_ns(setup));
        (elapsed.min(end), elapsed >= end)
    }

    pub fn state(&self, setup: &Setup) -> RunState {
        let (_, over) = self.elapsed(setup);
        if self.fails_to_prepare || self.cut_off.is_some() || (self.dies && over && self.died(setup)) {
            return RunState::Failed;
        }
        match (self.started_ns, over) {
            (None, true) => RunState::Done,
            (None, false) if now_ns() < self.created_ns => RunState::Preparing,
            (None, false) => RunState::Ready,
            (Some(_), false) => RunState::Running,
            // As the real one: a sender holds its port until it is told to close it.
            (Some(at), true) if self.spec.role == Role::Tx && !self.released => {
                let closes_after = self.ends_after_ns(setup) + u64::from(self.spec.linger_ms) * NS_PER_MS;
                if now_ns() < at + closes_after { RunState::Sent } else { RunState::Done }
            }
            (Some(_), true) => RunState::Done,
        }
    }

    fn died(&self, setup: &Setup) -> bool {
        self.ends_after_ns(setup) == self.tick_ns(setup) * (SAMPLES_BEFORE_DEATH + 1)
    }

    /// Samples taken so far.
    pub fn samples(&self, setup: &Setup) -> u64 {
        let (elapsed, over) = self.elapsed(setup);
        match (self.started_ns, over) {
            (None, _) => 0,
            (Some(_), true) if self.dies && self.died(setup) => SAMPLES_BEFORE_DEATH,
            (Some(_), true) => elapsed.div_ceil(self.tick_ns(setup)).max(1),
            (Some(_), false) => elapsed / self.tick_ns(setup),
        }
    }

    /// Sample `n`: the same whenever it is asked for.
    pub fn sample(&self, setup: &Setup, mode: &str, n: u64) -> Sample {
        let elapsed = ((n + 1) * self.tick_ns(setup)).min(self.ends_after_ns(setup));
        figures::sample(setup, mode, self, n, elapsed)
    }

    pub fn summary(&self, setup: &Setup, mode: &str) -> Option<Summary> {
        if !matches!(self.state(setup), RunState::Done | RunState::Sent) {
            return None;
        }
        let totals = match self.samples(setup) {
            0 => Sample::default(),
            n => self.sample(setup, mode, n - 1),
        };
        Some(figures::summary(self, totals))
    }

    pub fn error(&self, setup: &Setup) -> Option<String> {
        match self.state(setup) {
            RunState::Failed if self.fails_to_prepare => Some(NO_DEVICE.to_owned()),
            RunState::Failed => Some(self.cut_off.clone().unwrap_or_else(|| DEATH.to_owned())),
            _ => None,
        }
    }

    pub fn status(&self, setup: &Setup, mode: &str) -> RunStatus {
        let state = self.state(setup);
        let is_prepared = !self.fails_to_prepare && state != RunState::Preparing;
        RunStatus {
            id: self.spec.id.clone(),
            role: self.spec.role,
            state,
            ready: is_prepared.then(|| Box::new(figures::ready(setup, &self.spec))),
            started_unix_ns: self.started_ns,
            samples: self.samples(setup),
            summary: self.summary(setup, mode).map(Box::new),
            error: self.error(setup),
        }
    }

    /// When something next changes by itself: for those who wait.
    pub fn next_change_ns(&self, setup: &Setup) -> Option<u64> {
        let Some(at) = self.started_ns else {
            return (now_ns() < self.created_ns).then_some(self.created_ns);
        };
        let end = self.ends_after_ns(setup);
        let next = (self.samples(setup) + 1) * self.tick_ns(setup);
        match self.state(setup) {
            RunState::Running => Some(at.saturating_add(next.min(end))),
            RunState::Sent => Some(at + end + u64::from(self.spec.linger_ms) * NS_PER_MS),
            _ => None,
        }
    }
}
