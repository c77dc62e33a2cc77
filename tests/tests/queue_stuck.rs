//! A queue that takes nothing, or a pool that is empty: the sender stays within bounds, counts what was due, and says
//! so.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bench_tests::memif::{device, socket_folder, spec, wait_for_frames};
use bench_tests::profiles::UdpFlows;
use bench_tests::run::{Outcome, Run, sent};
use nix::sys::signal::Signal;
use traffic::profile::{Profile, Stop};
use traffic::wire::{Command, Role, RunSpec, Sample};

const RATE_PPS: f64 = 100e3;

fn profile(rate: &'static str, stop: Stop) -> Profile {
    Profile { stop, ..UdpFlows { flows: 100, frame_size: 64, rate, count: None }.profile() }
}

fn unsent(sample: &Sample) -> u64 {
    sample.cores.iter().map(|core| core.unsent_packets).sum()
}

/// Sent and unsent are what was due. A worker that does not get its CPU at the very end has not yet looked at what
/// became due then: a quarter of a second of it is allowed for, far less than what was unsent.
fn assert_all_offered(tx: &Outcome, rate_pps: f64) {
    let (totals, seconds) = (&tx.summary.totals, tx.summary.effective_ns as f64 / 1e9);
    let (offered, due) = ((sent(totals) + unsent(totals)) as f64, rate_pps * seconds);
    assert!(offered <= due + 64.0, "{offered} offered, {due} due in {seconds} s");
    assert!(offered >= due - rate_pps / 4.0, "{offered} offered, {due} due in {seconds} s");
    assert!(unsent(totals) as f64 > rate_pps / 2.0, "{} unsent", unsent(totals));
}

fn assert_told(tx: &Outcome) {
    let told = tx.summary.warnings.join("\n");
    assert!(told.contains("TX queue 0 took no frame for"), "{told}");
}

/// A pair over memif, both running; the receiver is then held still.
fn stopped_receiver(profile: &Profile) -> (Run, Run, tempfile::TempDir) {
    let folder = socket_folder();
    let mut rx = Run::engine(&spec(Role::Rx, device("server", folder.path()), profile, 1));
    rx.ready();
    let mut tx = Run::engine(&spec(Role::Tx, device("client", folder.path()), profile, 1));
    tx.ready();
    rx.start();
    tx.start();
    tx.wait_for_sample(|s| sent(s) > 1000);
    rx.process().signal(Signal::SIGSTOP);
    (tx, rx, folder)
}

#[test]
fn a_receiver_that_stands_still_costs_unsent_frames_and_nothing_is_lost() {
    let (mut tx, mut rx, _folder) = stopped_receiver(&profile("100kpps", Stop::Never));
    tx.wait_for_sample(|s| unsent(s) > 100_000);
    rx.process().signal(Signal::SIGCONT);
    let before = std::cell::Cell::new(u64::MAX);
    tx.wait_for_sample(|s| sent(s) > before.replace(before.get().min(sent(s))).saturating_add(5000));
    tx.command(Command::Stop);
    tx.wait_until_sent();
    wait_for_frames(&mut rx, u64::MAX);
    rx.command(Command::Stop);
    let rx = rx.finish();
    tx.command(Command::Stop);
    let tx = tx.finish();
    assert_all_offered(&tx, RATE_PPS);
    assert_told(&tx);
    let account = rx.summary.totals.account.unwrap();
    assert_eq!((account.received, account.lost, account.duplicated), (sent(&tx.summary.totals), 0, 0));
    assert_eq!([tx.summary.mbufs_missing, rx.summary.mbufs_missing], [0, 0], "mbufs missing");
}

#[test]
fn a_sender_at_full_rate_ends_in_time_though_nobody_reads() {
    let (tx, rx, _folder) = stopped_receiver(&profile("max", Stop::DurationS(3.0)));
    let mut tx = tx;
    tx.wait_until_sent();
    tx.command(Command::Stop);
    let tx = tx.finish();
    assert_told(&tx);
    assert_eq!(tx.summary.ended, traffic::wire::Ended::Complete);
    assert_eq!(unsent(&tx.summary.totals), 0, "at full rate nothing is due");
    assert_eq!(tx.summary.mbufs_missing, 0);
    drop(rx);
}

#[test]
fn a_pool_that_is_empty_is_a_sender_that_falls_behind_not_one_that_hangs() {
    // The ring is the wire: it holds all 1023 mbufs that a pool for 16 descriptors has, and gives them back only as
    // fast as the sender looks at its own RX queue.
    let profile = profile("20Mpps", Stop::DurationS(1.0));
    let small =
        RunSpec { descriptors: 16, linger_ms: 0, ..spec(Role::Tx, "vdev:net_ring0".to_owned(), &profile, 1) };
    let mut tx = Run::engine(&small);
    tx.ready();
    tx.start();
    let tx = tx.finish();
    assert!(sent(&tx.summary.totals) > 1000);
    assert_all_offered(&tx, 20e6);
    // Empty as far as can be told from outside: the last act may be a look at the RX queue, which frees up to 64.
    let on_the_wire = tx.summary.mbufs_missing;
    assert!((1023 - 64..=1023).contains(&on_the_wire), "{on_the_wire} of 1023 mbufs on the wire at the end");
}
