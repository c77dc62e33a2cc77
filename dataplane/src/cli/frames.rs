//! `dataplane frames`: the frames that a profile would send, in the order of the stream, without any NIC.

use crate::warnln;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use traffic::fault::Faults;
use traffic::frame::describe::describe;
use traffic::generator::Generator;
use traffic::pcap::PcapWriter;
use traffic::plan::Plan;
use traffic::profile::Stop;
use traffic::replay::ReplayError;

use super::frames_replay::{Frames, Replayed};
use super::options::{ProfileError, ProfileOptions, TAG_BY_HAND};

/// Frames printed when neither the profile nor the user says how many.
const DEFAULT_COUNT: u64 = 10;
/// A pcap larger than this is a mistake: 100 million frames.
const MAX_COUNT: u64 = 100_000_000;

/// Print or save the frames that a profile would send
#[derive(Clone, Debug, Args)]
pub struct FramesArgs {
    #[command(flatten)]
    profile: ProfileOptions,
    /// How many frames [default: the profile's count, or 10]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MAX_COUNT))]
    count: Option<u64>,
    /// Write a pcap instead of printing; - for standard output
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Only what worker N of --workers would send, from 0
    #[arg(long, value_name = "N", default_value_t = 0, requires = "workers")]
    worker: u16,
    /// Workers that the profile is divided over
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=128))]
    workers: u16,
}

/// Why there are no frames.
#[derive(Debug, thiserror::Error)]
pub enum FramesError {
    /// No profile.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A profile with faults.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// A capture that can't be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// No such worker.
    #[error("worker {worker} is not one of {workers}: they are numbered from 0")]
    Worker {
        /// As asked.
        worker: u16,
        /// As asked.
        workers: u16,
    },
    /// Output.
    #[error("can't write {to}: {source}; its folder must exist and be writable, or choose another --pcap")]
    Write {
        /// The file.
        to: String,
        /// What the system says.
        source: io::Error,
    },
}

/// Prints or saves.
pub fn run(args: &FramesArgs) -> Result<(), FramesError> {
    let profile = args.profile.read()?;
    let plan = Plan::compile(&profile)?;
    if args.worker >= args.workers {
        return Err(FramesError::Worker { worker: args.worker, workers: args.workers });
    }
    if let Some(replay) = &profile.replay {
        let replayed = Replayed::load(&profile, replay, args.worker, args.workers)?;
        let count = args.count.unwrap_or_else(|| replayed.count(profile.stop, DEFAULT_COUNT));
        return write(args, &mut replayed.frames(), count.min(MAX_COUNT));
    }
    plan.warnings.iter().for_each(|w| warnln!("warning: {w}"));
    let shards = plan.shards(args.workers);
    let count = args.count.unwrap_or(match plan.stop {
        Stop::Count(count) => {
            let shares = plan.count_shares(count, &shards);
            let own = shards.iter().zip(shares).filter(|(shard, _)| shard.worker == args.worker);
            own.map(|(_, share)| share).sum::<u64>().min(MAX_COUNT)
        }
        Stop::Never | Stop::DurationS(_) => DEFAULT_COUNT,
    });
    write(args, &mut Generator::new(&plan, args.worker, args.workers, TAG_BY_HAND), count)
}

/// Frames as `args` want them.
fn write(args: &FramesArgs, frames: &mut dyn Frames, count: u64) -> Result<(), FramesError> {
    let to = args.pcap.as_ref().map_or("standard output".to_owned(), |p| p.display().to_string());
    let written = match args.pcap.as_deref() {
        None => print(frames, count),
        Some(path) if path.as_os_str() == "-" => save(frames, count, io::stdout().lock()),
        Some(path) => File::create(path).and_then(|file| save(frames, count, file)),
    };
    match written {
        // A reader that has seen enough, such as `head`, is no error.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|source| FramesError::Write { to, source }),
    }
}

fn save(frames: &mut dyn Frames, count: u64, out: impl Write) -> io::Result<()> {
    let mut pcap = PcapWriter::new(BufWriter::new(out))?;
    for _ in 0..count {
        let Some((at_ns, frame)) = frames.next_frame() else { break };
        pcap.write(at_ns, frame)?;
    }
    pcap.finish().map(drop)
}

/// The header fields in words and the bytes in hex, 16 a line.
fn print(frames: &mut dyn Frames, count: u64) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for n in 0..count {
        let Some((_, frame)) = frames.next_frame() else { break };
        writeln!(out, "frame {n}: {} bytes (+ 4 FCS)  {}", frame.len(), describe(frame))?;
        for (line, bytes) in frame.chunks(16).enumerate() {
            let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
            writeln!(out, "  {:04x}  {}", line * 16, hex.join(" "))?;
        }
    }
    out.flush()
}
