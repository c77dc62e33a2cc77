//! What a search says: a line a trial with the bounds that close in, and the answers.

use std::io;

use serde_json::json;

use super::file::{Group, SearchFile};
use super::measure::Load;
use crate::lab::pair_name;
use crate::say;
use crate::search::{Found, Verdict};
use crate::settings::OutputFormat;
use crate::show::{count, nanos, pps, seconds};

/// Whom it is of.
fn pairs(group: &Group) -> String {
    group.pairs.iter().map(|index| pair_name(*index)).collect::<Vec<_>>().join(" ")
}

fn bounds(found: &Found) -> String {
    let side = |value: Option<f64>| value.map_or_else(|| "?".to_owned(), pps);
    format!("{} {} … {}", found.goal, side(found.lower_pps), side(found.upper_pps))
}

/// A line for programs, or one for the eye. Nobody has to read either.
fn tell(output: OutputFormat, event: serde_json::Value, line: impl FnOnce() -> String) {
    match output {
        OutputFormat::Json => drop(say::out(event)),
        OutputFormat::Table => say::err(line()),
    }
}

/// The newest trial.
pub fn trial(output: OutputFormat, group: &Group, spent_s: f64) {
    let Some(entry) = group.trials.last() else { return };
    let (trial, n) = (&entry.trial, group.trials.len());
    let event = json!({
        "event": "search_trial", "pairs": pairs(group), "n": n, "entry": entry, "found": group.found, "spent_s": spent_s,
    });
    tell(output, event, || {
        let load = Load::Rate(trial.load_pps, trial.duration_s).words();
        let lost = trial.offered.saturating_sub(trial.received);
        let known: Vec<String> = group.found.iter().map(bounds).collect();
        let warmup = if entry.is_warmup { " (warm-up, in no figure)" } else { "" };
        format!(
            "{:>4} {load}: lost {} of {}{warmup}   {}",
            n,
            count(lost),
            count(trial.offered),
            known.join("   ")
        )
    });
}

/// The newest latency point.
pub fn latency(output: OutputFormat, group: &Group) {
    let Some(point) = group.latency.last() else { return };
    let event = json!({"event": "search_latency", "pairs": pairs(group), "point": point});
    tell(output, event, || {
        let worst =
            point.entry.pairs.iter().filter_map(|pair| pair.latency.as_ref()).max_by_key(|l| l.p99_ns);
        let load = pps(point.entry.trial.load_pps);
        match worst {
            None => format!("latency at {} ({load}): not measured, as the ends share no clock", point.name),
            Some(l) => format!(
                "latency at {} ({load}): p50 {}  p99 {}  max {}",
                point.name,
                nanos(l.p50_ns),
                nanos(l.p99_ns),
                nanos(l.max_ns)
            ),
        }
    });
}

/// The newest point of the loss curve.
pub fn curve(output: OutputFormat, group: &Group) {
    let Some(point) = group.loss_curve.last() else { return };
    let event = json!({"event": "search_loss", "pairs": pairs(group), "point": point});
    tell(output, event, || {
        let trial = &point.entry.trial;
        format!("loss at {} % ({}): {:.4} %", point.percent, pps(trial.load_pps), trial.loss_ratio() * 100.0)
    });
}

/// The bursts so far.
pub fn bursts(output: OutputFormat, group: &Group) {
    let Some(found) = &group.back_to_back else { return };
    let event = json!({"event": "search_bursts", "pairs": pairs(group), "back_to_back": found});
    tell(output, event, || {
        let more = if found.is_whole { " or more" } else { "" };
        format!(
            "longest burst: {}{more} frames on the mean of {}",
            count(found.mean_frames as u64),
            found.frames.len()
        )
    });
}

/// Before the first trial.
pub fn plan(output: OutputFormat, file: &SearchFile, done: usize) {
    let event =
        json!({"event": "search", "config": file.config, "bound_s": file.bound_s, "resumed_trials": done});
    tell(output, event, || {
        let goals: Vec<String> = file
            .config
            .goals
            .iter()
            .map(|goal| {
                format!("{} ({} % loss, {} % width)", goal.name, goal.loss_ratio * 100.0, goal.width * 100.0)
            })
            .collect();
        let again = if done > 0 { format!(", going on behind {done} trials") } else { String::new() };
        format!(
            "searching {} from {} to {}, for {} of trials at most a group{again}",
            goals.join(" and "),
            pps(file.config.min_pps),
            pps(file.config.max_pps),
            seconds(file.bound_s)
        )
    });
}

/// The answers.
pub fn answers(output: OutputFormat, file: &SearchFile) -> io::Result<()> {
    for group in &file.groups {
        for found in &group.found {
            match output {
                OutputFormat::Json => {
                    say::out(json!({"event": "search_result", "pairs": pairs(group), "found": found}))?;
                }
                OutputFormat::Table => say::out(format_args!("{}: {}", pairs(group), sentence(found)))?,
            }
        }
    }
    Ok(())
}

fn sentence(found: &Found) -> String {
    let value = |pps_: Option<f64>| pps_.map_or_else(|| "?".to_owned(), pps);
    let (goal, lower) = (&found.goal, value(found.lower_pps));
    let inverted = match found.is_inverted {
        true => "; a higher load lost less than this upper bound: the device is not steady",
        false => "",
    };
    match found.verdict {
        Verdict::Found => format!(
            "{goal} {lower} (upper bound {}, conditional throughput {}){inverted}",
            value(found.upper_pps),
            value(found.conditional_pps)
        ),
        Verdict::NeverLoses => {
            format!(
                "{goal} {lower} or more: the highest load is borne; a higher --max-rate may find the limit"
            )
        }
        Verdict::AlwaysLoses => format!(
            "{goal} none: the lowest load ({}) is not borne; look at the device, or try a lower --min-rate",
            value(found.upper_pps)
        ),
        Verdict::Unfinished => format!(
            "{goal} not found in time: between {lower} and {}; more of --max-time finds it{inverted}",
            value(found.upper_pps)
        ),
    }
}
