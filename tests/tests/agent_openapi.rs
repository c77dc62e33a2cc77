//! The agent keeps to its OpenAPI document whatever it is sent: schemathesis makes requests by the document, valid and
//! broken ones, and looks at every answer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use bench_tests::agent::Agent;
use bench_tests::netns::Netns;
use bench_tests::process::{Finished, run, run_within};
use bench_tests::{bin, needs};
use nix::sys::signal::Signal;
use serde_json::Value;

/// Requests of each operation that are made up by chance.
const EXAMPLES: &str = "40";
/// Failures can be made again. Other numbers find other things: try some after a change of the API.
const SEED: &str = "1";
/// All of them take half a minute of a CPU that is theirs alone.
const LIMIT: Duration = Duration::from_secs(210);

fn schemathesis() -> Option<PathBuf> {
    let Finished { status, stdout, stderr } =
        run(&mut Command::new(bin::repository().join("scripts/schemathesis")));
    if !status.success() {
        needs::skip(&format!("needs schemathesis: {stderr}"));
        return None;
    }
    Some(PathBuf::from(stdout.trim_end()))
}

#[test]
fn the_document_that_is_served_is_the_one_that_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::start(folder.path());
    let (status, served) = agent.call("GET", "/openapi.json", "");
    assert_eq!(status, 200);
    let printed = run(bin::dataplane().args(["agent", "--openapi"])).stdout;
    let document: Value = serde_json::from_str(&served).unwrap();
    assert_eq!(document, serde_json::from_str::<Value>(&printed).unwrap());
    assert_eq!(document["info"]["x-wire-version"], traffic::wire::VERSION);
    for reference in references(&document) {
        let at = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} is elsewhere"));
        assert!(document.pointer(at).is_some(), "{reference} leads nowhere");
    }
}

fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().flat_map(references).collect(),
        Value::Object(object) => {
            let own = object.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(object.values().flat_map(references)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn schemathesis_finds_no_fault() {
    // In a namespace of its own no made-up address can be reached.
    if !needs::root_and(&["ip", "python3"]) {
        return;
    }
    let Some(schemathesis) = schemathesis() else { return };
    let (state, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let netns = Netns::new("api");
    netns.set_link("lo", "up");
    // Engines are stand-ins that open nothing, and leave a line each.
    let started = scratch.path().join("started");
    let engine = bin::data("../dataplane/tests/fake_engine.py");
    let script = format!("echo >> {}; exec python3 {}", started.display(), engine.display());
    let engine_command = ["--engine-command", "sh", "-c", &script].map(OsStr::new);
    netns.inside(|| {
        let mut agent = Agent::start_by(bin::dataplane(), state.path(), &engine_command);
        let url = format!("http://{}/openapi.json", agent.address());
        let mut command = Command::new(schemathesis);
        command.arg("--config-file").arg(bin::data("schemathesis.toml"));
        command.args(["run", &url, "--checks", "all", "--continue-on-failure", "--no-color"]);
        command.args(["--max-examples", EXAMPLES, "--seed", SEED]).current_dir(scratch.path());
        let done = run_within(&mut command, LIMIT);
        let log = agent.process.stderr();
        assert!(done.status.success(), "{}\n{}\nThe agent's log:\n{log}", done.stdout, done.stderr);
        assert!(agent.process.is_running() && !log.contains("panicked"), "the agent's log: {log}");
        let engines = std::fs::read_to_string(&started).unwrap_or_default().lines().count();
        assert!(engines > 0, "no run was made, so nothing of runs was tested: {}", done.stdout);
        agent.process.signal(Signal::SIGTERM);
        assert_eq!(agent.process.wait().code(), Some(0));
        eprintln!("{engines} runs were made\n{}", done.stdout);
    });
}
