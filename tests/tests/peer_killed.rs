//! A peer that dies under load takes memif's shared memory along, at worst in the middle of the other end's burst.
//! DPDK's own programs crash of it; ours end with what they counted.

use bench_tests::memif::{device, socket_folder, spec};
use bench_tests::profiles::UdpFlows;
use bench_tests::run::{Outcome, Run, got, sent};
use nix::sys::signal::Signal;
use traffic::wire::{Command, Role};

/// Deaths tried: the fault needs the burst and the unmapping to meet.
const DEATHS: usize = 4;

/// Two engines at full speed, one of which is killed; what the other one says.
fn survivor(killed: Role) -> Outcome {
    let profile = UdpFlows { flows: 100, frame_size: 64, rate: "max", count: None }.profile();
    let folder = socket_folder();
    let mut rx = Run::engine(&spec(Role::Rx, device("server", folder.path()), &profile, 1));
    rx.ready();
    let mut tx = Run::engine(&spec(Role::Tx, device("client", folder.path()), &profile, 1));
    tx.ready();
    rx.start();
    tx.start();
    rx.wait_for_sample(|s| got(s) > 1000);
    tx.wait_for_sample(|s| sent(s) > 1000);
    match killed {
        Role::Tx => {
            tx.process().signal(Signal::SIGKILL);
            rx.command(Command::Stop);
            rx.finish()
        }
        Role::Rx | Role::Reflect => {
            rx.process().signal(Signal::SIGKILL);
            tx.command(Command::Stop);
            tx.command(Command::Stop);
            tx.finish()
        }
    }
}

#[test]
fn a_receiver_outlives_its_sender() {
    for _ in 0..DEATHS {
        let rx = survivor(Role::Tx);
        let account = rx.summary.totals.account.expect("a receiver's account");
        assert_eq!((account.lost, account.duplicated, account.invalid), (0, 0, 0));
        assert_eq!(account.received, got(&rx.summary.totals));
    }
}

#[test]
fn a_sender_outlives_its_receiver() {
    for _ in 0..DEATHS {
        let tx = survivor(Role::Rx);
        assert!(sent(&tx.summary.totals) > 1000);
        assert_eq!(tx.summary.tx_shards[0].sent, sent(&tx.summary.totals));
    }
}
