//! What can go wrong with result files.

use std::io;
use std::path::{Path, PathBuf};

/// Results that can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// A folder or file.
    #[error("{verb} {} failed: {source}; choose another place with --results DIR, or free this one", path.display())]
    Io {
        /// What was tried: `creating`, `writing`, …
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An npz file.
    #[error("writing {} failed: {source}", path.display())]
    Npz {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        source: ndarray_npy::WriteNpzError,
    },
    /// A JSON file.
    #[error("{} is not what this release writes: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: serde_json::Error,
    },
    /// A file of another release.
    #[error(
        "{} is of format {found}, and this release reads format {known}: read it with the release that wrote it ({release})",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
        /// The release that wrote it.
        release: String,
    },
    /// No such place.
    #[error("there is no {}: give the folder of results, of a trial (results/<expid>) or of a pair in it", .0.display())]
    NoSuchPlace(PathBuf),
    /// A removal that would leave the folder of results.
    #[error("{} is not removed: it is not a plain folder below {}", folder.display(), results.display())]
    Outside {
        /// Which.
        folder: PathBuf,
        /// Below which it should be.
        results: PathBuf,
    },
    /// A time that no calendar has.
    #[error("the time {0} ns since 1970 has no date")]
    Time(u64),
    /// Nothing to recover.
    #[error(
        "{} holds no unfinished trial: give the folder of results, of a trial (results/<expid>) or of a pair in it",
        .0.display()
    )]
    NothingToRecover(PathBuf),
    /// Somebody works on it.
    #[error(
        "{} is being worked on by process {pid}: a trial that runs, an experiment, or another `results recover`; wait for its end",
        folder.display()
    )]
    Busy {
        /// The pair's.
        folder: PathBuf,
        /// Whoever holds the lock.
        pid: String,
    },
    /// It still runs.
    #[error(
        "{pod} still runs (pid {pid}); its results are whole when it ends, within {within_s} s: try again then"
    )]
    StillRunning {
        /// The pod.
        pod: String,
        /// The engine.
        pid: u32,
        /// Its own limit.
        within_s: u32,
    },
}

impl ResultsError {
    /// Wraps an I/O error with what was tried on what.
    pub fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ResultsError {
        let path = path.to_owned();
        move |source| ResultsError::Io { verb, path, source }
    }
}
