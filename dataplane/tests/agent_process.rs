//! The agent as a process: its first line, its signals, its ports, and what it finds after a restart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod agent_support;

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use agent_support::{Client, PATIENCE, TestAgent, fake_engine, settings};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

fn agent(arguments: &[&str], state_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataplane"));
    command.arg("agent").args(arguments).arg("--state-dir").arg(state_dir).arg("--engine-command");
    command
        .args(fake_engine())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

struct Process {
    child: Child,
    client: Client,
}

impl Process {
    async fn start(arguments: &[&str], state_dir: &Path) -> Process {
        let mut child = agent(arguments, state_dir).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first =
            tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("a first line").unwrap().unwrap();
        let ready: Value = serde_json::from_str(&first).unwrap();
        assert_eq!(ready["version"], traffic::wire::VERSION);
        assert_eq!(ready["pid"].as_u64(), child.id().map(u64::from));
        Process { client: Client { address: ready["listening"].as_str().unwrap().parse().unwrap() }, child }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().unwrap().cast_signed()).unwrap(), signal).unwrap();
    }

    async fn ended(&mut self) -> ExitStatus {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("the agent ends").unwrap()
    }
}

/// Standard error of an agent that does not start.
async fn refusal(mut command: Command) -> String {
    let mut child = command.spawn().unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).await.unwrap();
    let exit = tokio::time::timeout(PATIENCE, child.wait()).await.expect("it ends").unwrap();
    assert_eq!(exit.code().map(|code| code != 0), Some(true), "{text}");
    text
}

#[tokio::test]
async fn sigterm_stops_engines_and_ends_with_0() {
    let dir = tempfile::tempdir().unwrap();
    for signal in [Signal::TERM, Signal::INT] {
        let id = format!("run-{}", signal.as_raw());
        let mut agent = Process::start(&["--listen", "127.0.0.1:0"], dir.path()).await;
        agent.client.start(&id, "vdev:net_fake0").await;
        agent.client.samples(&id, "from=0&wait_ms=20000").await;
        agent.signal(signal);
        assert_eq!(agent.ended().await.code(), Some(0));
        let summary = std::fs::read(dir.path().join(format!("runs/{id}/summary.json"))).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&summary).unwrap()["ended"], "stopped");
    }
}

#[tokio::test]
async fn an_agent_that_nobody_needs_ends_but_not_under_a_live_run() {
    let dir = tempfile::tempdir().unwrap();
    let mut agent = Process::start(&["--listen", "127.0.0.1:0", "--idle-exit", "2"], dir.path()).await;
    // 250 samples of 10 ms: longer than the idle limit.
    agent.client.start("a", "vdev:net_fake0,samples=250").await;
    assert_eq!(agent.ended().await.code(), Some(0));
    assert!(dir.path().join("runs/a/summary.json").exists(), "the run went on to its end");
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_start_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let busy = TestAgent::start(settings(&dir)).await;
    let other = tempfile::tempdir().unwrap();
    let taken = busy.client.address.to_string();
    let text = refusal(agent(&["--listen", &taken], other.path())).await;
    assert!(text.contains(&busy.client.address.port().to_string()) && text.contains("127.0.0.1:0"), "{text}");
    let text = refusal(agent(&["--listen", "0.0.0.0:0"], other.path())).await;
    assert!(text.contains("0.0.0.0:0 is not a loopback address"), "{text}");
    let text = refusal(agent(&["--listen", "nowhere"], other.path())).await;
    assert!(text.contains("127.0.0.1:0"), "{text}");
    let text = refusal(agent(&["--listen", "127.0.0.1:0"], dir.path())).await;
    assert!(text.contains("in use by another agent"), "{text}");
    let text = refusal(agent(&["--listen", "127.0.0.1:0"], Path::new("/proc/nothing"))).await;
    assert!(text.contains("/proc/nothing") && text.contains("--state-dir"), "{text}");
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0, "nothing is left behind");
    busy.end().await;
}

#[tokio::test]
async fn check_tells_whether_an_agent_is_well() {
    let dir = tempfile::tempdir().unwrap();
    let busy = TestAgent::start(settings(&dir)).await;
    let check = async |listen: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dataplane"));
        command.args(["agent", "--check", "--listen", listen]).stdin(Stdio::null()).output().await.unwrap()
    };
    let address = busy.client.address.to_string();
    assert!(check(&address).await.status.success());
    busy.end().await;
    let refused = check(&address).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains(&address));
    assert_eq!(check("127.0.0.1:0").await.status.code(), Some(1));
}

#[tokio::test]
async fn a_restarted_agent_knows_the_runs_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = Process::start(&["--listen", "127.0.0.1:0"], dir.path()).await;
    first.client.start("done", "vdev:net_fake0,samples=3").await;
    first.client.wait("done", "done").await;
    first.client.start("crashed", "vdev:net_fake0,mode=crash,samples=2").await;
    let crashed = first.client.wait("crashed", "done").await;
    first.client.start("live", "vdev:net_fake0").await;
    first.client.samples("live", "from=4&wait_ms=20000").await;
    first.signal(Signal::KILL);
    first.ended().await;

    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    let (_, list) = client.get("/v1/runs").await;
    let found: Vec<_> = list.as_array().unwrap().iter().map(|run| (&run["id"], &run["state"])).collect();
    assert_eq!(
        found,
        [
            (&json!("done"), &json!("done")),
            (&json!("crashed"), &json!("failed")),
            (&json!("live"), &json!("failed")),
        ]
    );
    assert_eq!(list[0]["summary"]["totals"]["n"], 3);
    assert_eq!(list[1]["error"], crashed["error"]);
    assert!(list[2]["error"].as_str().unwrap().contains("the agent was restarted"), "{list}");
    let kept = list[2]["samples"].as_u64().unwrap();
    assert!(kept > 4);
    assert_eq!(client.samples("live", "").await, (0..kept).collect::<Vec<_>>());
    client.json(hyper::Method::DELETE, "/v1/runs/live", &Value::Null).await;
    client.start("live", "vdev:net_fake0,samples=1").await;
    assert_eq!(client.wait("live", "done").await["state"], "done");
    agent.end().await;
}
