//! Frames that a receiver kept, as a pcap.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use traffic::pcap::PcapWriter;
use traffic::wire::DumpedFrame;

/// Why there is no pcap.
#[derive(Debug, thiserror::Error)]
#[error("can't write the kept frames to {}: {source}; name another file with --dump-file", path.display())]
pub struct DumpError {
    path: PathBuf,
    source: io::Error,
}

/// Opens the file, so that one that can't be written is known before the run.
pub fn create(path: &Path) -> Result<File, DumpError> {
    File::create(path).map_err(|source| DumpError { path: path.to_owned(), source })
}

/// Writes the frames, each as far as it was kept.
pub fn write(file: File, path: &Path, frames: &[DumpedFrame]) -> Result<(), DumpError> {
    let write = || -> io::Result<()> {
        let mut pcap = PcapWriter::new(BufWriter::new(file))?;
        for frame in frames {
            pcap.write_cut(frame.unix_ns, &frame.bytes(), frame.len)?;
        }
        pcap.finish().map(drop)
    };
    write().map_err(|source| DumpError { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::wire::DumpKind;

    #[test]
    fn frames_come_back_from_the_file() {
        let path = std::env::temp_dir().join(format!("dump-{}.pcap", std::process::id()));
        let frame =
            |hex: &str, len| DumpedFrame { unix_ns: 5, kind: DumpKind::Foreign, len, hex: hex.into() };
        write(create(&path).unwrap(), &path, &[frame("00ff7a", 3), frame("0102", 9000)]).unwrap();
        let file = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(traffic::pcap::frames(&file).unwrap(), [&[0, 0xff, 0x7a][..], &[1, 2]]);
        // The length that it had stands behind the length that is there.
        assert_eq!(file[24 + 16 + 3 + 12..][..4], 9000u32.to_le_bytes());
        assert!(create(Path::new("/nowhere/x.pcap")).unwrap_err().to_string().contains("--dump-file"));
    }
}
