//! What may be typed. Underscores in flags are read as dashes, since the old tool had both.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use lua_compat::paired::FlowMode;
use traffic::mac::Mac;
use traffic::units::FrameSize;

use super::measure_args::Output;
use super::pods_args::PodsVerb;
use super::preflight_args::PreflightArgs;
use super::run_args::RunArgs;

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
pub(super) fn dashed(arg: OsString) -> OsString {
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
    /// Make, look at and remove the pods of pairs in a Kubernetes cluster
    Pods {
        /// What to do with them.
        #[command(subcommand)]
        verb: PodsVerb,
    },
    /// Check that nodes, pods or this machine can do what a run asks, and say what to do where they can't
    Preflight(Box<PreflightArgs>),
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
        /// The path of a Lua, TOML, JSON or YAML file, or its bare file name in flows/tx0-rx0/
        profile: String,
        /// Where `flows generate` puts the pairs' profiles
        #[arg(long, default_value = "flows")]
        flows_dir: PathBuf,
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

/// `results …`
#[derive(Debug, Subcommand)]
pub enum ResultsVerb {
    /// Write the results of a trial whose orchestrator was killed, from what its agents have on disk
    Recover {
        /// The folder of results, of a trial, or of a pair
        folder: PathBuf,
        /// table, or json: an object a line, its kind in "event"
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
        /// The profile's file, which must not exist [default: standard output]
        output: Option<PathBuf>,
        /// Replace the file if it exists
        #[arg(long)]
        force: bool,
        /// As Pktgen 23.03 would have run it.
        #[arg(long)]
        pktgen_quirks: bool,
    },
}

/// More than any cluster was seen to hold, and what the scale bench runs twice over.
const PAIRS_MAX: usize = 1000;

pub(super) fn pair_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=PAIRS_MAX) => Ok(n),
        _ => Err(format!("write a number of pairs from 1 to {PAIRS_MAX}")),
    }
}

fn frame_size(text: &str) -> Result<FrameSize, String> {
    let bytes: u32 = text.parse().map_err(|_| format!("frame size `{text}` is not a number of bytes"))?;
    FrameSize::new(bytes).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn clap_agrees_with_itself() {
        Cli::command().debug_assert();
    }
}
