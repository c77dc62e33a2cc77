//! What ends a trial before it measured anything.

use std::path::PathBuf;

use crate::agent::AgentError;
use crate::lab::LabError;
use crate::path::PathError;
use crate::results::ResultsError;

/// A trial that came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// An agent can't be worked with.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// A profile that can't arrive, or no way.
    #[error("{pair}: {source}")]
    Path {
        /// `tx0-rx0`.
        pair: String,
        /// Why.
        source: PathError,
    },
    /// The preflight found what makes it pointless.
    #[error(
        "{0}\nmend that, or measure all the same with --force; `orchestrator preflight` looks at everything"
    )]
    Preflight(String),
    /// The lab can't give what is needed.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The results can't be written.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// No pair got as far as traffic.
    #[error("nothing was measured: {0}")]
    NothingMeasured(String),
    /// There are measurements, and nowhere to write them.
    #[error(
        "the results can't be written: {source}; what was measured is kept; then: orchestrator results recover {}",
        folder.display()
    )]
    Unwritten {
        /// What the file system said.
        source: ResultsError,
        /// The trial's.
        folder: PathBuf,
    },
    /// No id for the trial.
    #[error("no random numbers for the trial's id: {0}")]
    NoRandom(std::io::Error),
    /// Ctrl-C before any traffic.
    #[error("interrupted before anything was measured; nothing was written")]
    Interrupted,
}
