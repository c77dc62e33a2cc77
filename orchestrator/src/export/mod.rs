//! Results in formats that other programs read: tables as CSV or Parquet, final figures as OpenMetrics or as the Open
//! Traffic Generator's metrics.

pub mod csv;
pub mod fields;
pub mod openmetrics;
pub mod otg;
pub mod output;
pub mod parquet;
pub mod rows;
pub mod tables;
mod trial_fields;

use std::path::PathBuf;

/// Results that can't be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Somebody's file.
    #[error("{} is there already: choose another place with --output, or replace it with --force", .0.display())]
    Exists(PathBuf),
    /// A file or folder.
    #[error("{verb} {} failed: {source}; choose another place with --output, or free this one", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A CSV file.
    #[error("writing {} failed: {source}; choose another place with --output, or free this one", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        source: ::csv::Error,
    },
    /// A Parquet file.
    #[error("writing {} failed: {source}; choose another place with --output, or free this one", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        source: ::parquet::errors::ParquetError,
    },
}

impl ExportError {
    fn io(verb: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> ExportError {
        let path = path.to_owned();
        move |source| ExportError::Io { verb, path, source }
    }
}
