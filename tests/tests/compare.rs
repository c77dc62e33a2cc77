//! `run --repeats`, `results list`, `show` and `compare`, as a user types them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use bench_tests::bin;
use bench_tests::process::{Finished, run};
use bench_tests::profiles::UdpFlows;
use serde_json::Value;

fn orchestrator(place: &Path, args: &str) -> Finished {
    run(bin::orchestrator().args(args.split(' ')).current_dir(place))
}

/// Every result below a folder.
fn results(root: &Path) -> Vec<PathBuf> {
    let trials = fs::read_dir(root).unwrap().map(|e| e.unwrap().path());
    trials.map(|trial| trial.join("tx0-rx0/result.json")).filter(|path| path.is_file()).collect()
}

/// The same results in another folder, each changed.
fn copied(from: &Path, to: &Path, bend: impl Fn(&mut Value)) {
    for path in results(from) {
        let mut json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        bend(&mut json);
        let copy = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::write(copy, serde_json::to_vec(&json).unwrap()).unwrap();
    }
}

#[test]
fn repeats_are_shown_and_compared_with_their_noise() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let profile = UdpFlows { flows: 10, frame_size: 64, rate: "5kpps", count: None }.write(place);
    let run = format!(
        "run --local --no-huge --duration 1 --warmup-duration 0 --repeats 3 --results a --profile {}",
        profile.display()
    );
    let done = orchestrator(place, &run);
    assert!(done.status.success(), "{}\n{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("interval of the median"), "{}", done.stdout);
    assert_eq!(results(&place.join("a")).len(), 3, "a trial each");

    let listed = orchestrator(place, "results list a --output json");
    let lines: Vec<Value> = listed.stdout.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    let started: Vec<u64> = lines.iter().map(|l| l["started_unix_ns"].as_u64().unwrap()).collect();
    assert!(started.is_sorted(), "the oldest first: {started:?}");
    let shown = orchestrator(place, "results show a --output json");
    let repeats: Vec<Value> = shown.stdout.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let repeats = repeats.iter().find(|l| l["event"] == "repeats").unwrap();
    assert_eq!(repeats["repeats"], 3);
    let mut rates: Vec<f64> = lines.iter().map(|l| l["rx_pps"].as_f64().unwrap()).collect();
    rates.sort_by(f64::total_cmp);
    assert_eq!(repeats["figures"]["rx_pps"]["median"], rates[1]);

    let same = orchestrator(place, "results compare a a");
    assert_eq!(same.status.code(), Some(0), "{}{}", same.stdout, same.stderr);
    copied(&place.join("a"), &place.join("slow"), |json| {
        json["verdict"]["rx_pps"] = (json["verdict"]["rx_pps"].as_f64().unwrap() * 0.5).into();
    });
    let slow = orchestrator(place, "results compare a slow");
    assert_eq!(slow.status.code(), Some(1), "{}{}", slow.stdout, slow.stderr);
    assert!(slow.stdout.contains("-50.00 %") && slow.stdout.contains("WORSE"), "{}", slow.stdout);
    // What does not decide does not fail; and the other way round it is an improvement.
    assert_eq!(
        orchestrator(place, "results compare a slow --metric p99_ns --threshold 1000").status.code(),
        Some(0)
    );
    let faster = orchestrator(place, "results compare slow a");
    assert!(faster.status.success() && faster.stdout.contains("better"), "{}", faster.stdout);

    copied(&place.join("a"), &place.join("other"), |json| {
        json["trial"]["tx"]["inventory"]["cpu_model"] = "another".into();
    });
    let unlike = orchestrator(place, "results compare a other");
    assert_eq!(unlike.status.code(), Some(1));
    assert!(unlike.stderr.contains("tx CPU") && unlike.stderr.contains("--unlike"), "{}", unlike.stderr);
    assert_eq!(orchestrator(place, "results compare a other --unlike").status.code(), Some(0));
}
