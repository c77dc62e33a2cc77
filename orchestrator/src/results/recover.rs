//! Results of a trial whose orchestrator is gone: what the agents have on disk becomes the same files.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use traffic::wire::{Ready, Sample, Summary};

use super::ResultsError;
use super::layout::PairFolder;
use crate::experiment::{PairOutcome, SideOutcome, SideRecord, Status};

/// Unfinished pairs in `path`: a pair's folder, a trial's, or the whole results folder.
pub fn unfinished(path: &Path) -> Result<Vec<PairFolder>, ResultsError> {
    let mut level = vec![path.to_owned()];
    for _ in 0..3 {
        let mut found: Vec<PairFolder> =
            level.iter().map(|p| PairFolder::at(p)).filter(PairFolder::is_unfinished).collect();
        if !found.is_empty() {
            found.sort_by(|a, b| a.path().cmp(b.path()));
            return Ok(found);
        }
        level = level.iter().map(|p| folders_in(p)).collect::<Result<Vec<_>, _>>()?.concat();
    }
    Err(ResultsError::NothingToRecover(path.to_owned()))
}

/// Reads one pair's trial back.
pub fn read_pair(folder: &PairFolder) -> Result<PairOutcome, ResultsError> {
    let record = folder.record()?;
    let (tx, tx_error) = read_side(folder, &record.tx)?;
    let (rx, rx_error) = read_side(folder, &record.rx)?;
    let warmup = match &record.rx.warmup_spec {
        Some(spec) => read_samples(&folder.run_state(&record.rx.pod, &spec.id))?,
        None => Vec::new(),
    };
    let errors: Vec<String> = [tx_error, rx_error].into_iter().flatten().collect();
    Ok(PairOutcome {
        status: if errors.is_empty() { Status::Complete } else { Status::Failed },
        error: (!errors.is_empty()).then(|| errors.join("; ")),
        tx,
        rx,
        warmup,
        warnings: vec![
            "recovered from the agents' files: the orchestrator ended before the trial did".to_owned(),
        ],
        timing: None,
        record,
    })
}

/// One end, with the reason where it has no last word.
fn read_side(
    folder: &PairFolder,
    record: &SideRecord,
) -> Result<(SideOutcome, Option<String>), ResultsError> {
    let state = folder.run_state(&record.pod, &record.spec.id);
    let ready: Option<Ready> = read_json(&state.join("ready.json"))?;
    let summary: Option<Summary> = read_json(&state.join("summary.json"))?;
    let error = fs::read_to_string(state.join("error.txt")).ok();
    if let Some(pid) = ready.as_ref().map(|r| r.pid)
        && summary.is_none()
        && error.is_none()
        && Path::new(&format!("/proc/{pid}")).exists()
    {
        return Err(ResultsError::StillRunning {
            pod: record.pod.clone(),
            pid,
            within_s: record.spec.limit_s,
        });
    }
    let reason = match (&summary, error) {
        (Some(_), _) => None,
        (None, Some(error)) => Some(format!("{}: {}", record.pod, error.trim())),
        (None, None) => Some(format!("{}: its run left no last word", record.pod)),
    };
    Ok((SideOutcome { ready, samples: read_samples(&state)?, summary }, reason))
}

/// Every whole line; an unfinished last one is what a killed writer leaves.
fn read_samples(state: &Path) -> Result<Vec<Sample>, ResultsError> {
    let path = state.join("samples.ndjson");
    let Some(text) = read_if_there(&path)? else { return Ok(Vec::new()) };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            serde_json::from_str(line).map_err(|source| ResultsError::Json { path: path.clone(), source })
        })
        .collect()
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ResultsError> {
    let Some(text) = read_if_there(path)? else { return Ok(None) };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|source| ResultsError::Json { path: path.to_owned(), source })
}

fn read_if_there(path: &Path) -> Result<Option<String>, ResultsError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ResultsError::io("reading", path)(error)),
    }
}

fn folders_in(path: &Path) -> Result<Vec<PathBuf>, ResultsError> {
    let entries = fs::read_dir(path).map_err(ResultsError::io("reading", path))?;
    Ok(entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect())
}
