//! The control port: Lua text over TCP as Pktgen takes it, one machine a connection.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use bench_tests::lua::{self, served};
use bench_tests::{needs, process};

struct Client {
    out: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Client {
    fn new(address: &str) -> Client {
        let out = TcpStream::connect(address).unwrap();
        out.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let lines = BufReader::new(out.try_clone().unwrap());
        Client { out, lines }
    }

    fn say(&mut self, text: &str) {
        self.out.write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self, text: &str) -> String {
        self.say(&format!("{text}\n"));
        self.line()
    }
}

#[test]
fn each_connection_has_a_machine_of_its_own_on_the_same_ports() {
    let (mut process, address, _results) = served(&[]);
    let (mut one, mut other) = (Client::new(&address), Client::new(&address));
    // Globals stay, locals do not, as in Pktgen.
    assert_eq!(one.ask("x = 5 print('set')"), "set");
    assert_eq!(one.ask("local y = 6 print('set')"), "set");
    assert_eq!(one.ask("print(x, y)"), "5\tnil");
    assert_eq!(other.ask("print(x)"), "nil");
    // A text in pieces is run when it is whole.
    one.say("for i = 1, 2 do\n");
    one.say("  print('line', i)\n");
    one.say("end\n");
    assert_eq!((one.line(), one.line()), ("line\t1".to_owned(), "line\t2".to_owned()));
    // A fault is told, and ends nothing.
    assert_eq!(
        one.ask("pktgen.strt('0')"),
        "error: control:1: pktgen.strt is not a Pktgen function (did you mean pktgen.start?)"
    );
    assert!(one.ask("x = = 1").starts_with("error: control:1: syntax error"), "told");
    assert!(one.ask("local s = string.rep('x', 1 << 40)").contains("memory limit"));
    // What one starts the other sees, without a `require`: the old system's sampler has none.
    one.say("pktgen.set('0', 'rate', 1) pktgen.start('0')\n");
    assert_eq!(one.ask("print('started')"), "started");
    assert_eq!(other.ask("print(pktgen.isSending('0')[0])"), "y");
    let first: u64 = other.ask("print(pktgen.portStats(0, 'port')[0].opackets)").parse().unwrap();
    let more = format!(
        "repeat pktgen.delay(10) n = pktgen.portStats(0, 'port')[0].opackets until n > {first} print('more')"
    );
    assert_eq!(other.ask(&more), "more");
    other.say("prints('pktStats', pktgen.pktStats(0))\n");
    assert_eq!(other.line(), "pktStats = {");
    drop(other);
    one.say("pktgen.stop(0)\n");
    assert_eq!(one.ask("print(pktgen.isSending('0')[0])"), "n");
    one.say("pktgen.quit()\n");
    let status = process.wait();
    assert!(status.success(), "{status}: {}", process.stderr_at_end());
}

#[test]
fn socat_pipes_a_sampler_that_writes_a_file() {
    if !needs::programs_are_here(&["socat"]) {
        return;
    }
    let (mut process, address, results) = served(&[]);
    let say = |text: &str| {
        let mut socat = Command::new("socat");
        socat.args(["-t5", "-", &format!("TCP:{address}")]);
        let mut child = socat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
        assert!(child.wait().unwrap().success());
        answer
    };
    // Without a newline at its end, as `echo -n` and Python's sockets send it.
    assert_eq!(say("pktgen.set('all', 'rate', 1); pktgen.start(0)"), "");
    let sampler = "local f = io.open('stats.txt', 'a')\nlocal s = pktgen.portStats(0, 'port')[0]\n\
                   f:write(s.opackets, ' ', s.ipackets, '\\n')\nf:close()\nprint('sampled')\n";
    assert_eq!((say(sampler), say(sampler)), ("sampled\n".to_owned(), "sampled\n".to_owned()));
    assert_eq!(say("pktgen.stop(0)\npktgen.quit()\n"), "");
    assert!(process.wait().success(), "{}", process.stderr_at_end());
    let file = std::fs::read_to_string(results.path().join("stats.txt")).unwrap();
    let sent: Vec<u64> = file.lines().map(|l| l.split(' ').next().unwrap().parse().unwrap()).collect();
    assert!(sent.len() == 2 && sent[1] > sent[0], "{file}");
}

#[test]
fn input_without_an_end_is_cut_off() {
    let (mut process, address, _results) = served(&[]);
    let mut client = Client::new(&address);
    client.say("x = [[");
    let block = "x".repeat(1 << 16);
    // It closes while we write.
    while client.out.write_all(block.as_bytes()).is_ok() {}
    let mut other = Client::new(&address);
    assert_eq!(other.ask("print('still here')"), "still here");
    other.say("pktgen.quit()\n");
    assert!(process.wait().success());
}

#[test]
fn addresses_that_others_reach_are_refused_unless_told() {
    let refused = |address: &str| {
        let (mut command, _results) = lua::command(lua::RING, &["-g", address]);
        let end = process::run(&mut command);
        assert!(!end.status.success());
        end.stderr
    };
    let text = refused("0.0.0.0:0");
    assert!(
        text.contains("can be reached from other machines") && text.contains("--allow-remote-control"),
        "{text}"
    );
    assert!(refused("nowhere").contains("control port nowhere"), "named");
    let end = process::run(&mut lua::command(lua::RING, &[]).0);
    assert!(
        end.stderr.contains("nothing to run: give a script (-f FILE), or a control port (-G)"),
        "{}",
        end.stderr
    );
}

#[test]
fn quit_on_the_control_port_ends_a_script_that_waits() {
    let (mut process, address, _results) = served(&["-f", lua::script("ramp.lua").to_str().unwrap()]);
    let mut client = Client::new(&address);
    client.say("pktgen.quit()\n");
    assert!(process.wait().success(), "{}", process.stderr_at_end());
}
