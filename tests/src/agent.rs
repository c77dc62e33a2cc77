//! `dataplane agent` as a process, and a client for its HTTP API that does no more than these tests need.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use traffic::wire::{RunSpec, RunState, RunStatus, Sample};

use crate::bin;
use crate::process::Process;
use crate::wait::{self, PATIENCE};

/// A running agent.
#[derive(Debug)]
pub struct Agent {
    /// The process.
    pub process: Process,
    address: SocketAddr,
}

impl Agent {
    /// Starts one on a free port.
    pub fn start(state_dir: &Path) -> Agent {
        Agent::start_by(bin::dataplane(), state_dir, &[])
    }

    /// Starts one with a command that ends with `dataplane`; the agent's arguments follow, `more` at their end.
    pub fn start_by(mut command: Command, state_dir: &Path, more: &[&OsStr]) -> Agent {
        command.args(["agent", "--listen", "127.0.0.1:0", "--state-dir"]).arg(state_dir).args(more);
        let mut process = Process::spawn(&mut command);
        let first = process.line().unwrap_or_else(|| panic!("the agent's log: {}", process.stderr()));
        let hello: Value = serde_json::from_str(&first).unwrap_or_else(|e| panic!("{first}: {e}"));
        let address = hello["listening"].as_str().and_then(|a| a.parse().ok());
        Agent { process, address: address.unwrap_or_else(|| panic!("no address in {first}")) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// One request: the status and the body.
    pub fn call(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE).expect("the agent listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        // HTTP/1.0: the answer comes in one piece and ends with the connection.
        let head = format!("{method} {path} HTTP/1.0\r\nContent-Type: application/json\r\n");
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).expect("the agent reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the agent answers in text");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        (status.unwrap_or_else(|| panic!("no status: {head}")), body.to_owned())
    }

    /// Makes a run; the agent must accept it.
    pub fn create(&self, spec: &RunSpec) {
        let (status, body) = self.call("POST", "/v1/runs", &serde_json::to_string(spec).expect("JSON"));
        assert_eq!(status, 201, "{body}");
    }

    /// Starts a run that is ready.
    pub fn start_run(&self, id: &str) {
        let (status, body) = self.call("POST", &format!("/v1/runs/{id}/start"), "");
        assert_eq!(status, 200, "{body}");
    }

    /// Waits until a run is in `state`; another end than that is a failure.
    pub fn wait_for(&self, id: &str, state: RunState) -> RunStatus {
        wait::until(&format!("run {id} is {state:?}"), || {
            let path = format!("/v1/runs/{id}?wait_ms=1000&state={}", name_of(state));
            let (status, body) = self.call("GET", &path, "");
            assert_eq!(status, 200, "{body}");
            let run: RunStatus = serde_json::from_str(&body).unwrap_or_else(|e| panic!("{body}: {e}"));
            let is_another_end = run.state.is_over() && run.state != state;
            assert!(!is_another_end, "run {id} is {:?}, not {state:?}: {:?}", run.state, run.error);
            (run.state == state).then_some(run)
        })
    }

    /// Samples from number `from`.
    pub fn samples(&self, id: &str, from: u64, wait_ms: u64) -> Vec<Sample> {
        let (status, body) =
            self.call("GET", &format!("/v1/runs/{id}/samples?from={from}&wait_ms={wait_ms}"), "");
        assert_eq!(status, 200, "{body}");
        body.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{l}: {e}"))).collect()
    }
}

fn name_of(state: RunState) -> String {
    serde_json::to_string(&state).expect("JSON").trim_matches('"').to_owned()
}
