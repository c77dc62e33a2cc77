//! What somebody who means harm can't do: reach an agent from the pod network, read files of the machine by a profile,
//! or make a run take all memory.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use bench_tests::agent::Agent;
use bench_tests::memif::spec;
use bench_tests::netns::Netns;
use bench_tests::process::run;
use bench_tests::profiles::UdpFlows;
use bench_tests::run::{Run, sent};
use bench_tests::{bin, needs};
use nix::sys::signal::Signal;
use serde_json::json;
use traffic::wire::{Role, RunState};

/// A word that is in no message of ours.
const SECRET: &str = "hunter2-of-the-machine";

/// A file like a token or /etc/shadow: its content must show nowhere.
fn secret(folder: &Path) -> String {
    let path = folder.join("token");
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn an_agents_port_is_closed_to_the_pod_network() {
    if !needs::root_and(&["ip"]) {
        return;
    }
    let (pod, other) = (Netns::new("pod"), Netns::new("other"));
    pod.set_link("lo", "up");
    pod.join("eth0", &other, "eth0");
    pod.ip("addr add 10.79.0.1/24 dev eth0");
    other.ip("addr add 10.79.0.2/24 dev eth0");
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::start_by(pod.wrap(bin::dataplane()), folder.path(), &[]);
    let port = agent.address().port();
    let reach = |from: &Netns, ip: [u8; 4]| {
        from.inside(|| TcpStream::connect_timeout(&SocketAddr::from((ip, port)), Duration::from_secs(5)))
    };
    assert!(reach(&pod, [127, 0, 0, 1]).is_ok(), "it is there");
    let refused = |from| reach(from, [10, 79, 0, 1]).unwrap_err().kind();
    assert_eq!(refused(&other), ErrorKind::ConnectionRefused, "from another pod");
    assert_eq!(refused(&pod), ErrorKind::ConnectionRefused, "even from within, by the pod's own address");
}

#[test]
fn a_lua_profile_reads_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let token = secret(folder.path());
    let ways = [
        format!("print(io.open('{token}'):read('a'))"),
        format!("for line in io.lines('{token}') do print(line) end"),
        format!("dofile('{token}')"),
        format!("loadfile('{token}')()"),
        format!("package.path = '{token}'\nrequire 'token'"),
        format!("os.execute('cat {token}')"),
        format!("print(os.rename('{token}', 'x'))"),
        format!("local f = package.loadlib('{token}', '*')\nprint(f())"),
    ];
    let script = folder.path().join("evil.lua");
    for way in ways {
        std::fs::write(&script, format!("{way}\nrequire 'Pktgen'\n")).unwrap();
        let mut command = bin::dataplane();
        command.args(["frames", "--count", "1", "--profile"]).arg(&script);
        let done = run(command.current_dir(folder.path()));
        assert!(!done.status.success(), "{way}");
        assert!(done.stderr.contains("evil.lua:"), "{way}: the line is named: {}", done.stderr);
        assert!(!(done.stdout + &done.stderr).contains(SECRET), "{way}");
    }
    assert!(Path::new(&token).exists(), "nor is it moved");
}

#[test]
fn a_replay_of_a_secret_tells_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let token = secret(folder.path());
    let agent = Agent::start(&folder.path().join("state"));
    let mut body = serde_json::to_value(spec(Role::Tx, "vdev:net_null0".to_owned(), &plain(), 1)).unwrap();
    body["profile"]["streams"] = json!([]);
    body["profile"]["replay"] = json!({"file": token});
    let (status, answer) = agent.call("POST", "/v1/runs", &body.to_string());
    let mut said = answer;
    if status == 201 {
        let id = body["id"].as_str().unwrap();
        let (_, answer) = agent.call("GET", &format!("/v1/runs/{id}?wait_ms=20000&state=failed"), "");
        said = answer;
        assert!(said.contains(&format!("{:?}", RunState::Failed).to_lowercase()), "{said}");
    }
    assert!(!said.contains(SECRET), "{said}");
    let run = folder.path().join("state/runs").join(body["id"].as_str().unwrap());
    for file in std::fs::read_dir(run).into_iter().flatten() {
        let text = std::fs::read(file.unwrap().path()).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&text).contains(SECRET), "on disk");
    }
}

fn plain() -> traffic::profile::Profile {
    UdpFlows { flows: 1, frame_size: 64, rate: "1kpps", count: Some(10) }.profile()
}

/// 65,536 addresses times 65,536 ports.
const ALL_FLOWS: &str = r#"
rate = "100kpps"
stop = { count = 10000 }
[[streams]]
frame_size = 64
ethernet = { src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02" }
[streams.ipv4]
src = { start = "10.0.0.0", min = "10.0.0.0", max = "10.0.255.255", inc = "0.0.0.1" }
dst = "10.1.0.1"
[streams.udp]
src = { start = 0, min = 0, max = 65535, inc = 1, nest = 1 }
dst = 1024
"#;

#[test]
fn four_thousand_million_flows_take_no_more_memory_than_one() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("all.toml");
    std::fs::write(&profile, ALL_FLOWS).unwrap();
    let start = |verb: &str, more: &[&str]| {
        let mut command = bin::dataplane();
        command.args([verb, "--device", "vdev:net_null0", "--output", "json", "--no-huge", "--profile"]);
        Run::spawn(command.arg(&profile).args(more))
    };
    let mut tx = start("tx", &[]);
    assert_eq!(tx.ready().flows, 1 << 32);
    assert_eq!(sent(&tx.finish().summary.totals), 10_000);
    let table = folder.path().join("flows.csv");
    let mut rx = start("rx", &["--per-flow", table.to_str().unwrap()]);
    rx.ready();
    rx.wait_for_sample(|_| true);
    let status = std::fs::read_to_string(format!("/proc/{}/status", rx.process().pid())).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kib < 200 << 10, "{kib} KiB");
    rx.process().signal(Signal::SIGINT);
    let rx = rx.finish();
    assert_eq!(rx.summary.totals.account.unwrap().flows_seen, None, "not tracked");
    assert!(
        rx.summary.warnings.iter().any(|w| w.contains("too many for books")),
        "{:?}",
        rx.summary.warnings
    );
}
