//! The last thing a user sees: the table, the reasons, the warnings, the places.

use std::io::Write;
use std::path::PathBuf;

use crate::collect::Column;
use crate::results::result_json::Judged;
use crate::results::table::table;
use crate::results::write::Arrays;
use crate::settings::OutputFormat;

/// Shows outcomes with the folders that they were written to.
pub fn show(pairs: &[(Judged, Option<PathBuf>)], output: OutputFormat) {
    // A reader that went away must not turn a good trial into a failed one.
    let _ = match output {
        OutputFormat::Table => show_table(pairs),
        OutputFormat::Json => show_json(pairs),
    };
    for (judged, _) in pairs {
        if let Some(error) = &judged.outcome.error {
            eprintln!("{} failed: {error}", judged.outcome.record.pair);
        }
    }
}

fn show_table(pairs: &[(Judged, Option<PathBuf>)]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", table(pairs.iter().map(|(judged, _)| judged)))?;
    for (judged, folder) in pairs {
        for warning in &judged.warnings {
            writeln!(out, "{}: warning: {warning}", judged.outcome.record.pair)?;
        }
        if let Some(folder) = folder {
            writeln!(out, "{}: results in {}", judged.outcome.record.pair, folder.display())?;
        }
    }
    Ok(())
}

fn show_json(pairs: &[(Judged, Option<PathBuf>)]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for (judged, folder) in pairs {
        let line = serde_json::json!({
            "event": "result",
            "expid": judged.outcome.record.expid,
            "pair": judged.outcome.record.pair,
            "status": judged.outcome.status,
            "error": judged.outcome.error,
            "verdict": judged.verdict,
            "warnings": judged.warnings,
            "timing": judged.outcome.timing,
            "folder": folder,
        });
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// `--debug`: what is in the arrays, for the eye.
pub fn show_arrays(pair: &str, arrays: &Arrays) {
    for (role, columns) in [("tx", &arrays.tx), ("rx", &arrays.rx)] {
        for (name, column) in columns.iter().flat_map(|c| &c.0) {
            match column.range() {
                Some((min, mean, max)) => {
                    eprintln!(
                        "{pair} {role} {name}: {} values, min {min} mean {mean:.1} max {max}",
                        column.len()
                    );
                }
                None => {
                    let cores = if let Column::Grid(grid) = column { grid.ncols() } else { 0 };
                    eprintln!("{pair} {role} {name}: {} samples × {cores} cores", column.len());
                }
            }
        }
    }
}
