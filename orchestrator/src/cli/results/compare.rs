//! `results compare`

use std::process::ExitCode;

use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::args::CompareArgs;
use super::read;
use crate::analysis::compare::{Change, Comparison, Row, Set, Terms, compare};
use crate::analysis::{Spread, groups};
use crate::say;
use crate::settings::OutputFormat;

/// Each further folder against the first one. Exit code 1 if a figure that decides got worse.
pub fn execute(args: &CompareArgs) -> Result<ExitCode> {
    let terms = Terms { metrics: args.metric.clone(), threshold: args.threshold, unlike: args.unlike };
    let trees = args.paths.iter().map(|path| read(std::slice::from_ref(path))).collect::<Result<Vec<_>>>()?;
    let sets: Vec<Set<'_>> = args
        .paths
        .iter()
        .zip(&trees)
        .map(|(path, tree)| Set { path: path.clone(), groups: groups(&tree.results) })
        .collect();
    let mut worse = false;
    for other in &sets[1..] {
        let comparison = compare(&sets[0], other, &terms)?;
        worse |= comparison.is_worse();
        match OutputFormat::from(args.output) {
            OutputFormat::Table => show(&sets[0], other, &comparison)?,
            OutputFormat::Json => say::out(serde_json::json!({
                "event": "comparison", "a": sets[0].path, "b": other.path, "threshold_percent": terms.threshold,
                "worse": comparison.is_worse(), "rows": comparison.rows, "notes": comparison.notes,
            }))?,
        }
    }
    Ok(if worse { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn show(a: &Set<'_>, b: &Set<'_>, comparison: &Comparison) -> Result<()> {
    say::out(format_args!("a: {}, b: {}", a.path.display(), b.path.display()))?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["profile", "pair", "figure", "a", "b", "difference", "b is"]);
    for row in &comparison.rows {
        table.add_row(cells(row));
    }
    for column in table.column_iter_mut().skip(3).take(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    say::out(table)?;
    for note in &comparison.notes {
        say::out(format_args!("note: {note}"))?;
    }
    Ok(())
}

fn cells(row: &Row) -> [String; 7] {
    let spread = |s: &Spread| match s.n {
        1 => row.metric.text(s.median),
        n => format!(
            "{} ({} to {}, n {n})",
            row.metric.text(s.median),
            row.metric.text(s.low),
            row.metric.text(s.high)
        ),
    };
    let unit = if row.metric.is_share() { "points" } else { "%" };
    let verdict = match (row.change, row.beyond_noise) {
        (Change::Same, Some(false)) => "the same, within the noise",
        (Change::Same, _) => "the same, within the threshold",
        (Change::Better, _) => "better",
        (Change::Worse, _) if row.decides => "WORSE",
        (Change::Worse, _) => "worse (does not decide)",
    };
    [
        row.profile.clone(),
        row.pair.clone(),
        row.metric.name().to_owned(),
        spread(&row.a),
        spread(&row.b),
        row.change_percent.map_or("-".to_owned(), |percent| format!("{percent:+.2} {unit}")),
        verdict.to_owned(),
    ]
}
