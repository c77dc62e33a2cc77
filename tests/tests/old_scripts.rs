//! The old system's scripts still read our results: Python and numpy by the old formats alone, over real runs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;

use bench_tests::process::run;
use bench_tests::profiles::UdpFlows;
use bench_tests::{bin, needs};
use serde_json::Value;

const SECONDS: &str = "3";
/// Of the busiest machine: a sample may be late, not away.
const MIN_SAMPLES: &str = "2";
const RATE: &str = "20kpps";

/// Measures `pairs` with so many cores an end, and has the old scripts read what that left.
fn measure_and_read(pairs: usize, tx_cores: &str, rx_cores: &str) {
    let Some(python) = needs::python_with("numpy") else { return };
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let profile = UdpFlows { flows: 100, frame_size: 64, rate: RATE, count: None }.write(place);
    let mut command = bin::orchestrator();
    command.args(["run", "--local", "--no-huge", "-n", &pairs.to_string(), "--duration", SECONDS]);
    command.args(["--tx-num-core", tx_cores, "--rx-num-core", rx_cores, "--sample-interval", "1"]);
    command.args(["--warmup-duration", "1", "--results", "results", "--profile"]).arg(&profile);
    let done = run(command.current_dir(place));
    assert!(done.status.success(), "{}: {}\n{}", done.status, done.stdout, done.stderr);

    let mut reader = Command::new(python);
    reader.arg(bin::data("devices/old_scripts.py")).arg(place.join("results"));
    reader.arg(profile.file_stem().unwrap()).args([tx_cores, rx_cores, MIN_SAMPLES]);
    let options = [format!("tx_num_core={tx_cores}"), format!("duration={SECONDS}")];
    let read = run(reader.args(options));
    assert!(read.status.success(), "{}", read.stderr);
    let told: Vec<Value> = read.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), pairs, "a folder a pair: {}", read.stdout);
    let trial = std::fs::read_dir(place.join("results")).unwrap().next().unwrap().unwrap().path();
    for pair in &told {
        let name = pair["pair"].as_str().unwrap();
        let result = std::fs::read(trial.join(name).join("result.json")).unwrap();
        let result: Value = serde_json::from_slice(&result).unwrap();
        let verdict = &result["verdict"];
        for (end, cores) in [("tx", tx_cores), ("rx", rx_cores)] {
            let workers = result[end]["summary"]["totals"]["cores"].as_array().unwrap().len();
            assert_eq!(workers.to_string(), cores, "workers of {name}'s {end} end");
        }
        let number = |value: &Value| value.as_u64().unwrap();
        // The series end with the last sample; the verdict has what came behind it, too.
        assert!((1..=number(&verdict["sent"])).contains(&number(&pair["sent"])), "{pair}, {verdict}");
        assert!(number(&pair["received"]) <= number(&verdict["received"]), "{pair}, {verdict}");
        assert!(number(&pair["received"]) > 0, "{pair}");
    }

    // And ours agree with what theirs found.
    for verb in ["sanity", "validate"] {
        let done = run(bin::orchestrator().args(["results", verb]).arg(place.join("results")));
        assert!(done.status.success(), "{verb}: {}{}", done.stdout, done.stderr);
    }
}

#[test]
fn of_one_pair_with_a_core_at_each_end() {
    measure_and_read(1, "1", "1");
}

#[test]
fn of_one_pair_with_several_cores() {
    measure_and_read(1, "2", "2");
}

#[test]
fn of_three_pairs_with_a_core_at_each_end() {
    measure_and_read(3, "1", "1");
}

#[test]
fn of_three_pairs_with_several_cores() {
    measure_and_read(3, "2", "2");
}
