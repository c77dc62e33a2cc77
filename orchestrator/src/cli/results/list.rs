//! `results list`

use std::process::ExitCode;

use anyhow::Result;
use comfy_table::{ContentArrangement, Table, presets};

use super::args::ReadArgs;
use super::read;
use crate::results::names::line_time;
use crate::results::stored::Stored;
use crate::say;
use crate::settings::OutputFormat;
use crate::show::{count, pps};
use crate::trial::Status;

/// One line a trial.
pub fn execute(args: &ReadArgs) -> Result<ExitCode> {
    let tree = read(&args.paths)?;
    let trials = tree.results.chunk_by(|a, b| expid(a) == expid(b));
    match OutputFormat::from(args.output) {
        OutputFormat::Table => {
            let mut table = Table::new();
            table
                .load_style(presets::UTF8_HORIZONTAL_ONLY)
                .set_content_arrangement(ContentArrangement::Disabled);
            table.set_header([
                "trial",
                "started (UTC)",
                "profile",
                "pairs",
                "status",
                "seconds",
                "TX rate",
                "RX rate",
                "lost",
            ]);
            for pairs in trials {
                table.add_row(row(pairs)?);
            }
            say::out(table)?;
        }
        OutputFormat::Json => {
            for pairs in trials {
                say::out(json(pairs)?)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn expid(stored: &Stored) -> String {
    stored.judged.outcome.record.expid.to_string()
}

fn row(pairs: &[Stored]) -> Result<Vec<String>> {
    let record = &pairs[0].judged.outcome.record;
    let sum = |pick: fn(&Stored) -> f64| pairs.iter().map(pick).sum();
    Ok(vec![
        record.expid.to_string(),
        line_time(record.started_unix_ns)?,
        record.profile_name.clone(),
        pairs.len().to_string(),
        status(pairs),
        format!("{}", record.duration_s),
        pps(sum(|s| s.judged.verdict.tx_pps)),
        pps(sum(|s| s.judged.verdict.rx_pps)),
        lost(pairs).map_or("-".to_owned(), count),
    ])
}

fn json(pairs: &[Stored]) -> Result<serde_json::Value> {
    let record = &pairs[0].judged.outcome.record;
    let folder = pairs[0].folder.parent().unwrap_or(&pairs[0].folder);
    Ok(serde_json::json!({
        "event": "trial",
        "expid": record.expid,
        "started": line_time(record.started_unix_ns)?,
        "started_unix_ns": record.started_unix_ns,
        "release": record.release,
        "profile": record.profile_name,
        "pairs": pairs.iter().map(|s| &s.judged.outcome.record.pair).collect::<Vec<_>>(),
        "status": status(pairs),
        "duration_s": record.duration_s,
        "tx_pps": pairs.iter().map(|s| s.judged.verdict.tx_pps).sum::<f64>(),
        "rx_pps": pairs.iter().map(|s| s.judged.verdict.rx_pps).sum::<f64>(),
        "lost": lost(pairs),
        "folder": folder,
    }))
}

/// Of all pairs; none where one of them does not know.
fn lost(pairs: &[Stored]) -> Option<u64> {
    pairs.iter().map(|s| s.judged.verdict.lost).sum()
}

/// The worst of the pairs'.
fn status(pairs: &[Stored]) -> String {
    let with = |status: Status| pairs.iter().filter(|s| s.judged.outcome.status == status).count();
    match (with(Status::Failed), with(Status::Interrupted)) {
        (0, 0) => "complete".to_owned(),
        (0, _) => "interrupted".to_owned(),
        (failed, _) if failed == pairs.len() => "failed".to_owned(),
        (failed, _) => format!("{failed} of {} failed", pairs.len()),
    }
}
