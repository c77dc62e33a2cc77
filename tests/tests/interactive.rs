//! `--interactive` in a pseudo-terminal, seen by a terminal emulator: real agents and engines over memif behind it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use bench_tests::process::run;
use bench_tests::profiles::UdpFlows;
use bench_tests::{bin, needs};
use serde_json::{Value, json};

const COLUMNS: usize = 100;

/// What a user saw who did `steps`, and the results' only `result.json`.
fn at_the_terminal(python: &Path, steps: &Value, duration: &str) -> (Value, Value) {
    let folder = tempfile::tempdir().unwrap();
    let profile = UdpFlows { flows: 4, frame_size: 64, rate: "10kpps", count: None }.write(folder.path());
    let results = folder.path().join("results");
    let program = bin::orchestrator();
    let mut command = Command::new(python);
    command.arg(bin::data("devices/terminal.py")).args([&COLUMNS.to_string(), "24", &steps.to_string()]);
    command.arg(program.get_program()).args(["run", "--local", "--interactive", "--warmup-duration", "0"]);
    command.args(["--duration", duration]).arg("--profile").arg(profile).arg("--results").arg(&results);
    for (name, value) in program.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let done = run(command.current_dir(folder.path()));
    assert!(done.status.success(), "{}\n{}", done.stdout, done.stderr);
    let seen: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(seen["left"], json!([]), "all keys were typed: {seen:#}");
    (seen, result(&results))
}

fn result(results: &Path) -> Value {
    let only = |folder: &Path| std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let pair = only(&only(results));
    let log = std::fs::read_to_string(pair.join("events.log")).unwrap_or_default();
    let mut result: Value =
        serde_json::from_slice(&std::fs::read(pair.join("result.json")).unwrap()).unwrap();
    result["events_log"] = log.into();
    result
}

#[test]
fn a_user_sees_the_run_marks_it_halves_its_rate_and_stops_it() {
    let Some(python) = needs::python_with("pyte") else { return };
    let steps = json!([
        // Figures of both ends, latency, and a core of each.
        [r"tx0-rx0 +\d\S* kpps +\d\S* kpps +\d\S* kpps +0 +\S+ .s.*tx CPU.*rx CPU.*q quit", "m"],
        ["mark 1 at", "<"],
        ["rate 75 % at", "<"],
        // What is offered is exact, however busy the machine is.
        [r"rate 50 %\n.*tx0-rx0 +(4\.9\d*|5|5\.0\d*) kpps.*rate 50 % at", "s"],
    ]);
    let (seen, result) = at_the_terminal(python, &steps, "50");
    let first = &seen["seen"][0];
    assert!(
        first.as_str().unwrap().contains(&format!("trial {}", result["trial"]["expid"].as_str().unwrap()))
    );
    // The terminal is as it was, and what was said stays on it.
    assert_eq!(seen["alternate"], json!([1, 1]));
    assert!(seen["after"].as_str().unwrap().contains("mark 1 at"), "{seen:#}");
    // Stopped, not failed, and nothing was lost at the seams of the rates.
    assert_eq!(result["status"], "interrupted", "{}", result["error"]);
    assert_eq!(seen["status"], 130);
    assert_eq!((&result["verdict"]["lost"], &result["verdict"]["reordered"]), (&json!(0), &json!(0)));
    assert_eq!(result["verdict"]["received"], result["verdict"]["sent"]);
    let events = result["trial"]["events"].as_array().unwrap();
    let what: Vec<&str> = events.iter().map(|event| event["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["mark 1", "rate 75 %", "rate 50 %", "stop"]);
    let begun = result["trial"]["started_unix_ns"].as_u64().unwrap();
    assert!(events.iter().all(|event| event["unix_ns"].as_u64().unwrap() > begun));
    assert_eq!(result["events_log"].as_str().unwrap().lines().count(), 4);
    assert!(result["events_log"].as_str().unwrap().contains(" s mark 1\n"));
    let warnings = result["warnings"].to_string();
    assert!(warnings.contains("the rate was changed 2 time(s)"), "{warnings}");
    slow_link(&seen);
}

/// A drawing a quarter of a second at most, each of what changed only: what 9600 baud bear.
fn slow_link(seen: &Value) {
    let reads = seen["reads"].as_array().unwrap();
    let bytes: u64 = reads.iter().map(|read| read[1].as_u64().unwrap()).sum();
    let seconds = reads.last().unwrap()[0].as_f64().unwrap();
    assert!(bytes as f64 <= 4000.0 + 960.0 * seconds, "{bytes} bytes in {seconds} s");
    assert!(seen["clears"].as_u64().unwrap() <= 2, "the screen is drawn whole once");
}

#[test]
fn ctrl_c_ends_the_run_in_order_and_gives_the_terminal_back() {
    let Some(python) = needs::python_with("pyte") else { return };
    let steps = json!([[r"tx0-rx0 +\d\S* kpps +\d\S* kpps +[1-9]\S* kpps", "\u{3}"]]);
    let (seen, result) = at_the_terminal(python, &steps, "50");
    assert_eq!((&seen["status"], &seen["alternate"]), (&json!(130), &json!([1, 1])));
    assert_eq!(result["status"], "interrupted");
    assert_eq!(result["verdict"]["received"], result["verdict"]["sent"]);
}

#[test]
fn without_a_terminal_plain_lines_do() {
    let folder = tempfile::tempdir().unwrap();
    let profile = UdpFlows { flows: 4, frame_size: 64, rate: "10kpps", count: None }.write(folder.path());
    let mut command = bin::orchestrator();
    command.args([
        "run",
        "--local",
        "--interactive",
        "--warmup-duration",
        "0",
        "--duration",
        "2",
        "--profile",
    ]);
    let done = run(command.arg(profile).current_dir(folder.path()));
    assert!(done.status.success(), "{}", done.stderr);
    assert!(
        done.stderr.contains("--interactive: standard input and standard error are no terminal: plain lines")
    );
    assert!(done.stderr.contains(" s  offered"), "{}", done.stderr);
    assert!(!done.stderr.contains('\u{1b}'));
}
