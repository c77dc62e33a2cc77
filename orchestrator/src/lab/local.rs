//! Pairs on this machine: two agents a pair, as processes.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::devices::{PairDevices, memif_pair};
use super::{CoreWish, Endpoint, Lab, LabError, LabPair, PairCores, PairInventory, cores, engines, sockets};
use crate::agent::{AgentClient, TcpAgent};

/// An agent only opens a socket: more than this is a fault.
const START_LIMIT: Duration = Duration::from_secs(10);
/// It stops its engines first, which it bounds itself.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Agents whose orchestrator was killed end by themselves after so many seconds without a call and without a run.
const IDLE_EXIT_S: u32 = 30;

/// What a local lab is made of.
#[derive(Debug)]
pub struct LocalPlan {
    /// The program.
    pub dataplane: PathBuf,
    /// The largest frame with its FCS.
    pub frame_bytes: u32,
    /// The user's devices by pair index; memif where none are given.
    pub devices: Option<Vec<PairDevices>>,
    /// The pairs by index, each with a folder in which its agents get one each for their state.
    pub state_folders: Vec<(usize, PathBuf)>,
}

/// Agents of this machine.
#[derive(Debug)]
pub struct LocalLab {
    pairs: Vec<LabPair>,
    agents: Vec<AgentProcess>,
    program: PathBuf,
    /// Of memif pairs; goes with the lab.
    sockets: Option<TempDir>,
}

#[derive(Debug)]
struct AgentProcess {
    pod: String,
    pid: u32,
    state: PathBuf,
    child: Child,
    /// Kept open: an agent that writes a line more must not die of a closed pipe.
    _stdout: BufReader<ChildStdout>,
}

/// The first line of an agent.
#[derive(Deserialize)]
struct Hello {
    listening: SocketAddr,
    pid: u32,
}

impl LocalLab {
    /// Starts two agents for every state folder of the plan; when one does not come up, none stays.
    pub async fn start(plan: &LocalPlan) -> Result<LocalLab, LabError> {
        let (devices, sockets) = match &plan.devices {
            Some(devices) => (named(devices, &plan.state_folders)?, None),
            None => {
                let folder = sockets::fresh()?;
                let pair = |(i, _): &(usize, PathBuf)| memif_pair(*i, folder.path(), plan.frame_bytes);
                (plan.state_folders.iter().map(pair).collect(), Some(folder))
            }
        };
        let program = plan.dataplane.clone();
        let mut lab = LocalLab { pairs: Vec::new(), agents: Vec::new(), program, sockets };
        for (devices, (index, folder)) in devices.into_iter().zip(&plan.state_folders) {
            match lab.add_pair(plan, *index, devices, folder).await {
                Ok(pair) => lab.pairs.push(pair),
                Err(error) => {
                    lab.teardown().await;
                    return Err(error);
                }
            }
        }
        Ok(lab)
    }

    /// Process ids of the agents, for those who must end them in a hurry.
    pub fn pids(&self) -> Vec<u32> {
        self.agents.iter().map(|a| a.pid).collect()
    }

    async fn add_pair(
        &mut self,
        plan: &LocalPlan,
        index: usize,
        devices: PairDevices,
        folder: &Path,
    ) -> Result<LabPair, LabError> {
        let macs = devices.macs;
        let tx = self.add_agent(plan, &format!("tx{index}"), devices.tx, folder).await?;
        let rx = self.add_agent(plan, &format!("rx{index}"), devices.rx, folder).await?;
        Ok(LabPair {
            index,
            tx: Endpoint { mac: macs.map(|m| m.0), ..tx },
            rx: Endpoint { mac: macs.map(|m| m.1), ..rx },
        })
    }

    async fn add_agent(
        &mut self,
        plan: &LocalPlan,
        pod: &str,
        device: String,
        folder: &Path,
    ) -> Result<Endpoint, LabError> {
        let (process, hello) = spawn_agent(&plan.dataplane, pod, folder).await?;
        self.agents.push(process);
        Ok(Endpoint {
            pod: pod.to_owned(),
            node: "localhost".to_owned(),
            device,
            mac: None,
            pid: Some(hello.pid),
            address: Some(hello.listening),
            uid: None,
            agent: AgentClient::new(pod, Box::new(TcpAgent(hello.listening))),
        })
    }
}

impl Lab for LocalLab {
    fn kind(&self) -> &'static str {
        "local"
    }

    fn place(&self) -> String {
        "on this machine".to_owned()
    }

    fn pairs(&self) -> &[LabPair] {
        &self.pairs
    }

    fn socket_folder(&self) -> Option<&Path> {
        self.sockets.as_ref().map(TempDir::path)
    }

    fn cores(&self, inventories: &[PairInventory], wish: CoreWish) -> Result<Vec<PairCores>, LabError> {
        // All agents run on this machine with this process's own CPU set: one inventory says it for all.
        let cpus: Vec<u32> =
            inventories.first().map(|i| i.tx.cores.iter().map(|c| c.cpu).collect()).unwrap_or_default();
        cores::divide(&cpus, self.pairs.len(), wish)
    }

    async fn teardown(mut self) -> Vec<String> {
        for agent in &self.agents {
            terminate(agent.pid);
        }
        let mut trouble = Vec::new();
        for agent in &mut self.agents {
            if timeout(STOP_LIMIT, agent.child.wait()).await.is_err() {
                trouble.push(format!(
                    "the agent of {} (pid {}) did not end within {} s and was killed",
                    agent.pod,
                    agent.pid,
                    STOP_LIMIT.as_secs()
                ));
                // Nothing more can be done when even that fails.
                let _ = agent.child.kill().await;
            }
        }
        for agent in &self.agents {
            trouble.extend(engines::end_those_left(&agent.pod, &agent.state, &self.program).await);
        }
        trouble
    }
}

/// The devices of the pairs that take part.
fn named(devices: &[PairDevices], pairs: &[(usize, PathBuf)]) -> Result<Vec<PairDevices>, LabError> {
    let of = |(index, _): &(usize, PathBuf)| devices.get(*index).cloned().ok_or(LabError::NoPair(*index));
    pairs.iter().map(of).collect()
}

/// Asks a process to end. One that is gone already is no trouble.
pub fn terminate(pid: u32) {
    send(pid, Signal::SIGTERM);
}

/// Sends a signal to one process. One that is gone already is no trouble.
pub fn send(pid: u32, signal: Signal) {
    // 0 and negative numbers mean groups of processes.
    if let Some(pid) = i32::try_from(pid).ok().filter(|pid| *pid > 0) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

async fn spawn_agent(program: &Path, pod: &str, folder: &Path) -> Result<(AgentProcess, Hello), LabError> {
    let log = folder.join(format!("{pod}.agent.log"));
    let state = folder.join(pod);
    let fail = |reason: String| LabError::AgentStart { pod: pod.to_owned(), reason, log: log_tail(&log) };
    let stderr = File::create(&log).map_err(|e| fail(e.to_string()))?;
    let mut child = Command::new(program)
        .args(["agent", "--listen", "127.0.0.1:0", "--state-dir"])
        .arg(&state)
        .args(["--idle-exit", &IDLE_EXIT_S.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr)
        // A group of its own: the terminal's Ctrl-C is for the orchestrator, which stops the traffic in order.
        .process_group(0)
        .spawn()
        .map_err(|e| fail(format!("{} can't be run: {e}", program.display())))?;
    let pid = child.id().unwrap_or_default();
    let stdout = child.stdout.take().ok_or_else(|| fail("it has no standard output".into()))?;
    match timeout(START_LIMIT, read_hello(stdout)).await {
        Ok(Ok((stdout, hello))) => {
            Ok((AgentProcess { pod: pod.to_owned(), pid, state, child, _stdout: stdout }, hello))
        }
        Ok(Err(reason)) => {
            end_child(&mut child).await;
            Err(fail(reason))
        }
        Err(_) => {
            end_child(&mut child).await;
            Err(fail(format!("waited {} s for it to say where it listens", START_LIMIT.as_secs())))
        }
    }
}

async fn read_hello(stdout: ChildStdout) -> Result<(BufReader<ChildStdout>, Hello), String> {
    let mut reader = BufReader::new(stdout);
    let mut line = String::new();
    match reader.read_line(&mut line).await {
        Ok(0) => return Err("it ended before it said where it listens".into()),
        Ok(_) => {}
        Err(e) => return Err(e.to_string()),
    }
    let hello = serde_json::from_str(&line)
        .map_err(|e| format!("its first line is not the expected JSON ({e}): {}", line.trim_end()))?;
    Ok((reader, hello))
}

async fn end_child(child: &mut Child) {
    // It may be gone already.
    let _ = child.kill().await;
}

/// The last lines of an agent's log, each on a line of its own; empty when it wrote none.
fn log_tail(log: &Path) -> String {
    const LINES: usize = 10;
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].iter().map(|l| format!("\n  {l}")).collect()
}
