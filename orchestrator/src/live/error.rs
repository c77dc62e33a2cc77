//! Why a script on a pair came to nothing.

use std::path::PathBuf;

use lua_compat::ImportError;

use crate::agent::AgentError;
use crate::lab::LabError;
use crate::path::PathError;
use crate::trial::TrialError;

/// A script that did not end as it should.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The pair.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Its agents, before the script began.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The way between its ends.
    #[error(transparent)]
    Path(#[from] PathError),
    /// What a trial would not begin with either.
    #[error(transparent)]
    Trial(#[from] TrialError),
    /// The script.
    #[error(transparent)]
    Script(#[from] ImportError),
    /// What Pktgen sends by default makes no profile.
    #[error("{0}")]
    Profile(String),
    /// A file.
    #[error("{}: {cause}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// Traffic ended by itself.
    #[error("{0}")]
    Run(String),
    /// In the warm-up nothing came through.
    #[error("{0} (--force runs the script all the same)")]
    Blocked(String),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}
