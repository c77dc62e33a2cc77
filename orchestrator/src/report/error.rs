//! What can go wrong with a report.

use std::io;
use std::path::{Path, PathBuf};

/// A report that can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A chart.
    #[error("drawing the chart `{chart}` failed: {reason}")]
    Draw {
        /// Its name.
        chart: String,
        /// What the library said.
        reason: String,
    },
    /// A chart as PNG.
    #[error(
        "there is no font on this machine to draw `{chart}` as PNG with: install one (apt-get install fonts-dejavu-core)"
    )]
    NoFont {
        /// Its name.
        chart: String,
    },
    /// A template; a fault of this program.
    #[error("filling in the {format} template failed: {source}")]
    Template {
        /// Of which format.
        format: &'static str,
        /// What the engine said.
        source: minijinja::Error,
    },
    /// A workbook.
    #[error("making the workbook failed: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// JSON.
    #[error("writing JSON failed: {0}")]
    Json(#[from] serde_json::Error),
    /// A time that no calendar has.
    #[error(transparent)]
    Results(#[from] crate::results::ResultsError),
    /// What is there is not overwritten.
    #[error("{} is there already: give another folder with --output, or --force to replace the report in it", .0.display())]
    Exists(PathBuf),
    /// A file.
    #[error("{verb} {} failed: {source}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody can make a PDF.
    #[error("no program here makes a PDF of {what}: install {install}, or leave out --pdf")]
    NoPdfMaker {
        /// Of what.
        what: &'static str,
        /// What would help.
        install: &'static str,
    },
    /// Somebody could not.
    #[error("{program} made no PDF of {}: {reason}", path.display())]
    Pdf {
        /// Which.
        program: String,
        /// Of which file.
        path: PathBuf,
        /// The end of what it said.
        reason: String,
    },
}

impl ReportError {
    /// Wraps an I/O error with what was tried on what.
    pub fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ReportError {
        let path = path.to_owned();
        move |source| ReportError::Io { verb, path, source }
    }
}
