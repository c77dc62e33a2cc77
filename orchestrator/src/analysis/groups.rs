//! Results that measure the same thing: one profile on one pair, asked the same way.

use crate::results::stored::Stored;
use crate::trial::{Record, Status};

use super::{Metric, Spread};

/// Repeats of one measurement, the oldest first.
#[derive(Debug)]
pub struct Group<'a> {
    /// The profile's name.
    pub profile: &'a str,
    /// `tx0-rx0`.
    pub pair: &'a str,
    /// Whole results; at least one.
    pub results: Vec<&'a Stored>,
}

impl Group<'_> {
    /// One figure of all of them; none where none has it.
    pub fn spread(&self, metric: Metric) -> Option<Spread> {
        Spread::of(self.results.iter().filter_map(|s| metric.of(&s.judged.verdict)))
    }

    /// The newest.
    pub fn newest(&self) -> Option<&Stored> {
        self.results.last().copied()
    }
}

/// Whole results by what they measure, in the order of the first of each.
pub fn groups(results: &[Stored]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for stored in results.iter().filter(|s| s.judged.outcome.status == Status::Complete) {
        let record = &stored.judged.outcome.record;
        let same = groups.iter_mut().find(|group| {
            group.profile == record.profile_name
                && group.pair == record.pair
                && group
                    .results
                    .first()
                    .is_some_and(|first| asked_alike(&first.judged.outcome.record, record))
        });
        match same {
            Some(group) => group.results.push(stored),
            None => groups.push(Group {
                profile: &record.profile_name,
                pair: &record.pair,
                results: vec![stored],
            }),
        }
    }
    groups
}

/// Whether two trials were asked the same: what flows, for how long, by how many workers.
pub fn asked_alike(a: &Record, b: &Record) -> bool {
    a.profile == b.profile
        && a.duration_s == b.duration_s
        && a.tx.spec.workers == b.tx.spec.workers
        && a.rx.spec.workers == b.rx.spec.workers
        && a.tx.spec.round_trip == b.tx.spec.round_trip
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::results::result_json::Judged;
    use crate::trial::{PairOutcome, fixture};
    use std::path::PathBuf;

    /// A stored result that `bend` has changed.
    pub fn stored(bend: impl FnOnce(&mut PairOutcome)) -> Stored {
        let mut outcome = fixture::outcome();
        bend(&mut outcome);
        let folder = PathBuf::from(format!("results/{}/{}", outcome.record.expid, outcome.record.pair));
        Stored { folder, judged: Judged::of(outcome), files: Vec::new() }
    }

    #[test]
    fn only_whole_results_that_were_asked_alike_are_repeats() {
        let results = [
            stored(|_| {}),
            stored(|o| o.tx.summary.as_mut().unwrap().effective_ns = 2_000_000_000),
            stored(|o| o.record.duration_s = 9.0),
            stored(|o| o.status = Status::Failed),
            stored(|o| o.record.pair = "tx1-rx1".into()),
        ];
        let groups = groups(&results);
        assert_eq!(groups.iter().map(|g| g.results.len()).collect::<Vec<_>>(), [2, 1, 1]);
        let spread = groups[0].spread(Metric::TxPps).unwrap();
        assert_eq!((spread.n, spread.median, spread.min), (2, 750.0, 500.0));
        assert_eq!(groups[0].spread(Metric::LossPercent).unwrap().max, 0.0);
    }
}
