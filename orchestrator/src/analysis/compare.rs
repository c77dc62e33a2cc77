//! One set of results against another, matched by profile and pair.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::environment::{differences, environment};
use super::groups::asked_alike;
use super::{Group, Metric, Spread};

/// How results are compared.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What decides.
    pub metrics: Vec<Metric>,
    /// Percent of the first set's median; of a share, percentage points.
    pub threshold: f64,
    /// Whether unlike environments are compared too.
    pub unlike: bool,
}

/// Sets that can't be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// Nothing in common.
    #[error("{} and {} have no profile on the same pair in common: they hold {a_profiles} and {b_profiles}", a.display(), b.display())]
    NothingInCommon {
        /// One.
        a: PathBuf,
        /// The other.
        b: PathBuf,
        /// What the one holds.
        a_profiles: String,
        /// What the other holds.
        b_profiles: String,
    },
    /// Different machines, or different questions.
    #[error(
        "{} and {} were not measured alike, so a difference says nothing of its cause:\n  {}\nmeasure both on the same machines, or compare them all the same with --unlike",
        a.display(), b.display(), what.join("\n  ")
    )]
    Unlike {
        /// One.
        a: PathBuf,
        /// The other.
        b: PathBuf,
        /// What differs.
        what: Vec<String>,
    },
}

/// What became of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Within the threshold, or within the noise.
    Same,
    /// By more than both.
    Better,
    /// By more than both.
    Worse,
}

/// One figure of one profile on one pair.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The profile's name.
    pub profile: String,
    /// `tx0-rx0`.
    pub pair: String,
    /// Which figure.
    pub metric: Metric,
    /// The first set's.
    pub a: Spread,
    /// The other's.
    pub b: Spread,
    /// Percent of a; of a share, percentage points. None where a is 0.
    pub change_percent: Option<f64>,
    /// Whether the difference is more than noise; none without repeats.
    pub beyond_noise: Option<bool>,
    /// What it comes to.
    pub change: Change,
    /// Whether it decides.
    pub decides: bool,
}

/// One comparison.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// Every figure that both have.
    pub rows: Vec<Row>,
    /// What only one of them has, and what differs between them, a sentence each.
    pub notes: Vec<String>,
}

impl Comparison {
    /// Whether a figure that decides is worse.
    pub fn is_worse(&self) -> bool {
        self.rows.iter().any(|row| row.decides && row.change == Change::Worse)
    }
}

/// One set with where it is from.
#[derive(Debug)]
pub struct Set<'a> {
    /// As it was given.
    pub path: PathBuf,
    /// What is in it.
    pub groups: Vec<Group<'a>>,
}

/// `b` against `a`.
pub fn compare(a: &Set<'_>, b: &Set<'_>, terms: &Terms) -> Result<Comparison, CompareError> {
    let (ours, theirs) = (newest_by_key(a), newest_by_key(b));
    let (mut rows, mut notes, mut unlike) = (Vec::new(), Vec::new(), Vec::new());
    for (key, one) in &ours {
        let Some(other) = theirs.get(key) else { continue };
        for what in unlike_things(one, other) {
            if !unlike.contains(&what) {
                unlike.push(what);
            }
        }
        rows.extend(Metric::ALL.into_iter().filter_map(|metric| row(one, other, metric, terms)));
    }
    if rows.is_empty() {
        let names = |of: &BTreeMap<(&str, &str), &Group<'_>>| {
            let names: Vec<String> =
                of.keys().map(|(profile, pair)| format!("{profile} on {pair}")).collect();
            if names.is_empty() { "no whole result".to_owned() } else { names.join(", ") }
        };
        let (a_profiles, b_profiles) = (names(&ours), names(&theirs));
        let (a, b) = (a.path.clone(), b.path.clone());
        return Err(CompareError::NothingInCommon { a, b, a_profiles, b_profiles });
    }
    if !unlike.is_empty() && !terms.unlike {
        return Err(CompareError::Unlike { a: a.path.clone(), b: b.path.clone(), what: unlike });
    }
    notes.extend(unlike.into_iter().map(|what| format!("not measured alike: {what}")));
    for (one, other, place) in [(&ours, &theirs, a), (&theirs, &ours, b)] {
        for (profile, pair) in one.keys().filter(|key| !other.contains_key(*key)) {
            notes.push(format!("only {} has {profile} on {pair}", place.path.display()));
        }
    }
    if rows.iter().any(|row| row.beyond_noise.is_none()) {
        notes.push("single results say nothing of their noise: repeat them (`run --repeats 6`)".to_owned());
    }
    Ok(Comparison { rows, notes })
}

/// Of a profile that was measured in several ways, the newest.
fn newest_by_key<'a, 'b>(set: &'b Set<'a>) -> BTreeMap<(&'a str, &'a str), &'b Group<'a>> {
    set.groups.iter().map(|group| ((group.profile, group.pair), group)).collect()
}

fn unlike_things(a: &Group<'_>, b: &Group<'_>) -> Vec<String> {
    let (Some(one), Some(other)) = (a.newest(), b.newest()) else { return Vec::new() };
    let mut found = differences(&environment(one), &environment(other));
    if !asked_alike(&one.judged.outcome.record, &other.judged.outcome.record) {
        found.push(format!("{} was asked differently: its profile, duration or workers", a.profile));
    }
    found
}

fn row(a: &Group<'_>, b: &Group<'_>, metric: Metric, terms: &Terms) -> Option<Row> {
    let (one, other) = (a.spread(metric)?, b.spread(metric)?);
    let difference = other.median - one.median;
    let change_percent = match metric.is_share() {
        true => Some(difference),
        false => (one.median != 0.0).then(|| difference / one.median * 100.0),
    };
    let beyond_noise = one.is_apart(&other);
    let is_large = change_percent.map_or(difference != 0.0, |percent| percent.abs() > terms.threshold);
    let change = match (is_large && beyond_noise != Some(false), (difference > 0.0) == metric.more_is_worse())
    {
        (false, _) => Change::Same,
        (true, true) => Change::Worse,
        (true, false) => Change::Better,
    };
    Some(Row {
        profile: a.profile.to_owned(),
        pair: a.pair.to_owned(),
        metric,
        a: one,
        b: other,
        change_percent,
        beyond_noise,
        change,
        decides: terms.metrics.contains(&metric),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::groups;
    use crate::analysis::groups::tests::stored;
    use crate::results::stored::Stored;

    fn terms(unlike: bool) -> Terms {
        Terms { metrics: vec![Metric::RxPps, Metric::LossPercent], threshold: 5.0, unlike }
    }

    /// Results that took so many milliseconds for the same frames.
    fn took(ms: &[u64]) -> Vec<Stored> {
        let one = |ms: &u64| stored(|o| o.tx.summary.as_mut().unwrap().effective_ns = ms * 1_000_000);
        ms.iter().map(one).collect()
    }

    fn compared(a: &[Stored], b: &[Stored], unlike: bool) -> Result<Comparison, CompareError> {
        let set = |path: &str, results| Set { path: path.into(), groups: groups(results) };
        compare(&set("a", a), &set("b", b), &terms(unlike))
    }

    fn rx(comparison: &Comparison) -> Row {
        comparison.rows.iter().find(|row| row.metric == Metric::RxPps).unwrap().clone()
    }

    #[test]
    fn a_difference_counts_beyond_threshold_and_noise() {
        let base = took(&[1000, 1010, 990]);
        let slower = compared(&base, &took(&[1200, 1210, 1190]), false).unwrap();
        assert_eq!((rx(&slower).change, rx(&slower).beyond_noise), (Change::Worse, Some(true)));
        assert!(slower.is_worse());
        let noisy = compared(&base, &took(&[1200, 800, 1210]), false).unwrap();
        assert_eq!((rx(&noisy).change, noisy.is_worse()), (Change::Same, false));
        let faster = compared(&took(&[1200, 1210, 1190]), &base, false).unwrap();
        assert_eq!((rx(&faster).change, faster.is_worse()), (Change::Better, false));
        let little = compared(&base, &took(&[1040, 1041, 1042]), false).unwrap();
        assert_eq!(rx(&little).change, Change::Same);
        let single = compared(&took(&[1000]), &took(&[1200]), false).unwrap();
        assert!(single.is_worse() && single.notes[0].contains("--repeats"), "{:?}", single.notes);
    }

    #[test]
    fn unlike_environments_are_refused_unless_asked_for() {
        let base = took(&[1000]);
        let mut other = took(&[1000]);
        other[0].judged.outcome.record.tx.inventory.cpu_model = "another".into();
        let said = compared(&base, &other, false).unwrap_err().to_string();
        assert!(said.contains("tx CPU: ") && said.contains("--unlike"), "{said}");
        let told = compared(&base, &other, true).unwrap();
        assert!(told.notes[0].contains("not measured alike"), "{:?}", told.notes);
        let elsewhere = [stored(|o| o.record.pair = "tx7-rx7".into())];
        let said = compared(&base, &elsewhere, true).unwrap_err().to_string();
        assert!(said.contains("p on tx7-rx7"), "{said}");
    }
}
