//! tcpdump as the witness: what was on the wire, told by somebody else.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::netns::Netns;
use crate::process::Process;
use crate::wait;

/// A running capture.
#[derive(Debug)]
pub struct Tcpdump {
    process: Process,
    file: PathBuf,
    _folder: TempDir,
}

impl Tcpdump {
    /// Starts it on `interface` and waits until it captures.
    pub fn start(netns: &Netns, interface: &str) -> Tcpdump {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("witness.pcap");
        let mut command = Command::new("tcpdump");
        // -Q in: what arrives, not what the interface sends. -B in KiB: room for all of a test's frames.
        command.args(["-i", interface, "-n", "-U", "-Q", "in", "-s", "0", "-B", "65536", "-Z", "root", "-w"]);
        command.arg(&file);
        let mut process = Process::spawn(&mut netns.wrap(command));
        wait::until("tcpdump listens", || {
            assert!(process.is_running(), "tcpdump ended: {}", process.stderr());
            process.stderr().contains("listening on").then_some(())
        });
        Tcpdump { process, file, _folder: folder }
    }

    /// Waits for `expected` frames, or until it waited in vain, and gives what was captured.
    pub fn stop(mut self, expected: usize) -> Vec<Vec<u8>> {
        wait::within(Duration::from_secs(20), || (read(&self.file)?.len() >= expected).then_some(()));
        self.process.signal(Signal::SIGINT);
        let status = self.process.wait();
        let log = self.process.stderr_at_end();
        assert!(status.success(), "tcpdump: {status}: {log}");
        assert!(log.contains("0 packets dropped by kernel"), "the witness itself missed frames: {log}");
        read(&self.file).expect("a whole capture")
    }
}

/// None while the file is not whole.
fn read(file: &Path) -> Option<Vec<Vec<u8>>> {
    let bytes = std::fs::read(file).ok()?;
    let frames = traffic::pcap::frames(&bytes).ok()?;
    Some(frames.into_iter().map(<[u8]>::to_vec).collect())
}
