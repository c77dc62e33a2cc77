//! `dataplane lua` on a ring, or on the two ends of a veth pair with tcpdump as witness.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use serde_json::Value;
use tempfile::TempDir;

use crate::netns::Netns;
use crate::process::{Finished, Process, run};
use crate::tcpdump::Tcpdump;
use crate::{bin, cpus};

/// A ring: what port 0 sends comes back to it.
pub const RING: &[&str] = &["vdev:net_ring0"];

/// A run that ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What the script printed, without the last line, which is the summary.
    pub output: String,
    /// The summary's ports; null where there is none.
    pub ports: Value,
    /// Warnings and errors.
    pub stderr: String,
    /// Where the script's files are.
    pub results: TempDir,
}

impl Ended {
    /// A counter of a port.
    pub fn count(&self, port: usize, name: &str) -> u64 {
        self.ports[port][name].as_u64().unwrap_or_else(|| panic!("no {name} of port {port}: {self:?}"))
    }

    /// Panics unless it ended well.
    #[must_use]
    pub fn ok(self) -> Ended {
        assert!(self.status.success(), "{}: {}\n{}", self.status, self.stderr, self.output);
        self
    }

    /// A file that the script wrote.
    pub fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.results.path().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }
}

/// A script of the corpus.
pub fn script(name: &str) -> PathBuf {
    bin::data("lua").join(name)
}

/// The command, with a results directory of its own.
pub fn command(devices: &[&str], more: &[&str]) -> (Command, TempDir) {
    let results = tempfile::tempdir().expect("a temporary folder");
    let mut command = bin::dataplane();
    command.arg("lua");
    for device in devices {
        command.args(["--device", device]);
    }
    command.args(["--no-huge", "--output", "json", "--lcores", &cpus::tx(devices.len())]);
    if !more.contains(&"--results-dir") {
        command.arg("--results-dir").arg(results.path());
    }
    command.args(more);
    (command, results)
}

fn ended(finished: Finished, results: TempDir) -> Ended {
    let Finished { status, stdout, stderr } = finished;
    let (output, last) = match stdout.trim_end().rsplit_once('\n') {
        Some((output, last)) => (output.to_owned(), last.to_owned()),
        None => (String::new(), stdout.trim_end().to_owned()),
    };
    let summary: Option<Value> = serde_json::from_str(&last).ok();
    let output = if summary.is_some() { output } else { stdout };
    let ports = summary.map(|mut s| s["ports"].take()).unwrap_or_default();
    Ended { status, output, ports, stderr, results }
}

/// Runs a file on devices.
pub fn file(path: &Path, devices: &[&str], more: &[&str]) -> Ended {
    let (mut command, results) = command(devices, more);
    command.arg("-f").arg(path);
    ended(run(&mut command), results)
}

/// Runs a text on a ring.
pub fn text(text: &str, more: &[&str]) -> Ended {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("t.lua");
    std::fs::write(&path, text).expect("a temporary file");
    file(&path, RING, more)
}

/// Runs a file between the ends of a veth pair, port 0 and port 1: what the witness saw arrive at port 1, `frames` of
/// them, and the run's end.
pub fn on_veth(path: &Path, frames: usize, more: &[&str]) -> (Vec<Vec<u8>>, Ended) {
    let netns = Netns::new("lua");
    netns.join("p0", &netns, "p1");
    let witness = Tcpdump::start(&netns, "p1");
    let (mut command, results) = command(&["iface:p0", "iface:p1"], more);
    command.arg("-f").arg(path);
    let end = ended(run(&mut netns.wrap(command)), results).ok();
    (witness.stop(frames), end)
}

/// Runs a file between the ends of a veth pair, port 0 and port 1, without a witness.
pub fn between_ports(path: &Path) -> Ended {
    let netns = Netns::new("lua");
    netns.join("p0", &netns, "p1");
    let (mut command, results) = command(&["iface:p0", "iface:p1"], &[]);
    command.arg("-f").arg(path);
    ended(run(&mut netns.wrap(command)), results).ok()
}

/// A process with a control port, and that port's address.
pub fn served(more: &[&str]) -> (Process, String, TempDir) {
    let (mut command, results) = command(RING, &["-g", "127.0.0.1:0"]);
    command.args(more);
    let process = Process::spawn(&mut command);
    let address = crate::wait::until("the control port", || {
        let log = process.stderr();
        let (_, rest) = log.split_once("control port: ")?;
        rest.split_once('\n').map(|(address, _)| address.to_owned())
    });
    (process, address, results)
}
