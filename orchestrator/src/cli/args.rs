//! What may be typed. Underscores in flags are read as dashes, since the old tool had both.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use lua_compat::paired::FlowMode;
use serde::Serialize;
use traffic::mac::Mac;
use traffic::units::FrameSize;

/// The longest run: the engines end by themselves after a day.
const DURATION_S_MAX: f64 = 86_000.0;

/// Runs packet profiles on pairs of DPDK senders and receivers, and writes results that can be published.
#[derive(Debug, Parser)]
#[command(name = "orchestrator", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

impl Cli {
    /// Reads the command line; wrong usage ends the program with what is right.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Cli {
        Cli::parse_from(args.into_iter().map(dashed))
    }
}

/// `--tx_num_core=2` → `--tx-num-core=2`; values stay as they are.
fn dashed(arg: OsString) -> OsString {
    match arg.to_str() {
        Some(text) if text.starts_with("--") => {
            let (flag, value) = text.split_once('=').map_or((text, None), |(f, v)| (f, Some(v)));
            let flag = flag.replace('_', "-");
            value.map_or_else(|| flag.clone(), |v| format!("{flag}={v}")).into()
        }
        _ => arg,
    }
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make and look at traffic profiles
    Flows {
        /// What to do with them.
        #[command(subcommand)]
        verb: FlowsVerb,
    },
    /// Run one profile on every pair, and write the results
    Run(Box<RunArgs>),
    /// Work with results
    Results {
        /// What to do with them.
        #[command(subcommand)]
        verb: ResultsVerb,
    },
    /// Check and import Pktgen Lua scripts
    Lua {
        /// What to do with them.
        #[command(subcommand)]
        verb: LuaVerb,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// `flows …`
#[derive(Debug, Subcommand)]
pub enum FlowsVerb {
    /// Write a profile for every combination of rate, size and flows, for every pair, into flows/txN-rxN/
    Generate(GenerateArgs),
    /// Show what a profile sends, without sending it
    Show {
        /// A Lua, TOML, JSON or YAML file.
        profile: PathBuf,
        /// Read a Lua script as Pktgen 23.03 would have run it.
        #[arg(long)]
        pktgen_quirks: bool,
    },
}

/// `flows generate`
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Percent of the link, 1 to 100; a list makes a profile for each
    #[arg(long, value_delimiter = ',', default_value = "10", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rate: Vec<u32>,
    /// Bytes with the FCS, 64 to 9600; a list makes a profile for each
    #[arg(long, value_delimiter = ',', default_value = "64", value_parser = frame_size)]
    pub pkt_size: Vec<FrameSize>,
    /// Distinct flows; a list makes a profile for each
    #[arg(long, value_delimiter = ',', default_value = "1", value_parser = clap::value_parser!(u64).range(1..))]
    pub flows: Vec<u64>,
    /// Which fields vary: s, sd, sp, dp, spd, sdpp or sdpd
    #[arg(long, default_value = "s")]
    pub flow_mode: FlowMode,
    /// What kind of profile: this version makes paired ones
    #[arg(long, value_enum, default_value_t = GenMode::Paired)]
    pub gen_mode: GenMode,
    /// First source address
    #[arg(long, default_value = "192.168.1.1")]
    pub base_src_ip: Ipv4Addr,
    /// First destination address
    #[arg(long, default_value = "192.168.2.1")]
    pub base_dst_ip: Ipv4Addr,
    /// First source port
    #[arg(long, default_value_t = 1024)]
    pub base_src_port: u16,
    /// First destination port
    #[arg(long, default_value_t = 1024)]
    pub base_dst_port: u16,
    /// lua as the old tool wrote, or toml
    #[arg(long, value_enum, default_value_t = ProfileFormat::Lua)]
    pub format: ProfileFormat,
    /// How many pairs
    #[arg(short = 'n', long, default_value_t = 1, value_parser = pair_count)]
    pub pairs: usize,
    /// For pairs on this machine (the only kind in this version)
    #[arg(long)]
    pub local: bool,
    /// The sender's address, once a pair; the local lab's own when not given
    #[arg(long)]
    pub tx_mac: Vec<Mac>,
    /// The receiver's address, once a pair; the local lab's own when not given
    #[arg(long)]
    pub rx_mac: Vec<Mac>,
    /// Where the pairs' folders are
    #[arg(long, default_value = "flows")]
    pub flows_dir: PathBuf,
}

/// Kinds of profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GenMode {
    /// One sender, one receiver.
    Paired,
}

/// Notations of profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProfileFormat {
    /// A Pktgen script.
    Lua,
    /// This project's own.
    Toml,
}

/// `run`
#[derive(Debug, Args, Serialize)]
pub struct RunArgs {
    /// A profile's path, or its bare file name in flows/txN-rxN/
    #[arg(long)]
    pub profile: String,
    /// Pairs as processes on this machine, joined by memif unless devices are given
    #[arg(long)]
    pub local: bool,
    /// How many pairs
    #[arg(short = 'n', long, default_value_t = 1, value_parser = pair_count)]
    pub pairs: usize,
    /// Seconds of sending [default: the profile's own, else 60]
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
    /// The sender's device, once a pair: pci:…, vdev:…, iface:… or xdp:…
    #[arg(long)]
    pub tx_device: Vec<String>,
    /// The receiver's device, once a pair
    #[arg(long)]
    pub rx_device: Vec<String>,
    /// Descriptors of each of the sender's queues
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u16).range(32..))]
    pub txd: u16,
    /// Descriptors of each of the receiver's queues
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u16).range(32..))]
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
    /// Ordinary pages instead of hugepages
    #[arg(long)]
    pub no_huge: bool,
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
    /// table, or json lines
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
    /// Keep a Lua console open: not there yet
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

/// `results …`
#[derive(Debug, Subcommand)]
pub enum ResultsVerb {
    /// Write the results of a trial whose orchestrator was killed, from what its agents have on disk
    Recover {
        /// The folder of results, of a trial, or of a pair
        folder: PathBuf,
        /// table, or json lines
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
}

/// `lua …`
#[derive(Debug, Subcommand)]
pub enum LuaVerb {
    /// Say what a script would send and what is not carried over
    Check {
        /// The script.
        script: PathBuf,
        /// As Pktgen 23.03 would have run it.
        #[arg(long)]
        pktgen_quirks: bool,
    },
    /// Turn a script into a TOML profile
    Import {
        /// The script.
        script: PathBuf,
        /// The profile's file [default: standard output]
        output: Option<PathBuf>,
        /// As Pktgen 23.03 would have run it.
        #[arg(long)]
        pktgen_quirks: bool,
    },
}

fn workers() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=128)
}

fn pair_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=64) => Ok(n),
        _ => Err("write a number of pairs from 1 to 64".into()),
    }
}

fn frame_size(text: &str) -> Result<FrameSize, String> {
    let bytes: u32 = text.parse().map_err(|_| format!("frame size `{text}` is not a number of bytes"))?;
    FrameSize::new(bytes).map_err(|e| e.to_string())
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn run_args(line: &str) -> RunArgs {
        let words = line.split(' ').map(OsString::from).map(dashed);
        match Cli::try_parse_from(words).unwrap().verb {
            Verb::Run(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn clap_agrees_with_itself() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_of_the_old_tool_are_read() {
        let args = run_args(
            "orchestrator run --profile a_b.lua --tx_num_core 2 --rx_num_core=3 --txd 512 --interactive false \
             --control-port 22022 --skip-copy --warmup_duration 0 --sample-interval 5",
        );
        assert_eq!((args.tx_num_core, args.rx_num_core, args.txd), (Some(2), Some(3), 512));
        assert_eq!((args.profile.as_str(), args.interactive, args.warmup_duration), ("a_b.lua", false, 0.0));
        let defaults = run_args("orchestrator run --profile p.lua");
        assert_eq!(
            (defaults.warmup_duration, defaults.sample_interval, defaults.control_port),
            (2.0, 10, 22022)
        );
        assert_eq!((defaults.tx_socket_mem, defaults.duration, defaults.pairs), (None, None, 1));
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for line in
            ["--burst 65", "--duration 0", "--pairs 0", "--txd 1", "--sample-interval 0", "--duration soon"]
        {
            let words = format!("orchestrator run --profile p {line}");
            assert!(Cli::try_parse_from(words.split(' ')).is_err(), "{line}");
        }
    }
}
