//! What the screen shows: the newest figures of every pair, as its samples tell them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use traffic::wire::{CoreCounters, Latency, Role, Sample};

/// Lines that are kept: all are printed when the screen closes.
const SAID_MAX: usize = 200;

/// All of it.
#[derive(Debug, Default)]
pub struct Model {
    /// The trial, in words.
    pub title: String,
    /// Of sending, as planned.
    pub duration_s: f64,
    /// Thousandths of the profile's rate that senders were told last.
    pub per_mille: u32,
    /// By index.
    pub pairs: BTreeMap<usize, PairModel>,
    /// The place, among the pairs, of the one whose cores are shown.
    pub selected: usize,
    said: VecDeque<String>,
}

/// One pair.
#[derive(Debug, Default)]
pub struct PairModel {
    /// `tx0-rx0`
    pub name: String,
    /// The sender.
    pub tx: SideModel,
    /// The receiver.
    pub rx: SideModel,
}

/// One end.
#[derive(Debug, Default)]
pub struct SideModel {
    /// Frames a second that were due.
    pub offered_pps: f64,
    /// Frames a second that were sent, or received.
    pub passed_pps: f64,
    /// As far as it is known while it runs.
    pub lost: Option<u64>,
    /// Since the start.
    pub latency: Option<Latency>,
    /// Since the start.
    pub elapsed: Duration,
    /// Of each worker.
    pub cores: Vec<CoreModel>,
    offered: u64,
    passed: u64,
    before: Vec<CoreCounters>,
}

/// One worker.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CoreModel {
    /// Its CPU.
    pub cpu: u32,
    /// Sent and received.
    pub pps: f64,
    /// Share of the driver's calls that moved a frame.
    pub busy: f64,
}

impl SideModel {
    fn take(&mut self, role: Role, sample: &Sample) {
        let sum = |get: fn(&CoreCounters) -> u64| sample.cores.iter().map(get).sum::<u64>();
        let passed = match role {
            Role::Tx => sum(|c| c.tx_packets),
            Role::Rx | Role::Reflect => sample.account.map_or_else(|| sum(|c| c.rx_packets), |a| a.received),
        };
        let offered = passed + sum(|c| c.unsent_packets);
        let elapsed = Duration::from_nanos(sample.elapsed_ns);
        let seconds = elapsed.saturating_sub(self.elapsed).as_secs_f64();
        if seconds > 0.0 {
            self.offered_pps = offered.saturating_sub(self.offered) as f64 / seconds;
            self.passed_pps = passed.saturating_sub(self.passed) as f64 / seconds;
            let none = CoreCounters::default();
            let cores = sample.cores.iter().enumerate();
            self.cores = cores
                .map(|(worker, now)| core(self.before.get(worker).unwrap_or(&none), now, seconds))
                .collect();
        }
        (self.offered, self.passed, self.elapsed) = (offered, passed, elapsed);
        self.lost = sample.account.map(|a| a.lost);
        self.latency = sample.latency.clone().filter(|latency| latency.count > 0);
        self.before.clone_from(&sample.cores);
    }
}

fn core(before: &CoreCounters, now: &CoreCounters, seconds: f64) -> CoreModel {
    let grown = |get: fn(&CoreCounters) -> u64| get(now).saturating_sub(get(before)) as f64;
    let (moved, idle) = (grown(|c| c.bursts), grown(|c| c.idle_polls));
    CoreModel {
        cpu: now.cpu,
        pps: grown(|c| c.tx_packets + c.rx_packets) / seconds,
        busy: if moved + idle > 0.0 { moved / (moved + idle) } else { 0.0 },
    }
}

impl Model {
    /// Before the first sample.
    pub fn new(title: String, duration_s: f64, pairs: impl Iterator<Item = (usize, String)>) -> Model {
        let pair = |(index, name)| (index, PairModel { name, ..PairModel::default() });
        Model { title, duration_s, per_mille: 1000, pairs: pairs.map(pair).collect(), ..Model::default() }
    }

    /// One sample of pair `index`.
    pub fn sample(&mut self, index: usize, role: Role, sample: &Sample) {
        let Some(pair) = self.pairs.get_mut(&index) else { return };
        match role {
            Role::Tx => pair.tx.take(role, sample),
            Role::Rx | Role::Reflect => pair.rx.take(role, sample),
        }
    }

    /// Since the first sender began.
    pub fn elapsed(&self) -> Duration {
        self.pairs.values().map(|pair| pair.tx.elapsed).max().unwrap_or_default()
    }

    /// A line for the eye.
    pub fn say(&mut self, line: &str) {
        for line in line.lines() {
            if self.said.len() == SAID_MAX {
                self.said.pop_front();
            }
            // What others say must not move the cursor.
            self.said.push_back(line.chars().filter(|c| !c.is_control()).collect());
        }
    }

    /// All lines, oldest first.
    pub fn said(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.said.iter().map(String::as_str)
    }

    /// The pair so many rows further down.
    pub fn select(&mut self, by: i32) {
        let last = self.pairs.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(isize::try_from(by).unwrap_or(0)).min(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(n: u64, cores: Vec<CoreCounters>) -> Sample {
        Sample { n, elapsed_ns: (n + 1) * 500_000_000, cores, ..Sample::default() }
    }

    #[test]
    fn rates_are_those_between_two_samples() {
        let mut model = Model::new("t".into(), 5.0, [(0, "tx0-rx0".to_owned())].into_iter());
        let core = |tx_packets, unsent_packets, bursts, idle_polls| CoreCounters {
            cpu: 3,
            tx_packets,
            unsent_packets,
            bursts,
            idle_polls,
            ..CoreCounters::default()
        };
        model.sample(0, Role::Tx, &sample(0, vec![core(100, 0, 10, 30)]));
        model.sample(0, Role::Tx, &sample(1, vec![core(400, 50, 40, 40)]));
        model.sample(9, Role::Tx, &sample(1, vec![core(400, 50, 40, 40)]));
        let tx = &model.pairs[&0].tx;
        assert_eq!((tx.passed_pps, tx.offered_pps), (600.0, 700.0));
        assert_eq!(tx.cores, [CoreModel { cpu: 3, pps: 600.0, busy: 0.75 }]);
        assert_eq!(model.elapsed(), Duration::from_secs(1));
    }

    #[test]
    fn lines_are_bounded_and_harmless_and_selection_stays_in_the_list() {
        let mut model = Model::new("t".into(), 5.0, (0..3).map(|i| (i, i.to_string())));
        for n in 0..500 {
            model.say(&format!("line {n}\u{1b}[2J"));
        }
        assert_eq!(model.said().count(), SAID_MAX);
        assert_eq!(model.said().next_back(), Some("line 499[2J"));
        model.select(-1);
        assert_eq!(model.selected, 0);
        model.select(7);
        assert_eq!(model.selected, 2);
    }
}
