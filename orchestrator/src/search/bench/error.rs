//! What ends a search before its answer.

use std::path::PathBuf;

use crate::lab::LabError;
use crate::results::ResultsError;
use crate::trial::TrialError;

/// A search that has no answer yet.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// A trial could not be made, however often it was tried.
    #[error("a trial of {load} failed {attempts} times: {reason}; what was measured is kept: --resume {} goes on", folder.display())]
    Trial {
        /// Its load, in words.
        load: String,
        /// So often.
        attempts: u32,
        /// What the last one said.
        reason: String,
        /// The search's.
        folder: PathBuf,
    },
    /// Nothing would come of any other trial either.
    #[error(transparent)]
    Fatal(#[from] TrialError),
    /// No pairs.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Its file.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// Frames without marks.
    #[error(
        "loss is not measured on {0}: its frames carry no mark; use larger frames, or leave out --no-stamp"
    )]
    NoLoss(String),
    /// A file that is another search's.
    #[error("{} is no search that this command can go on with: {why}", path.display())]
    NotThis {
        /// The file.
        path: PathBuf,
        /// What differs.
        why: String,
    },
    /// Ctrl-C.
    #[error("interrupted: what was measured is kept; the same command with --resume {} goes on", .0.display())]
    Interrupted(PathBuf),
}
