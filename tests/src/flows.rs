//! The golden captures, and the frames that `dataplane frames` says would be sent.

use std::path::Path;

use crate::bin;
use crate::process::run;

/// A script, and what Pktgen 23.03 sent when it ran it.
#[derive(Clone, Copy, Debug)]
pub struct Golden {
    /// Name of both files in `golden/`.
    pub name: &'static str,
    /// Distinct flows that the script describes.
    pub flows: usize,
    /// Distinct flows among the 320 frames that were captured of Pktgen.
    pub captured_flows: usize,
}

/// One hundred flows of 64 B, all of which Pktgen's capture has.
pub const S100: Golden = Golden { name: "udp_s100_64", flows: 100, captured_flows: 100 };
/// 7 sources, 5 destinations, 3 and 11 ports in lockstep: 1155 flows of 1500 B, of which the capture has 320.
pub const SDSD7: Golden = Golden { name: "udp_sdSD7_1500", flows: 1155, captured_flows: 320 };

impl Golden {
    /// The Lua script.
    pub fn script(&self) -> std::path::PathBuf {
        bin::data(&format!("golden/{}.lua", self.name))
    }

    /// Pktgen's frames, in the order of its capture.
    pub fn pktgen(&self) -> Vec<Vec<u8>> {
        read(&bin::data(&format!("golden/{}.pcap", self.name)))
    }

    /// Our frames by `dataplane frames`, unmarked.
    pub fn ours(&self, count: usize, more: &[&str]) -> Vec<Vec<u8>> {
        frames(&self.script(), count, &[&["--no-stamp"], more].concat())
    }
}

/// What `dataplane frames --pcap` writes.
pub fn frames(profile: &Path, count: usize, more: &[&str]) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("frames.pcap");
    let mut command = bin::dataplane();
    command.arg("frames").args(["--count", &count.to_string()]).args(more);
    let done = run(command.arg("--profile").arg(profile).arg("--pcap").arg(&file));
    assert!(done.status.success(), "frames of {}: {}", profile.display(), done.stderr);
    read(&file)
}

/// The frames of a capture.
pub fn read(file: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let frames = traffic::pcap::frames(&bytes).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    frames.into_iter().map(<[u8]>::to_vec).collect()
}
