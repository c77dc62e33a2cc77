//! Where the files of a trial are.
//!
//! ```text
//! results/<expid>/<txN-rxN>/            the result files; result.json comes last
//!                           .partial/   files being written, renamed when whole
//!                           .state/     while the trial runs: trial.json, each agent's own state, and a lock that
//!                                       whoever works on the trial holds
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::ResultsError;
use super::write::write_synced;
use crate::expid::ExpId;
use crate::trial::Record;

const STATE: &str = ".state";
const PARTIAL: &str = ".partial";
const RECORD: &str = "trial.json";
const LOCK: &str = "lock";
/// Its presence says that a pair's results are whole.
pub const RESULT: &str = "result.json";

/// One trial's folder.
#[derive(Debug)]
pub struct TrialFolder {
    root: PathBuf,
    expid: ExpId,
    /// The root and those above it that this trial had to make, deepest first.
    made: Vec<PathBuf>,
    /// One a pair, held for as long as this trial is worked on.
    locks: Vec<File>,
}

impl TrialFolder {
    /// Makes the folder and one for each pair, or says why it can't and leaves nothing.
    pub fn create(root: &Path, expid: ExpId, pairs: &[String]) -> Result<TrialFolder, ResultsError> {
        let is_missing = |p: &&Path| !p.as_os_str().is_empty() && !p.exists();
        let made = root.ancestors().take_while(is_missing).map(Path::to_owned).collect();
        let mut folder = TrialFolder { root: root.to_owned(), expid, made, locks: Vec::new() };
        for pair in pairs {
            match folder.pair(pair).begin() {
                Ok(lock) => folder.locks.push(lock),
                Err(error) => {
                    // The first error is the one to tell.
                    let _ = folder.discard();
                    return Err(error);
                }
            }
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

    /// Removes a trial that came to nothing; a results' root that was there before stays, empty or not.
    pub fn discard(&self) -> Result<(), ResultsError> {
        let path = self.path();
        let removed = gone(fs::remove_dir_all(&path)).map_err(ResultsError::io("removing", &path));
        for folder in &self.made {
            // Fails where another trial has put something there meanwhile, which is to stay.
            let _ = fs::remove_dir(folder);
        }
        removed
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

    /// Makes the folder for a trial, which is the caller's for as long as it holds the lock.
    fn begin(&self) -> Result<File, ResultsError> {
        let state = self.state();
        fs::create_dir_all(&state).map_err(ResultsError::io("creating", &state))?;
        self.lock()
    }

    /// Takes the unfinished trial here for this process alone; the kernel gives it back when the process ends, however
    /// it does.
    pub fn lock(&self) -> Result<File, ResultsError> {
        lock(&self.state().join(LOCK), &self.0)
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

/// Takes what `folder` stands for, by the file at `path`, for this process alone; the kernel gives it back when the
/// process ends, however it does.
pub fn lock(path: &Path, folder: &Path) -> Result<File, ResultsError> {
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(ResultsError::io("opening", path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // Without it the message says less.
            let _ = file.read_to_string(&mut pid);
            return Err(ResultsError::Busy { folder: folder.to_owned(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(ResultsError::io("locking", path)(error)),
    }
    file.set_len(0)
        .and_then(|()| write!(file, "{}", std::process::id()))
        .map_err(ResultsError::io("writing", path))?;
    Ok(file)
}

/// Removing what is not there is done already.
fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_works_on_a_trial() {
        let place = tempfile::tempdir().unwrap();
        let pair = PairFolder::at(&place.path().join("tx0-rx0"));
        let held = pair.begin().unwrap();
        let said = pair.lock().unwrap_err().to_string();
        assert!(said.contains(&format!("process {}", std::process::id())), "{said}");
        drop(held);
        assert!(pair.lock().is_ok());
    }

    #[test]
    fn only_what_the_trial_made_goes_with_it() {
        let place = tempfile::tempdir().unwrap();
        let id = ExpId::try_from("0badcafe".to_owned()).unwrap();
        let create = |root: &Path| TrialFolder::create(root, id, &["tx0-rx0".to_owned()]);

        let users = place.path().join("mine");
        fs::create_dir(&users).unwrap();
        create(&users).unwrap().discard().unwrap();
        assert!(users.is_dir() && fs::read_dir(&users).unwrap().next().is_none());

        let deep = place.path().join("a/b/c");
        let trial = create(&deep).unwrap();
        trial.discard().unwrap();
        assert!(!place.path().join("a").exists());

        let trial = create(&deep).unwrap();
        fs::write(place.path().join("a/b/other"), "").unwrap();
        trial.discard().unwrap();
        assert!(!deep.exists() && place.path().join("a/b/other").exists());

        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(create(&file.join("x")).is_err());
        assert!(file.exists());
        let too_long = place.path().join("made").join("x".repeat(300));
        assert!(create(&too_long).is_err());
        assert!(!place.path().join("made").exists());
    }
}
