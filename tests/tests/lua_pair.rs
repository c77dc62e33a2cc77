//! `orchestrator lua run`: a script's port 0 is one process, its port 1 another, with agents of their own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;

use bench_tests::bin;
use bench_tests::lua::script;
use bench_tests::process::{Finished, Process, run};
use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

/// The command, with a folder of its own for the script's files.
fn command(file: &std::path::Path) -> (Command, TempDir) {
    let results = tempfile::tempdir().unwrap();
    let mut command = bin::orchestrator();
    command.args(["lua", "run", "--local", "--warmup-duration", "0", "--no-huge", "--output", "json", "-f"]);
    command.arg(file).arg("--results").arg(results.path());
    (command, results)
}

/// Runs a script of the corpus: what it printed, both ports' counters at the end, and its files.
fn on_pair(name: &str) -> (String, Value, TempDir) {
    let (mut command, results) = command(&script(name));
    let Finished { status, stdout, stderr } = run(&mut command);
    assert!(status.success(), "{status}: {stdout}\n{stderr}");
    let (output, last) = stdout.trim_end().rsplit_once('\n').unwrap_or(("", stdout.trim_end()));
    let ports = serde_json::from_str::<Value>(last).unwrap()["ports"].take();
    (output.to_owned(), ports, results)
}

#[test]
fn a_search_runs_over_a_sending_and_a_receiving_process() {
    let (output, ports, _) = on_pair("pair_rfc2544.lua");
    // 0.05 % is too much, 0.025 % is not, 0.0375 % is.
    assert!(output.starts_with("found 0.0250 after "), "{output}");
    assert_eq!((&ports[0]["opackets"], &ports[1]["ipackets"]), (&0.into(), &0.into()), "cleared");
}

#[test]
fn rates_and_sizes_change_while_it_sends() {
    let (output, ports, _) = on_pair("pair_ramp.lua");
    let rates: Vec<f64> = output.split('\t').skip(1).map(|n| n.parse().unwrap()).collect();
    // Ten times as many: no figure of time is asserted, only that they are clearly more.
    assert!(rates[1] > 2.0 * rates[0], "{rates:?}");
    assert!(ports[0]["opackets"].as_u64().unwrap() > 0);
    assert_eq!(ports[0]["opackets"], ports[1]["ipackets"]);
}

#[test]
fn latency_between_two_processes_is_sampled_while_it_runs() {
    let (output, ports, results) = on_pair("pair_latency.lua");
    let file = std::fs::read_to_string(results.path().join("samples/latency.txt")).unwrap();
    assert_eq!(output, format!("samples\t{}", file.lines().count() - 1));
    assert!(
        file.lines().count() > 2 && file.lines().skip(1).all(|ns| ns.parse::<u64>().unwrap() > 0),
        "{file}"
    );
    assert_eq!(ports[0]["opackets"], ports[1]["ipackets"]);
}

/// A script of these lines.
fn written(text: &str) -> (std::path::PathBuf, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.lua");
    std::fs::write(&path, text).unwrap();
    (path, folder)
}

#[test]
fn a_script_that_fails_or_is_interrupted_leaves_no_traffic() {
    let sends = "pktgen.set('0', 'rate', 0.01)\npktgen.start('0')\nprint('sends')\n";
    let (path, _folder) = written(&format!("{sends}error('enough')\n"));
    let Finished { status, stdout, stderr } = run(&mut command(&path).0);
    assert_eq!((status.code(), stdout.as_str()), (Some(1), "sends\n"), "{stderr}");
    assert!(stderr.contains("t.lua:4") && stderr.contains("enough"), "{stderr}");

    let (path, _folder) = written(&format!("{sends}pktgen.delay(600000)\n"));
    let (mut command, _results) = command(&path);
    // Its agents' state is there, and so in their command lines.
    let temporary = tempfile::tempdir().unwrap();
    command.env("TMPDIR", temporary.path());
    let mut process = Process::spawn(&mut command);
    assert_eq!(process.line().as_deref(), Some("sends"));
    assert!(processes_with(temporary.path()) >= 2, "its two agents");
    process.signal(Signal::SIGINT);
    assert_eq!(process.wait().code(), Some(130));
    let log = process.stderr_at_end();
    assert!(!log.contains("did not end"), "its agents end when told, with their engines: {log}");
    assert_eq!(processes_with(temporary.path()), 0, "{log}");
}

/// Processes that have a path in their command line.
fn processes_with(path: &std::path::Path) -> usize {
    let wanted = path.to_str().unwrap();
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(wanted)).count()
}

#[test]
fn the_receiver_sends_nothing() {
    let (path, _folder) = written("pktgen.start('1')\n");
    let Finished { status, stderr, .. } = run(&mut command(&path).0);
    assert_eq!(status.code(), Some(1));
    assert!(stderr.contains("t.lua:1") && stderr.contains("port 1 is the pair's receiver"), "{stderr}");
}

/// What is done while port 0 sends, what is said of it, and the options that it needs.
const HARM: &[(&str, &str, &[&str])] = &[
    ("while true do end", "ran for more than 2 s in all (--limit)", &["--limit", "2"]),
    ("while true do pktgen.delay(50) end", "ran for more than 2 s in all (--limit)", &["--limit", "2"]),
    ("local s = 'x' while true do s = s .. s end", "memory limit", &[]),
    ("assert(io.open('../../../../../../etc/passwd'))", "outside of what a script may use", &[]),
    ("os.execute('id')", "attempt to call a nil value (field 'execute')", &[]),
];

#[test]
fn hostile_scripts_end_with_an_error_and_leave_nothing() {
    for (harm, said, options) in HARM {
        // One line: where a slow machine's time is up doesn't matter.
        let text = format!("pktgen.set('0', 'rate', 0.01) pktgen.start('0') {harm} print('went on')");
        let (path, _folder) = written(&text);
        let (mut command, _results) = command(&path);
        let temporary = tempfile::tempdir().unwrap();
        let Finished { status, stdout, stderr } = run(command.args(*options).env("TMPDIR", temporary.path()));
        assert_eq!(status.code(), Some(1), "{harm}: {stderr}");
        assert!(stderr.contains("t.lua:1") && stderr.contains(said), "{harm}: not `{said}`: {stderr}");
        assert!(!stdout.contains("went on"), "{harm}: {stdout}");
        // Both agents ended their runs and then themselves: no engine is left that could send.
        assert!(!stderr.contains("did not end"), "{harm}: {stderr}");
        assert_eq!(processes_with(temporary.path()), 0, "{harm}");
        assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "{harm}: the agents' state");
    }
}
