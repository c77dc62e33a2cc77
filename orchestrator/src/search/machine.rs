//! All goals together: which trial is next, and what was found.

use serde::{Deserialize, Serialize};

use super::goal::{Goal, Target};
use super::grid::Grid;
use super::selector::{Nomination, Selector, keep_off};
use super::stats::{Bounds, Database, Trial};

/// How loads are chosen. What makes a load good or bad is the goals' affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// draft-ietf-bmwg-mlrsearch: short trials first, all goals at once.
    Mlrsearch,
    /// Halving the interval, one goal behind the other, by trials of the full length.
    Binary,
}

/// Everything that a search is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// No trial is below.
    pub min_pps: f64,
    /// No trial is above.
    pub max_pps: f64,
    /// At least one.
    pub goals: Vec<Goal>,
    /// How loads are chosen.
    pub method: Method,
    /// Of a first trial at the highest load, in no figure; 0 is none.
    pub warmup_s: f64,
    /// Trial seconds at most.
    pub budget_s: f64,
}

/// What is to be measured next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ask {
    /// Frames a second.
    pub load_pps: f64,
    /// Of the trial.
    pub duration_s: f64,
    /// Whether it is in no figure.
    pub is_warmup: bool,
}

/// How the search for one goal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Both bounds, no further apart than asked.
    Found,
    /// The highest load is borne: the device is faster than what was offered.
    NeverLoses,
    /// The lowest load is not borne.
    AlwaysLoses,
    /// Time ran out before.
    Unfinished,
}

/// What is known of one goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Its name.
    pub goal: String,
    /// How it stands.
    pub verdict: Verdict,
    /// The relevant lower bound, frames a second: the answer.
    pub lower_pps: Option<f64>,
    /// The relevant upper bound.
    pub upper_pps: Option<f64>,
    /// Frames a second that arrive at the lower bound, in the worst trial that counts.
    pub conditional_pps: Option<f64>,
    /// Whether a higher load lost less than a lower one.
    pub is_inverted: bool,
}

/// Where the search is.
#[derive(Debug, Clone)]
enum Phase {
    Warmup,
    First,
    Second,
    Third(i64),
    Main(Vec<Selector>),
    Over,
}

/// A search under way.
#[derive(Debug)]
pub struct Machine {
    config: Config,
    grid: Grid,
    all: Database,
    phase: Phase,
    /// What was asked and not told yet, and whose wish it is.
    pending: Option<(Ask, i64, Option<usize>)>,
    /// The step outwards that all goals share.
    shared: i64,
    spent_s: f64,
    out_of_time: bool,
}

impl Machine {
    /// At its beginning.
    pub fn new(config: Config) -> Machine {
        let widths: Vec<f64> = config.goals.iter().map(|goal| goal.width).collect();
        let grid = Grid::new(config.min_pps, config.max_pps, &widths);
        let phase = if config.warmup_s > 0.0 { Phase::Warmup } else { Phase::First };
        Machine {
            config,
            grid,
            all: Database::default(),
            phase,
            pending: None,
            shared: 0,
            spent_s: 0.0,
            out_of_time: false,
        }
    }

    /// Trial seconds that no search of this configuration exceeds, whatever the device does; the budget, where that is
    /// less. Far more than a device that is steady needs.
    pub fn bound_s(config: &Config) -> f64 {
        let grid = Machine::new(config.clone()).grid;
        let of_target = |target: Target| {
            // Halvings of the whole range, doublings out to its ends from the middle of it, and the hints.
            let loads = 2.0 * (grid.max as f64 / target.width as f64).max(2.0).log2().ceil() + 3.0;
            loads * (target.sum_s + target.trial_s)
        };
        let goals = config.goals.iter().flat_map(|goal| goal.targets(grid.unit));
        let first = config.goals.iter().map(|goal| goal.initial_trial_s).fold(0.0, f64::max);
        let all: f64 = goals.map(of_target).sum::<f64>() + config.warmup_s + 3.0 * first;
        all.min(config.budget_s)
    }

    /// What to measure; none when the search is over. The same until it is told.
    pub fn next(&mut self) -> Option<Ask> {
        if self.pending.is_none() {
            self.pending = self.choose();
        }
        let (ask, ..) = self.pending?;
        if self.spent_s + ask.duration_s > self.config.budget_s {
            (self.out_of_time, self.pending, self.phase) = (true, None, Phase::Over);
            return None;
        }
        Some(ask)
    }

    fn ask(&self, step: i64, duration_s: f64, whose: Option<usize>) -> (Ask, i64, Option<usize>) {
        (Ask { load_pps: self.grid.pps(step), duration_s, is_warmup: false }, step, whose)
    }

    fn choose(&mut self) -> Option<(Ask, i64, Option<usize>)> {
        let (_, initial_s, _) = self.first_trials();
        match &mut self.phase {
            Phase::Warmup => {
                let (ask, step, whose) = self.ask(self.grid.max, self.config.warmup_s, None);
                Some((Ask { is_warmup: true, ..ask }, step, whose))
            }
            Phase::First if self.config.method == Method::Binary => {
                self.phase = Phase::Main(Vec::new());
                self.halve()
            }
            Phase::First => Some(self.ask(self.grid.max, initial_s, None)),
            // Chosen when the trial before was told.
            Phase::Second | Phase::Third(_) => None,
            Phase::Main(_) if self.config.method == Method::Binary => self.halve(),
            Phase::Main(selectors) => {
                let mut winner: Option<(Nomination, usize)> = None;
                for (index, selector) in selectors.iter_mut().enumerate() {
                    let Some(wish) = selector.nominate(&self.all, self.shared) else { continue };
                    if winner.is_none_or(|(best, _)| comes_before(&wish, &best)) {
                        winner = Some((wish, index));
                    }
                }
                let (wish, index) = winner?;
                self.shared = wish.width;
                Some(self.ask(wish.step, wish.duration_s, Some(index)))
            }
            Phase::Over => None,
        }
    }

    /// The first goal without an answer: the highest load, then halves.
    fn halve(&self) -> Option<(Ask, i64, Option<usize>)> {
        self.config.goals.iter().find_map(|goal| {
            let target = goal.target(self.grid.unit);
            let bounds = self.all.bounds(&target);
            let step = match (bounds.lower, bounds.upper) {
                (Some(lo), _) if lo >= self.grid.max => return None,
                (_, Some(0)) => return None,
                (_, None) => self.grid.max,
                (Some(lo), Some(hi)) if hi - lo <= target.width => return None,
                (lo, Some(hi)) => {
                    let middle = Grid::middle(lo.unwrap_or(0), hi, target.width);
                    // The lowest load is no bound before it is measured.
                    if lo.is_none() && hi <= target.width { 0 } else { middle }
                }
            };
            Some(self.ask(step, target.trial_s, None))
        })
    }

    /// The lowest loss that counts, the longest first trial and the widest width of all goals.
    fn first_trials(&self) -> (f64, f64, i64) {
        let goals = &self.config.goals;
        let coarsest = goals.iter().filter_map(|goal| goal.targets(self.grid.unit).first().copied());
        coarsest.fold((1.0, 0.0, 1), |(loss, s, width): (f64, f64, i64), target| {
            (loss.min(target.loss_ratio), s.max(target.trial_s), width.max(target.width))
        })
    }

    /// What came of what was asked.
    pub fn tell(&mut self, trial: &Trial) {
        let Some((ask, step, whose)) = self.pending.take() else { return };
        self.spent_s += trial.effective_s.max(ask.duration_s);
        if ask.is_warmup {
            self.phase = Phase::First;
            return;
        }
        self.all.add(step, trial);
        let (ratio, initial_s, width) = self.first_trials();
        // What arrives of a load is a hint at what can be borne, the more so with a loss that may be.
        let arrives = trial.load_pps * (1.0 - trial.loss_ratio()) / (1.0 - ratio);
        let arrives = self.grid.step(arrives);
        match &mut self.phase {
            Phase::First if arrives >= self.grid.max => self.begin(step, step),
            Phase::First => {
                let below = Bounds { lower: None, upper: Some(self.grid.max) };
                let Some(next) = keep_off(arrives, width, below, self.grid.max) else {
                    return self.begin(step, step);
                };
                self.phase = Phase::Second;
                self.pending = Some(self.ask(next, initial_s, None));
            }
            Phase::Second => {
                let bounds = match trial.loss_ratio() > ratio {
                    true => Bounds { lower: None, upper: Some(step) },
                    false => Bounds { lower: Some(step), upper: Some(self.grid.max) },
                };
                let wish = if bounds.lower.is_some() { step + width } else { arrives };
                // What lies on a bound tells nothing new.
                let new = bounds.upper.is_none_or(|hi| wish < hi) && bounds.upper != Some(0);
                match keep_off(wish, width, bounds, self.grid.max).filter(|_| new) {
                    None => self.begin(step, step),
                    Some(next) => {
                        self.phase = Phase::Third(step);
                        self.pending = Some(self.ask(next, initial_s, None));
                    }
                }
            }
            Phase::Third(second) => {
                let second = *second;
                self.begin(second.min(step), second.max(step));
            }
            Phase::Main(selectors) => {
                let winner = whose.and_then(|index| selectors.get_mut(index));
                if let Some(shared) = winner.and_then(|selector| selector.won(step, &self.all)) {
                    self.shared = shared;
                }
            }
            Phase::Warmup | Phase::Over => {}
        }
    }

    fn begin(&mut self, lo: i64, hi: i64) {
        self.shared = hi - lo;
        let goals = self.config.goals.iter();
        let selectors =
            goals.map(|goal| Selector::new(goal.targets(self.grid.unit), (lo, hi), self.grid.max));
        self.phase = Phase::Main(selectors.collect());
    }

    /// Trial seconds so far.
    pub fn spent_s(&self) -> f64 {
        self.spent_s
    }

    /// What is known of every goal.
    pub fn found(&self) -> Vec<Found> {
        self.config.goals.iter().map(|goal| self.found_of(goal)).collect()
    }

    fn found_of(&self, goal: &Goal) -> Found {
        let target = goal.target(self.grid.unit);
        let bounds = self.all.bounds(&target);
        let verdict = match (bounds.lower, bounds.upper) {
            (Some(lo), None) if lo >= self.grid.max => Verdict::NeverLoses,
            (None, Some(0)) => Verdict::AlwaysLoses,
            (Some(lo), Some(hi)) if hi - lo <= target.width => Verdict::Found,
            _ => Verdict::Unfinished,
        };
        let lost = bounds.lower.and_then(|lo| self.all.loss(lo, &target));
        let lower_pps = bounds.lower.map(|lo| self.grid.pps(lo));
        Found {
            goal: goal.name.clone(),
            verdict,
            lower_pps,
            upper_pps: bounds.upper.map(|hi| self.grid.pps(hi)),
            conditional_pps: lower_pps.zip(lost).map(|(pps, lost)| pps * (1.0 - lost)),
            is_inverted: self.all.is_inverted(&target),
        }
    }

    /// Whether the budget ended it.
    pub fn is_out_of_time(&self) -> bool {
        self.out_of_time
    }
}

/// Lower loads first, which are the surer ones; of one load the longer trial, then the wider step.
fn comes_before(a: &Nomination, b: &Nomination) -> bool {
    let key = |n: &Nomination| (n.step, -n.duration_s, -n.width as f64);
    key(a) < key(b)
}
