//! One whole trial: a lab is made, the phases run, results are written, the lab goes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use super::error::TrialError;
use super::interrupt::{EXIT_INTERRUPTED, Interrupt};
use super::phases::{Trial, forget};
use super::{PairOutcome, Progress, Status, steer};
use crate::expid::ExpId;
use crate::lab::kube::KubeLab;
use crate::lab::local::{LocalLab, LocalPlan};
use crate::lab::{Lab, Place, pair_name};
use crate::results::TrialFolder;
use crate::results::result_json::Judged;
use crate::results::write::write_pair;
use crate::say;
use crate::settings::Settings;
use crate::show_results::show_arrays;

/// What a trial left.
#[derive(Debug)]
pub struct Report {
    /// Every pair with the folder of its results.
    pub pairs: Vec<(Judged, PathBuf)>,
}

impl Report {
    /// Whether a pair ended so.
    pub fn any(&self, status: Status) -> bool {
        self.pairs.iter().any(|(judged, _)| judged.outcome.status == status)
    }

    /// Whether every pair ended as planned.
    pub fn is_whole(&self) -> bool {
        self.pairs.iter().all(|(judged, _)| judged.outcome.status == Status::Complete)
    }

    /// Seconds beside warm-up and sending, of the slowest pair.
    pub fn overhead_s(&self) -> f64 {
        let timings = self.pairs.iter().filter_map(|(judged, _)| judged.outcome.timing);
        timings.map(|t| t.overhead_s).fold(0.0, f64::max)
    }

    /// 0 as planned, 1 failed, 130 interrupted.
    pub fn exit_code(&self) -> ExitCode {
        match (self.any(Status::Failed), self.any(Status::Interrupted)) {
            (true, _) => ExitCode::FAILURE,
            (false, true) => ExitCode::from(EXIT_INTERRUPTED),
            (false, false) => ExitCode::SUCCESS,
        }
    }
}

/// Runs one trial of `settings` on the pairs that have a profile in it. An error means that there are no results: what
/// came to nothing leaves nothing, and what was measured but can't be written is kept to be recovered.
pub async fn whole(
    settings: &Settings,
    place: &Place,
    interrupt: &Interrupt,
    begun: Instant,
) -> Result<Report, TrialError> {
    let expid = ExpId::random().map_err(TrialError::NoRandom)?;
    let pairs = settings.pairs();
    let names: Vec<String> = pairs.iter().map(|i| pair_name(*i)).collect();
    let folder = TrialFolder::create(&settings.results, expid, &names)?;
    let result = in_place(settings, place, &folder, interrupt, begun).await;
    if let Err(error) = &result
        && !matches!(error, TrialError::Unwritten { .. })
    {
        folder.discard()?;
    }
    result
}

async fn in_place(
    settings: &Settings,
    place: &Place,
    folder: &TrialFolder,
    interrupt: &Interrupt,
    begun: Instant,
) -> Result<Report, TrialError> {
    match place {
        Place::Local { dataplane, devices } => {
            let state = |i: usize| (i, folder.pair(&pair_name(i)).state());
            let plan = LocalPlan {
                dataplane: dataplane.clone(),
                frame_bytes: settings.frame_bytes_max(),
                devices: devices.clone(),
                state_folders: settings.pairs().into_iter().map(state).collect(),
            };
            let lab = LocalLab::start(&plan).await?;
            interrupt.end_with(lab.pids());
            let report = in_lab(settings, lab, folder, interrupt, begun).await;
            interrupt.end_with(Vec::new());
            report
        }
        Place::Kube(place) => {
            let lab = KubeLab::connect(place, &settings.pairs()).await?;
            in_lab(settings, lab, folder, interrupt, begun).await
        }
    }
}

async fn in_lab<L: Lab>(
    settings: &Settings,
    lab: L,
    folder: &TrialFolder,
    interrupt: &Interrupt,
    begun: Instant,
) -> Result<Report, TrialError> {
    let (pairs, seconds) = (settings.pairs(), settings.duration_s_max());
    let progress = match settings.interactive {
        true => Progress::interactive(settings.output, &format!("trial {}", folder.expid()), &pairs, seconds),
        false => Progress::new(settings.output, &pairs, seconds),
    };
    progress.say(&format!("trial {}: {} pair(s) {}", folder.expid(), lab.pairs().len(), lab.place()));
    let trial = Trial { settings, folder, interrupt, progress: &progress, begun };
    let outcomes = tokio::select! {
        outcomes = trial.run(&lab) => outcomes,
        never = steer::obey(&progress, &lab, folder.expid()) => match never {},
    };
    progress.finish();
    let written = outcomes.and_then(|outcomes| write(settings, folder, outcomes));
    if let Ok(report) = &written {
        forget(&lab, report.pairs.iter().map(|(judged, _)| &judged.outcome.record)).await;
    }
    for trouble in lab.teardown().await {
        say::err(trouble);
    }
    let report = written?;
    for (judged, _) in &report.pairs {
        folder.pair(&judged.outcome.record.pair).forget_state()?;
    }
    Ok(report)
}

/// Every pair's files, unless no pair measured anything.
fn write(
    settings: &Settings,
    folder: &TrialFolder,
    outcomes: Vec<PairOutcome>,
) -> Result<Report, TrialError> {
    if !outcomes.iter().any(PairOutcome::measured) {
        let reasons: Vec<String> = outcomes.into_iter().filter_map(|o| o.error).collect();
        return Err(TrialError::NothingMeasured(reasons.join("; ")));
    }
    let mut pairs = Vec::new();
    for outcome in outcomes {
        let judged = Judged::of(outcome);
        let pair = folder.pair(&judged.outcome.record.pair);
        let unwritten = |source| TrialError::Unwritten { source, folder: folder.path() };
        let arrays = write_pair(&pair, &judged).map_err(unwritten)?;
        if settings.debug {
            show_arrays(&judged.outcome.record.pair, &arrays);
        }
        pairs.push((judged, pair.path().to_owned()));
    }
    Ok(Report { pairs })
}
