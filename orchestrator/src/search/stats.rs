//! What trials say of a load: lower bound, upper bound, or not yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::goal::Target;

/// A trial as it was made. What was due and not sent counts as lost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Asked, frames a second.
    pub load_pps: f64,
    /// Asked.
    pub duration_s: f64,
    /// That sending took, or the duration where it is not known.
    pub effective_s: f64,
    /// Frames that were due.
    pub offered: u64,
    /// Frames that were sent.
    pub sent: u64,
    /// Of these, those that came, each counted once.
    pub received: u64,
}

impl Trial {
    /// Lost and unsent frames as a share of those that were due. Without any it says nothing against the load.
    pub fn loss_ratio(&self) -> f64 {
        let due = self.offered.max(self.sent);
        if due == 0 {
            return 0.0;
        }
        due.saturating_sub(self.received) as f64 / due as f64
    }
}

/// The trials of one load.
#[derive(Debug, Clone, Default)]
struct Load(Vec<(f64, f64, f64)>);

impl Load {
    /// Whether it is a lower bound (`true`) or an upper one of `target`; none while what is still to be measured could
    /// decide either way.
    fn judge(&self, target: &Target) -> Option<bool> {
        // Seconds by [is bad][is long].
        let mut seconds = [[0.0; 2]; 2];
        for (duration_s, spent_s, loss) in &self.0 {
            let (is_long, is_bad) = (*duration_s >= target.trial_s, *loss > target.loss_ratio);
            seconds[usize::from(is_bad)][usize::from(is_long)] += spent_s;
        }
        let [[good_short, good], [bad_short, bad_long]] = seconds;
        let exceed = target.exceed_ratio;
        // Short trials count against a load, as far as good short ones do not make up for them.
        let bad = bad_long + (bad_short - good_short * exceed / (1.0 - exceed)).max(0.0);
        let all = (good + bad).max(target.sum_s);
        let may_be_bad = all * exceed;
        let (at_best, at_worst) = (bad <= may_be_bad, all - good <= may_be_bad);
        (at_best == at_worst).then_some(at_best)
    }

    /// The loss that conditional throughput is told with: the one which the share `exceed_ratio` of the seconds
    /// exceeds; seconds that were not measured count as lost.
    fn loss(&self, target: &Target) -> f64 {
        let mut long: Vec<(f64, f64)> = self
            .0
            .iter()
            .filter(|(duration_s, ..)| *duration_s >= target.trial_s)
            .map(|(_, spent_s, loss)| (*loss, *spent_s))
            .collect();
        long.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all = long.iter().map(|(_, s)| s).sum::<f64>().max(target.sum_s);
        let mut left = all * (1.0 - target.exceed_ratio);
        let mut quantile = None;
        for (loss, spent_s) in long {
            if quantile.is_some() && left <= 0.0 {
                break;
            }
            quantile = Some(loss);
            left -= spent_s;
        }
        if left > 1e-9 { 1.0 } else { quantile.unwrap_or(1.0) }
    }
}

/// The two loads that matter, as steps of the grid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The highest lower bound below `upper`.
    pub lower: Option<i64>,
    /// The lowest upper bound.
    pub upper: Option<i64>,
}

/// All trials, by load.
#[derive(Debug, Clone, Default)]
pub struct Database(BTreeMap<i64, Load>);

impl Database {
    /// One more.
    pub fn add(&mut self, step: i64, trial: &Trial) {
        let spent_s = trial.effective_s.max(trial.duration_s);
        self.0.entry(step).or_default().0.push((trial.duration_s, spent_s, trial.loss_ratio()));
    }

    /// Relevant bounds: a good load above a bad one is none.
    pub fn bounds(&self, target: &Target) -> Bounds {
        let mut bounds = Bounds::default();
        for (step, load) in &self.0 {
            match load.judge(target) {
                Some(true) => bounds.lower = Some(*step),
                Some(false) => {
                    bounds.upper = Some(*step);
                    break;
                }
                None => {}
            }
        }
        bounds
    }

    /// Whether a load above an upper bound was good: more load, less loss.
    pub fn is_inverted(&self, target: &Target) -> bool {
        let judged = self.0.values().filter_map(|load| load.judge(target));
        judged.skip_while(|is_lower| *is_lower).any(|is_lower| is_lower)
    }

    /// The share that is lost at a lower bound, for conditional throughput.
    pub fn loss(&self, step: i64, target: &Target) -> Option<f64> {
        self.0.get(&step).map(|load| load.loss(target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(trials: &[(f64, f64)]) -> Load {
        Load(trials.iter().map(|(s, loss)| (*s, *s, *loss)).collect())
    }

    fn target(exceed_ratio: f64, trial_s: f64, sum_s: f64) -> Target {
        Target { loss_ratio: 0.0, exceed_ratio, width: 1, trial_s, sum_s }
    }

    #[test]
    fn a_load_is_judged_as_soon_as_nothing_can_change_it() {
        let half = target(0.5, 1.0, 21.0);
        let good = |n| vec![(1.0, 0.0); n];
        let bad = |n| vec![(1.0, 0.1); n];
        assert_eq!(load(&good(10)).judge(&half), None);
        assert_eq!(load(&good(11)).judge(&half), Some(true));
        assert_eq!(load(&bad(10)).judge(&half), None);
        assert_eq!(load(&bad(11)).judge(&half), Some(false));
        assert_eq!(load(&[good(10), bad(10)].concat()).judge(&half), None);
        assert_eq!(load(&[good(11), bad(10)].concat()).judge(&half), Some(true));
        // One trial of RFC 2544; a second chance by TST 009.
        assert_eq!(load(&[(60.0, 0.1)]).judge(&target(0.0, 60.0, 60.0)), Some(false));
        assert_eq!(load(&[(60.0, 0.0)]).judge(&target(0.0, 60.0, 60.0)), Some(true));
        let again = target(0.5, 60.0, 120.0);
        assert_eq!(load(&[(60.0, 0.1)]).judge(&again), None);
        assert_eq!(load(&[(60.0, 0.1), (60.0, 0.0)]).judge(&again), Some(true));
        assert_eq!(load(&[(60.0, 0.1), (60.0, 0.2)]).judge(&again), Some(false));
        // A bad short trial is enough against a load where none may be bad, a good one never for it.
        assert_eq!(load(&[(1.0, 0.1)]).judge(&target(0.0, 60.0, 60.0)), Some(false));
        assert_eq!(load(&[(1.0, 0.0)]).judge(&target(0.0, 60.0, 60.0)), None);
    }

    #[test]
    fn conditional_throughput_is_told_with_the_worst_loss_that_counts() {
        let half = target(0.5, 1.0, 4.0);
        assert_eq!(load(&[(1.0, 0.0), (1.0, 0.2), (1.0, 0.1)]).loss(&half), 0.1);
        assert_eq!(load(&[(1.0, 0.0)]).loss(&half), 1.0);
    }

    #[test]
    fn a_good_load_above_a_bad_one_is_no_bound() {
        let once = target(0.0, 1.0, 1.0);
        let mut all = Database::default();
        let trial = |received| Trial {
            load_pps: 1.0,
            duration_s: 1.0,
            effective_s: 1.0,
            offered: 100,
            sent: 100,
            received,
        };
        for (step, received) in [(1, 100), (5, 90), (9, 100)] {
            all.add(step, &trial(received));
        }
        assert_eq!(all.bounds(&once), Bounds { lower: Some(1), upper: Some(5) });
        assert!(all.is_inverted(&once));
        let unsent = Trial { sent: 80, received: 80, ..trial(0) };
        assert_eq!(unsent.loss_ratio(), 0.2);
    }
}
