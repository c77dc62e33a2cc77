//! What an experiment keeps beside its results, in `results/.experiment/`: a lock, and a journal of failures.
//!
//! The journal is what a call that was cut short leaves to the next one: how often what has failed. A call that came to
//! its end closes it, so that the same command tries again what has failed.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ExperimentError;
use crate::results::ResultsError;
use crate::results::layout::lock;
use crate::results::write::write_synced;

const FOLDER: &str = ".experiment";
const JOURNAL: &str = "journal.json";
const LOCK: &str = "lock";
/// Of the journal's format.
const FORMAT: u32 = 1;

/// What has failed, and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    format: u32,
    /// Whether the call that wrote it came to its end.
    finished: bool,
    failures: Vec<Failure>,
}

/// One profile on one pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The profile's name.
    pub profile: String,
    /// `tx0-rx0`.
    pub pair: String,
    /// How often.
    pub attempts: u32,
    /// The last time.
    pub reason: String,
}

impl Default for Journal {
    fn default() -> Journal {
        Journal { format: FORMAT, finished: true, failures: Vec::new() }
    }
}

impl Journal {
    /// The one beside these results; an empty one where there is none.
    pub fn read(results: &Path) -> Result<Journal, ResultsError> {
        let path = results.join(FOLDER).join(JOURNAL);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| ResultsError::Json { path, source }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Journal::default()),
            Err(error) => Err(ResultsError::io("reading", &path)(error)),
        }
    }

    /// What is known of a profile on a pair.
    pub fn failure(&self, profile: &str, pair: &str) -> Option<&Failure> {
        self.failures.iter().find(|f| f.profile == profile && f.pair == pair)
    }
}

/// The folder, in the hands of this process alone.
#[derive(Debug)]
pub struct ExperimentFolder {
    folder: PathBuf,
    journal: Journal,
    /// Held as long as this lives.
    _lock: File,
}

impl ExperimentFolder {
    /// Takes it, making what is missing. `anew` forgets what has failed.
    pub fn open(results: &Path, anew: bool) -> Result<ExperimentFolder, ExperimentError> {
        fs::create_dir_all(results).map_err(ResultsError::io("creating", results))?;
        let folder = results.join(FOLDER);
        match fs::create_dir(&folder) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(ResultsError::io("creating", &folder)(error).into()),
        }
        if !fs::symlink_metadata(&folder).is_ok_and(|meta| meta.is_dir()) {
            return Err(ExperimentError::NotAFolder(folder));
        }
        let lock = lock(&folder.join(LOCK), results)?;
        let mut journal = Journal::read(results)?;
        if journal.finished || anew {
            journal = Journal::default();
        }
        journal.finished = false;
        let opened = ExperimentFolder { folder, journal, _lock: lock };
        opened.save()?;
        Ok(opened)
    }

    /// What has failed so far.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// How often a profile has failed on a pair.
    pub fn attempts(&self, profile: &str, pair: &str) -> u32 {
        self.journal.failure(profile, pair).map_or(0, |f| f.attempts)
    }

    /// It has failed once more.
    pub fn failed(&mut self, profile: &str, pair: &str, reason: &str) -> Result<(), ResultsError> {
        let attempts = self.attempts(profile, pair) + 1;
        self.journal.failures.retain(|f| f.profile != profile || f.pair != pair);
        let (profile, pair, reason) = (profile.to_owned(), pair.to_owned(), reason.to_owned());
        self.journal.failures.push(Failure { profile, pair, attempts, reason });
        self.save()
    }

    /// It has succeeded.
    pub fn succeeded(&mut self, profile: &str, pair: &str) -> Result<(), ResultsError> {
        let before = self.journal.failures.len();
        self.journal.failures.retain(|f| f.profile != profile || f.pair != pair);
        if self.journal.failures.len() == before { Ok(()) } else { self.save() }
    }

    /// The call came to its end.
    pub fn finish(&mut self) -> Result<(), ResultsError> {
        self.journal.finished = true;
        self.save()
    }

    fn save(&self) -> Result<(), ResultsError> {
        let (path, fresh) = (self.folder.join(JOURNAL), self.folder.join(format!("{JOURNAL}.partial")));
        let json = |source| ResultsError::Json { path: path.clone(), source };
        write_synced(&fresh, &serde_json::to_vec_pretty(&self.journal).map_err(json)?)?;
        fs::rename(&fresh, &path).map_err(ResultsError::io("renaming to", &path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_outlive_a_call_that_was_cut_short_and_end_with_one_that_was_not() {
        let results = tempfile::tempdir().unwrap();
        let mut first = ExperimentFolder::open(results.path(), false).unwrap();
        let busy = ExperimentFolder::open(results.path(), false).unwrap_err().to_string();
        assert!(busy.contains(&format!("process {}", std::process::id())), "{busy}");
        first.failed("p", "tx0-rx0", "one").unwrap();
        first.failed("p", "tx0-rx0", "two").unwrap();
        first.failed("p", "tx1-rx1", "three").unwrap();
        first.succeeded("p", "tx1-rx1").unwrap();
        drop(first);
        let mut second = ExperimentFolder::open(results.path(), false).unwrap();
        assert_eq!((second.attempts("p", "tx0-rx0"), second.attempts("p", "tx1-rx1")), (2, 0));
        assert_eq!(second.journal().failure("p", "tx0-rx0").unwrap().reason, "two");
        second.finish().unwrap();
        drop(second);
        assert_eq!(Journal::read(results.path()).unwrap().failure("p", "tx0-rx0").unwrap().attempts, 2);
        assert_eq!(ExperimentFolder::open(results.path(), false).unwrap().attempts("p", "tx0-rx0"), 0);
    }

    #[test]
    fn a_link_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("mine")).unwrap();
        fs::create_dir(place.path().join("results")).unwrap();
        std::os::unix::fs::symlink(place.path().join("mine"), place.path().join("results/.experiment"))
            .unwrap();
        let refused = ExperimentFolder::open(&place.path().join("results"), false).unwrap_err().to_string();
        assert!(refused.contains("is not a folder of its own"), "{refused}");
        assert!(fs::read_dir(place.path().join("mine")).unwrap().next().is_none());
    }
}
