//! A sender and a receiver in two processes, joined by net_memif.

use std::path::Path;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::run::{Outcome, Run, got, sent};
use crate::{bin, cpus, needs};

/// MiB of hugepages that both ends of a memif pair together stay within.
const PAIR_MIB: u64 = 128;

/// What both ends do.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// What is sent.
    pub profile: &'a Path,
    /// Sending workers.
    pub tx_workers: usize,
    /// More arguments for the sender.
    pub tx_args: &'a [&'a str],
}

/// A folder for the socket: its path stays below the kernel's limit of 108 bytes wherever tests keep their files.
pub fn socket_folder() -> TempDir {
    tempfile::Builder::new().prefix("bench-memif").tempdir_in("/tmp").expect("a folder in /tmp")
}

/// `vdev:net_memif0,…` for one end.
pub fn device(role: &str, folder: &Path) -> String {
    let socket = folder.join("m.sock");
    format!("vdev:net_memif0,role={role},id=0,socket={},socket-abstract=no,bsize=2048,rsize=10", socket.display())
}

/// `hugepages` where both ends find enough, else `no-huge`: both ends must agree.
pub fn memory() -> &'static str {
    if needs::free_hugepages_mib() >= PAIR_MIB { "hugepages" } else { "no-huge" }
}

impl Pair<'_> {
    /// Receiver first, then the sender to its end; the receiver is stopped when it has got all, or gets no more.
    pub fn run(&self) -> (Outcome, Outcome) {
        let folder = socket_folder();
        let memory = memory();
        let mut rx = bin::dataplane();
        rx.args(["rx", "--output", "json", "--interval-ms", "100", "--same-host", "--memory", memory]);
        rx.args(["--lcores", &cpus::rx(1), "--tx-workers", &self.tx_workers.to_string()]);
        rx.args(["--device", &device("server", folder.path()), "--profile"]).arg(self.profile);
        let mut rx = Run::spawn(&mut rx);
        rx.ready();

        let mut tx = bin::dataplane();
        tx.args(["tx", "--output", "json", "--interval-ms", "100", "--memory", memory]);
        tx.args(["--lcores", &cpus::tx(self.tx_workers), "--workers", &self.tx_workers.to_string()]);
        tx.args(["--device", &device("client", folder.path()), "--profile"]).arg(self.profile);
        let tx = Run::spawn(tx.args(self.tx_args)).finish();

        let all = sent(&tx.summary.totals);
        stop_receiver(rx, tx, all)
    }
}

/// Stops a receiver that has got `expected` frames, or that has got none for a while.
pub fn stop_receiver(mut rx: Run, tx: Outcome, expected: u64) -> (Outcome, Outcome) {
    // Two samples a frame apart tell nothing on a busy machine; fifty without any frame do.
    const QUIET_SAMPLES: u32 = 50;
    let quiet = std::cell::Cell::new((0, 0_u64));
    rx.wait_for_sample(|sample| {
        let now = got(sample);
        let (still, last) = quiet.get();
        quiet.set(if now == last { (still + 1, now) } else { (0, now) });
        now >= expected || still >= QUIET_SAMPLES
    });
    rx.process().signal(Signal::SIGINT);
    (tx, rx.finish())
}
