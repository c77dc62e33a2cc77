//! What may be typed wherever something is measured: behind `run` and `experiments`.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use serde::Serialize;
use traffic::respond::{Address, AddressError};
use traffic::wire::{Checksums, Dump, FlowBook, MarkClock, Memory};

use super::args::pair_count;
use crate::cluster::ClusterArgs;
use crate::path::PathWish;
use crate::settings::{DURATION_S_MAX, OutputFormat};

/// How to measure.
#[derive(Debug, Args, Serialize)]
pub struct MeasureArgs {
    /// Pairs as processes on this machine, joined by memif unless devices are given
    #[arg(long)]
    pub local: bool,
    /// Which cluster.
    #[command(flatten)]
    #[serde(flatten)]
    pub cluster: ClusterArgs,
    /// How many pairs [default: 1 with --local, else all that are there]
    #[arg(short = 'n', long, value_parser = pair_count)]
    pub pairs: Option<usize>,
    /// Seconds of sending at most [default: the profile's own duration or count, else 60]
    #[arg(long, value_parser = duration)]
    pub duration: Option<f64>,
    /// Seconds of warm-up for MAC learning; 0 skips it
    #[arg(long, default_value_t = 2.0, value_parser = duration_or_zero)]
    pub warmup_duration: f64,
    /// Seconds between values of the sender's series
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub sample_interval: u32,
    /// Values in the sender's series at most [default: as many as there are]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub sample_count: Option<u32>,
    /// The sender's device, once for all pairs or once a pair: env, pci:…, vdev:…, iface:… or xdp:…
    /// [default: memif with --local, else what the pod says, else env]
    #[arg(long)]
    pub tx_device: Vec<String>,
    /// The receiver's device, once for all pairs or once a pair
    #[arg(long)]
    pub rx_device: Vec<String>,
    /// What lies between the two ends, and so which addresses arrive
    #[arg(long, value_enum, default_value_t = PathWish::Auto)]
    pub path: PathWish,
    /// Measure although a check failed or nothing came through in the warm-up
    #[arg(long)]
    pub force: bool,
    /// Descriptors of each of the sender's queues
    #[arg(long, default_value_t = 1024, value_parser = descriptors())]
    pub txd: u16,
    /// Descriptors of each of the receiver's queues
    #[arg(long, default_value_t = 1024, value_parser = descriptors())]
    pub rxd: u16,
    /// The sender's queues: another word for --tx-num-core, since each worker has one queue
    #[arg(long, value_parser = workers())]
    pub txq: Option<u16>,
    /// The receiver's queues: another word for --rx-num-core
    #[arg(long, value_parser = workers())]
    pub rxq: Option<u16>,
    /// The sender's workers, beside its main core [default: a fair share of the CPUs]
    #[arg(long, value_parser = workers())]
    pub tx_num_core: Option<u16>,
    /// The receiver's workers, beside its main core
    #[arg(long, value_parser = workers())]
    pub rx_num_core: Option<u16>,
    /// MiB of the sender's DPDK memory [default: what its queues need]
    #[arg(long, value_parser = clap::value_parser!(u32).range(16..))]
    pub tx_socket_mem: Option<u32>,
    /// MiB of the receiver's DPDK memory
    #[arg(long, value_parser = clap::value_parser!(u32).range(16..))]
    pub rx_socket_mem: Option<u32>,
    /// Frames a burst at most
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub burst: u16,
    /// Where DPDK's memory comes from
    #[arg(long, value_enum, default_value_t = MemoryArg::Auto)]
    pub memory: MemoryArg,
    /// The same as --memory no-huge
    #[arg(long, conflicts_with = "memory")]
    pub no_huge: bool,
    /// The clock of the marks: tsc compares on one host; realtime between hosts whose clocks PTP keeps
    #[arg(long, value_enum, default_value_t = ClockArg::Tsc)]
    pub clock: ClockArg,
    /// How much CLOCK_REALTIME may differ between the two ends, as your PTP says
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1_000_000_000))]
    pub clock_error_ns: u64,
    /// Keep the first K frames that carry the mark but can't be ours, as rxN_dump.pcap
    #[arg(long, default_value_t = 0, value_parser = kept())]
    pub dump_invalid: u16,
    /// Keep the first K frames that are not ours
    #[arg(long, default_value_t = 0, value_parser = kept())]
    pub dump_foreign: u16,
    /// Keep books of each flow and write those of the K flows that lost most, or came out of order or copied, as
    /// rxN_flows.csv
    #[arg(long, default_value_t = 0, value_parser = rows(), value_name = "K")]
    pub per_flow: u32,
    /// Have the receiver send everything back and let the sender book what returns: loss, order and latency there and
    /// back, by the sender's clock alone
    #[arg(long)]
    pub round_trip: bool,
    /// Who writes the checksums: software, or the sender's nic where it offers that; the frames are the same
    #[arg(long, value_enum, default_value_t = ChecksumArg::Software)]
    pub checksum: ChecksumArg,
    /// The sender's own addresses (10.0.0.1/24,fd00::1/64), once a pair: it answers ARP, ping and neighbour
    /// solicitations for them, and announces them at the start [default: it answers nothing]
    #[arg(long, value_name = "ADDRESS,…", value_parser = addresses)]
    pub tx_address: Vec<Addresses>,
    /// The receiver's own addresses, once a pair
    #[arg(long, value_name = "ADDRESS,…", value_parser = addresses, conflicts_with = "round_trip")]
    pub rx_address: Vec<Addresses>,
    /// Send frames without the mark that loss, order and latency are measured by
    #[arg(long)]
    pub no_stamp: bool,
    /// Send what Pktgen 23.03 would have sent for a Lua profile, not what it says
    #[arg(long)]
    pub pktgen_quirks: bool,
    /// The dataplane program [default: beside this one, $DATAPLANE, $PATH]
    #[arg(long)]
    pub dataplane: Option<PathBuf>,
    /// The folder of results
    #[arg(long, default_value = "results")]
    pub results: PathBuf,
    /// Where `flows generate` puts the pairs' profiles
    #[arg(long, default_value = "flows")]
    pub flows_dir: PathBuf,
    /// table, or json: an object a line, its kind in "event"
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// Show what is in the arrays after the run
    #[arg(long)]
    pub debug: bool,
    /// Measure latency: always done where both ends share a clock
    #[arg(long)]
    pub latency: bool,
    /// One receiving core and all others for sending, as Pktgen was told: senders here need no receiving core
    #[arg(long)]
    pub rx1_txn: bool,
    /// A live screen: pairs, rates, loss, latency, cores; keys change the rate, mark a moment, stop
    #[arg(long, num_args = 0..=1, require_equals = false, default_value = "false", default_missing_value = "true",
          value_parser = BoolishValueParser::new())]
    pub interactive: bool,
    /// Pktgen's Lua port: `dataplane lua -G` has it, runs need none
    #[arg(long, default_value_t = 22022)]
    pub control_port: u16,
    /// Do not copy profiles to pods: they are never copied
    #[arg(long)]
    pub skip_copy: bool,
    /// Do not start the receiver: here it always starts
    #[arg(long)]
    pub skip_testpmd: bool,
    /// Check that the receiver runs: always done
    #[arg(long)]
    pub verify_testpmd: bool,
}

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// For the eye.
    Table,
    /// For programs.
    Json,
}

impl From<Output> for OutputFormat {
    fn from(output: Output) -> Self {
        match output {
            Output::Table => Self::Table,
            Output::Json => Self::Json,
        }
    }
}

/// What marks' times are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockArg {
    /// The CPU's cycle counter.
    Tsc,
    /// CLOCK_REALTIME, disciplined by PTP at both ends.
    Realtime,
}

/// Who writes a sender's checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChecksumArg {
    /// The worker, by difference.
    Software,
    /// The port.
    Nic,
}

/// What one port answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses(pub Vec<Address>);

/// As it was typed, for metadata.
impl Serialize for Addresses {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words: Vec<String> = self.0.iter().map(Address::to_string).collect();
        serializer.serialize_str(&words.join(","))
    }
}

/// Where DPDK's memory comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryArg {
    /// Hugepages if enough are free, else ordinary pages with a warning.
    Auto,
    /// Hugepages or an error.
    Hugepages,
    /// Ordinary pages: slower.
    NoHuge,
}

impl MeasureArgs {
    /// Where DPDK's memory comes from, of both flags.
    pub fn memory(&self) -> MemoryArg {
        if self.no_huge { MemoryArg::NoHuge } else { self.memory }
    }

    /// The clock with its error.
    pub fn mark_clock(&self) -> MarkClock {
        match self.clock {
            ClockArg::Tsc => MarkClock::Tsc,
            ClockArg::Realtime => MarkClock::Realtime { error_ns: self.clock_error_ns },
        }
    }
}

impl From<ChecksumArg> for Checksums {
    fn from(arg: ChecksumArg) -> Checksums {
        match arg {
            ChecksumArg::Software => Checksums::Software,
            ChecksumArg::Nic => Checksums::Nic,
        }
    }
}

impl From<MemoryArg> for Memory {
    fn from(arg: MemoryArg) -> Memory {
        match arg {
            MemoryArg::Auto => Memory::Auto,
            MemoryArg::Hugepages => Memory::Hugepages,
            MemoryArg::NoHuge => Memory::NoHuge,
        }
    }
}

/// As many as the engine takes.
pub(super) fn descriptors() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(32..=16_384)
}

/// As many as the engine keeps.
fn kept() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(0..=i64::from(Dump::FRAMES_MAX))
}

/// As many as an agent tells.
fn rows() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(0..=i64::from(FlowBook::ROWS_MAX))
}

fn addresses(text: &str) -> Result<Addresses, AddressError> {
    text.split(',').map(str::parse).collect::<Result<_, _>>().map(Addresses)
}

pub(super) fn workers() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=128)
}

fn duration(text: &str) -> Result<f64, String> {
    duration_or_zero(text).and_then(|s| if s > 0.0 { Ok(s) } else { Err("0 s is no run".into()) })
}

fn duration_or_zero(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('s').parse::<f64>() {
        Ok(s) if (0.0..=DURATION_S_MAX).contains(&s) => Ok(s),
        _ => Err(format!("write seconds from 0 to {DURATION_S_MAX}")),
    }
}
