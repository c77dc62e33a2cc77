//! The stand-in for a cluster (`examples/fake_cluster`), and the program run against it.
//!
//! Examples are built with all targets: `cargo test -p orchestrator`, `cargo nextest run -p orchestrator`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Nothing that a test waits for here takes longer.
const LIMIT: Duration = Duration::from_secs(30);

/// A fake cluster of one test, and a folder to run the program in.
pub struct FakeCluster {
    pub folder: TempDir,
    /// Of the API server.
    pub address: SocketAddr,
    admin: SocketAddr,
    child: Child,
}

impl FakeCluster {
    /// With these words on its command line, e.g. `--pairs 2 --foreign`.
    pub fn start(args: &str) -> FakeCluster {
        let folder = tempfile::tempdir().unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_orchestrator"));
        let mut child = Command::new(program.with_file_name("examples").join("fake_cluster"))
            .args(args.split(' ').filter(|word| !word.is_empty()))
            .arg("--kubeconfig-out")
            .arg(folder.path().join("kubeconfig"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let hello: Value = serde_json::from_str(&line).unwrap();
        let address = |text: &str| text.trim_start_matches("http://").parse().unwrap();
        FakeCluster {
            address: address(hello["address"].as_str().unwrap()),
            admin: address(hello["admin"].as_str().unwrap()),
            folder,
            child,
        }
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// The program, in this folder and with this cluster.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orchestrator"));
        command
            .args(line.split(' ').filter(|word| !word.is_empty()))
            .current_dir(self.folder.path())
            .env("KUBECONFIG", self.kubeconfig())
            .env_remove("KUBERNETES_SERVICE_HOST");
        command
    }

    pub fn output(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// Begins a fault, e.g. `{"fault": "watch-drop", "after_events": 3, "times": 1}`; or a list of them.
    pub fn fault(&self, fault: &Value) {
        let (status, said) = exchange(self.admin, "POST", "/fake/faults", &fault.to_string());
        assert_eq!(status, 200, "{said}");
    }

    /// Faults that stand, those that are used up left out.
    pub fn faults(&self) -> Vec<Value> {
        self.ask("/fake/faults")
    }

    pub fn clear_faults(&self) {
        assert_eq!(exchange(self.admin, "DELETE", "/fake/faults", "").0, 204);
    }

    /// Requests seen: `method`, `path`, `user_agent`, `verb`, `resource`, `namespace`, `name`, `status`, `unix_ns`.
    pub fn log(&self) -> Vec<Value> {
        self.ask("/fake/log")
    }

    pub fn clear_log(&self) {
        assert_eq!(exchange(self.admin, "DELETE", "/fake/log", "").0, 204);
    }

    /// Requests with this verb on this resource, e.g. `delete`, `pods`.
    pub fn asked(&self, verb: &str, resource: &str) -> Vec<Value> {
        let is = |seen: &Value| seen["verb"] == verb && seen["resource"] == resource;
        self.log().into_iter().filter(is).collect()
    }

    pub fn objects(&self) -> Vec<Value> {
        self.ask("/fake/objects")
    }

    /// Names of the objects of this kind, in order.
    pub fn names(&self, kind: &str) -> Vec<String> {
        let all = self.objects().into_iter().filter(|object| object["kind"] == kind);
        all.map(|object| object["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    pub fn object(&self, kind: &str, name: &str) -> Option<Value> {
        let is = |object: &Value| object["kind"] == kind && object["metadata"]["name"] == name;
        self.objects().into_iter().find(is)
    }

    /// Waits until something is so.
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&FakeCluster) -> bool) {
        let end = Instant::now() + LIMIT;
        while !is_so(self) {
            assert!(Instant::now() < end, "never came: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A request of somebody else's to the API server.
    pub fn api(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let (status, said) = exchange(self.address, method, path, &text);
        (status, serde_json::from_str(&said).unwrap_or(Value::String(said)))
    }

    fn ask(&self, path: &str) -> Vec<Value> {
        let (status, said) = exchange(self.admin, "GET", path, "");
        assert_eq!(status, 200, "{said}");
        serde_json::from_str(&said).unwrap()
    }
}

impl Drop for FakeCluster {
    fn drop(&mut self) {
        // It may have died of a test's mistake.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request, and the whole answer.
fn exchange(to: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    // HTTP/1.0: the answer ends with the connection, in one piece.
    let head = format!(
        "{method} {path} HTTP/1.0\r\nhost: fake\r\nuser-agent: test\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
