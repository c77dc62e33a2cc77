//! A port with addresses is one that the kernel at the other end of a veth pair can find and ping, while it receives
//! and while it sends; one without says nothing at all.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;

use bench_tests::netns::Netns;
use bench_tests::process::{Finished, run};
use bench_tests::profiles::UdpFlows;
use bench_tests::run::{Outcome, Run, sent};
use bench_tests::tcpdump::Tcpdump;
use bench_tests::{bin, cpus, needs};
use nix::sys::signal::Signal;
use traffic::respond::Responded;

const OURS: [&str; 2] = ["10.77.0.1", "fd77::1"];
const ADDRESSES: [&str; 4] = ["--address", "10.77.0.1/24", "--address", "fd77::1/64"];
/// On the same networks, and nobody's.
const NOBODYS: [&str; 2] = ["10.77.0.9", "fd77::9"];
const PINGS: u64 = 20;

/// A port on `dp0`, and the kernel with its addresses on `k0`.
struct Wire {
    port: Netns,
    kernel: Netns,
}

impl Wire {
    fn lay() -> Wire {
        let (port, kernel) = (Netns::new("port"), Netns::new("kernel"));
        port.join("dp0", &kernel, "k0");
        let wire = Wire { port, kernel };
        let setting = |path: &str, value: &str| format!("echo {value} > /proc/sys/net/{path}");
        let commands = [
            setting("ipv6/conf/k0/disable_ipv6", "0"),
            setting("ipv4/ping_group_range", "'0 0'"),
            "ip addr add 10.77.0.2/24 dev k0".to_owned(),
            "ip addr add fd77::2/64 dev k0 nodad".to_owned(),
        ];
        let done = wire.at_kernel(&commands.join(" && "));
        assert!(done.status.success(), "{}", done.stderr);
        wire
    }

    fn at_kernel(&self, script: &str) -> Finished {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(&mut self.kernel.wrap(command))
    }

    /// How many pings the kernel got whole answers to.
    fn ping(&self, address: &str, count: u64, timeout_s: f64) -> u64 {
        let mut ping = Command::new("python3");
        ping.arg(bin::data("devices/ping.py"));
        ping.args([address, &count.to_string(), &timeout_s.to_string()]);
        let done = run(&mut self.kernel.wrap(ping));
        assert!(done.status.success(), "ping.py {address}: {}", done.stderr);
        let answer: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        answer["answered"].as_u64().unwrap()
    }

    /// Starts `dataplane VERB` on the port.
    fn start(&self, verb: &str, lcores: &str, options: &[&str]) -> Run {
        let folder = tempfile::tempdir().unwrap();
        let profile = UdpFlows { flows: 10, frame_size: 64, rate: "1kpps", count: None }.write(folder.path());
        let mut command = bin::dataplane();
        command.args([verb, "--device", "iface:dp0", "--output", "json", "--interval-ms", "100"]);
        command.args(["--lcores", lcores]).args(options).arg("--profile").arg(profile);
        let mut run = Run::spawn(&mut self.port.wrap(command));
        run.ready();
        // What is counted is of a run that goes on.
        run.wait_for_sample(|_| true);
        run
    }

    /// The kernel finds and pings both addresses, and nobody else's; then the run is ended.
    fn find_and_ping(&self, mut run: Run) -> Outcome {
        for address in OURS {
            assert_eq!(self.ping(address, PINGS, 5.0), PINGS, "pings of {address}");
            let mac = run.ready().mac.to_string();
            let known = self.at_kernel(&format!("ip neigh show {address} dev k0")).stdout;
            assert!(known.contains(&format!("lladdr {mac}")), "the kernel knows {address} as: {known}");
        }
        for address in NOBODYS {
            assert_eq!(self.ping(address, 1, 1.0), 0, "nobody answers for {address}");
        }
        run.process().signal(Signal::SIGINT);
        run.finish()
    }
}

/// What was answered over the whole run, in the last word and in the last sample before.
fn assert_answers(outcome: &Outcome) {
    let responded = |s: &traffic::wire::Sample| s.cores.iter().map(|c| c.responded).collect::<Vec<_>>();
    let all = responded(&outcome.summary.totals);
    let [Responded { arp, icmp, ndp, announced }] = all[..] else { panic!("one worker: {all:?}") };
    assert_eq!(icmp, 2 * PINGS, "every ping was answered, once");
    assert!(arp >= 1 && ndp >= 1, "the kernel asked who has the addresses: {all:?}");
    assert_eq!(announced, 2, "one announcement an address");
    // The kernel may have asked again since the last sample; what was pinged is over for seconds.
    let shown = responded(outcome.samples.last().unwrap())[0];
    assert_eq!((shown.icmp, shown.announced), (icmp, announced), "samples show it too");
    assert!((1..=arp).contains(&shown.arp) && (1..=ndp).contains(&shown.ndp), "{shown:?} of {all:?}");
    assert_eq!(outcome.summary.mbufs_missing, 0);
    let warnings = &outcome.summary.warnings;
    assert!(warnings.iter().all(|w| !w.contains("counters")), "the port counts what we count: {warnings:?}");
}

/// Gratuitous ARPs and unsolicited neighbour advertisements for the port's addresses.
fn announcements(frames: &[Vec<u8>]) -> (usize, usize) {
    let is_gratuitous = |f: &&Vec<u8>| f[..6] == [0xff; 6] && f[12..14] == [8, 6] && f[28..32] == f[38..42];
    let is_unsolicited = |f: &&Vec<u8>| f[12..14] == [0x86, 0xdd] && f[54] == 136 && f[58] & 0x40 == 0;
    (frames.iter().filter(is_gratuitous).count(), frames.iter().filter(is_unsolicited).count())
}

fn can_run() -> bool {
    needs::root_and(&["ip", "tcpdump", "python3"])
}

#[test]
fn a_receiver_is_found_and_pinged() {
    if !can_run() {
        return;
    }
    let wire = Wire::lay();
    let witness = Tcpdump::start(&wire.kernel, "k0");
    let outcome = wire.find_and_ping(wire.start("rx", &cpus::rx(1), &ADDRESSES));
    assert_answers(&outcome);
    let account = outcome.summary.totals.account.unwrap();
    assert!(account.foreign_arp >= 1 && account.foreign_ipv4 >= PINGS && account.foreign_ipv6 > PINGS);
    assert_eq!(account.received, 0);
    let seen = witness.stop(2 + 2 * PINGS as usize);
    assert_eq!(announcements(&seen), (1, 1), "announced on the wire");
}

#[test]
fn a_sender_is_found_and_pinged_while_it_sends() {
    if !can_run() {
        return;
    }
    let wire = Wire::lay();
    let outcome = wire.find_and_ping(wire.start("tx", &cpus::tx(1), &ADDRESSES));
    assert_answers(&outcome);
    let frames = sent(&outcome.summary.totals);
    assert!(frames > 0);
    let port = outcome.summary.totals.port.opackets;
    let answers: u64 = outcome.summary.totals.cores.iter().map(|c| c.responded.total()).sum();
    assert_eq!(port, frames + answers, "answers are beside the traffic, not part of it");
}

#[test]
fn a_sender_that_books_round_trips_is_found_and_pinged_too() {
    if can_run() {
        let wire = Wire::lay();
        let options = [&ADDRESSES[..], &["--round-trip"]].concat();
        let outcome = wire.find_and_ping(wire.start("tx", &cpus::tx(1), &options));
        assert_answers(&outcome);
        let account = outcome.summary.totals.account.unwrap();
        assert_eq!(account.received, 0, "the kernel sends nothing back");
        assert_eq!(account.lost, sent(&outcome.summary.totals));
    }
}

#[test]
fn without_addresses_nothing_is_answered_and_nothing_sent() {
    if !can_run() {
        return;
    }
    let wire = Wire::lay();
    let witness = Tcpdump::start(&wire.kernel, "k0");
    let mut run = wire.start("rx", &cpus::rx(1), &[]);
    for address in OURS {
        assert_eq!(wire.ping(address, 1, 1.0), 0, "{address} is nobody's");
    }
    // The questions did arrive.
    run.wait_for_sample(|s| s.account.is_some_and(|a| a.foreign_arp > 0 && a.foreign_ipv6 > 0));
    run.process().signal(Signal::SIGINT);
    let outcome = run.finish();
    assert!(outcome.summary.totals.cores.iter().all(|c| c.responded.is_none()));
    assert_eq!(witness.stop(0), Vec::<Vec<u8>>::new(), "not a frame from the port");
}
