//! Captures read frame by frame: classic pcap (micro- and nanoseconds, either byte order) and pcapng.
//!
//! The two formats take less code than a parser's glue would, and what matters here is our own: never more than one
//! frame in memory, no length believed before it is checked, and faults that name the frame.

use std::io::{self, Read};

use crate::pcap_ng::Section;

/// The largest frame of a capture that is read at all: libpcap's own limit. What may be sent is far smaller.
pub const MAX_RECORD_BYTES: u32 = 262_144;
/// Link type of Ethernet frames.
pub(crate) const ETHERNET: u16 = 1;

const MAGIC_MICROS: u32 = 0xa1b2_c3d4;
const MAGIC_NANOS: u32 = 0xa1b2_3c4d;
const MAGIC_GZIP: [u8; 2] = [0x1f, 0x8b];
/// Upper bits of the link type: frames end in an FCS.
const HAS_FCS: u32 = 1 << 26;

/// A frame as it was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'b> {
    /// Nanoseconds since 1970; of the frame before where the format gives none.
    pub time_ns: u64,
    /// Bytes that it had on the wire.
    pub wire_bytes: u32,
    /// What was kept of it.
    pub data: &'b [u8],
}

/// Why a capture can't be read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system.
    #[error("can't be read: {0}")]
    Io(#[from] io::Error),
    /// Another file type.
    #[error("is no pcap or pcapng file (it begins with {0}): save the capture in one of these formats")]
    Magic(String),
    /// Compressed.
    #[error("is compressed: unpack it first, with gunzip")]
    Compressed,
    /// No Ethernet.
    #[error("holds frames of link type {0}, not of Ethernet (1): capture on an Ethernet interface")]
    LinkType(u32),
    /// The frames end in an FCS, which the NIC would add once more.
    #[error("holds frames with their FCS: remove it, with editcap -C -4 -F pcap")]
    Fcs,
    /// Ended within a frame or block.
    #[error("is cut off behind its frame {frame}: copy it anew, or set limit_frames to {frame} or less")]
    Truncated {
        /// Whole frames before.
        frame: u64,
    },
    /// A length that can't be.
    #[error(
        "is damaged behind its frame {frame}: {what} is {value}; mend it with pcapfix, or set limit_frames to {frame} or less"
    )]
    Damaged {
        /// Whole frames before.
        frame: u64,
        /// The field.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// A part of pcapng that is not read.
    #[error("has {0}: convert it with editcap -F pcap")]
    Unsupported(&'static str),
}

/// Reads the frames of one capture, in its order.
#[derive(Debug)]
pub struct Reader<R> {
    input: Input<R>,
    format: Format,
    last_ns: u64,
}

#[derive(Debug)]
enum Format {
    Classic { order: Order, ns_per_unit: u64 },
    Next(Section),
}

/// A file's byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) fn word(self, b: [u8; 4]) -> u32 {
        match self {
            Order::Little => u32::from_le_bytes(b),
            Order::Big => u32::from_be_bytes(b),
        }
    }

    pub(crate) fn half(self, b: [u8; 2]) -> u16 {
        match self {
            Order::Little => u16::from_le_bytes(b),
            Order::Big => u16::from_be_bytes(b),
        }
    }
}

/// The file, one frame's room, and how many frames came.
#[derive(Debug)]
pub(crate) struct Input<R> {
    from: R,
    pub(crate) room: Vec<u8>,
    pub(crate) frame: u64,
}

impl<R: Read> Input<R> {
    /// Exactly `N` bytes; none at the file's end.
    pub(crate) fn head<const N: usize>(&mut self) -> Result<Option<[u8; N]>, ReadError> {
        let mut bytes = [0; N];
        let mut got = 0;
        while got < N {
            match self.from.read(&mut bytes[got..]) {
                Ok(0) if got == 0 => return Ok(None),
                Ok(0) => return Err(self.truncated()),
                Ok(n) => got += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(Some(bytes))
    }

    /// Exactly `N` bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        self.head()?.ok_or_else(|| self.truncated())
    }

    /// `len` bytes into the room; the caller has checked that they are few.
    pub(crate) fn fill(&mut self, len: u32) -> Result<(), ReadError> {
        self.room.resize(len as usize, 0);
        match self.from.read_exact(&mut self.room) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Err(self.truncated()),
            other => Ok(other?),
        }
    }

    /// Leaves out `len` bytes.
    pub(crate) fn skip(&mut self, len: u64) -> Result<(), ReadError> {
        let skipped = io::copy(&mut self.from.by_ref().take(len), &mut io::sink())?;
        if skipped == len { Ok(()) } else { Err(self.truncated()) }
    }

    pub(crate) fn truncated(&self) -> ReadError {
        ReadError::Truncated { frame: self.frame }
    }

    pub(crate) fn damaged(&self, what: &'static str, value: u64) -> ReadError {
        ReadError::Damaged { frame: self.frame, what, value }
    }
}

impl<R: Read> Reader<R> {
    /// Reads the file's header.
    pub fn new(from: R) -> Result<Reader<R>, ReadError> {
        let mut input = Input { from, room: Vec::new(), frame: 0 };
        let magic: [u8; 4] = input.head()?.ok_or_else(|| ReadError::Magic("nothing: it is empty".into()))?;
        let classic = |order, unit| Format::Classic { order, ns_per_unit: unit };
        let format = match (Order::Little.word(magic), Order::Big.word(magic)) {
            (MAGIC_MICROS, _) => classic(Order::Little, 1000),
            (_, MAGIC_MICROS) => classic(Order::Big, 1000),
            (MAGIC_NANOS, _) => classic(Order::Little, 1),
            (_, MAGIC_NANOS) => classic(Order::Big, 1),
            (crate::pcap_ng::SECTION, _) => Format::Next(Section::open(&mut input)?),
            _ if magic[..2] == MAGIC_GZIP => return Err(ReadError::Compressed),
            _ => {
                let hex: Vec<String> = magic.iter().map(|b| format!("{b:02x}")).collect();
                return Err(ReadError::Magic(hex.join(" ")));
            }
        };
        if let Format::Classic { order, .. } = format {
            // Version, time zone, accuracy, snap length, link type.
            let head: [u8; 20] = input.bytes()?;
            let link = order.word([head[16], head[17], head[18], head[19]]);
            if link & 0xffff != u32::from(ETHERNET) {
                return Err(ReadError::LinkType(link & 0xffff));
            }
            if link & HAS_FCS != 0 && link >> 28 > 0 {
                return Err(ReadError::Fcs);
            }
        }
        Ok(Reader { input, format, last_ns: 0 })
    }

    /// The next frame; none at the end.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        let found = match &mut self.format {
            Format::Classic { order, ns_per_unit } => classic_record(&mut self.input, *order, *ns_per_unit)?,
            Format::Next(section) => section.next_record(&mut self.input, self.last_ns)?,
        };
        let Some((time_ns, wire_bytes)) = found else { return Ok(None) };
        self.last_ns = time_ns;
        self.input.frame += 1;
        Ok(Some(Record { time_ns, wire_bytes, data: &self.input.room }))
    }
}

/// A frame into the room: its time and its bytes on the wire.
fn classic_record<R: Read>(
    input: &mut Input<R>,
    order: Order,
    ns_per_unit: u64,
) -> Result<Option<(u64, u32)>, ReadError> {
    let Some(head) = input.head::<16>()? else { return Ok(None) };
    let word = |at: usize| order.word([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (seconds, units, kept, wire_bytes) = (word(0), word(4), word(8), word(12));
    check_lengths(input, kept, wire_bytes)?;
    input.fill(kept)?;
    Ok(Some((u64::from(seconds) * 1_000_000_000 + u64::from(units) * ns_per_unit, wire_bytes)))
}

/// Refuses lengths that no capture has.
pub(crate) fn check_lengths<R: Read>(input: &Input<R>, kept: u32, wire_bytes: u32) -> Result<(), ReadError> {
    if kept > MAX_RECORD_BYTES {
        return Err(input.damaged("the length that was kept", kept.into()));
    }
    if wire_bytes < kept {
        return Err(input.damaged("the length on the wire, which is less than was kept,", wire_bytes.into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Frames of a capture: time, bytes on the wire, bytes kept.
    pub(crate) fn all(file: &[u8]) -> Result<Vec<(u64, u32, Vec<u8>)>, ReadError> {
        let mut reader = Reader::new(file)?;
        let mut out = Vec::new();
        while let Some(r) = reader.next_record()? {
            out.push((r.time_ns, r.wire_bytes, r.data.to_vec()));
        }
        Ok(out)
    }

    fn file(magic: u32, big: bool, link: u32) -> Vec<u8> {
        let words = [magic, 2 | 4 << 16, 0, 0, 65_535, link, 7, 8, 3, 60];
        let bytes = |w: u32| if big { w.to_be_bytes() } else { w.to_le_bytes() };
        words.into_iter().flat_map(bytes).chain([1, 2, 3]).collect()
    }

    #[test]
    fn four_kinds_of_classic_files_are_read() {
        for (magic, ns) in [(MAGIC_MICROS, 7_000_008_000), (MAGIC_NANOS, 7_000_000_008)] {
            for big in [false, true] {
                let read = all(&file(magic, big, 1)).unwrap();
                assert_eq!(read, [(ns, 60, vec![1, 2, 3])], "{magic:x} {big}");
            }
        }
    }

    #[test]
    fn what_is_no_capture_of_ethernet_is_refused_with_the_next_step() {
        let told = |file: &[u8]| all(file).unwrap_err().to_string();
        assert!(told(&[]).contains("it is empty"));
        assert!(told(&[0x1f, 0x8b, 8, 0]).contains("gunzip"));
        assert!(told(b"#!/bin/sh").contains("begins with 23 21 2f 62"));
        assert!(told(&file(MAGIC_MICROS, false, 113)).contains("link type 113"));
        assert!(told(&file(MAGIC_MICROS, false, 1 | HAS_FCS | 2 << 28)).contains("editcap"));
        let mut long = file(MAGIC_MICROS, false, 1);
        long[32..36].copy_from_slice(&300_000u32.to_le_bytes());
        assert!(told(&long).contains("damaged behind its frame 0: the length that was kept is 300000"));
        let mut less = file(MAGIC_MICROS, false, 1);
        less[36..40].copy_from_slice(&2u32.to_le_bytes());
        assert!(told(&less).contains("which is less than was kept, is 2"));
    }

    #[test]
    fn a_cut_file_gives_its_whole_frames_and_then_says_so() {
        let whole = file(MAGIC_NANOS, false, 1);
        let twice = [&whole[..], &whole[24..]].concat();
        for len in 25..twice.len() {
            let end = all(&twice[..len]);
            match len {
                43 => assert_eq!(end.unwrap().len(), 1),
                _ => assert!(
                    matches!(end, Err(ReadError::Truncated { frame }) if frame == u64::from(len > 43))
                ),
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            kind in 0usize..3, bytes in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let start = [file(MAGIC_MICROS, false, 1), crate::pcap_ng::tests::header(false), Vec::new()];
            let _ = all(&[&start[kind][..], &bytes[..]].concat());
        }
    }
}
