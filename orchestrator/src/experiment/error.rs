//! What ends a trial before it measured anything.

use crate::agent::AgentError;
use crate::lab::LabError;
use crate::results::ResultsError;

/// A trial that came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// An agent can't be worked with.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The lab can't give what is needed.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The results can't be written.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// Ctrl-C before any traffic.
    #[error("interrupted before anything was measured; nothing was written")]
    Interrupted,
}
