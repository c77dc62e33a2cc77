//! Replay profiles made for a test, and the captures that they send.

use std::path::{Path, PathBuf};

use traffic::pcap_read::Reader;

use crate::bin;

/// 35 frames of many kinds, in a pcapng file that Wireshark's editcap wrote: ARP, TCP, UDP, ICMP, tagged and not, IPv6,
/// fragments; both directions of each flow.
pub fn mixed() -> PathBuf {
    bin::data("golden/mixed.pcapng")
}

/// Writes a profile of `capture` with more `settings`, whole lines of TOML, to a file in `folder`.
pub fn write(folder: &Path, capture: &Path, settings: &str) -> PathBuf {
    let path = folder.join("replay.toml");
    let text = format!("[replay]\nfile = {capture:?}\n{settings}\n");
    std::fs::write(&path, text).expect("a profile can be written");
    path
}

/// The frames of a pcap or pcapng file with their times in nanoseconds.
pub fn timed(file: &Path) -> Vec<(u64, Vec<u8>)> {
    let file = std::fs::File::open(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut reader = Reader::new(std::io::BufReader::new(file)).unwrap_or_else(|e| panic!("{e}"));
    let mut out = Vec::new();
    while let Some(record) = reader.next_record().unwrap_or_else(|e| panic!("{e}")) {
        out.push((record.time_ns, record.data.to_vec()));
    }
    out
}

/// The frames of a pcap or pcapng file.
pub fn frames(file: &Path) -> Vec<Vec<u8>> {
    timed(file).into_iter().map(|(_, frame)| frame).collect()
}
