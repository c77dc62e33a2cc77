//! Each flow's books, as a CSV file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use traffic::wire::FlowBook;

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
#[error("can't write the flows' books to {}: {source}; name another file with --per-flow", path.display())]
pub struct FlowTableError {
    path: PathBuf,
    source: io::Error,
}

/// A file that is open before the run, so that one that can't be written is known by then.
#[derive(Debug)]
pub struct FlowTable {
    file: File,
    path: PathBuf,
}

impl FlowTable {
    /// Opens it.
    pub fn create(path: &Path) -> Result<FlowTable, FlowTableError> {
        let file = File::create(path).map_err(|source| FlowTableError { path: path.to_owned(), source })?;
        Ok(FlowTable { file, path: path.to_owned() })
    }

    /// Writes a line a flow.
    pub fn write(self, books: &[FlowBook]) -> Result<(), FlowTableError> {
        let mut out = BufWriter::new(self.file);
        let mut write = || -> io::Result<()> {
            writeln!(out, "{}", FlowBook::CSV_HEADER)?;
            books.iter().try_for_each(|book| writeln!(out, "{book}"))?;
            out.flush()
        };
        write().map_err(|source| FlowTableError { path: self.path, source })
    }
}
