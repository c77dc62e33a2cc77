//! `results export`

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::ValueEnum;

use super::args::ExportArgs;
use super::read;
use crate::export::output::Draft;
use crate::export::tables::{self, TableFormat};
use crate::export::{openmetrics, otg};
use crate::say;

/// What other programs read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// trials.csv, samples.csv and cores.csv in a folder
    Csv,
    /// The same as typed columns: trials.parquet, samples.parquet and cores.parquet
    Parquet,
    /// Final figures as OpenMetrics text
    Openmetrics,
    /// Final figures as the Open Traffic Generator's get_metrics answers, one of flows and one of ports
    OtgJson,
}

/// Writes results that can be read; what can't be is said.
pub fn execute(args: &ExportArgs) -> Result<ExitCode> {
    let tables = match args.format {
        ExportFormat::Csv => Some(TableFormat::Csv),
        ExportFormat::Parquet => Some(TableFormat::Parquet),
        ExportFormat::Openmetrics | ExportFormat::OtgJson => None,
    };
    if let Some(format) = tables {
        let Some(folder) = &args.output else {
            bail!("csv and parquet are three files: give the folder for them with --output DIR");
        };
        let tree = read(&args.paths)?;
        for path in tables::write(&tree.results, format, folder, args.force)? {
            say::out(path.display())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let results = read(&args.paths)?.results;
    let text =
        if args.format == ExportFormat::OtgJson { otg::text(&results)? } else { openmetrics::text(&results) };
    match &args.output {
        None => say::out(text.trim_end_matches('\n'))?,
        Some(path) => write(path, &text, args.force)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &str, force: bool) -> Result<()> {
    let mut draft = Draft::begin(path, force)?;
    draft.write(text.as_bytes())?;
    say::out(draft.finish()?.display())?;
    Ok(())
}
