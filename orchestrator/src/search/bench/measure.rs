//! A trial at one load, by the same phases as a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use traffic::profile::Stop;
use traffic::units::Rate;

use super::SearchError;
use super::file::{Entry, PairTrial};
use crate::expid::ExpId;
use crate::lab::{Lab, pair_name};
use crate::profile_source::LoadedProfile;
use crate::results::result_json::Judged;
use crate::results::{ResultsError, TrialFolder};
use crate::search::Trial;
use crate::settings::Settings;
use crate::show::{count, pps, seconds};
use crate::trial::phases::{Trial as Phases, forget};
use crate::trial::{Interrupt, PairOutcome, Progress, Status, TrialError};

/// A trial that fails is tried again so often in all.
const ATTEMPTS: u32 = 3;
/// What a burst may take beyond its frames' time.
const BURST_LIMIT_S: f64 = 5.0;

/// What every pair sends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Load {
    /// At a rate, for a time.
    Rate(f64, f64),
    /// So many frames at a rate.
    Burst(f64, u64),
}

impl Load {
    /// `1.2 Mpps for 1 s`
    pub fn words(self) -> String {
        match self {
            Load::Rate(rate, s) if s < 10.0 => format!("{} for {s} s", pps(rate)),
            Load::Rate(rate, s) => format!("{} for {}", pps(rate), seconds(s)),
            Load::Burst(rate, frames) => format!("{} frames at {}", count(frames), pps(rate)),
        }
    }

    fn apply(self, loaded: &LoadedProfile) -> LoadedProfile {
        let mut loaded = loaded.clone();
        (loaded.profile.rate, loaded.profile.stop) = match self {
            Load::Rate(rate, _) => (Rate::Pps(rate), Stop::Never),
            Load::Burst(rate, frames) => (Rate::Pps(rate), Stop::Count(frames)),
        };
        loaded
    }

    fn limit_s(self) -> f64 {
        match self {
            Load::Rate(_, s) => s,
            Load::Burst(rate, frames) => frames as f64 / rate + BURST_LIMIT_S,
        }
    }
}

/// Pairs that are up, and what they are told.
#[derive(Debug)]
pub struct Bench<'a, L> {
    /// They.
    pub lab: &'a L,
    /// Everything but the load.
    pub settings: &'a Settings,
    /// Of the whole search.
    pub folder: &'a Path,
    /// Ctrl-C.
    pub interrupt: &'a Interrupt,
    /// Nothing was said of the pairs yet.
    pub is_first: bool,
}

impl<L: Lab> Bench<'_, L> {
    /// One trial, tried again where it fails.
    pub async fn trial(&mut self, load: Load) -> Result<Entry, SearchError> {
        let mut reason = String::new();
        for _ in 0..ATTEMPTS {
            if self.interrupt.came() {
                return Err(SearchError::Interrupted(self.folder.to_owned()));
            }
            match self.once(load).await? {
                Ok(entry) => return Ok(entry),
                Err(why) => reason = why,
            }
        }
        let (load, folder) = (load.words(), self.folder.to_owned());
        Err(SearchError::Trial { load, attempts: ATTEMPTS, reason, folder })
    }

    /// The inner error is worth another attempt.
    async fn once(&mut self, load: Load) -> Result<Result<Entry, String>, SearchError> {
        let own: BTreeMap<usize, LoadedProfile> =
            self.settings.profiles.iter().map(|(pair, loaded)| (*pair, load.apply(loaded))).collect();
        let mut settings = Settings {
            duration_s: Some(load.limit_s()),
            results: work(self.folder),
            ..self.settings.with_profiles(own)
        };
        if !self.is_first {
            settings.warmup_s = 0.0;
        }
        let pairs = settings.pairs();
        let names: Vec<String> = pairs.iter().map(|index| pair_name(*index)).collect();
        let expid = ExpId::random().map_err(TrialError::NoRandom)?;
        let folder = TrialFolder::create(&settings.results, expid, &names)?;
        let progress = match self.is_first {
            true => Progress::new(settings.output, &pairs, load.limit_s()),
            false => Progress::silent(settings.output),
        };
        let phases = Phases {
            settings: &settings,
            folder: &folder,
            interrupt: self.interrupt,
            progress: &progress,
            begun: Instant::now(),
        };
        let outcomes = phases.run(self.lab).await;
        progress.finish();
        if let Ok(outcomes) = &outcomes {
            forget(self.lab, outcomes.iter().map(|outcome| &outcome.record)).await;
        }
        folder.discard()?;
        match outcomes {
            Ok(_) if self.interrupt.came() => Err(SearchError::Interrupted(self.folder.to_owned())),
            Err(TrialError::Interrupted) => Err(SearchError::Interrupted(self.folder.to_owned())),
            Err(error @ TrialError::Agent(_)) => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
            Ok(outcomes) => {
                let entry = entry(load, outcomes)?;
                self.is_first &= entry.is_err();
                Ok(entry)
            }
        }
    }
}

/// Where trials have their folders while they run.
pub fn work(folder: &Path) -> PathBuf {
    folder.join(".trials")
}

/// Clears what a search that was cut short left of its trials.
pub fn clear(folder: &Path) -> Result<(), ResultsError> {
    let work = work(folder);
    match fs::remove_dir_all(&work) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ResultsError::io("removing", &work)(error))
        }
        _ => Ok(()),
    }
}

fn entry(load: Load, outcomes: Vec<PairOutcome>) -> Result<Result<Entry, String>, SearchError> {
    let mut pairs = Vec::new();
    for outcome in outcomes {
        if outcome.status == Status::Failed {
            return Ok(Err(outcome.error.unwrap_or_else(|| "it failed".to_owned())));
        }
        let Judged { outcome, verdict, .. } = Judged::of(outcome);
        if verdict.lost.is_none() {
            return Err(SearchError::NoLoss(outcome.record.pair));
        }
        let (load_pps, duration_s) = match load {
            Load::Rate(rate, s) => (rate, s),
            Load::Burst(rate, frames) => (rate, frames as f64 / rate),
        };
        let trial = Trial {
            load_pps,
            duration_s,
            effective_s: verdict.rated_s.unwrap_or(duration_s),
            offered: verdict.offered,
            sent: verdict.sent,
            received: verdict.received,
        };
        pairs.push(PairTrial { pair: outcome.record.pair, trial, latency: verdict.latency });
    }
    let worst = pairs.iter().map(|pair| pair.trial).max_by(|a, b| a.loss_ratio().total_cmp(&b.loss_ratio()));
    Ok(worst
        .map(|trial| Entry { is_warmup: false, trial, pairs })
        .ok_or_else(|| "no pair measured anything".to_owned()))
}
