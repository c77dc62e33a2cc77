//! Trial by trial: each profile on all pairs that it is not done on, then those that failed again, then the next.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::ExperimentError;
use super::backup::Aside;
use super::blame::{Fault, blame};
use super::events::{Events, Step};
use super::folder::ExperimentFolder;
use super::matrix::Entry;
use super::plan::Plan;
use super::retry::before_next;
use super::scan::Scan;
use crate::lab::{Place, pair_name};
use crate::settings::Settings;
use crate::trial::whole::Report;
use crate::trial::{Interrupt, Status, TrialError, whole};

/// Everything that an experiment is given.
#[derive(Debug)]
pub struct Experiment<'a> {
    /// How to measure; the profiles are put in for each trial.
    pub settings: &'a Settings,
    /// Where the pairs are.
    pub place: &'a Place,
    /// Ctrl-C.
    pub interrupt: &'a Interrupt,
    /// The profiles.
    pub entries: &'a [Entry],
    /// What is there.
    pub scan: &'a Scan,
    /// What is left.
    pub plan: &'a Plan,
    /// Where results go that others take the place of.
    pub aside: &'a Aside,
    /// How often a failed pair is tried again.
    pub retries: u32,
    /// How long pairs are waited for before that.
    pub ready_limit: Duration,
    /// Who hears of it.
    pub events: Events,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything was tried as often as it may be.
    Through,
    /// By Ctrl-C.
    Interrupted,
}

/// What one round over some pairs left.
#[derive(Debug, Default)]
struct Round {
    faults: BTreeMap<usize, Fault>,
    /// Of these, those that left no measurement.
    unmeasured: BTreeSet<usize>,
    interrupted: bool,
}

/// One profile on its way.
struct Turn<'a> {
    at: usize,
    entry: &'a Entry,
    /// Results of each pair that its next trial takes the place of.
    former: BTreeMap<usize, Vec<PathBuf>>,
}

impl Experiment<'_> {
    /// Runs what is left. An error ends it early; what was measured is on disk.
    pub async fn run(&self, folder: &mut ExperimentFolder) -> Result<Ended, ExperimentError> {
        for (at, (entry, pairs)) in self.plan.trials.iter().enumerate() {
            let entry = &self.entries[*entry];
            let of =
                |pair: &usize| self.scan.of(&entry.name, *pair).iter().map(|f| f.folder.clone()).collect();
            let former = pairs.iter().map(|pair| (*pair, of(pair))).collect();
            let turn = Turn { at, entry, former };
            if self.profile(turn, pairs, folder).await? == Ended::Interrupted {
                return Ok(Ended::Interrupted);
            }
        }
        folder.finish()?;
        Ok(Ended::Through)
    }

    /// One profile, until it is done on `pairs` or may not be tried any more.
    async fn profile(
        &self,
        mut turn: Turn<'_>,
        pairs: &[usize],
        folder: &mut ExperimentFolder,
    ) -> Result<Ended, ExperimentError> {
        let name = turn.entry.name.as_str();
        let mut waiting: Vec<usize> = pairs.to_vec();
        // Another call may have used them up before it was cut short.
        waiting.retain(|pair| folder.attempts(name, &pair_name(*pair)) <= self.retries);
        while !waiting.is_empty() {
            if self.interrupt.came() {
                return Ok(Ended::Interrupted);
            }
            let round = self.round(&mut turn, &waiting, folder).await?;
            for pair in waiting.iter().filter(|pair| !round.faults.contains_key(pair) && !round.interrupted) {
                folder.succeeded(name, &pair_name(*pair))?;
            }
            let mut again = Vec::new();
            for (pair, fault) in &round.faults {
                folder.failed(name, &pair_name(*pair), &fault.reason)?;
                let attempt = folder.attempts(name, &pair_name(*pair));
                let is_tried = attempt <= self.retries && !fault.is_final;
                self.events.failed(name, *pair, fault, attempt, is_tried);
                again.extend(is_tried.then_some(*pair));
            }
            if round.interrupted {
                return Ok(Ended::Interrupted);
            }
            waiting = again;
            let attempts = |pair: &usize| folder.attempts(name, &pair_name(*pair));
            let unmeasured =
                waiting.iter().filter(|pair| round.unmeasured.contains(pair)).map(attempts).max();
            if !waiting.is_empty()
                && !before_next(self.place, &waiting, unmeasured, self.ready_limit, self.interrupt).await
            {
                return Ok(Ended::Interrupted);
            }
        }
        Ok(Ended::Through)
    }

    /// One attempt for each of `pairs`. A pair that keeps the whole trial from coming off is left out, and the others
    /// go on without it.
    async fn round(
        &self,
        turn: &mut Turn<'_>,
        pairs: &[usize],
        folder: &ExperimentFolder,
    ) -> Result<Round, ExperimentError> {
        let mut round = Round::default();
        let mut left = pairs.to_vec();
        while !left.is_empty() && !round.interrupted {
            for former in left.iter().flat_map(|pair| turn.former.remove(pair)).flatten() {
                self.aside.pair(&former)?;
            }
            let attempts = left.iter().map(|pair| folder.attempts(&turn.entry.name, &pair_name(*pair)));
            let step = Step {
                n: turn.at + 1,
                of: self.plan.trials.len(),
                profile: &turn.entry.name,
                attempt: attempts.max().unwrap_or(0) + 1,
                left_s: self.plan.seconds(self.entries, self.settings, turn.at),
            };
            self.events.trial(step, &left);
            let profile = |pair: &usize| Some((*pair, turn.entry.pairs.get(pair)?.loaded.clone()));
            let settings = self.settings.with_profiles(left.iter().filter_map(profile).collect());
            match whole(&settings, self.place, self.interrupt, Instant::now()).await {
                Ok(report) => {
                    self.take(turn, &report, &mut round);
                    left.clear();
                }
                Err(TrialError::Interrupted) => round.interrupted = true,
                // The disk, or the kernel: nothing can be kept, whatever is measured next.
                Err(
                    error @ (TrialError::Unwritten { .. } | TrialError::Results(_) | TrialError::NoRandom(_)),
                ) => {
                    return Err(error.into());
                }
                Err(error) => {
                    let faults = blame(&error, self.place, &left).await;
                    left.retain(|pair| !faults.contains_key(pair));
                    round.unmeasured.extend(faults.keys());
                    round.faults.extend(faults);
                }
            }
        }
        Ok(round)
    }

    fn take(&self, turn: &mut Turn<'_>, report: &Report, round: &mut Round) {
        self.events.results(&report.pairs);
        // A trial that was ended by itself, on its screen, ends no other.
        round.interrupted = self.interrupt.came();
        for (judged, folder) in &report.pairs {
            let outcome = &judged.outcome;
            let Some(pair) = turn.entry.pairs.keys().find(|pair| pair_name(**pair) == outcome.record.pair)
            else {
                continue;
            };
            if outcome.status == Status::Failed {
                let reason = outcome.error.clone().unwrap_or_else(|| "it failed".to_owned());
                round.faults.insert(*pair, Fault { reason, is_final: false });
                turn.former.entry(*pair).or_default().push(folder.clone());
            }
        }
    }
}
