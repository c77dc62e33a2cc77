//! `trials`, `samples` and `cores` into a folder: a file each, written result by result.

use std::path::{Path, PathBuf};

use super::ExportError;
use super::csv::CsvTable;
use super::fields::{Head, Value};
use super::output::Draft;
use super::parquet::ParquetTable;
use super::rows::{CORES, SAMPLES, TRIALS, heads, samples, values};
use crate::results::stored::Stored;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// RFC 4180, with a head; what was not measured is empty.
    Csv,
    /// Typed columns, compressed with zstd; what was not measured is null.
    Parquet,
}

/// One table that grows.
pub trait Table {
    /// Adds a row, as wide as the heads.
    fn append(&mut self, row: Vec<Value>) -> Result<(), ExportError>;
    /// Writes what is left; the file is whole then, and without its name yet.
    fn finish(self: Box<Self>) -> Result<Draft, ExportError>;
}

/// Writes the three tables to `folder`: all of them are on disk before the first one gets its name.
pub fn write(
    results: &[Stored],
    format: TableFormat,
    folder: &Path,
    force: bool,
) -> Result<Vec<PathBuf>, ExportError> {
    let table = |name: &str, heads: Vec<Head>| begin(format, folder, name, force, heads);
    let mut trials = table("trials", heads(TRIALS))?;
    let mut sample_rows = table("samples", heads(SAMPLES))?;
    let mut core_rows = table("cores", heads(CORES))?;
    for stored in results {
        trials.append(values(TRIALS, stored))?;
        let (of_samples, of_cores) = samples(stored);
        of_samples.iter().try_for_each(|row| sample_rows.append(values(SAMPLES, row)))?;
        of_cores.iter().try_for_each(|row| core_rows.append(values(CORES, row)))?;
    }
    let drafts = [trials.finish()?, sample_rows.finish()?, core_rows.finish()?];
    drafts.into_iter().map(Draft::finish).collect()
}

fn begin(
    format: TableFormat,
    folder: &Path,
    name: &str,
    force: bool,
    heads: Vec<Head>,
) -> Result<Box<dyn Table>, ExportError> {
    Ok(match format {
        TableFormat::Csv => {
            Box::new(CsvTable::begin(Draft::begin(&folder.join(format!("{name}.csv")), force)?, &heads)?)
        }
        TableFormat::Parquet => {
            let draft = Draft::begin(&folder.join(format!("{name}.parquet")), force)?;
            Box::new(ParquetTable::begin(draft, name, heads)?)
        }
    })
}
