//! A capture in memory, whole and bounded, with its fields rewritten: what workers send from.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::error::ReplayError;
use super::flow::flow;
use super::headers::layers;
use super::rewrite::{NAMES, Touched, rewrite};
use crate::pcap_read::{ReadError, Reader};
use crate::profile::replay::{Replay, Truncated};
use crate::units::{FCS_BYTES, FrameSize};

/// Frames kept at most.
pub const MAX_FRAMES: usize = 1_000_000;
/// Bytes of frames kept at most.
pub const MAX_BYTES: usize = 256 << 20;
/// Bytes that a frame has at least: an Ethernet header.
const MIN_FRAME_BYTES: usize = 14;

/// All frames of a capture, one behind the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    bytes: Vec<u8>,
    frames: Vec<Frame>,
    flows: u64,
    /// What the user should know though it is no fault.
    pub warnings: Vec<String>,
}

/// Where a frame stands, when it came, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Nanoseconds since the capture's first frame; never less than the frame's before.
    pub time_ns: u64,
    /// Its flow.
    pub flow: u32,
    /// Its place in the bytes.
    pub at: u32,
    /// Its bytes, without FCS.
    pub len: u16,
}

/// What is counted while reading.
#[derive(Default)]
struct Tally {
    cut: u64,
    first_cut: (u64, usize, u32),
    small: u64,
    backwards: u64,
    touched: Touched,
    flows: HashSet<u64>,
}

impl Capture {
    /// Reads a replay's file.
    pub fn load(replay: &Replay) -> Result<Capture, ReplayError> {
        let path = &replay.file;
        let open = |source| ReplayError::Open { path: path.clone(), source };
        // Opening a pipe could wait for ever.
        let meta = std::fs::metadata(path).map_err(open)?;
        if !meta.is_file() {
            return Err(open(std::io::Error::other("it is not a regular file")));
        }
        let file = BufReader::with_capacity(1 << 16, File::open(path).map_err(open)?);
        Capture::read(file, meta.len(), replay)
    }

    /// Reads a replay's frames from an open file of `file_bytes`.
    pub fn read(from: impl Read, file_bytes: u64, replay: &Replay) -> Result<Capture, ReplayError> {
        let path = replay.file.as_path();
        let fault = |source: ReadError| ReplayError::Read { path: path.to_owned(), source };
        let limit = replay.limit_frames.map_or(usize::MAX, |n| n as usize);
        // As large as it can get: it is never moved, and what is not written to takes no memory.
        let room = usize::try_from(file_bytes).unwrap_or(MAX_BYTES).min(MAX_BYTES);
        let mut capture =
            Capture { bytes: Vec::with_capacity(room), frames: Vec::new(), flows: 0, warnings: Vec::new() };
        let mut tally = Tally::default();
        let mut first_ns = None;
        let mut reader = Reader::new(from).map_err(fault)?;
        while capture.frames.len() < limit {
            let Some(record) = reader.next_record().map_err(fault)? else { break };
            let number = capture.frames.len() as u64 + 1;
            let wire_bytes = check_size(path, number, record.wire_bytes)?;
            if capture.frames.len() == MAX_FRAMES || capture.bytes.len() + wire_bytes > MAX_BYTES {
                let frames = capture.frames.len();
                return Err(ReplayError::TooLarge { path: path.to_owned(), file_bytes, frames });
            }
            if record.data.len() < wire_bytes {
                if tally.cut == 0 {
                    tally.first_cut = (number, record.data.len(), record.wire_bytes);
                }
                tally.cut += 1;
            }
            let time_ns = record.time_ns.saturating_sub(*first_ns.get_or_insert(record.time_ns));
            capture.add(record.data, wire_bytes, time_ns, replay, &mut tally);
        }
        capture.flows = tally.flows.len() as u64;
        capture.judge(replay, &tally)?;
        Ok(capture)
    }

    fn add(&mut self, data: &[u8], wire_bytes: usize, time_ns: u64, replay: &Replay, tally: &mut Tally) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(data);
        self.bytes.resize(at + wire_bytes, 0);
        let bytes = &mut self.bytes[at..];
        let layers = layers(bytes);
        rewrite(bytes, &layers, &replay.rewrite, &mut tally.touched);
        let before = self.frames.last().map_or(0, |f| f.time_ns);
        tally.backwards += u64::from(time_ns < before);
        tally.small += u64::from(wire_bytes < usize::from(FrameSize::MIN.mbuf_bytes()));
        let flow = flow(bytes, &layers, replay.split);
        tally.flows.insert(flow);
        self.frames.push(Frame {
            time_ns: time_ns.max(before),
            // The better half of the hash.
            flow: (flow >> 32) as u32,
            at: at as u32,
            len: wire_bytes as u16,
        });
    }

    /// Faults and warnings that show when all is read.
    fn judge(&mut self, replay: &Replay, tally: &Tally) -> Result<(), ReplayError> {
        let (path, frames) = (replay.file.clone(), self.frames.len());
        if frames == 0 {
            return Err(ReplayError::Empty { path });
        }
        let shown = path.display().to_string();
        if tally.cut > 0 && replay.truncated == Truncated::Refuse {
            let (first, kept, wire) = tally.first_cut;
            return Err(ReplayError::Cut { path, cut: tally.cut, frames, first, kept, wire });
        }
        let mut warn = |text: String| self.warnings.push(format!("{shown}: {text}"));
        if tally.cut > 0 {
            warn(format!(
                "{} of {frames} frames were captured in part: zeros stand for the rest, and their checksums are wrong",
                tally.cut
            ));
        }
        if tally.small > 0 {
            let n = tally.small;
            warn(format!(
                "{n} of {frames} frames are below 60 B (without FCS): a NIC makes them longer, or drops them"
            ));
        }
        if tally.backwards > 0 {
            warn(format!(
                "{} of {frames} frames have an earlier time than the one before: they are sent right behind it",
                tally.backwards
            ));
        }
        for (name, _) in NAMES.iter().zip(tally.touched).filter(|(name, n)| *n == 0 && asks(replay, name)) {
            warn(format!("no frame has the field that rewrite.{name} sets: nothing was changed by it"));
        }
        Ok(())
    }

    /// The frames.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// All bytes, for [`Frame::at`].
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// One frame's bytes.
    pub fn frame(&self, frame: &Frame) -> &[u8] {
        let at = frame.at as usize;
        &self.bytes[at..at + usize::from(frame.len)]
    }

    /// Distinct flows.
    pub fn flows(&self) -> u64 {
        self.flows
    }

    /// Bytes of the longest frame, without FCS.
    pub fn longest(&self) -> u16 {
        self.frames.iter().map(|f| f.len).max().unwrap_or(0)
    }

    /// Bytes of a frame with FCS as it is on the wire, the mean of all.
    pub fn mean_frame_bytes(&self) -> f64 {
        let on_wire = |f: &Frame| u64::from((f.len + FCS_BYTES).max(FrameSize::MIN.bytes()));
        self.frames.iter().map(on_wire).sum::<u64>() as f64 / self.frames.len().max(1) as f64
    }

    /// From the first frame to the last, in nanoseconds.
    pub fn span_ns(&self) -> u64 {
        self.frames.last().map_or(0, |f| f.time_ns)
    }
}

/// A frame's length, if it can be sent.
fn check_size(path: &Path, number: u64, wire_bytes: u32) -> Result<usize, ReplayError> {
    let most = usize::from(FrameSize::MAX.mbuf_bytes());
    let bytes = wire_bytes as usize;
    if (MIN_FRAME_BYTES..=most).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(ReplayError::FrameSize { path: path.to_owned(), frame: number, bytes: wire_bytes })
    }
}

/// Whether a replay's profile sets the field.
fn asks(replay: &Replay, name: &str) -> bool {
    let to = &replay.rewrite;
    match name {
        "src_mac" => to.src_mac.is_some(),
        "dst_mac" => to.dst_mac.is_some(),
        "src_ip" => to.src_ip.is_some(),
        "dst_ip" => to.dst_ip.is_some(),
        "src_ip6" => to.src_ip6.is_some(),
        "dst_ip6" => to.dst_ip6.is_some(),
        "src_port" => to.src_port.is_some(),
        "dst_port" => to.dst_port.is_some(),
        _ => to.vlan_id.is_some(),
    }
}
