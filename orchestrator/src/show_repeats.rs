//! What repeats of one measurement come to: the median of each figure, and how far it scatters.

use std::io;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::analysis::{Group, Metric};
use crate::say;
use crate::settings::OutputFormat;

/// Shows groups of more than one result.
pub fn show(groups: &[Group<'_>], output: OutputFormat) -> io::Result<()> {
    let repeated: Vec<&Group<'_>> = groups.iter().filter(|group| group.results.len() > 1).collect();
    match output {
        OutputFormat::Table if repeated.is_empty() => Ok(()),
        OutputFormat::Table => say::out(table(&repeated)),
        OutputFormat::Json => repeated.iter().try_for_each(|group| say::out(json(group))),
    }
}

fn table(groups: &[&Group<'_>]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "profile",
        "pair",
        "repeats",
        "figure",
        "median",
        "min",
        "max",
        "interval of the median",
    ]);
    for group in groups {
        for metric in Metric::ALL {
            let Some(spread) = group.spread(metric) else { continue };
            let text = |value| metric.text(value);
            table.add_row([
                group.profile.to_owned(),
                group.pair.to_owned(),
                spread.n.to_string(),
                metric.name().to_owned(),
                text(spread.median),
                text(spread.min),
                text(spread.max),
                format!("{} to {} ({:.1} %)", text(spread.low), text(spread.high), spread.confidence * 100.0),
            ]);
        }
    }
    for column in table.column_iter_mut().skip(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn json(group: &Group<'_>) -> serde_json::Value {
    let figures: serde_json::Map<String, serde_json::Value> = Metric::ALL
        .into_iter()
        .filter_map(|metric| Some((metric.name().to_owned(), serde_json::json!(group.spread(metric)?))))
        .collect();
    serde_json::json!({
        "event": "repeats",
        "profile": group.profile,
        "pair": group.pair,
        "repeats": group.results.len(),
        "figures": figures,
    })
}
