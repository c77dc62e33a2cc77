//! A sender and a receiver in two processes, joined by net_memif.

use std::path::Path;

use tempfile::TempDir;
use traffic::profile::{Profile, Stop};
use traffic::swap::Swap;
use traffic::wire::{self, Checksums, Command, Memory, Role, RunSpec};

use crate::run::{Outcome, Run, got};
use crate::{cpus, needs};

/// MiB of hugepages that both ends of a memif pair together stay within.
const PAIR_MIB: u64 = 128;

/// A folder for the socket: its path stays below the kernel's limit of 108 bytes wherever tests keep their files.
pub fn socket_folder() -> TempDir {
    tempfile::Builder::new().prefix("bench-memif").tempdir_in("/tmp").expect("a folder in /tmp")
}

/// `vdev:net_memif0,…` for one end.
pub fn device(role: &str, folder: &Path) -> String {
    let socket = folder.join("m.sock");
    format!(
        "vdev:net_memif0,role={role},id=0,socket={},socket-abstract=no,bsize=2048,rsize=10",
        socket.display()
    )
}

/// Hugepages where both ends find enough, else ordinary pages: both ends must agree.
pub fn memory() -> Memory {
    if needs::free_hugepages_mib() >= PAIR_MIB { Memory::Hugepages } else { Memory::NoHuge }
}

/// A spec with the defaults of the protocol and samples ten times a second.
pub fn spec(role: Role, device: String, profile: &Profile, tx_workers: u16) -> RunSpec {
    let (lcores, workers) = match role {
        Role::Tx => (cpus::tx(tx_workers.into()), tx_workers),
        // DPDK's memif server wants a queue of its own for each of the client's.
        Role::Rx | Role::Reflect => (cpus::rx(tx_workers.into()), tx_workers),
    };
    RunSpec {
        version: wire::VERSION,
        id: format!("{role:?}").to_lowercase(),
        role,
        device,
        profile: profile.clone(),
        tag: 0x7465_7374,
        tx_workers,
        lcores: lcores.split(',').map(|cpu| cpu.parse().expect("a number")).collect(),
        workers: Some(workers),
        descriptors: RunSpec::default_descriptors(),
        burst: RunSpec::default_burst(),
        memory: memory(),
        socket_mem_mib: None,
        sample_interval_ms: 100,
        drain_quiet_ms: RunSpec::default_drain_quiet_ms(),
        drain_limit_ms: RunSpec::default_drain_limit_ms(),
        // The receiver ends first, however long that takes on a busy machine.
        linger_ms: 60_000,
        limit_s: 300,
        clock: wire::MarkClock::Tsc,
        dump: wire::Dump::default(),
        tx_clock: None,
        swap: Swap::default(),
        round_trip: false,
        addresses: Vec::new(),
        checksums: Checksums::default(),
        per_flow: 0,
    }
}

/// Runs a counted profile from one engine to another, as an agent would, and gives the sender's and the receiver's
/// outcome.
pub fn run_pair(profile: &Profile, tx_workers: u16) -> (Outcome, Outcome) {
    let Stop::Count(count) = profile.stop else { panic!("a profile that sends a count") };
    let folder = socket_folder();
    let mut rx = Run::engine(&spec(Role::Rx, device("server", folder.path()), profile, tx_workers));
    rx.ready();
    let mut tx = Run::engine(&spec(Role::Tx, device("client", folder.path()), profile, tx_workers));
    let clock = tx.ready().clock.clone();
    assert!(
        clock.is_same(&rx.ready().clock) || !clock.invariant,
        "two processes of one host share its clock"
    );
    // Frames that come before a receiver counts are of no run.
    rx.start();
    tx.start();
    tx.wait_until_sent();
    wait_for_frames(&mut rx, count);
    rx.command(Command::Stop);
    let rx = rx.finish();
    tx.command(Command::Stop);
    (tx.finish(), rx)
}

/// Waits until a receiver has got `expected` frames, or has got none for a while.
pub fn wait_for_frames(rx: &mut Run, expected: u64) {
    // Two samples without a frame tell nothing on a busy machine; fifty do.
    const QUIET_SAMPLES: u32 = 50;
    let seen = std::cell::Cell::new((0, 0_u64));
    rx.wait_for_sample(|sample| {
        let now = got(sample);
        let (still, last) = seen.get();
        let still = if now == last { still + 1 } else { 0 };
        seen.set((still, now));
        now >= expected || still >= QUIET_SAMPLES
    });
}
