//! A receiver that ends and is started again on the same memif socket: the sender lives on and says that it has nobody,
//! and a new sender finds the new receiver.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bench_tests::memif::{device, socket_folder, spec, wait_for_frames};
use bench_tests::profiles::UdpFlows;
use bench_tests::run::{Run, got, sent};
use traffic::profile::{Profile, Stop};
use traffic::wire::{Command, Role};

/// Slots of a memif ring in tests: what a receiver that leaves may not have read.
const RING: u64 = 1024;

#[test]
fn the_sender_outlives_its_receiver_and_another_pair_meets_on_the_same_socket() {
    let profile = UdpFlows { flows: 100, frame_size: 64, rate: "20kpps", count: None }.profile();
    let folder = socket_folder();
    let receiver = || Run::engine(&spec(Role::Rx, device("server", folder.path()), &profile, 1));
    let sender =
        |profile: &Profile| Run::engine(&spec(Role::Tx, device("client", folder.path()), profile, 1));
    let mut first = receiver();
    first.ready();
    let mut tx = sender(&profile);
    tx.ready();
    first.start();
    tx.start();
    first.wait_for_sample(|s| got(s) > 1000);
    first.command(Command::Stop);
    let first = first.finish();

    let mut second = receiver();
    second.ready();
    second.start();
    // The sender goes on, with nobody to take its frames.
    tx.wait_for_sample(|s| s.cores[0].unsent_packets > 10_000);
    tx.command(Command::Stop);
    tx.wait_until_sent();
    tx.command(Command::Stop);
    let tx = tx.finish();
    let told = tx.summary.warnings.join("\n");
    for words in ["the peer has left", "start this sender again", "TX queue 0 took no frame for"] {
        assert!(told.contains(words), "no `{words}` in: {told}");
    }
    let account = first.summary.totals.account.unwrap();
    assert_eq!((account.lost, account.duplicated, account.invalid), (0, 0, 0));
    let frames = sent(&tx.summary.totals);
    assert!(
        (frames - RING..=frames).contains(&account.received),
        "{frames} sent, {} received",
        account.received
    );
    assert_eq!([tx.summary.mbufs_missing, first.summary.mbufs_missing], [0, 0], "mbufs missing");

    let mut again = sender(&Profile { stop: Stop::Count(5000), ..profile.clone() });
    again.ready();
    again.start();
    again.wait_until_sent();
    wait_for_frames(&mut second, 5000);
    second.command(Command::Stop);
    let second = second.finish().summary.totals.account.unwrap();
    assert_eq!((second.received, second.lost, second.duplicated), (5000, 0, 0));
    again.command(Command::Stop);
    assert!(again.finish().summary.warnings.is_empty());
}
