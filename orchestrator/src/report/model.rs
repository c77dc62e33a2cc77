//! A report as data: what every format shows.

use serde::Serialize;

use super::ReportError;
use super::chart::{self, Drawn};
use super::figures::Line;
use super::row::{Row, row};
use super::searches::{self, GoalRow, Searches};
use crate::analysis::environment::environment;
use crate::analysis::{Group, Metric, Spread, groups};
use crate::results::names::line_time;
use crate::results::tree::Tree;

/// Results whose charts are drawn; of more, the tables have all and the charts the first.
pub const CHARTED_MAX: usize = 100;

/// The whole of it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// At the head.
    pub title: String,
    /// UTC.
    pub made: String,
    /// Of this program.
    pub release: &'static str,
    /// Bytes of link time beyond a frame.
    pub overhead_bytes: u32,
    /// Gbit/s, where it was given.
    pub speed_gbps: Option<f64>,
    /// One a pair's result, the oldest first.
    pub rows: Vec<Row>,
    /// What each goal of each search came to.
    pub searches: Vec<GoalRow>,
    /// Of groups with more than one result.
    pub repeats: Vec<Repeated>,
    /// Drawn charts, in order.
    pub charts: Vec<Drawn>,
    /// What they depend on, one for each kind.
    pub environments: Vec<Setting>,
    /// Every warning with those it is of.
    pub warnings: Vec<Warning>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// Repeats of one measurement.
#[derive(Debug, Serialize)]
pub struct Repeated {
    /// The profile's name.
    pub profile: String,
    /// `tx0-rx0`.
    pub pair: String,
    /// Each figure that was measured.
    pub figures: Vec<Figure>,
}

/// One figure of repeats.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// As in `results compare`.
    pub name: &'static str,
    /// In its unit.
    pub spread: Spread,
    /// Median, smallest, largest, and the interval's ends, for the eye.
    pub text: [String; 5],
}

/// What some results were measured on.
#[derive(Debug, Serialize)]
pub struct Setting {
    /// `expid/pair` of each.
    pub of: Vec<String>,
    /// `local` or `kube`.
    pub lab: String,
    /// Facts with the sender's and the receiver's value.
    pub facts: Vec<(&'static str, String, String)>,
}

/// What a careful reader has to know.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// `expid/pair` of each.
    pub of: Vec<String>,
    /// The warning.
    pub text: String,
}

/// A folder without a result.
#[derive(Debug, Serialize)]
pub struct Skipped {
    /// Which.
    pub folder: String,
    /// Why.
    pub reason: String,
}

/// Everything about what `tree` and `searches` hold.
pub fn report(
    (tree, searches): (&Tree, &Searches),
    title: &str,
    line: &Line,
    now_unix_ns: u64,
) -> Result<Report, ReportError> {
    let rows = tree.results.iter().map(|stored| row(stored, line)).collect::<Result<Vec<_>, _>>()?;
    let groups = groups(&tree.results);
    let unread = tree.unread.iter().map(|u| (&u.folder, &u.reason));
    let skipped = unread.chain(searches.unread.iter().map(|(folder, reason)| (folder, reason)));
    let skipped = skipped
        .map(|(folder, reason)| Skipped { folder: folder.display().to_string(), reason: reason.clone() });
    Ok(Report {
        title: title.to_owned(),
        made: line_time(now_unix_ns)?,
        release: env!("CARGO_PKG_VERSION"),
        overhead_bytes: line.overhead_bytes,
        speed_gbps: line.speed_gbps,
        repeats: groups.iter().filter(|g| g.results.len() > 1).map(repeated).collect(),
        charts: chart::all(&groups, searches, line)?,
        searches: searches::rows(searches),
        environments: settings(tree),
        warnings: warnings(tree),
        skipped: skipped.collect(),
        rows,
    })
}

fn repeated(group: &Group<'_>) -> Repeated {
    let figure = |metric: Metric| {
        let spread = group.spread(metric)?;
        let values = [spread.median, spread.min, spread.max, spread.low, spread.high];
        Some(Figure { name: metric.name(), spread, text: values.map(|value| metric.text(value)) })
    };
    Repeated {
        profile: group.profile.to_owned(),
        pair: group.pair.to_owned(),
        figures: Metric::ALL.into_iter().filter_map(figure).collect(),
    }
}

/// `expid/pair`.
fn name(stored: &crate::results::stored::Stored) -> String {
    let record = &stored.judged.outcome.record;
    format!("{}/{}", record.expid, record.pair)
}

fn settings(tree: &Tree) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for stored in &tree.results {
        let found = environment(stored);
        let mut names: Vec<&'static str> = Vec::new();
        for of in [&found.tx.facts, &found.rx.facts, &found.tx.own, &found.rx.own] {
            names.extend(of.keys().filter(|key| !names.contains(*key)).copied().collect::<Vec<_>>());
        }
        let value = |end: &crate::analysis::environment::EndEnvironment, name: &str| {
            end.facts.get(name).or(end.own.get(name)).cloned().unwrap_or_else(|| "-".to_owned())
        };
        let facts: Vec<_> = names.iter().map(|n| (*n, value(&found.tx, n), value(&found.rx, n))).collect();
        match settings.iter_mut().find(|s| s.lab == found.lab && s.facts == facts) {
            Some(setting) => setting.of.push(name(stored)),
            None => settings.push(Setting { of: vec![name(stored)], lab: found.lab, facts }),
        }
    }
    settings
}

fn warnings(tree: &Tree) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = Vec::new();
    for stored in &tree.results {
        for text in &stored.judged.warnings {
            match warnings.iter_mut().find(|w| w.text == *text) {
                Some(warning) => warning.of.push(name(stored)),
                None => warnings.push(Warning { of: vec![name(stored)], text: text.clone() }),
            }
        }
    }
    warnings
}
