//! The orchestrator's own program against agents that misbehave (`examples/fake_dataplane.rs`).
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

const PROFILE: &str = "profile_100_flows_pkt_size_64B_10_rate_s.lua";

/// A folder with profiles for two pairs, and a way to run the program in it.
struct Bench {
    folder: TempDir,
    mode: &'static str,
}

impl Bench {
    fn new(mode: &'static str) -> Bench {
        let bench = Bench { folder: tempfile::tempdir().unwrap(), mode };
        let made = bench.output("flows generate --flows 100 --local -n 2");
        assert!(made.status.success(), "{}", text(&made.stderr));
        bench
    }

    fn command(&self, line: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_orchestrator"));
        let mut command = Command::new(program);
        command
            .args(line.split(' '))
            .current_dir(self.folder.path())
            .env("DATAPLANE", program.with_file_name("examples").join("fake_dataplane"))
            .env("FAKE_MODE", self.mode)
            .env("FAKE_SHARED", self.folder.path());
        command
    }

    fn output(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    fn run(&self, more: &str) -> Output {
        self.output(&format!("run --local --profile {PROFILE} {more}"))
    }

    fn spawn_run(&self, more: &str) -> Child {
        let line = format!("run --local --profile {PROFILE} {more}");
        self.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The only trial's folder.
    fn trial(&self) -> PathBuf {
        let trials: Vec<_> = fs::read_dir(self.folder.path().join("results")).unwrap().collect();
        assert_eq!(trials.len(), 1);
        trials[0].as_ref().unwrap().path()
    }

    fn result(&self, pair: &str) -> Value {
        serde_json::from_slice(&fs::read(self.trial().join(pair).join("result.json")).unwrap()).unwrap()
    }

    fn files(&self, pair: &str) -> Vec<String> {
        let entries = fs::read_dir(self.trial().join(pair)).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn nothing_was_left(&self) -> bool {
        !self.folder.path().join("results").exists()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A program's standard error, read once: what a reader has buffered must not be lost to the next one.
struct Said(Lines<BufReader<ChildStderr>>);

impl Said {
    fn by(child: &mut Child) -> Said {
        Said(BufReader::new(child.stderr.take().unwrap()).lines())
    }

    /// Waits until a line contains `what`.
    fn wait_for(&mut self, what: &str) {
        assert!(self.0.by_ref().map_while(Result::ok).any(|line| line.contains(what)), "never said: {what}");
    }
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

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
    assert!(text(&ran.stdout).contains("tx0-rx0: results in results/"), "{}", text(&ran.stdout));
    let result = bench.result("tx0-rx0");
    let verdict = &result["verdict"];
    assert_eq!(result["status"], "complete");
    assert_eq!(verdict["sent"], 1000);
    assert_eq!((&verdict["received"], &verdict["lost"]), (&verdict["sent"], &Value::from(0)));
    assert_eq!((&verdict["flows_asked"], &verdict["flows_seen"]), (&Value::from(100), &Value::from(100)));
    assert_eq!(verdict["loss_basis"], "sequence");
    assert!(result["timing"]["overhead_s"].as_f64().unwrap() < 5.0);
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
    assert!(said.contains("version 99") && said.contains("orchestrator version 1"), "{said}");
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
fn ctrl_c_keeps_what_was_measured() {
    let bench = Bench::new("");
    let mut child = bench.spawn_run("--duration 30 --warmup-duration 0");
    let mut said = Said::by(&mut child);
    said.wait_for("received 1.0");
    let asked = Instant::now();
    signal(&child, Signal::SIGINT);
    said.wait_for("keeping what was measured");
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(asked.elapsed() < Duration::from_secs(10));
    let result = bench.result("tx0-rx0");
    assert_eq!((&result["status"], &result["verdict"]["lost"]), (&"interrupted".into(), &0.into()));
    assert!(bench.files("tx0-rx0").iter().any(|f| f.ends_with(".npz")));
}

#[test]
fn a_second_ctrl_c_leaves_at_once_and_the_results_can_be_recovered() {
    let bench = Bench::new("never-stops");
    let mut child = bench.spawn_run("--duration 30 --warmup-duration 0");
    let mut said = Said::by(&mut child);
    said.wait_for("received 1.0");
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
    let mut child = bench.spawn_run("--duration 2 --warmup-duration 0.3");
    let mut said = Said::by(&mut child);
    said.wait_for("received 1.0");
    signal(&child, Signal::SIGKILL);
    child.wait().unwrap();
    assert!(!bench.trial().join("tx0-rx0/result.json").exists());
    let recovered = bench.output("results recover results");
    assert!(recovered.status.success(), "{}", text(&recovered.stderr));
    let result = bench.result("tx0-rx0");
    assert_eq!((&result["status"], &result["verdict"]["sent"]), (&"complete".into(), &2000.into()));
    assert_eq!(result["verdict"]["lost"], 0);
    assert!(!bench.trial().join("tx0-rx0/.state").exists());
    assert_eq!(bench.files("tx0-rx0").len(), 8);
    let again = bench.output("results recover results");
    assert!(text(&again.stderr).contains("holds no unfinished trial"), "{}", text(&again.stderr));
}

#[test]
fn bad_input_is_named_before_anything_starts() {
    let bench = Bench::new("no-hello");
    let cases = [
        (
            format!("run --profile {PROFILE}"),
            "the Kubernetes lab is not in this version; run on this machine with --local",
        ),
        (
            format!("run --local --profile {PROFILE} --interactive true"),
            "--interactive true is not there yet",
        ),
        (format!("run --local --profile {PROFILE} --results /proc/nowhere"), "creating /proc/nowhere/"),
        (
            format!("run --local --profile {PROFILE} --rxq 2 --rx_num_core 3"),
            "--rxq 2 and --rx-num-core 3 differ",
        ),
        (
            format!("run --local --profile {PROFILE} --tx-device iface:a"),
            "--tx-device was given without --rx-device",
        ),
        (
            "run --local --profile nothing.lua".to_owned(),
            "profile `nothing.lua` is neither flows/tx0-rx0/nothing.lua nor",
        ),
        (format!("run --local --profile {PROFILE} --dataplane /nowhere"), "--dataplane names `/nowhere`"),
    ];
    for (line, expected) in cases {
        let ran = bench.output(&line);
        assert_eq!(ran.status.code(), Some(1), "{line}");
        assert!(text(&ran.stderr).contains(expected), "{line}: {}", text(&ran.stderr));
        assert!(bench.nothing_was_left(), "{line}");
    }
}
