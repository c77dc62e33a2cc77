//! What is lost, doubled or late on the way is counted exactly: the receiver's account equals what was done on purpose.
//!
//! A relay in the middle drops, doubles and delays chosen sequence numbers; its own count and tcpdump behind it are the
//! witnesses.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bench_tests::memif::wait_for_frames;
use bench_tests::profiles::UdpFlows;
use bench_tests::relay::{Line, Relayed, Rule};
use bench_tests::run::{Outcome, Run, sent};
use bench_tests::tcpdump::Tcpdump;
use bench_tests::{bin, cpus, needs};
use nix::sys::signal::Signal;
use traffic::wire::{Account, FlowBook};

const COUNT: u64 = 4000;
const FLOWS: u32 = 100;
const PROGRAMS: [&str; 3] = ["ip", "tcpdump", "python3"];

/// What three observers saw of one run.
struct Seen {
    tx: Outcome,
    rx: Outcome,
    relayed: Relayed,
    witness: u64,
    /// Each flow's own books, the worst first.
    flows: Vec<FlowBook>,
}

impl Seen {
    fn account(&self) -> Account {
        self.rx.summary.totals.account.unwrap()
    }
}

/// Sends [`COUNT`] marked frames through a relay with `rules`; `expected` of them come out of it.
fn through_relay(rules: &[Rule], expected: u64, [tx_workers, rx_workers]: [usize; 2]) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let profile = UdpFlows { flows: FLOWS, frame_size: 128, rate: "2kpps", count: Some(COUNT) };
    let profile = profile.write(folder.path());
    let mut line = Line::lay(rules);
    let witness = Tcpdump::start(&line.receiver, "rx0");
    let verb = |verb: &str, device: &str, workers: usize, lcores: &str| {
        let mut command = bin::dataplane();
        command.args([verb, "--output", "json", "--interval-ms", "100", "--device", device]);
        command.args(["--workers", &workers.to_string(), "--lcores", lcores, "--profile"]).arg(&profile);
        command
    };
    let mut rx = verb("rx", "iface:rx0", rx_workers, &cpus::rx(rx_workers));
    let table = folder.path().join("flows.csv");
    rx.args(["--tx-workers", &tx_workers.to_string(), "--per-flow"]).arg(&table);
    let mut rx = Run::spawn(&mut line.receiver.wrap(rx));
    rx.ready();
    let tx = verb("tx", "iface:tx0", tx_workers, &cpus::tx(tx_workers));
    let tx = Run::spawn(&mut line.sender.wrap(tx)).finish();
    let relayed = line.end(COUNT);
    wait_for_frames(&mut rx, expected);
    rx.process().signal(Signal::SIGINT);
    let rx = rx.finish();
    let witness = witness.stop(expected as usize).len() as u64;
    assert_eq!(sent(&tx.summary.totals), COUNT);
    assert_eq!([tx.summary.mbufs_missing, rx.summary.mbufs_missing], [0, 0], "mbufs missing");
    Seen { tx, rx, relayed, witness, flows: read_flows(&std::fs::read_to_string(table).unwrap()) }
}

fn read_flows(csv: &str) -> Vec<FlowBook> {
    let (header, lines) = csv.split_once('\n').unwrap();
    assert_eq!(header, FlowBook::CSV_HEADER);
    let number = |text: &str| text.parse::<u64>().unwrap();
    let line = |line: &str| {
        let numbers: [u64; 6] = line.split(',').map(number).collect::<Vec<_>>().try_into().unwrap();
        let [stream, flow, received, lost, reordered, duplicated] = numbers;
        FlowBook { stream: stream as u16, flow, received, lost, reordered, duplicated }
    };
    lines.lines().map(line).collect()
}

/// Everybody agrees on how many frames there were, and the account says what was done to them.
fn assert_account(seen: &Seen, [lost, doubled, late]: [u64; 3], flows: u64) {
    assert_eq!(seen.relayed, Relayed { came: COUNT, went: COUNT - lost + doubled }, "the relay's count");
    assert_eq!(seen.witness, COUNT - lost + doubled, "the witness's count");
    let account = seen.account();
    let expected = Account {
        received: COUNT - lost,
        lost,
        duplicated: doubled,
        reordered: late,
        flows_seen: Some(flows),
        ..Account::default()
    };
    assert_eq!(account, expected);
    let shards =
        |count: fn(&traffic::wire::RxShard) -> u64| seen.rx.summary.rx_shards.iter().map(count).sum::<u64>();
    let sent: u64 = seen.tx.summary.tx_shards.iter().map(|shard| shard.sent).sum();
    assert_eq!([shards(|s| s.received), shards(|s| s.duplicated)], [COUNT - lost, doubled]);
    assert_eq!(sent - shards(|s| s.received), lost, "sent − received, shard by shard");
    let all = |count: fn(&FlowBook) -> u64| seen.flows.iter().map(count).sum::<u64>();
    let sums = [all(|f| f.received), all(|f| f.lost), all(|f| f.reordered), all(|f| f.duplicated)];
    assert_eq!(sums, [COUNT - lost, lost, late, doubled], "received, lost, late and copied, flow by flow");
    assert_eq!(seen.flows.len(), FLOWS as usize);
    assert!(seen.flows.iter().all(|f| f.received + f.lost == COUNT / u64::from(FLOWS)), "each flow adds up");
}

fn rule(what: &'static str, period: u64, from: u64, to: u64) -> Rule {
    Rule { what, period, from, to }
}

#[test]
fn nothing_is_lost_when_nothing_is_dropped() {
    if needs::root_and(&PROGRAMS) {
        assert_account(&through_relay(&[], COUNT, [1, 1]), [0, 0, 0], 100);
    }
}

#[test]
fn every_seventh_frame_dropped_is_every_seventh_frame_lost() {
    if needs::root_and(&PROGRAMS) {
        let drop = rule("drop", 7, 3, 4);
        let lost = drop.hits(COUNT);
        assert_account(&through_relay(&[drop], COUNT - lost, [1, 1]), [lost, 0, 0], 100);
    }
}

#[test]
fn ten_flows_dropped_are_their_frames_lost_and_ninety_flows_seen() {
    if needs::root_and(&PROGRAMS) {
        // Frame n is of flow n mod 100.
        let drop = rule("drop", FLOWS.into(), 20, 30);
        let lost = drop.hits(COUNT);
        assert_eq!(lost, COUNT / 10);
        let seen = through_relay(&[drop], COUNT - lost, [1, 1]);
        assert_account(&seen, [lost, 0, 0], 90);
        let worst: Vec<_> = seen.flows[..10].iter().map(|f| (f.flow, f.received, f.lost)).collect();
        assert_eq!(worst, (20..30).map(|flow| (flow, 0, 40)).collect::<Vec<_>>(), "the ten, and they first");
    }
}

#[test]
fn every_fiftieth_frame_doubled_is_counted_once_and_as_a_copy() {
    if needs::root_and(&PROGRAMS) {
        let double = rule("double", 50, 10, 11);
        let copies = double.hits(COUNT);
        let seen = through_relay(&[double], COUNT + copies, [1, 1]);
        assert_account(&seen, [0, copies, 0], 100);
        let copied: Vec<_> =
            seen.flows.iter().filter(|f| f.duplicated > 0).map(|f| (f.flow, f.duplicated)).collect();
        assert_eq!(copied, [(10, 40), (60, 40)], "frames 10, 60, 110, …");
    }
}

#[test]
fn neighbours_swapped_are_one_frame_reordered() {
    if needs::root_and(&PROGRAMS) {
        let late = rule("late", 40, 5, 6);
        let swaps = late.hits(COUNT);
        let seen = through_relay(&[late], COUNT, [1, 1]);
        assert_account(&seen, [0, 0, swaps], 100);
        // Frames 5, 45, 85, 125, … come behind their next ones.
        let late: Vec<_> = seen.flows.iter().filter(|f| f.reordered > 0).map(|f| f.flow).collect();
        assert_eq!(late, [5, 25, 45, 65, 85]);
    }
}

#[test]
fn all_at_once_over_two_senders_and_two_queues_is_still_exact() {
    if !needs::root_and(&PROGRAMS) {
        return;
    }
    // Each worker numbers its own half of the frames; order over two queues is another matter, so none is late.
    let (drop, double) = (rule("drop", 7, 3, 4), rule("double", 50, 11, 12));
    let half = COUNT / 2;
    let lost = 2 * drop.hits(half);
    let doubled = 2 * (0..half).filter(|seq| double.holds(*seq) && !drop.holds(*seq)).count() as u64;
    let seen = through_relay(&[drop, double], COUNT - lost + doubled, [2, 2]);
    let reordered = seen.account().reordered;
    assert_account(&seen, [lost, doubled, reordered], 100);
}
