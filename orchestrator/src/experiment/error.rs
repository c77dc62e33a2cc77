//! What can stand in the way of an experiment.

use std::io;
use std::path::PathBuf;

use crate::profile_source::SourceError;
use crate::results::ResultsError;
use crate::trial::TrialError;

/// An experiment that can't begin, or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// A profile that can't be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A generated one.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// A trial that must not be tried again.
    #[error(transparent)]
    Trial(#[from] TrialError),
    /// A folder or file of profiles.
    #[error("{verb} {} failed: {source}", path.display())]
    Profiles {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Two of one name.
    #[error("{} and {} are both named `{name}`, and results go by that name: rename one of them", first.display(), second.display())]
    Twins {
        /// Their name.
        name: String,
        /// One.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// Nothing to run.
    #[error("no profile in {} for these pairs: make some with `orchestrator flows generate`, or leave --profiles-from folder out", .0.display())]
    NoProfiles(PathBuf),
    /// A filter that lets nothing through.
    #[error("no profile's name contains {filter}; there are: {names}")]
    Filtered {
        /// As typed.
        filter: String,
        /// What there is.
        names: String,
    },
    /// Something else than a folder stands in its place.
    #[error("{} is not a folder of its own: an experiment keeps its journal there; move it away", .0.display())]
    NotAFolder(PathBuf),
}
