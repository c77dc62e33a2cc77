//! Checks for the eye: the worst first, the same of several pods in one row.

use std::io::IsTerminal;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::check::{Check, Level};

/// Columns of a page where there is no terminal to ask.
const WIDTH: u16 = 150;
/// So many scopes are named in a row; the rest is counted.
const NAMED_MAX: usize = 4;
/// With more rows than this, those that are ok are counted only.
const ROWS_MAX: usize = 60;

/// One row: everything but the scope is the same.
struct Row<'a> {
    check: &'a Check,
    scopes: Vec<&'a str>,
}

/// The table and the line below it. `all` shows what is ok however much it is.
pub fn table(checks: &[Check], all: bool) -> String {
    let mut rows = rows(checks);
    rows.sort_by_key(|row| std::cmp::Reverse(row.check.level));
    let few = all || rows.len() <= ROWS_MAX;
    let shown: Vec<&Row<'_>> = rows.iter().filter(|row| few || row.check.level > Level::Ok).collect();
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::stdout().is_terminal() {
        table.set_width(WIDTH);
    }
    table.set_header(["", "where", "check", "found, and the next step"]);
    for row in shown {
        let mut text = row.check.found.clone();
        if let Some(next) = &row.check.next_step {
            text.push_str(&format!("\n→ {next}"));
        }
        table.add_row([row.check.level.name(), &named(&row.scopes), row.check.name, &text]);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Left);
        column.set_padding((0, 2));
    }
    let hidden = if few { "" } else { " (--all shows those that are ok)" };
    format!("{table}\n{}{hidden}", summary(checks))
}

/// `31 ok, 2 warnings, 1 error`
pub fn summary(checks: &[Check]) -> String {
    let count = |level| checks.iter().filter(|check| check.level == level).count();
    let plural = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    let (warnings, errors) = (count(Level::Warning), count(Level::Error));
    format!("{} ok, {}, {}", count(Level::Ok), plural(warnings, "warning"), plural(errors, "error"))
}

fn rows(checks: &[Check]) -> Vec<Row<'_>> {
    let mut places = std::collections::HashMap::new();
    let mut rows: Vec<Row<'_>> = Vec::new();
    for check in checks {
        let key = (check.name, check.level, &check.found, &check.next_step);
        let place = *places.entry(key).or_insert(rows.len());
        match rows.get_mut(place) {
            Some(row) => row.scopes.push(&check.scope),
            None => rows.push(Row { check, scopes: vec![&check.scope] }),
        }
    }
    rows
}

fn named(scopes: &[&str]) -> String {
    let names: Vec<&str> = scopes.iter().copied().take(NAMED_MAX).collect();
    match scopes.len().saturating_sub(NAMED_MAX) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_comes_first_and_the_same_comes_once() {
        let checks = [
            Check::ok("tx0", "cpus", "CPUs 0-1"),
            Check::ok("rx0", "cpus", "CPUs 0-1"),
            Check::error("rx0", "link", "eth0 is down", "bring it up"),
        ];
        let text = table(&checks, false);
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
        assert!(at("eth0 is down") < at("→ bring it up") && at("→ bring it up") < at("tx0, rx0"), "{text}");
        assert!(text.ends_with("2 ok, 0 warnings, 1 error"), "{text}");
    }

    #[test]
    fn much_that_is_ok_is_counted_unless_it_is_asked_for() {
        let mut checks: Vec<Check> = (0..200).map(|n| Check::ok("tx0", "cpus", n.to_string())).collect();
        checks.push(Check::warning("tx0", "numa", "far", "move"));
        let text = table(&checks, false);
        assert!(text.lines().count() < 10 && text.contains("far") && text.contains("200 ok"), "{text}");
        assert!(table(&checks, true).lines().count() > 200);
    }
}
