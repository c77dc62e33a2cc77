//! Classic pcap files (microseconds, Ethernet), written; and read back as far as tests and `frames` need.

use std::io::{self, Write};

const MAGIC: u32 = 0xa1b2_c3d4;
const ETHERNET: u32 = 1;
const SNAPLEN: u32 = 262_144;

/// Writes frames, without FCS, to a pcap.
#[derive(Debug)]
pub struct PcapWriter<W: Write> {
    out: W,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header.
    pub fn new(mut out: W) -> io::Result<PcapWriter<W>> {
        for word in [MAGIC, 2 | 4 << 16, 0, 0, SNAPLEN, ETHERNET] {
            out.write_all(&word.to_le_bytes())?;
        }
        Ok(PcapWriter { out })
    }

    /// Adds a frame with its time since 1970 in nanoseconds, kept in microseconds.
    pub fn write(&mut self, unix_ns: u64, frame: &[u8]) -> io::Result<()> {
        self.write_cut(unix_ns, frame, frame.len() as u32)
    }

    /// Adds the beginning of a frame that had `whole` bytes.
    pub fn write_cut(&mut self, unix_ns: u64, frame: &[u8], whole: u32) -> io::Result<()> {
        let (seconds, micros) = (unix_ns / 1_000_000_000, unix_ns % 1_000_000_000 / 1000);
        for word in [seconds as u32, micros as u32, frame.len() as u32, whole] {
            self.out.write_all(&word.to_le_bytes())?;
        }
        self.out.write_all(frame)
    }

    /// Flushes and gives back what was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Not a capture that [`frames`] understands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PcapError {
    /// Another file type.
    #[error("not a little-endian microsecond pcap of Ethernet frames")]
    Header,
    /// Cut off.
    #[error("cut off in frame {0}")]
    Truncated(usize),
}

/// The frames of a capture held in memory.
pub fn frames(file: &[u8]) -> Result<Vec<&[u8]>, PcapError> {
    let word = |at: usize| file.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    if word(0) != Some(MAGIC) || word(20) != Some(ETHERNET) {
        return Err(PcapError::Header);
    }
    let (mut at, mut out) = (24, Vec::new());
    while at < file.len() {
        let cut = PcapError::Truncated(out.len());
        let len = word(at + 8).ok_or_else(|| cut.clone())? as usize;
        out.push(file.get(at + 16..at + 16 + len).ok_or(cut)?);
        at += 16 + len;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back() {
        let mut w = PcapWriter::new(Vec::new()).unwrap();
        w.write(1_700_000_000_123_456_789, &[1, 2, 3]).unwrap();
        w.write(0, &[9; 70]).unwrap();
        let file = w.finish().unwrap();
        assert_eq!(frames(&file).unwrap(), vec![&[1u8, 2, 3][..], &[9; 70][..]]);
        assert_eq!(frames(&file[..file.len() - 1]), Err(PcapError::Truncated(1)));
        assert_eq!(frames(&[0; 24]), Err(PcapError::Header));
    }
}
