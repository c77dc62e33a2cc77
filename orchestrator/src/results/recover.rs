//! Results of a trial whose orchestrator is gone: what the agents have on disk becomes the same files.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use traffic::wire::{Ready, Sample, Summary};

use super::ResultsError;
use super::layout::PairFolder;
use crate::trial::{PairOutcome, SideOutcome, SideRecord, Status};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::fixture;

    fn begun(root: &Path) -> PairFolder {
        let pair = PairFolder::at(&root.join("0badcafe/tx0-rx0"));
        fs::create_dir_all(pair.state()).unwrap();
        pair.save_record(&fixture::outcome().record).unwrap();
        pair
    }

    #[test]
    fn unfinished_pairs_are_found_from_every_level() {
        let root = tempfile::tempdir().unwrap();
        let pair = begun(root.path());
        for start in [root.path().to_owned(), root.path().join("0badcafe"), pair.path().to_owned()] {
            assert_eq!(unfinished(&start).unwrap().len(), 1, "{}", start.display());
        }
        pair.forget_state().unwrap();
        assert!(matches!(unfinished(root.path()), Err(ResultsError::NothingToRecover(_))));
    }

    #[test]
    fn what_is_on_disk_becomes_the_same_outcome() {
        let root = tempfile::tempdir().unwrap();
        let pair = begun(root.path());
        let whole = fixture::outcome();
        for (pod, side) in [("tx0", &whole.tx), ("rx0", &whole.rx)] {
            let state = pair.run_state(pod, &format!("0badcafe-{pod}"));
            fs::create_dir_all(&state).unwrap();
            fs::write(state.join("ready.json"), serde_json::to_string(&side.ready).unwrap()).unwrap();
            fs::write(state.join("summary.json"), serde_json::to_string(&side.summary).unwrap()).unwrap();
            let line = serde_json::to_string(&Sample::default()).unwrap();
            // The last line is what a killed writer leaves.
            fs::write(state.join("samples.ndjson"), format!("{line}\n{}", &line[..10])).unwrap();
        }
        let read = read_pair(&pair).unwrap();
        assert_eq!((read.status, read.error), (Status::Complete, None));
        assert_eq!((read.tx.summary, read.rx.ready), (whole.tx.summary, whole.rx.ready));
        assert_eq!((read.tx.samples.len(), read.rx.samples.len()), (1, 1));
    }

    #[test]
    fn a_run_without_a_last_word_is_a_failure_with_its_reason() {
        let root = tempfile::tempdir().unwrap();
        let pair = begun(root.path());
        let state = pair.run_state("tx0", "0badcafe-tx0");
        fs::create_dir_all(&state).unwrap();
        fs::write(state.join("error.txt"), "died by signal 11\n").unwrap();
        let read = read_pair(&pair).unwrap();
        assert_eq!(read.status, Status::Failed);
        assert_eq!(read.error.as_deref(), Some("tx0: died by signal 11; rx0: its run left no last word"));
    }
}
