//! Where the files of a trial are.
//!
//! ```text
//! results/<expid>/<txN-rxN>/            the result files; result.json comes last
//!                           .partial/   files being written, renamed when whole
//!                           .state/     while the trial runs: trial.json, and each agent's own state
//! ```

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::ResultsError;
use super::write::write_synced;
use crate::experiment::Record;
use crate::expid::ExpId;

const STATE: &str = ".state";
const PARTIAL: &str = ".partial";
const RECORD: &str = "trial.json";
/// Its presence says that a pair's results are whole.
pub const RESULT: &str = "result.json";

/// One trial's folder.
#[derive(Debug, Clone)]
pub struct TrialFolder {
    root: PathBuf,
    expid: ExpId,
}

impl TrialFolder {
    /// Makes the folder and one for each pair, or says why it can't.
    pub fn create(root: &Path, expid: ExpId, pairs: &[String]) -> Result<TrialFolder, ResultsError> {
        let folder = TrialFolder { root: root.to_owned(), expid };
        for pair in pairs {
            let state = folder.pair(pair).state();
            fs::create_dir_all(&state).map_err(ResultsError::io("creating", &state))?;
        }
        Ok(folder)
    }

    /// The trial.
    pub fn expid(&self) -> ExpId {
        self.expid
    }

    /// `results/<expid>`.
    pub fn path(&self) -> PathBuf {
        self.root.join(self.expid.to_string())
    }

    /// One pair's folder.
    pub fn pair(&self, pair: &str) -> PairFolder {
        PairFolder(self.path().join(pair))
    }

    /// Keeps what is known before traffic flows.
    pub fn save_record(&self, record: &Record) -> Result<(), ResultsError> {
        self.pair(&record.pair).save_record(record)
    }

    /// Removes a trial that came to nothing; what the user put in the results' root stays.
    pub fn discard(&self) -> Result<(), ResultsError> {
        let path = self.path();
        gone(fs::remove_dir_all(&path)).map_err(ResultsError::io("removing", &path))?;
        // Only when this trial made it: a folder that holds anything else can't be removed this way.
        let _ = fs::remove_dir(&self.root);
        Ok(())
    }
}

/// One pair's folder: `results/<expid>/<txN-rxN>`.
#[derive(Debug, Clone)]
pub struct PairFolder(PathBuf);

impl PairFolder {
    /// The folder at `path`.
    pub fn at(path: &Path) -> PairFolder {
        PairFolder(path.to_owned())
    }

    /// Itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What agents write while the trial runs.
    pub fn state(&self) -> PathBuf {
        self.0.join(STATE)
    }

    /// The files of run `id` at the agent of `pod`.
    pub fn run_state(&self, pod: &str, id: &str) -> PathBuf {
        self.state().join(pod).join("runs").join(id)
    }

    /// Whether a trial was begun here and not finished.
    pub fn is_unfinished(&self) -> bool {
        self.state().join(RECORD).is_file()
    }

    /// Keeps what is known before traffic flows.
    pub fn save_record(&self, record: &Record) -> Result<(), ResultsError> {
        let path = self.state().join(RECORD);
        let json = |source| ResultsError::Json { path: path.clone(), source };
        write_synced(&path, &serde_json::to_vec_pretty(record).map_err(json)?)
    }

    /// What was known before traffic flowed.
    pub fn record(&self) -> Result<Record, ResultsError> {
        let path = self.state().join(RECORD);
        let bytes = fs::read(&path).map_err(ResultsError::io("reading", &path))?;
        serde_json::from_slice(&bytes).map_err(|source| ResultsError::Json { path, source })
    }

    /// An empty folder for files that are being written.
    pub fn fresh_partial(&self) -> Result<PathBuf, ResultsError> {
        let path = self.0.join(PARTIAL);
        gone(fs::remove_dir_all(&path)).map_err(ResultsError::io("clearing", &path))?;
        fs::create_dir_all(&path).map_err(ResultsError::io("creating", &path))?;
        Ok(path)
    }

    /// Removes the agents' state of a trial whose results are written.
    pub fn forget_state(&self) -> Result<(), ResultsError> {
        let path = self.state();
        gone(fs::remove_dir_all(&path)).map_err(ResultsError::io("removing", &path))
    }
}

/// Removing what is not there is done already.
fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
