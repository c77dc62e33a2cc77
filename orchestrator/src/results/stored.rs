//! `result.json` read back whole: one pair's trial as it was when it was written.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use traffic::wire::{Ready, Sample, Summary};

use super::ResultsError;
use super::layout::RESULT;
use super::result_json::{FORMAT, Judged};
use crate::collect::Verdict;
use crate::trial::{PairOutcome, Record, SideOutcome, Status, Timing};

/// One pair's trial with the place it was read from.
#[derive(Debug)]
pub struct Stored {
    /// The pair's folder.
    pub folder: PathBuf,
    /// What it came to. The samples of its warm-up are not among it: they are in a log of their own.
    pub judged: Judged,
    /// The other files, by name.
    pub files: Vec<String>,
}

/// Enough to say whose file it is.
#[derive(Debug, Deserialize)]
struct Head {
    format: u32,
    trial: HeadTrial,
}

#[derive(Debug, Deserialize)]
struct HeadTrial {
    #[serde(default)]
    release: String,
}

#[derive(Debug, Deserialize)]
struct File {
    status: Status,
    error: Option<String>,
    verdict: Verdict,
    #[serde(default)]
    warnings: Vec<String>,
    timing: Option<Timing>,
    trial: Record,
    tx: Side,
    rx: Side,
    #[serde(default)]
    files: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Side {
    ready: Option<Ready>,
    summary: Option<Summary>,
    samples: Vec<Sample>,
}

impl From<Side> for SideOutcome {
    fn from(side: Side) -> SideOutcome {
        SideOutcome { ready: side.ready, samples: side.samples, summary: side.summary }
    }
}

/// Reads the result of a pair's folder; none where there is none. A link is not followed.
pub fn read_stored(folder: &Path) -> Result<Option<Stored>, ResultsError> {
    let path = folder.join(RESULT);
    if !fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file()) {
        return Ok(None);
    }
    let bytes = fs::read(&path).map_err(ResultsError::io("reading", &path))?;
    let json = |source| ResultsError::Json { path: path.clone(), source };
    let head: Head = serde_json::from_slice(&bytes).map_err(json)?;
    if head.format != FORMAT {
        let (found, known, release) = (head.format, FORMAT, head.trial.release);
        return Err(ResultsError::Format { path, found, known, release });
    }
    let file: File = serde_json::from_slice(&bytes).map_err(json)?;
    let outcome = PairOutcome {
        record: file.trial,
        status: file.status,
        error: file.error,
        tx: file.tx.into(),
        rx: file.rx.into(),
        warmup: Vec::new(),
        warnings: Vec::new(),
        timing: file.timing,
    };
    let judged = Judged { outcome, verdict: file.verdict, warnings: file.warnings };
    Ok(Some(Stored { folder: folder.to_owned(), judged, files: file.files }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::layout::PairFolder;
    use crate::results::write::write_pair;
    use crate::trial::fixture;

    #[test]
    fn what_was_written_reads_back_the_same() {
        let place = tempfile::tempdir().unwrap();
        let pair = PairFolder::at(&place.path().join("tx0-rx0"));
        let judged = Judged::of(fixture::outcome());
        write_pair(&pair, &judged).unwrap();
        let stored = read_stored(pair.path()).unwrap().unwrap();
        assert_eq!(stored.judged.outcome, judged.outcome);
        assert_eq!(stored.judged.verdict, judged.verdict);
        assert_eq!(stored.judged.warnings, judged.warnings);
        assert!(stored.files.contains(&"metadata.txt".to_owned()));
        assert!(read_stored(place.path()).unwrap().is_none());
    }

    #[test]
    fn a_file_of_another_format_says_who_wrote_it() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join(RESULT), r#"{"format": 9, "trial": {"release": "7.1"}}"#).unwrap();
        let said = read_stored(place.path()).unwrap_err().to_string();
        assert!(said.contains("format 9") && said.contains("(7.1)"), "{said}");
        fs::write(place.path().join(RESULT), "{").unwrap();
        assert!(read_stored(place.path()).unwrap_err().to_string().contains("result.json"));
    }
}
