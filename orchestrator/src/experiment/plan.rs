//! What is left to run, and how long it takes.

use std::collections::BTreeMap;

use traffic::profile::{Profile, Stop};
use traffic::units::Rate;

use super::matrix::Entry;
use super::scan::{Grid, State};
use crate::settings::Settings;

/// Seconds beside warm-up and sending, where no result says.
const OVERHEAD_S: f64 = 4.0;

/// What is left.
#[derive(Debug)]
pub struct Plan {
    /// Trials, in order: the entry's place, its pairs that are not done.
    pub trials: Vec<(usize, Vec<usize>)>,
    /// Profiles × pairs.
    pub cells: usize,
    /// Of these, how many in each state.
    pub states: BTreeMap<State, usize>,
    /// Seconds that each trial beside its sending takes.
    overhead_s: f64,
}

impl Plan {
    /// Of what the grid says is not done.
    pub fn new(grid: &Grid, settings: &Settings) -> Plan {
        let mut states = BTreeMap::new();
        let mut trials = Vec::new();
        for (at, cells) in grid.iter().enumerate() {
            for cell in cells.values() {
                *states.entry(cell.state).or_default() += 1;
            }
            let left: Vec<usize> =
                cells.iter().filter(|(_, cell)| cell.state != State::Done).map(|(pair, _)| *pair).collect();
            if !left.is_empty() {
                trials.push((at, left));
            }
        }
        let overheads: Vec<f64> = grid
            .iter()
            .flat_map(BTreeMap::values)
            .filter_map(|cell| Some(cell.found.as_ref()?.head.timing?.overhead_s))
            .collect();
        let overhead_s = match overheads.len() {
            0 => OVERHEAD_S,
            n => overheads.iter().sum::<f64>() / n as f64,
        };
        let cells = grid.iter().map(BTreeMap::len).sum();
        Plan { trials, cells, states, overhead_s: overhead_s + settings.warmup_s }
    }

    /// How many are done.
    pub fn done(&self) -> usize {
        self.states.get(&State::Done).copied().unwrap_or(0)
    }

    /// Seconds that the trials from number `from` (from 0) take; none where a profile counts frames at a rate that only
    /// its port knows.
    pub fn seconds(&self, entries: &[Entry], settings: &Settings, from: usize) -> Option<f64> {
        let trial = |(at, pairs): &(usize, Vec<usize>)| {
            let of = |pair| sending_s(settings, &entries[*at].pairs.get(pair)?.loaded.profile);
            pairs.iter().map(of).try_fold(0.0, |longest: f64, s| Some(longest.max(s?)))
        };
        self.trials.iter().skip(from).map(|t| Some(trial(t)? + self.overhead_s)).sum()
    }
}

fn sending_s(settings: &Settings, profile: &Profile) -> Option<f64> {
    let longest = settings.duration_s(profile);
    let Stop::Count(frames) = profile.stop else { return Some(longest) };
    match (profile.rate, settings.duration_s) {
        (Rate::Pps(pps), _) => Some((frames as f64 / pps).min(longest)),
        (_, at_most) => at_most,
    }
}
