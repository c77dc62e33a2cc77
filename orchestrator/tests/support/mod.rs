//! A folder to run the program in, with the stand-in agent.
#![allow(dead_code, reason = "each test program uses a part")]

pub mod api;
pub mod cluster;

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// Seconds that a trial may take beside its warm-up and duration, as SPECIFICATION promises; less than one is usual.
pub const OVERHEAD_MAX_S: f64 = 5.0;

pub const PROFILE: &str = "profile_100_flows_pkt_size_64B_10_rate_s.lua";

/// A folder with profiles for two pairs, and a way to run the program in it.
pub struct Bench {
    pub folder: TempDir,
    pub mode: &'static str,
}

impl Bench {
    pub fn new(mode: &'static str) -> Bench {
        let bench = Bench { folder: tempfile::tempdir().unwrap(), mode };
        let made = bench.output("flows generate --flows 100 --local -n 2");
        assert!(made.status.success(), "{}", text(&made.stderr));
        bench
    }

    pub fn command(&self, line: &str) -> Command {
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

    pub fn output(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    pub fn run(&self, more: &str) -> Output {
        self.output(&format!("run --local --profile {PROFILE} {more}"))
    }

    pub fn spawn_run(&self, more: &str) -> Child {
        let line = format!("run --local --profile {PROFILE} {more}");
        self.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The only trial's folder.
    pub fn trial(&self) -> PathBuf {
        let trials: Vec<_> = fs::read_dir(self.folder.path().join("results")).unwrap().collect();
        assert_eq!(trials.len(), 1);
        trials[0].as_ref().unwrap().path()
    }

    pub fn result(&self, pair: &str) -> Value {
        serde_json::from_slice(&fs::read(self.trial().join(pair).join("result.json")).unwrap()).unwrap()
    }

    pub fn files(&self, pair: &str) -> Vec<String> {
        let entries = fs::read_dir(self.trial().join(pair)).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub fn nothing_was_left(&self) -> bool {
        !self.folder.path().join("results").exists()
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A program's standard error, read once: what a reader has buffered must not be lost to the next one.
pub struct Said(Lines<BufReader<ChildStderr>>);

impl Said {
    pub fn by(child: &mut Child) -> Said {
        Said(BufReader::new(child.stderr.take().unwrap()).lines())
    }

    /// Waits until a line contains `what`.
    pub fn wait_for(&mut self, what: &str) {
        assert!(self.0.by_ref().map_while(Result::ok).any(|line| line.contains(what)), "never said: {what}");
    }
}

pub fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}
