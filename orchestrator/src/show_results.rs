//! The last thing a user sees: the table, the reasons, the warnings, the places.

use std::io;
use std::path::Path;

use crate::collect::Column;
use crate::results::result_json::Judged;
use crate::results::table::{rates, streams, table};
use crate::results::write::Arrays;
use crate::say;
use crate::settings::OutputFormat;

/// Shows outcomes with the folders that they were written to.
pub fn show<'a>(pairs: impl IntoIterator<Item = (&'a Judged, &'a Path)>, output: OutputFormat) {
    let pairs: Vec<(&Judged, &Path)> = pairs.into_iter().collect();
    let pairs = pairs.as_slice();
    let shown = match output {
        OutputFormat::Table => show_table(pairs),
        OutputFormat::Json => show_json(pairs),
    };
    // The results are on disk: a screen that takes nothing more does not make a good trial a failed one.
    if let Err(error) = shown {
        say::err(format_args!("warning: {error}"));
    }
    for (judged, _) in pairs {
        if let Some(error) = &judged.outcome.error {
            say::err(format_args!("{} failed: {error}", judged.outcome.record.pair));
        }
    }
}

fn show_table(pairs: &[(&Judged, &Path)]) -> io::Result<()> {
    say::out(table(pairs.iter().map(|(judged, _)| *judged)))?;
    for (judged, folder) in pairs {
        say::out(rates(judged))?;
        for line in streams(judged) {
            say::out(line)?;
        }
        for warning in &judged.warnings {
            say::out(format_args!("{}: warning: {warning}", judged.outcome.record.pair))?;
        }
        say::out(format_args!("{}: results in {}", judged.outcome.record.pair, folder.display()))?;
    }
    Ok(())
}

fn show_json(pairs: &[(&Judged, &Path)]) -> io::Result<()> {
    for (judged, folder) in pairs {
        let line = serde_json::json!({
            "event": "result",
            "expid": judged.outcome.record.expid,
            "pair": judged.outcome.record.pair,
            "profile": judged.outcome.record.profile_name,
            "status": judged.outcome.status,
            "error": judged.outcome.error,
            "verdict": judged.verdict,
            "warnings": judged.warnings,
            "timing": judged.outcome.timing,
            "folder": folder,
        });
        say::out(line)?;
    }
    Ok(())
}

/// `--debug`: what is in the arrays, for the eye.
pub fn show_arrays(pair: &str, arrays: &Arrays) {
    for (role, columns) in [("tx", &arrays.tx), ("rx", &arrays.rx)] {
        for (name, column) in columns.iter().flat_map(|c| &c.0) {
            match column.range() {
                Some((min, mean, max)) => {
                    let n = column.len();
                    say::err(format_args!(
                        "{pair} {role} {name}: {n} values, min {min} mean {mean:.1} max {max}"
                    ));
                }
                None => {
                    let cores = if let Column::Grid(grid) = column { grid.ncols() } else { 0 };
                    let n = column.len();
                    say::err(format_args!("{pair} {role} {name}: {n} samples × {cores} cores"));
                }
            }
        }
    }
}
