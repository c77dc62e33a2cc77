//! Plans, scans and ends, as tables or as objects.

use std::collections::BTreeMap;
use std::io;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::json;

use super::events::names;
use super::matrix::Entry;
use super::plan::Plan;
use super::scan::{Cell, Grid, State};
use crate::lab::pair_name;
use crate::say;
use crate::settings::OutputFormat;
use crate::show::{count, pps};

/// More pairs than this are counted, not given a column each.
const COLUMNS_MAX: usize = 8;
/// More rows than this become one a profile.
const ROWS_MAX: usize = 200;
/// Reasons that are shown beneath a plan; a scan shows all.
const REASONS_MAX: usize = 20;

/// Profiles × pairs with how far each is, and the reasons of those that are not done.
pub fn scan(entries: &[Entry], grid: &Grid, output: OutputFormat, all: bool) -> io::Result<()> {
    if output == OutputFormat::Json {
        for (entry, pair, cell) in cells(entries, grid) {
            let folder = cell.found.as_ref().map(|found| &found.folder);
            say::out(
                json!({"event": "scan", "profile": entry.name, "pair": pair_name(pair), "state": cell.state,
                            "reason": cell.reason, "folder": folder}),
            )?;
        }
        return Ok(());
    }
    say::out(overview(entries, grid))?;
    let reasons: Vec<String> = cells(entries, grid).filter_map(reason).collect();
    let shown = if all { reasons.len() } else { reasons.len().min(REASONS_MAX) };
    for line in &reasons[..shown] {
        say::out(line)?;
    }
    if shown < reasons.len() {
        say::out(format_args!("… and {} more (--scan-results shows them)", reasons.len() - shown))?;
    }
    Ok(())
}

fn cells<'g>(entries: &'g [Entry], grid: &'g Grid) -> impl Iterator<Item = (&'g Entry, usize, &'g Cell)> {
    let of = |(entry, cells): (&'g Entry, &'g BTreeMap<usize, Cell>)| {
        cells.iter().map(move |(pair, cell)| (entry, *pair, cell))
    };
    entries.iter().zip(grid).flat_map(of)
}

fn reason((entry, pair, cell): (&Entry, usize, &Cell)) -> Option<String> {
    let reason = cell.reason.as_ref()?;
    Some(format!("{} {}: {}: {reason}", pair_name(pair), entry.name, cell.state.word()))
}

fn new_table(header: Vec<String>, words: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for column in table.column_iter_mut().skip(words) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn overview(entries: &[Entry], grid: &Grid) -> String {
    let mut pairs: Vec<usize> = grid.iter().flat_map(BTreeMap::keys).copied().collect();
    pairs.sort_unstable();
    pairs.dedup();
    let is_wide = pairs.len() > COLUMNS_MAX;
    let columns: Vec<String> =
        if is_wide { State::ALL.map(|s| s.word().to_owned()).to_vec() } else { names(&pairs) };
    let header = ["profile".to_owned()].into_iter().chain(columns).collect();
    let mut table = new_table(header, if is_wide { 1 } else { usize::MAX });
    for (entry, cells) in entries.iter().zip(grid) {
        let state = |pair: &usize| cells.get(pair).map_or("-", |cell| cell.state.word()).to_owned();
        let how_many = |s: State| cells.values().filter(|cell| cell.state == s).count().to_string();
        let row: Vec<String> =
            if is_wide { State::ALL.map(how_many).to_vec() } else { pairs.iter().map(state).collect() };
        table.add_row([entry.name.clone()].into_iter().chain(row));
    }
    table.to_string()
}

/// `3 of 4 done, 1 failed`.
pub fn tally(plan: &Plan) -> String {
    let others = State::ALL.into_iter().filter(|s| *s != State::Done);
    let others = others.filter_map(|s| Some(format!(", {} {}", plan.states.get(&s)?, s.word())));
    format!("{} of {} done{}", plan.done(), plan.cells, others.collect::<String>())
}

/// The end of a call: a row a result, or a profile where they are many; then what failed, and why.
pub fn summary(entries: &[Entry], grid: &Grid, output: OutputFormat, interrupted: bool) -> io::Result<()> {
    let failed = |(_, _, cell): &(&Entry, usize, &Cell)| cell.state == State::Failed;
    if output == OutputFormat::Json {
        let done = cells(entries, grid).filter(|(_, _, cell)| cell.state == State::Done).count();
        let failures: Vec<_> = cells(entries, grid)
            .filter(failed)
            .map(|(entry, pair, cell)| json!({"profile": entry.name, "pair": pair_name(pair), "reason": cell.reason}))
            .collect();
        let results = cells(entries, grid).count();
        return say::out(json!({"event": "experiment_finished", "results": results, "done": done,
                               "failed": failures.len(), "interrupted": interrupted, "failures": failures}));
    }
    let mut table = match cells(entries, grid).count() > ROWS_MAX {
        true => by_profile(entries, grid),
        false => by_result(entries, grid),
    };
    table.set_content_arrangement(ContentArrangement::Disabled);
    say::out(table)?;
    for line in cells(entries, grid).filter(failed).filter_map(reason) {
        say::out(line)?;
    }
    Ok(())
}

fn by_result(entries: &[Entry], grid: &Grid) -> Table {
    let header = ["profile", "pair", "state", "trial", "sent", "received", "lost", "RX rate"];
    let mut table = new_table(header.map(str::to_owned).to_vec(), 4);
    for (entry, pair, cell) in cells(entries, grid) {
        let mut row = vec![entry.name.clone(), pair_name(pair), cell.state.word().to_owned()];
        row.extend(match &cell.found {
            Some(found) => {
                let v = &found.head.verdict;
                let lost = v.lost.map_or("-".to_owned(), count);
                [found.head.trial.expid.to_string(), count(v.sent), count(v.received), lost, pps(v.rx_pps)]
            }
            None => ["-"; 5].map(str::to_owned),
        });
        table.add_row(row);
    }
    table
}

fn by_profile(entries: &[Entry], grid: &Grid) -> Table {
    let header = ["profile", "pairs", "done", "failed", "sent", "received", "lost", "RX rate of all"];
    let mut table = new_table(header.map(str::to_owned).to_vec(), 1);
    for (entry, cells) in entries.iter().zip(grid) {
        let how_many = |s: State| cells.values().filter(|cell| cell.state == s).count().to_string();
        let done: Vec<_> = cells
            .values()
            .filter(|cell| cell.state == State::Done)
            .filter_map(|cell| Some(&cell.found.as_ref()?.head.verdict))
            .collect();
        table.add_row([
            entry.name.clone(),
            cells.len().to_string(),
            how_many(State::Done),
            how_many(State::Failed),
            count(done.iter().map(|v| v.sent).sum()),
            count(done.iter().map(|v| v.received).sum()),
            count(done.iter().filter_map(|v| v.lost).sum()),
            pps(done.iter().map(|v| v.rx_pps).sum()),
        ]);
    }
    table
}
