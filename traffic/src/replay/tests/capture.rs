//! Captures in memory: bounds, faults and warnings.

use super::{Replay, Truncated, UDP, file, load, replay};
use crate::pcap::PcapWriter;
use crate::profile::Stop;
use crate::replay::{MAX_FRAMES, ReplayError, ReplayPlan};
use crate::units::Rate;

/// One record by hand: kept bytes, bytes on the wire.
fn record(kept: &[u8], wire: u32) -> Vec<u8> {
    let words = [1, 2, kept.len() as u32, wire];
    words.iter().flat_map(|w| w.to_le_bytes()).chain(kept.iter().copied()).collect()
}

fn header() -> Vec<u8> {
    PcapWriter::new(Vec::new()).unwrap().finish().unwrap()
}

#[test]
fn frames_and_times_are_the_files() {
    let frames = [(5, UDP.frame()), (9, vec![7; 60]), (8, vec![8; 1514])];
    let capture = load(&file(&frames), &replay()).unwrap();
    let read: Vec<(u64, Vec<u8>)> =
        capture.frames().iter().map(|f| (f.time_ns, capture.frame(f).to_vec())).collect();
    let expected: Vec<(u64, Vec<u8>)> =
        [0, 4000, 4000].into_iter().zip(frames.map(|(_, frame)| frame)).collect();
    assert_eq!(read, expected);
    assert_eq!((capture.longest(), capture.span_ns()), (1514, 4000));
    assert!(capture.warnings[0].contains("1 of 3 frames have an earlier time"), "{:?}", capture.warnings);
    // UDP has 73 bytes, with FCS 77.
    assert_eq!(capture.mean_frame_bytes(), (77 + 64 + 1518) as f64 / 3.0);
}

#[test]
fn a_limit_takes_the_first_frames_and_reads_no_further() {
    let damaged = [&file(&[(0, vec![1; 60]), (1, vec![2; 60])])[..], b"no frame"].concat();
    assert!(matches!(load(&damaged, &replay()), Err(ReplayError::Read { .. })));
    let capture = load(&damaged, &Replay { limit_frames: Some(2), ..replay() }).unwrap();
    assert_eq!(capture.frames().len(), 2);
}

#[test]
fn too_many_frames_are_refused_with_the_file_its_size_and_the_next_step() {
    let one = record(&[1; 14], 14);
    let all = [header(), one.repeat(MAX_FRAMES + 1)].concat();
    let told = load(&all, &replay()).unwrap_err().to_string();
    for part in ["x.pcap", "29 MiB", "limit_frames to 1000000", "256 MiB"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let limited = Replay { limit_frames: Some(MAX_FRAMES as u64), ..replay() };
    assert_eq!(load(&all, &limited).unwrap().frames().len(), MAX_FRAMES);
}

#[test]
fn too_many_bytes_are_refused_by_how_many_fit() {
    // 27,973 frames of 9596 bytes are 256 MiB. The records are made while they are read.
    let one = record(&[1; 9596], 9596);
    let endless = std::io::Read::chain(std::io::Cursor::new(header()), Repeat { one, at: 0 });
    let error = crate::replay::Capture::read(endless, 1 << 40, &replay()).unwrap_err();
    assert!(matches!(error, ReplayError::TooLarge { frames: 27_973, .. }), "{error}");
}

struct Repeat {
    one: Vec<u8>,
    at: usize,
}

impl std::io::Read for Repeat {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let n = room.len().min(self.one.len() - self.at);
        room[..n].copy_from_slice(&self.one[self.at..self.at + n]);
        self.at = (self.at + n) % self.one.len();
        Ok(n)
    }
}

#[test]
fn frames_that_no_port_sends_are_refused_by_number() {
    for bytes in [13, 9597, 65_000] {
        let frames = [(0, vec![1; 60]), (1, vec![1; 9596]), (2, vec![1; bytes])];
        let told = load(&file(&frames), &replay()).unwrap_err().to_string();
        assert!(told.contains("frame 3 has") && told.contains(&bytes.to_string()), "{told}");
    }
}

#[test]
fn frames_captured_in_part_are_refused_or_padded_with_a_count() {
    let bytes = [header(), record(&[3; 60], 60), record(&[1; 20], 70), record(&[2; 30], 80)].concat();
    let told = load(&bytes, &replay()).unwrap_err().to_string();
    assert!(told.contains("2 of 3 frames") && told.contains("first frame 2 with 20 of 70 B"), "{told}");
    let padded = load(&bytes, &Replay { truncated: Truncated::Pad, ..replay() }).unwrap();
    assert_eq!(padded.frame(&padded.frames()[1]), [&[1; 20][..], &[0; 50]].concat());
    assert!(padded.warnings[0].contains("2 of 3 frames were captured in part"), "{:?}", padded.warnings);
}

#[test]
fn an_empty_capture_and_a_loop_without_length_are_refused() {
    assert!(matches!(load(&header(), &replay()), Err(ReplayError::Empty { .. })));
    let still = load(&file(&[(3, UDP.frame()), (3, UDP.frame())]), &replay()).unwrap();
    let compile = |loops| {
        ReplayPlan::compile(still.clone(), &Replay { loops, ..replay() }, Rate::Max, Stop::Never)
            .map(|p| p.total)
    };
    assert!(matches!(compile(0), Err(ReplayError::NoTime { frames: 2, .. })));
    assert_eq!(compile(1).unwrap(), 2);
}
