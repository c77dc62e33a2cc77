//! Engines whose agent was killed: they end by themselves as soon as they notice, and here at the latest.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};
use traffic::wire::Ready;

use super::local::send;

/// An engine that is told to end does so at once, unless its driver hangs.
const END_LIMIT: Duration = Duration::from_secs(2);
/// Between two looks whether it is gone.
const STEP: Duration = Duration::from_millis(20);

/// Ends the engines that the agent of `pod` left; `state` is what was its state folder and `program` what it was
/// started as. Each comes back as a sentence.
pub async fn end_those_left(pod: &str, state: &Path, program: &Path) -> Vec<String> {
    let mut said = Vec::new();
    for pid in engines(state).into_iter().filter(|pid| is_left(*pid, program)) {
        send(pid, Signal::SIGTERM);
        if !is_over(pid, program).await {
            send(pid, Signal::SIGKILL);
        }
        said.push(format!("an engine of {pod} (pid {pid}) had lost its agent and was ended"));
    }
    said
}

/// The processes that the agent said its runs have.
fn engines(state: &Path) -> Vec<u32> {
    let runs = fs::read_dir(state.join("runs")).into_iter().flatten().flatten();
    runs.filter_map(|run| {
        let ready = fs::read(run.path().join("ready.json")).ok()?;
        serde_json::from_slice::<Ready>(&ready).ok().map(|ready| ready.pid)
    })
    .collect()
}

async fn is_over(pid: u32, program: &Path) -> bool {
    let until = Instant::now() + END_LIMIT;
    while is_left(pid, program) {
        if Instant::now() >= until {
            return false;
        }
        sleep(STEP).await;
    }
    true
}

/// Whether the process is an engine without an agent: its number may be somebody else's by now, even that of another
/// trial's engine, which has an agent for its parent.
fn is_left(pid: u32, program: &Path) -> bool {
    is_verb(pid, program, "engine") && !parent(pid).is_some_and(|p| is_verb(p, program, "agent"))
}

/// Whether the process is `dataplane VERB`. A dead one that nobody has buried has no words.
fn is_verb(pid: u32, program: &Path, verb: &str) -> bool {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&words);
    let mut words = words.split('\0');
    let name = words.next().and_then(|w| Path::new(w).file_name());
    name.is_some() && name == program.file_name() && words.next() == Some(verb)
}

fn parent(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|l| l.strip_prefix("PPid:"))?.trim().parse().ok()
}
