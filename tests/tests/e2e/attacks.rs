//! What somebody in another pod, or with a hostile profile, could try.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use bench_tests::kube::Kube;
use bench_tests::process::{Process, run};
use bench_tests::{bin, wait};

/// Where agents listen in their pods.
const PORT: u16 = 8480;
const MIB: usize = 1 << 20;
/// A body that nobody reads any more.
const STALLED: Duration = Duration::from_secs(5);

/// What `bash` says of opening a connection to `address` from within a pod's network.
fn connect_from(kube: &Kube, pod: &str, address: &str) -> (bool, String) {
    let agents = kube.processes(pod, "dataplane agent");
    let [agent] = agents[..] else { panic!("one agent in {pod}: {agents:?}") };
    let mut command = Command::new("nsenter");
    let connect = format!("exec 3<>/dev/tcp/{address}/{PORT}");
    command.args(["-t", &agent.to_string(), "-n", "timeout", "5", "bash", "-c", &connect]);
    let done = run(&mut command);
    (done.status.success(), done.stderr)
}

/// The status line of the answer to `head` and this much of a body, as whoever may forward ports would get it.
fn answer(port: u16, head: &str, body: usize) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(wait::PATIENCE)).unwrap();
    stream.set_write_timeout(Some(STALLED)).unwrap();
    write!(stream, "{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let chunk = vec![b' '; MIB.min(body)];
    // It may stop listening before all of it is there.
    (0..body / MIB).try_for_each(|_| stream.write_all(&chunk)).ok();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}

/// Runs a profile that must be refused, with nothing measured; what was said.
fn refused(kube: &Kube, name: &str, text: &str) -> String {
    kube.write(name, text);
    let profile = kube.folder.path().join(name);
    let done = kube.run(&format!("run --profile {} --duration 2", profile.display()));
    assert!(!done.status.success(), "{name}: {}{}", done.stdout, done.stderr);
    assert!(kube.results().is_empty(), "{name}");
    done.stderr
}

#[test]
fn what_an_attacker_could_try_is_refused() {
    let kube = Kube::new("attacks");
    kube.create(1, "-s");
    let address = kube.pod("tx0")["status"]["podIP"].as_str().unwrap().to_owned();

    // From another pod, and from the pod itself: its agent is there, and for itself alone.
    let (is_open, said) = connect_from(&kube, "rx0", &address);
    assert!(!is_open && said.contains("refused"), "{said}");
    let (is_open, said) = connect_from(&kube, "tx0", "127.0.0.1");
    assert!(is_open, "{said}");

    // Whoever may forward ports reaches it, and gets no further than its interface.
    let mut command = Command::new(bin::data("cluster/cluster"));
    command.args(["kubectl", "-n", &kube.namespace, "port-forward", "pod/tx0", &format!(":{PORT}")]);
    let mut forward = Process::spawn(&mut command);
    let said = forward.line().unwrap_or_else(|| panic!("{}", forward.stderr_at_end()));
    let port = said.split(" -> ").next().and_then(|s| s.rsplit(':').next()?.parse().ok());
    let port = port.unwrap_or_else(|| panic!("{said}"));
    let serves = || assert!(answer(port, "GET /healthz HTTP/1.1", 0).contains(" 200 "));
    serves();
    let post = "POST /v1/runs HTTP/1.1\r\nContent-Type: application/json";
    let huge = answer(port, &format!("{post}\r\nContent-Length: {}", 8 * MIB), 8 * MIB);
    assert!(huge.contains(" 413 "), "{huge}");
    let promised = answer(port, &format!("{post}\r\nContent-Length: {}", u64::MAX / 2), 0);
    assert!(promised.contains(" 408 ") || promised.contains(" 413 "), "{promised}");
    for path in ["/v1/runs/..%2F..%2Fetc%2Fpasswd", "/v1/runs/%2Fetc%2Fshadow/samples", "/../etc/passwd"] {
        let answered = answer(port, &format!("GET {path} HTTP/1.1"), 0);
        assert!(answered.contains(" 404 ") || answered.contains(" 400 "), "{path}: {answered}");
    }
    serves();
    drop(forward);

    for secret in ["/etc/shadow", "/var/run/secrets/kubernetes.io/serviceaccount/token"] {
        let read = format!("local f = assert(io.open(\"{secret}\"))\npktgen.set(\"0\", \"size\", 64)\n");
        let said = refused(&kube, "thief.lua", &read);
        assert!(said.contains("thief.lua:1"), "{said}");
        let run = format!("assert(dofile(\"{secret}\"))\n");
        let said = refused(&kube, "thief.lua", &run);
        assert!(said.contains("thief.lua:1"), "{said}");
    }
    let all = "rate = \"1kpps\"\n[[streams]]\nframe_size = 64\nethernet = { src = \"02:00:00:00:00:01\", dst = \"02:00:00:00:00:02\" }\n\
               udp = { src = 1024, dst = 1024 }\n\
               [streams.ipv4]\nsrc = { start = \"0.0.0.0\", min = \"0.0.0.0\", max = \"255.255.255.255\", inc = \"0.0.0.1\" }\n\
               dst = \"192.168.2.1\"\n";
    // So many flows are sent, in the memory that few take, and not told apart.
    kube.write("everything.toml", all);
    let run = kube.run("run --profile everything.toml --duration 2");
    assert!(run.status.success(), "{}", run.stderr);
    assert!(run.stdout.contains("4,294,967,296 flows are too many to track"), "{}", run.stdout);
    // None of it has harmed the agent.
    assert_eq!(kube.pod("tx0")["status"]["containerStatuses"][0]["restartCount"], 0);
    kube.delete();
}
