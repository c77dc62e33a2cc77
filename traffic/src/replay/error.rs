//! Why a capture can't be replayed: each with the file, the value and the next step.

use std::io;
use std::path::PathBuf;

use super::capture::{MAX_BYTES, MAX_FRAMES};
use crate::pcap_read::ReadError;

/// Why there is no replay.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// No file.
    #[error("can't open the capture {path}: {source}; a relative path is taken from the profile's folder", path = path.display())]
    Open {
        /// The capture.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// No capture.
    #[error("the capture {path} {source}", path = path.display())]
    Read {
        /// The capture.
        path: PathBuf,
        /// What is wrong with it.
        source: ReadError,
    },
    /// Nothing in it.
    #[error("the capture {path} has no frame: capture some, or name another file", path = path.display())]
    Empty {
        /// The capture.
        path: PathBuf,
    },
    /// More than is kept.
    #[error(
        "the capture {path} ({mib} MiB) is too large: a replay keeps its frames in memory, {MAX_FRAMES} frames and {most} MiB at most; \
         set limit_frames to {frames} or less, or cut the file with editcap -r {path} part.pcap 1-{frames}",
        path = path.display(), mib = file_bytes.div_ceil(1 << 20), most = MAX_BYTES >> 20
    )]
    TooLarge {
        /// The capture.
        path: PathBuf,
        /// The file's size.
        file_bytes: u64,
        /// How many of its frames fit.
        frames: usize,
    },
    /// A frame that no port sends.
    #[error(
        "the capture {path}: frame {frame} has {bytes} B (without FCS), which is not between 14 and 9596: leave it out with editcap \
         {path} without.pcap {frame}; for frames that the kernel had joined, capture with ethtool -K IFACE gro off gso off tso off",
        path = path.display()
    )]
    FrameSize {
        /// The capture.
        path: PathBuf,
        /// Its number, from 1, as Wireshark counts.
        frame: u64,
        /// Its size on the wire.
        bytes: u32,
    },
    /// Frames that were not captured whole.
    #[error(
        "the capture {path}: {cut} of {frames} frames were captured in part, first frame {first} with {kept} of {wire} B: capture whole \
         frames (tcpdump -s 0), or say truncated = \"pad\" to send zeros for the rest",
        path = path.display()
    )]
    Cut {
        /// The capture.
        path: PathBuf,
        /// How many.
        cut: u64,
        /// Of how many.
        frames: usize,
        /// The first one's number, from 1.
        first: u64,
        /// What is there of it.
        kept: usize,
        /// What it had.
        wire: u32,
    },
    /// No time passes in the capture, and it is to be sent again and again.
    #[error(
        "the capture {path}: all {frames} frames have the same time, so that a loop has no length: say timing = \"rate\" and give a rate",
        path = path.display()
    )]
    NoTime {
        /// The capture.
        path: PathBuf,
        /// How many.
        frames: usize,
    },
}
