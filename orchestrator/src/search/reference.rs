//! Our search against the draft's reference implementation (PyPI: MLRsearch), on the same devices.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::simulated::{Device, MAX, MIN, config, csit, search};
use super::*;

/// A Python with the package; none where it can't be had, unless nothing may be skipped.
fn python() -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/mlrsearch");
    let done = Command::new(script).output().unwrap();
    if !done.status.success() {
        assert!(std::env::var_os("BENCH_NO_SKIP").is_none(), "{}", String::from_utf8_lossy(&done.stderr));
        eprintln!("SKIPPED: {}", String::from_utf8_lossy(&done.stderr));
        return None;
    }
    Some(String::from_utf8(done.stdout).unwrap().trim().to_owned())
}

fn theirs(python: &str, goals: &[Goal], cases: &[(Device, u64)]) -> Vec<Value> {
    let goals: Vec<Value> = goals
        .iter()
        .map(|goal| {
            json!({
                "loss_ratio": goal.loss_ratio, "exceed_ratio": goal.exceed_ratio, "relative_width": goal.width,
                "initial_trial_duration": goal.initial_trial_s, "final_trial_duration": goal.final_trial_s,
                "duration_sum": goal.duration_sum_s, "preceding_targets": goal.preceding, "expansion_coefficient": 2,
            })
        })
        .collect();
    let case = |(device, seed): &(Device, u64)| {
        let (device, limit, share) = match *device {
            Device::Limit(limit) => ("limit", limit, 0.0),
            Device::Noisy(limit, share) => ("noisy", limit, share),
            Device::Floor(limit, share) => ("floor", limit, share),
            Device::Cliff(limit) => ("cliff", limit, 0.0),
            other => panic!("{other:?} is not in reference.py"),
        };
        json!({"device": device, "limit": limit, "share": share, "seed": seed})
    };
    let given = json!({
        "min": MIN, "max": MAX, "goals": goals, "cases": cases.iter().map(case).collect::<Vec<_>>(),
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/search/reference.py");
    let mut command = Command::new(python);
    let mut child = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success());
    serde_json::from_slice(&done.stdout).unwrap()
}

/// Devices that do the same in each trial, and those that do not, each with several seeds.
fn cases() -> [Vec<(Device, u64)>; 2] {
    let limits = || (1..20).map(|n| MIN * (MAX / MIN).powf(f64::from(n) / 20.0));
    let steady = |limit| [Device::Limit(limit), Device::Cliff(limit), Device::Floor(limit, 0.001)];
    let noisy = |limit| [Device::Noisy(limit, 0.002), Device::Noisy(limit, 0.02)];
    let steady = limits().flat_map(steady).map(|device| (device, 1));
    let noisy = limits().flat_map(noisy).flat_map(|device| (1..=5).map(move |seed| (device, seed)));
    [steady.collect(), noisy.collect()]
}

/// Trial seconds of both over all cases; each answer is the same within the goal's width (and the noise).
fn seconds(python: &str, goals: &[Goal], cases: &[(Device, u64)]) -> Vec<(f64, f64)> {
    let pairs = cases.iter().zip(theirs(python, goals, cases));
    let compare = |((device, seed), theirs): (&(Device, u64), Value)| {
        let (found, simulated) = search(config(goals.to_vec(), Method::Mlrsearch), *device, *seed);
        let noise = if let Device::Noisy(_, share) = device { 2.0 * share } else { 0.0 };
        for ((goal, ours), theirs) in goals.iter().zip(found).zip(theirs["lower"].as_array().unwrap()) {
            match (ours.lower_pps, theirs.as_f64()) {
                (Some(ours), Some(theirs)) => {
                    let far = (ours - theirs).abs() / ours.max(theirs);
                    assert!(far <= goal.width + noise, "{device:?}: {ours} and {theirs}");
                }
                (ours, theirs) => assert_eq!(ours.is_some(), theirs.is_some(), "{device:?}"),
            }
        }
        (simulated.seconds, theirs["seconds"].as_f64().unwrap())
    };
    pairs.map(compare).collect()
}

#[test]
fn answers_are_those_of_the_reference_in_no_more_trial_seconds() {
    let Some(python) = python() else { return };
    let rfc2544 = vec![Goal::rfc2544("ndr", 0.0), Goal::rfc2544("pdr", 0.005)];
    for goals in [csit(), rfc2544] {
        let [steady, noisy] = cases();
        for ((device, _), (ours, theirs)) in steady.iter().zip(seconds(&python, &goals, &steady)) {
            assert!(ours <= theirs, "{device:?}: {ours} trial seconds, the reference {theirs}");
        }
        // Both make the same trials; a rounding of the last bit may turn one of them.
        let all = seconds(&python, &goals, &noisy);
        let (ours, theirs) = all.iter().fold((0.0, 0.0), |(a, b), (ours, theirs)| (a + ours, b + theirs));
        println!(
            "{}: {ours:.0} trial seconds on noisy devices, the reference {theirs:.0}",
            goals[0].final_trial_s
        );
        assert!(ours <= theirs * 1.01, "{ours} trial seconds, the reference {theirs}");
    }
}
