//! What is said while an experiment runs: lines for the eye on standard error, and with `--output json` an object a
//! line on standard output.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::blame::Fault;
use crate::lab::pair_name;
use crate::results::result_json::Judged;
use crate::say;
use crate::settings::OutputFormat;
use crate::show::{count, pps, seconds};
use crate::show_results::show;
use crate::trial::Status;

/// More pairs than this are counted, not named.
const NAMED_MAX: usize = 4;

/// One trial of an experiment, for the eye.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// From 1.
    pub n: usize,
    /// How many profiles are run.
    pub of: usize,
    /// The profile.
    pub profile: &'a str,
    /// Attempt, from 1.
    pub attempt: u32,
    /// Seconds until everything is done.
    pub left_s: Option<f64>,
}

/// Says it.
#[derive(Debug, Clone, Copy)]
pub struct Events(pub OutputFormat);

impl Events {
    /// Something began.
    pub fn started(self, profiles: usize, cells: usize, done: usize, left_s: Option<f64>) {
        self.json(|| {
            json!({"event": "experiment_started", "profiles": profiles, "results": cells, "done": done,
                   "pending": cells - done, "estimated_s": left_s})
        });
        let about = left_s.map_or(String::new(), |s| format!(", about {}", seconds(s)));
        say::err(format_args!("{done} of {cells} results are there; {} to measure{about}", cells - done));
    }

    /// A trial begins.
    pub fn trial(self, step: Step<'_>, pairs: &[usize]) {
        self.json(|| {
            json!({"event": "trial_started", "n": step.n, "of": step.of, "profile": step.profile,
                   "pairs": names(pairs), "attempt": step.attempt, "remaining_s": step.left_s})
        });
        let again = if step.attempt > 1 { format!(", attempt {}", step.attempt) } else { String::new() };
        let left = step.left_s.map_or(String::new(), |s| format!("; about {} left", seconds(s)));
        say::err(format_args!("[{}/{}] {} on {}{again}{left}", step.n, step.of, step.profile, words(pairs)));
    }

    /// A trial left results.
    pub fn results(self, pairs: &[(Judged, PathBuf)]) {
        if self.0 == OutputFormat::Json {
            return show(pairs.iter().map(|(judged, folder)| (judged, folder.as_path())), self.0);
        }
        for (judged, folder) in pairs {
            let (record, v) = (&judged.outcome.record, &judged.verdict);
            let status = match judged.outcome.status {
                Status::Complete => "done",
                Status::Interrupted => "interrupted",
                Status::Failed => "failed",
            };
            let lost = v.lost.map_or("not measured".to_owned(), count);
            let line = format!(
                "{} {}: {status}; sent {}, received {} ({}), lost {lost}; results in {}",
                record.pair,
                record.profile_name,
                count(v.sent),
                count(v.received),
                pps(v.rx_pps),
                folder.display()
            );
            // As for single trials: what is on disk does not depend on the screen.
            drop(say::out(line));
            for warning in &judged.warnings {
                drop(say::out(format_args!("{}: warning: {warning}", record.pair)));
            }
        }
    }

    /// A pair's attempt failed.
    pub fn failed(self, profile: &str, pair: usize, fault: &Fault, attempt: u32, again: bool) {
        let pair = pair_name(pair);
        self.json(|| {
            json!({"event": "trial_failed", "profile": profile, "pair": pair, "attempt": attempt,
                   "again": again, "reason": fault.reason})
        });
        say::err(format_args!("{pair} {profile}: attempt {attempt} failed: {}", fault.reason));
    }

    /// An object on standard output, for those who asked for objects.
    pub fn json(self, event: impl FnOnce() -> Value) {
        if self.0 == OutputFormat::Json {
            // Whatever is behind standard output must not end the measurements.
            drop(say::out(event()));
        }
    }
}

/// `tx0-rx0`, ….
pub fn names(pairs: &[usize]) -> Vec<String> {
    pairs.iter().map(|pair| pair_name(*pair)).collect()
}

/// The same in words, short where they are many.
pub fn words(pairs: &[usize]) -> String {
    if pairs.len() <= NAMED_MAX { names(pairs).join(", ") } else { format!("{} pairs", pairs.len()) }
}
