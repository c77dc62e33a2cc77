//! One goal's way: which load would tell most for it, from the coarsest target to the goal itself.

use super::goal::Target;
use super::grid::Grid;
use super::stats::{Bounds, Database};

/// How much wider the next step outwards is, when one was in vain.
const EXPANSION: i64 = 2;

/// What a selector would like to be measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nomination {
    /// The load.
    pub step: i64,
    /// Of the trial.
    pub duration_s: f64,
    /// The step outwards, or the part that halving leaves.
    pub width: i64,
}

/// The end of the interval that a load is to move; the step outwards doubles when it did not end there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outwards {
    No,
    Up,
    Down,
}

/// Of one goal.
#[derive(Debug, Clone)]
pub struct Selector {
    targets: Vec<Target>,
    at: usize,
    /// Where the coarser target ended, or what the first trials hint at. Bounds may move for another goal's sake; these
    /// do not.
    hint: (Option<i64>, Option<i64>),
    /// The next step outwards.
    stride: i64,
    outwards: Outwards,
    max: i64,
}

impl Selector {
    /// For these targets, coarsest first.
    pub fn new(targets: Vec<Target>, hint: (i64, i64), max: i64) -> Selector {
        let mut selector = Selector {
            targets,
            at: 0,
            hint: (Some(hint.0), Some(hint.1)),
            stride: 1,
            outwards: Outwards::No,
            max,
        };
        selector.begin();
        selector
    }

    fn target(&self) -> Option<Target> {
        self.targets.get(self.at).copied()
    }

    /// A target begins: the first step outwards is twice its interval.
    fn begin(&mut self) {
        let width = self.target().map_or(1, |t| t.width);
        let interval = match self.hint {
            (Some(lo), Some(hi)) => hi - lo,
            _ => 0,
        };
        self.limit(width.max(interval));
    }

    fn limit(&mut self, width: i64) {
        let narrowest = self.target().map_or(1, |t| t.width);
        self.stride = EXPANSION * width.max(narrowest);
    }

    /// The next load, or none when the goal is reached. `shared` is the step outwards of all goals together.
    pub fn nominate(&mut self, all: &Database, shared: i64) -> Option<Nomination> {
        loop {
            let target = self.target()?;
            let bounds = all.bounds(&target);
            self.outwards = Outwards::No;
            if let Some((step, width)) = self.choose(bounds, &target, shared) {
                return Some(Nomination { step, duration_s: target.trial_s, width });
            }
            if self.at + 1 == self.targets.len() {
                return None;
            }
            self.at += 1;
            self.hint = (bounds.lower, bounds.upper);
            self.begin();
        }
    }

    fn choose(&mut self, bounds: Bounds, target: &Target, shared: i64) -> Option<(i64, i64)> {
        self.refine(bounds, target)
            .or_else(|| self.extend(bounds, target, shared))
            .or_else(|| self.bisect(bounds, target, shared))
    }

    /// What the coarser target ended with: its middle first, where that alone will do, then both ends.
    fn refine(&mut self, bounds: Bounds, target: &Target) -> Option<(i64, i64)> {
        let halved = match self.hint {
            (Some(lo), Some(hi)) if hi - lo > target.width && hi - lo <= 2 * target.width => {
                Some(Grid::middle(lo, hi, target.width))
            }
            _ => None,
        };
        let loads = [halved, self.hint.0, self.hint.1];
        let step = loads.into_iter().flatten().find(|step| is_worth(*step, bounds, target))?;
        self.limit(target.width);
        Some((step, target.width))
    }

    /// Outwards, while one bound is missing.
    fn extend(&mut self, bounds: Bounds, target: &Target, shared: i64) -> Option<(i64, i64)> {
        let stride = self.stride.max(shared);
        let (step, outwards) = match (bounds.lower, bounds.upper) {
            (None, Some(hi)) if hi > 0 => (hi - stride, Outwards::Down),
            (Some(lo), None) if lo < self.max => (lo + stride, Outwards::Up),
            _ => return None,
        };
        let step = keep_off(step, target.width, bounds, self.max)?;
        self.outwards = outwards;
        is_worth(step, bounds, target).then_some((step, stride))
    }

    /// Inwards; but where a bound lies far beyond the hint, which another goal may have brought about, from that bound
    /// by a step as if the other one were missing.
    fn bisect(&mut self, bounds: Bounds, target: &Target, shared: i64) -> Option<(i64, i64)> {
        let (Some(lo), Some(hi)) = (bounds.lower, bounds.upper) else { return None };
        if hi - lo <= target.width {
            return None;
        }
        let middle = Grid::middle(lo, hi, target.width);
        let stride = self.stride.max(shared);
        let down = keep_off(hi - stride, target.width, bounds, self.max);
        if let (Some(down), Some(hint)) = (down, self.hint.1)
            && middle < hint
            && down > middle
            && down < hint
        {
            self.outwards = Outwards::Down;
            return Some((down, stride));
        }
        let up = keep_off(lo + stride, target.width, bounds, self.max);
        if let (Some(up), Some(hint)) = (up, self.hint.0)
            && middle > hint
            && up < middle
            && up > hint
        {
            self.outwards = Outwards::Up;
            return Some((up, stride));
        }
        let width = (middle - lo).min(hi - middle);
        self.limit(width);
        Some((middle, width))
    }

    /// Its load was measured. The step outwards that all goals share from now on, if it changes.
    pub fn won(&mut self, step: i64, all: &Database) -> Option<i64> {
        let bounds = all.bounds(&self.target()?);
        let in_vain = match self.outwards {
            Outwards::No => false,
            Outwards::Up => bounds.lower == Some(step),
            Outwards::Down => bounds.upper == Some(step),
        };
        if in_vain {
            self.stride = self.stride.saturating_mul(EXPANSION);
            return Some(self.stride);
        }
        None
    }
}

/// Whether a trial there could make a bound, or a better one.
fn is_worth(step: i64, bounds: Bounds, target: &Target) -> bool {
    let is_narrow = matches!((bounds.lower, bounds.upper), (Some(lo), Some(hi)) if hi - lo <= target.width);
    bounds.lower.is_none_or(|lo| step > lo) && bounds.upper.is_none_or(|hi| step < hi) && !is_narrow
}

/// The load as near as it may be: a width off either bound, or on the limit where that is no bound.
pub fn keep_off(step: i64, width: i64, bounds: Bounds, max: i64) -> Option<i64> {
    let (lo, hi) = (bounds.lower.unwrap_or(0), bounds.upper.unwrap_or(max));
    let (lo_is_known, hi_is_known) = (bounds.lower.is_some(), bounds.upper.is_some());
    if hi < lo || (lo_is_known && hi_is_known && !(lo < step && step < hi)) {
        return None;
    }
    let step = step.clamp(lo, hi);
    if width >= hi - lo {
        return match (lo_is_known, hi_is_known) {
            (false, _) if !hi_is_known || hi > lo => Some(lo),
            (true, false) if hi > lo => Some(hi),
            _ => None,
        };
    }
    let (mut soft_lo, mut soft_hi) = (lo + width, hi - width);
    if soft_lo > soft_hi {
        soft_lo = Grid::middle(lo, hi, width);
        soft_hi = soft_lo;
    }
    Some(match step {
        step if step < soft_lo => {
            if lo_is_known {
                soft_lo
            } else {
                lo
            }
        }
        step if step > soft_hi => {
            if hi_is_known {
                soft_hi
            } else {
                hi
            }
        }
        step => step,
    })
}
