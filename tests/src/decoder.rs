//! tshark as the second opinion on every byte: a decoder that knows nothing of our generator.
//!
//! [`decode`] takes frames apart by field name (`tshark -G fields` lists them), [`faults`] says what tshark holds
//! against them. Checksums are verified, nothing is put together again: each frame stands for itself.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::needs;
use crate::process::run;

/// A checksum's status in tshark's words, such as that of `ip.checksum.status`.
pub const VALID: &str = "1";
/// The mark of an expert's word that means "this is wrong", as opposed to a note.
const SEVERITY_ERROR: u32 = 0x0080_0000;
/// What tshark is told to do, and not to do.
const OPTIONS: [&str; 10] = [
    "ip.check_checksum:TRUE",
    "udp.check_checksum:TRUE",
    "tcp.check_checksum:TRUE",
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "tcp.desegment_tcp_streams:FALSE",
    // Frames are no conversation: every flow may be seen once, or out of any order.
    "tcp.analyze_sequence_numbers:FALSE",
    "tcp.relative_sequence_numbers:FALSE",
    // Ports decide what is inside, not guesses at the payload.
    "udp.try_heuristic_first:FALSE",
    "gtp.dissect_tpdu_as:TPDU Heuristic",
];

/// Whether tshark is here; says loudly when not.
pub fn is_here() -> bool {
    needs::programs_are_here(&["tshark"])
}

/// A row for each frame of a capture, a value for each of `fields`. Empty where a frame has no such field; values of
/// a field that stands in it several times (inner and outer headers) are joined by commas, the outermost first.
pub fn decode(pcap: &Path, fields: &[&str]) -> Vec<Vec<String>> {
    let mut args = vec!["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,", "-E", "separator=/t"];
    args.extend(fields.iter().flat_map(|field| ["-e", *field]));
    let rows = tshark(pcap, &args);
    let row = |line: &str| -> Vec<String> { line.split('\t').map(str::to_owned).collect() };
    let rows: Vec<Vec<String>> = rows.lines().map(row).collect();
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(row.len(), fields.len(), "frame {n} of {}: {row:?}", pcap.display());
    }
    rows
}

/// [`decode`] for frames in memory.
pub fn decode_frames(frames: &[Vec<u8>], fields: &[&str]) -> Vec<Vec<String>> {
    let saved = save(frames);
    decode(&saved.path().join(FILE), fields)
}

/// Everything that tshark holds to be wrong: cut-off or contradictory headers, checksums that are not valid. Each with
/// the number of its frame, from 0.
pub fn faults(pcap: &Path) -> Vec<String> {
    let fields = ["_ws.expert.severity", "_ws.expert.message", "_ws.malformed", "_ws.short"];
    let rows = decode(pcap, &fields);
    let is_error =
        |severities: &str| severities.split(',').any(|s| s.parse::<u32>().is_ok_and(|s| s >= SEVERITY_ERROR));
    let mut told = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        let (message, cut) = (row[1].as_str(), [&row[2], &row[3]].iter().any(|mark| !mark.is_empty()));
        if is_error(&row[0]) || cut {
            told.push(format!("frame {n}: {}", if message.is_empty() { "malformed" } else { message }));
        }
    }
    told
}

/// [`faults`] for frames in memory.
pub fn faults_of_frames(frames: &[Vec<u8>]) -> Vec<String> {
    let saved = save(frames);
    faults(&saved.path().join(FILE))
}

/// Panics with the first ones of [`faults_of_frames`].
pub fn assert_sound(frames: &[Vec<u8>], what: &str) {
    let told = faults_of_frames(frames);
    let first = told.iter().take(5).map(String::as_str).collect::<Vec<_>>().join("\n  ");
    assert!(told.is_empty(), "tshark finds {} faults in {what}:\n  {first}", told.len());
}

const FILE: &str = "frames.pcap";

fn save(frames: &[Vec<u8>]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut pcap = traffic::pcap::PcapWriter::new(Vec::new()).expect("memory takes a header");
    frames.iter().for_each(|frame| pcap.write(0, frame).expect("memory takes a frame"));
    std::fs::write(folder.path().join(FILE), pcap.finish().expect("memory")).expect("a file");
    folder
}

/// Standard output of tshark over a capture.
fn tshark(pcap: &Path, args: &[impl AsRef<OsStr>]) -> String {
    let settings = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new("tshark");
    // A user's own preferences and filters stay out of it.
    command.env("WIRESHARK_CONFIG_DIR", settings.path()).env("LC_ALL", "C.UTF-8");
    command.arg("-n").arg("-r").arg(pcap);
    for option in OPTIONS {
        command.args(["-o", option]);
    }
    let done = run(command.args(args));
    assert!(done.status.success(), "tshark over {}: {}: {}", pcap.display(), done.status, done.stderr);
    done.stdout
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::S100;

    #[test]
    fn a_wrong_bit_and_a_missing_end_are_found() {
        if !is_here() {
            return;
        }
        let good = S100.pktgen()[0].clone();
        let (mut ip, mut udp, short) = (good.clone(), good.clone(), good[..38].to_vec());
        // The time to live, and a byte of the payload.
        ip[22] ^= 1;
        udp[50] ^= 1;
        let frames = [good, ip, udp, short];
        let told = faults_of_frames(&frames);
        let named: Vec<&str> = told.iter().map(|t| t.split(':').next().unwrap()).collect();
        assert_eq!(named, ["frame 1", "frame 2", "frame 3"], "{told:?}");
        let rows = decode_frames(&frames[..3], &["ip.checksum.status", "udp.checksum.status", "vlan.id"]);
        assert_eq!(rows, [[VALID, VALID, ""], ["0", VALID, ""], [VALID, "0", ""]]);
    }

    #[test]
    #[should_panic(expected = "aren't valid")]
    fn a_field_that_tshark_does_not_know_is_no_empty_field() {
        if !is_here() {
            panic!("aren't valid, as far as can be told without tshark");
        }
        decode_frames(&[S100.pktgen()[0].clone()], &["ip.sorce"]);
    }
}
