//! Options that sending and receiving share, and the run's spec made of them.

use crate::warnln;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use traffic::profile::Profile;
use traffic::profile::load::{LoadError, load_file};
use traffic::respond::Address;
use traffic::swap::Swap;
use traffic::wire::{self, Checksums, Dump, FlowBook, MarkClock, Memory, Role, RunSpec};

/// The mark's tag of runs by hand: `dben`.
pub const TAG_BY_HAND: u32 = 0x6462_656e;

/// Which port, which CPUs, which memory, what output.
#[derive(Clone, Debug, Args)]
pub struct PortOptions {
    /// Port: pci:0000:03:00.0, vdev:net_memif0,…, iface:eth0, xdp:eth0, or env (the SR-IOV device plugin's)
    #[arg(long, default_value = "env")]
    pub device: String,
    /// CPUs to use, main core first, e.g. 2,3,4; a CPU may be repeated on small test machines [default: all
    /// allowed]
    #[arg(long, value_delimiter = ',')]
    pub lcores: Vec<u32>,
    /// Descriptors of each queue
    #[arg(long, default_value_t = RunSpec::default_descriptors(), visible_aliases = ["txd", "rxd"],
        value_parser = clap::value_parser!(u16).range(16..=16384))]
    pub descriptors: u16,
    /// Where DPDK's memory comes from
    #[arg(long, value_enum, default_value_t)]
    pub memory: MemoryArg,
    /// The same as --memory no-huge
    #[arg(long, conflicts_with = "memory")]
    pub no_huge: bool,
    /// MiB of DPDK memory [default: what the run needs by the stated formula]
    #[arg(long)]
    pub socket_mem: Option<u32>,
    /// Milliseconds between samples
    #[arg(long, default_value_t = RunSpec::default_sample_interval_ms())]
    pub interval_ms: u32,
    /// Tag of the marks, 8 hex digits: frames with another one are foreign
    #[arg(long, value_parser = tag, default_value = "6462656e")]
    pub tag: u32,
    /// What the marks' times are read from: the same at both ends
    #[arg(long, value_enum, default_value_t)]
    pub clock: ClockArg,
    /// How much CLOCK_REALTIME may differ between the two ends, as your PTP says; what is earlier than that is absurd
    #[arg(long, default_value_t = 0, value_name = "NS",
        value_parser = clap::value_parser!(u64).range(0..=1_000_000_000))]
    pub clock_error_ns: u64,
    /// A table for people or a JSON object a line for programs
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// Output formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Lines and a table.
    #[default]
    Table,
    /// NDJSON: ready, samples, done or failed.
    Json,
}

/// `--clock`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ClockArg {
    /// The CPU's cycle counter: latency on one host.
    #[default]
    Tsc,
    /// CLOCK_REALTIME, disciplined by PTP at both ends: latency between hosts, as good as the clocks are.
    Realtime,
}

/// `--memory`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum MemoryArg {
    /// Hugepages if enough are free, else ordinary pages with a warning.
    #[default]
    Auto,
    /// Hugepages or an error.
    Hugepages,
    /// Ordinary pages.
    NoHuge,
}

/// `--checksum`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ChecksumArg {
    /// By the worker, by difference: about a nanosecond a frame, and drivers keep their fastest path.
    #[default]
    Software,
    /// By the port, where it offers that.
    Nic,
}

impl From<ChecksumArg> for Checksums {
    fn from(arg: ChecksumArg) -> Checksums {
        match arg {
            ChecksumArg::Software => Checksums::Software,
            ChecksumArg::Nic => Checksums::Nic,
        }
    }
}

fn tag(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 16).map_err(|_| format!("`{text}` is not a number of up to 8 hex digits"))
}

impl PortOptions {
    /// A spec with these options, everything else at its default.
    pub fn spec(&self, role: Role, profile: Profile, tx_workers: u16) -> RunSpec {
        let memory = match (self.no_huge, self.memory) {
            (true, _) | (_, MemoryArg::NoHuge) => Memory::NoHuge,
            (_, MemoryArg::Auto) => Memory::Auto,
            (_, MemoryArg::Hugepages) => Memory::Hugepages,
        };
        RunSpec {
            version: wire::VERSION,
            id: "by-hand".to_owned(),
            role,
            device: self.device.clone(),
            profile,
            tag: self.tag,
            tx_workers,
            lcores: self.lcores.clone(),
            workers: None,
            descriptors: self.descriptors,
            burst: RunSpec::default_burst(),
            memory,
            socket_mem_mib: self.socket_mem,
            sample_interval_ms: self.interval_ms,
            drain_quiet_ms: RunSpec::default_drain_quiet_ms(),
            drain_limit_ms: RunSpec::default_drain_limit_ms(),
            linger_ms: RunSpec::default_linger_ms(),
            limit_s: RunSpec::default_limit_s(),
            clock: match self.clock {
                ClockArg::Tsc => MarkClock::Tsc,
                ClockArg::Realtime => MarkClock::Realtime { error_ns: self.clock_error_ns },
            },
            dump: Dump::default(),
            tx_clock: None,
            swap: Swap::default(),
            round_trip: false,
            addresses: Vec::new(),
            checksums: Checksums::default(),
            per_flow: 0,
        }
    }
}

/// Reads a profile of either kind and says on standard error what a script's import changed.
pub fn read_profile(path: &Path, quirks: bool) -> Result<Profile, ProfileError> {
    if path.extension().is_none_or(|e| e != "lua") {
        return Ok(load_file(path)?);
    }
    let options = lua_compat::ImportOptions { quirks, ..lua_compat::ImportOptions::default() };
    let import = lua_compat::import_file(path, &options)?;
    for note in import.report.warnings() {
        warnln!("{}: {note}", path.display());
    }
    Ok(import.profile)
}

/// What the port answers for.
#[derive(Clone, Debug, Args)]
pub struct ResponderOptions {
    /// Address of the port, IPv4 or IPv6, e.g. 10.0.0.1/24 or fd00::1/64: ARP, ping and neighbour solicitations for
    /// it are answered, and it is announced at the start; may be repeated [default: nothing is answered]
    #[arg(long = "address", value_name = "ADDRESS")]
    pub addresses: Vec<Address>,
}

/// Each flow's own books.
#[derive(Clone, Debug, Args)]
pub struct FlowOptions {
    /// Keep books of each flow (64 B each, 256 MiB at most), and write all of them to FILE at the end, as CSV: stream,
    /// flow, received, lost, reordered, duplicated; the worst first
    #[arg(long, value_name = "FILE")]
    pub per_flow: Option<PathBuf>,
}

impl FlowOptions {
    /// Rows of the run that these options ask for.
    pub fn rows(&self) -> u32 {
        if self.per_flow.is_some() { FlowBook::ALL_ROWS } else { 0 }
    }
}

/// Where the profile comes from.
#[derive(Clone, Debug, Args)]
pub struct ProfileOptions {
    /// Profile: a .toml, .yaml or .json file, or a Pktgen .lua script
    #[arg(long, short = 'p', value_name = "FILE")]
    pub profile: PathBuf,
    /// Send what Pktgen would have sent for a Lua script, oddities included
    #[arg(long)]
    pub pktgen_quirks: bool,
    /// Send frames without the mark: no loss, order or latency at the receiver
    #[arg(long)]
    pub no_stamp: bool,
}

impl ProfileOptions {
    /// The profile, without its mark if so asked.
    pub fn read(&self) -> Result<Profile, ProfileError> {
        let mut profile = read_profile(&self.profile, self.pktgen_quirks)?;
        profile.stamp &= !self.no_stamp;
        Ok(profile)
    }
}

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A native one.
    #[error(transparent)]
    Native(#[from] LoadError),
    /// A script.
    #[error(transparent)]
    Lua(#[from] lua_compat::ImportError),
}
