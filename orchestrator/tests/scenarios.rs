//! The orchestrator's own program against agents that misbehave (`examples/fake_dataplane`).
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;
use support::{Bench, OVERHEAD_MAX_S, Said, signal, text};

/// Every array of every npz file in `folder`: `file key dtype shape`.
fn numpy(folder: &Path) -> String {
    let script = "import glob, numpy, sys
for f in sorted(glob.glob(sys.argv[1] + '/*.npz')):
    z = numpy.load(f)
    for k in z.files: print(f.split('/')[-1].split('_')[2], k, z[k].dtype, z[k].ndim, len(z[k]))";
    let output = Command::new("/usr/bin/python3").args(["-c", script]).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn a_whole_trial_leaves_whole_results() {
    let bench = Bench::new("");
    let ran = bench.run("--duration 1 --warmup-duration 0.3");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let said = text(&ran.stdout);
    assert!(said.contains("tx0-rx0: results in results/") && !said.contains("warning: warm-up"), "{said}");
    let result = bench.result("tx0-rx0");
    let verdict = &result["verdict"];
    assert_eq!(result["status"], "complete");
    assert_eq!(verdict["sent"], 1000);
    assert_eq!((&verdict["received"], &verdict["lost"]), (&verdict["sent"], &Value::from(0)));
    assert_eq!((&verdict["flows_asked"], &verdict["flows_seen"]), (&Value::from(100), &Value::from(100)));
    assert_eq!(verdict["loss_basis"], "sequence");
    assert!(result["timing"]["overhead_s"].as_f64().unwrap() < OVERHEAD_MAX_S);
    let files = bench.files("tx0-rx0");
    let plain: Vec<_> = files.iter().filter(|f| !f.ends_with(".npz")).collect();
    assert_eq!(
        plain,
        [
            "metadata.txt",
            "result.json",
            "rx0_stats.log",
            "rx0_warmup.log",
            "tx0_port_rate_stats.csv",
            "tx0_port_stats.csv"
        ]
    );
    let arrays = numpy(&bench.trial().join("tx0-rx0"));
    for line in [
        "rx rx_pps int64 1 ",
        "rx core_rx_packets int64 2 ",
        "tx mbits_tx float64 1 1\n",
        "tx port_obytes int64 1 1\n",
    ] {
        assert!(arrays.contains(line), "{line:?} in {arrays}");
    }
    let metadata = fs::read_to_string(bench.trial().join("tx0-rx0/metadata.txt")).unwrap();
    for line in metadata.lines().filter(|l| !l.starts_with('#')) {
        assert!(line.split_once('=').is_some_and(|(k, _)| !k.is_empty()), "{line}");
    }
    assert!(
        metadata.contains("\ntx_mac=02:00:00:00:00:09\n") && metadata.contains("\nwarmup_duration=0.3\n")
    );
}

#[test]
fn another_protocol_version_is_refused_by_name() {
    let bench = Bench::new("version");
    let ran = bench.run("--duration 1");
    assert_eq!(ran.status.code(), Some(1));
    let said = text(&ran.stderr);
    assert!(
        said.contains("version 99")
            && said.contains(&format!("orchestrator version {}", traffic::wire::VERSION)),
        "{said}"
    );
    assert!(bench.nothing_was_left());
}

#[test]
fn an_agent_that_does_not_start_is_shown_with_its_log() {
    let bench = Bench::new("no-hello");
    let ran = bench.run("--duration 1");
    assert_eq!(ran.status.code(), Some(1));
    let said = text(&ran.stderr);
    assert!(
        said.contains("the agent of tx0 did not start") && said.contains("no hugepages for breakfast"),
        "{said}"
    );
    assert!(bench.nothing_was_left());
}

#[test]
fn a_failed_preparation_is_an_error_that_leaves_nothing() {
    let bench = Bench::new("prepare-fails");
    let ran = bench.run("--duration 1 --warmup-duration 0");
    assert_eq!(ran.status.code(), Some(1));
    let said = text(&ran.stderr);
    assert!(said.contains("rx0: device vdev:net_memif0 can't be opened: no such driver"), "{said}");
    assert!(bench.nothing_was_left());
}

#[test]
fn a_sender_that_dies_fails_its_pair_and_keeps_what_was_received() {
    let bench = Bench::new("tx-dies@tx1");
    let ran = bench.run("-n 2 --duration 1 --warmup-duration 0");
    assert_eq!(ran.status.code(), Some(1), "{}", text(&ran.stderr));
    assert!(text(&ran.stderr).contains("tx1-rx1 failed: tx1: the engine was killed by signal 11"));
    let failed = bench.result("tx1-rx1");
    assert_eq!(
        (&failed["status"], &failed["verdict"]["loss_basis"]),
        (&"failed".into(), &"receiver_gaps".into())
    );
    assert!(failed["verdict"]["received"].as_u64().unwrap() > 0);
    let npz = bench.files("tx1-rx1").into_iter().filter(|f| f.ends_with(".npz")).count();
    assert_eq!(npz, 2);
    let whole = bench.result("tx0-rx0");
    assert_eq!((&whole["status"], &whole["verdict"]["sent"]), (&"complete".into(), &1000.into()));
}

#[test]
fn a_cut_sample_stream_is_resumed_without_holes() {
    let bench = Bench::new("cut");
    let ran = bench.run("--duration 1.5 --warmup-duration 0");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let result = bench.result("tx0-rx0");
    for side in ["tx", "rx"] {
        let samples = result[side]["samples"].as_array().unwrap();
        assert!(samples.len() > 5);
        for (i, sample) in samples.iter().enumerate() {
            assert_eq!(sample["n"], i, "{side}");
        }
    }
}

#[test]
fn loss_is_counted_exactly() {
    let bench = Bench::new("loses");
    let ran = bench.run("--duration 1 --warmup-duration 0 --output json");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let lines: Vec<Value> =
        text(&ran.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!((&last["event"], &last["verdict"]["lost"]), (&"result".into(), &7.into()));
    assert!(lines.iter().any(|l| l["event"] == "sample" && l["role"] == "rx"));
}

#[test]
fn a_warm_up_that_nothing_comes_through_ends_the_trial_before_it_is_paid_for() {
    // Every agent is mute here, and reflects nothing.
    let bench = Bench::new("mute");
    let ran = bench.run("--duration 1 --warmup-duration 0.3");
    assert_eq!(ran.status.code(), Some(1));
    let said = text(&ran.stderr);
    assert!(
        said.contains("warm-up: tx0 received 300 (port: out 0, in 300) of rx0 and its port took nothing"),
        "{said}"
    );
    assert!(bench.nothing_was_left());

    let forced = bench.run("--duration 1 --warmup-duration 0.3 --force");
    assert!(forced.status.success(), "{}", text(&forced.stderr));
    assert!(text(&forced.stdout).contains("warning: warm-up: tx0 received"), "{}", text(&forced.stdout));
}

#[test]
fn an_agent_that_vanishes_leaves_no_engine() {
    let bench = Bench::new("vanishes@tx0");
    let ran = bench.run("--duration 2 --warmup-duration 0");
    assert_eq!(ran.status.code(), Some(1));
    let said = text(&ran.stderr);
    let pid = said.split_once("its engine is process ").unwrap().1.split(',').next().unwrap();
    assert!(
        said.contains(&format!("an engine of tx0 (pid {pid}) had lost its agent and was ended")),
        "{said}"
    );
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    assert!(words.is_empty(), "{pid} is still there");
    assert!(bench.result("tx0-rx0")["verdict"]["received"].as_u64().unwrap() > 0);
}

#[test]
fn a_trial_that_runs_is_not_recovered() {
    let bench = Bench::new("");
    // It runs for as long as the recovery takes, however slow the machine is.
    let mut child = bench.spawn_run("--duration 600 --warmup-duration 0");
    let mut said = Said::by(&mut child);
    said.wait_for("   1 s  offered");
    let recovered = bench.output("results recover results");
    assert_eq!(recovered.status.code(), Some(1));
    let refused = text(&recovered.stderr);
    assert!(refused.contains(&format!("is being worked on by process {}", child.id())), "{refused}");
    assert!(child.try_wait().unwrap().is_none(), "it goes on");
    signal(&child, Signal::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let result = bench.result("tx0-rx0");
    assert_eq!((&result["status"], &result["verdict"]["lost"]), (&"interrupted".into(), &0.into()));
}

#[test]
fn ctrl_c_keeps_what_was_measured() {
    let bench = Bench::new("");
    // Longer than any test may take: that it ends shows that it was told to.
    let mut child = bench.spawn_run("--duration 600 --warmup-duration 0");
    let mut said = Said::by(&mut child);
    said.wait_for("   1 s  offered");
    signal(&child, Signal::SIGINT);
    said.wait_for("keeping what was measured");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let result = bench.result("tx0-rx0");
    assert_eq!((&result["status"], &result["verdict"]["lost"]), (&"interrupted".into(), &0.into()));
    assert!(bench.files("tx0-rx0").iter().any(|f| f.ends_with(".npz")));
}

#[test]
fn a_second_ctrl_c_leaves_at_once_and_the_results_can_be_recovered() {
    let bench = Bench::new("never-stops");
    let mut child = bench.spawn_run("--duration 30 --warmup-duration 0");
    let mut said = Said::by(&mut child);
    said.wait_for("   1 s  offered");
    signal(&child, Signal::SIGINT);
    said.wait_for("again to leave at once");
    signal(&child, Signal::SIGINT);
    said.wait_for("results recover");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let recovered = bench.output("results recover results");
    assert_eq!(recovered.status.code(), Some(1));
    let result = bench.result("tx0-rx0");
    assert_eq!(result["status"], "failed");
    assert!(result["error"].as_str().unwrap().contains("tx0: its run left no last word"));
    assert!(!result["tx"]["samples"].as_array().unwrap().is_empty());
}

#[test]
fn ctrl_c_before_any_traffic_leaves_nothing() {
    let bench = Bench::new("");
    let mut child = bench.spawn_run("--duration 30 --warmup-duration 30");
    let mut said = Said::by(&mut child);
    said.wait_for("warming up");
    signal(&child, Signal::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(bench.nothing_was_left());
}

#[test]
fn a_killed_orchestrator_loses_nothing() {
    let bench = Bench::new("");
    // Long enough to be killed in its middle by a test that doesn't get its CPU for a while.
    let mut child = bench.spawn_run("--duration 4 --warmup-duration 0.3");
    let mut said = Said::by(&mut child);
    said.wait_for(" s  offered");
    signal(&child, Signal::SIGKILL);
    child.wait().unwrap();
    assert!(!bench.trial().join("tx0-rx0/result.json").exists());
    let recovered = bench.output("results recover results");
    assert!(recovered.status.success(), "{}", text(&recovered.stderr));
    let result = bench.result("tx0-rx0");
    assert_eq!((&result["status"], &result["verdict"]["sent"]), (&"complete".into(), &4000.into()));
    assert_eq!(result["verdict"]["lost"], 0);
    assert!(!bench.trial().join("tx0-rx0/.state").exists());
    assert_eq!(bench.files("tx0-rx0").len(), 8);
    let again = bench.output("results recover results");
    assert!(text(&again.stderr).contains("holds no unfinished trial"), "{}", text(&again.stderr));
}
