//! What is searched for: a loss that may be borne, and how sure and how narrow the answer must be.

use serde::{Deserialize, Serialize};

/// One goal, in the words of draft-ietf-bmwg-mlrsearch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// `ndr`, `pdr`, …
    pub name: String,
    /// Lost frames that a trial may have, as a share of those that were due.
    pub loss_ratio: f64,
    /// Share of the trial seconds at one load that may be bad.
    pub exceed_ratio: f64,
    /// Distance of the bounds, as a share of the upper one.
    pub width: f64,
    /// The shortest trials.
    pub initial_trial_s: f64,
    /// The longest.
    pub final_trial_s: f64,
    /// Trial seconds by which one load is judged.
    pub duration_sum_s: f64,
    /// Coarser targets on the way; at least 1 where trials are shorter than the sum.
    pub preceding: u32,
}

impl Goal {
    /// As CSIT searches: trials of 1 s, 21 s a load, half of which may be bad, 0.5 %.
    pub fn csit(name: &str, loss_ratio: f64) -> Goal {
        Goal {
            name: name.to_owned(),
            loss_ratio,
            exceed_ratio: 0.5,
            width: 0.005,
            initial_trial_s: 1.0,
            final_trial_s: 1.0,
            duration_sum_s: 21.0,
            preceding: 2,
        }
    }

    /// RFC 2544 §26.1 with the draft's numbers: one trial of 60 s judges a load, and may have no bad second.
    pub fn rfc2544(name: &str, loss_ratio: f64) -> Goal {
        Goal {
            exceed_ratio: 0.0,
            initial_trial_s: 1.0,
            final_trial_s: 60.0,
            duration_sum_s: 60.0,
            ..Goal::csit(name, loss_ratio)
        }
    }

    /// ETSI GS NFV-TST 009 with the draft's numbers: a bad trial of 60 s is tried again.
    pub fn tst009(name: &str, loss_ratio: f64) -> Goal {
        Goal { exceed_ratio: 0.5, duration_sum_s: 120.0, ..Goal::rfc2544(name, loss_ratio) }
    }

    /// What can't be searched for, with the next step.
    pub fn fault(&self) -> Option<String> {
        let name = &self.name;
        let share = |value: f64| (0.0..1.0).contains(&value);
        match () {
            () if !share(self.loss_ratio) => {
                Some(format!("goal {name}: a loss ratio of {} is none: write 0 to below 1", self.loss_ratio))
            }
            () if !share(self.exceed_ratio) => Some(format!(
                "goal {name}: an exceed ratio of {} is none: write 0 to below 1",
                self.exceed_ratio
            )),
            () if !(self.width > 0.0 && self.width < 1.0) => {
                Some(format!("goal {name}: a width of {} is none: write a share such as 0.005", self.width))
            }
            () if !(self.initial_trial_s > 0.0
                && self.initial_trial_s <= self.final_trial_s
                && self.final_trial_s <= self.duration_sum_s) =>
            {
                Some(format!(
                    "goal {name}: trials of {} to {} s in {} s: they have to be above 0, and each no longer than the next",
                    self.initial_trial_s, self.final_trial_s, self.duration_sum_s
                ))
            }
            () => None,
        }
    }

    /// From the coarsest target to the goal itself. `unit` is the grid's.
    pub fn targets(&self, unit: f64) -> Vec<Target> {
        // A load that is judged by more than its shortest trial needs a coarser target to begin with.
        let needed = u32::from(self.initial_trial_s < self.duration_sum_s);
        let steps = self.preceding.max(needed);
        let narrowest = ((-(-self.width).ln_1p() / unit).floor() as i64).max(1);
        let shrink = (self.initial_trial_s / self.duration_sum_s).powf(1.0 / f64::from(steps.max(1)));
        let target = |step: u32| {
            let sum_s = match step {
                0 => self.duration_sum_s,
                last if last == steps => self.initial_trial_s,
                step => self.duration_sum_s * shrink.powi(step as i32),
            };
            Target {
                loss_ratio: self.loss_ratio,
                exceed_ratio: self.exceed_ratio,
                width: narrowest << step,
                trial_s: self.final_trial_s.min(sum_s),
                sum_s,
            }
        };
        (0..=steps).rev().map(target).collect()
    }

    /// The goal as a target without coarser ones before it.
    pub fn target(&self, unit: f64) -> Target {
        let all = self.targets(unit);
        let last = all.last().copied();
        last.unwrap_or(Target { loss_ratio: 0.0, exceed_ratio: 0.0, width: 1, trial_s: 1.0, sum_s: 1.0 })
    }
}

/// A step on the way to a goal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The goal's.
    pub loss_ratio: f64,
    /// The goal's.
    pub exceed_ratio: f64,
    /// In units of the grid.
    pub width: i64,
    /// Of each trial.
    pub trial_s: f64,
    /// Trial seconds by which a load is judged.
    pub sum_s: f64,
}
