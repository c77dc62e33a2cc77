//! What may be typed. Underscores in flags are read as dashes, since the old tool had both.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, FromArgMatches, Parser, Subcommand};
use traffic::units::FrameSize;

use super::experiments_args::ExperimentArgs;
use super::flow_args::{ShapeArgs, frame_size};
use super::lua_run::LuaRunArgs;
use super::plugin;
use super::pods_args::PodsVerb;
use super::preflight_args::PreflightArgs;
use super::results::args::ResultsVerb;
use super::run_args::RunArgs;
use super::search_args::SearchArgs;
use crate::cluster::ClusterArgs;

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
        let words: Vec<OsString> = args.into_iter().map(dashed).collect();
        let read =
            plugin::command(&words).try_get_matches_from(&words).and_then(|m| Cli::from_arg_matches(&m));
        read.unwrap_or_else(|error| error.exit())
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
    /// Find the highest rate that pairs bear without loss, or with as much as may be (NDR, PDR)
    Search(Box<SearchArgs>),
    /// Make, look at and remove the pods of pairs in a Kubernetes cluster
    Pods {
        /// What to do with them.
        #[command(subcommand)]
        verb: PodsVerb,
    },
    /// Run many profiles, each on every pair, and go on where an earlier call ended; a dry run without --run
    Experiments(Box<ExperimentArgs>),
    /// Check that nodes, pods or this machine can do what a run asks, and say what to do where they can't
    Preflight(Box<PreflightArgs>),
    /// Work with results
    Results {
        /// What to do with them.
        #[command(subcommand)]
        verb: ResultsVerb,
    },
    /// Run, check and import Pktgen Lua scripts
    Lua {
        /// What to do with them.
        #[command(subcommand)]
        verb: LuaVerb,
    },
    /// Write manual pages
    Man {
        /// One page a verb into this folder [default: the main page, on standard output]
        #[arg(long)]
        dir: Option<PathBuf>,
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
    Generate(Box<GenerateArgs>),
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
        /// The capture of a Lua script that says pktgen.pcap(ports, "on") (Pktgen's -s)
        #[arg(long, value_name = "FILE")]
        pcap: Option<PathBuf>,
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
    /// What they are like.
    #[command(flatten)]
    pub shape: ShapeArgs,
    /// How many pairs [default: 1 with --local or --tx-mac, else all that are there]
    #[arg(short = 'n', long, value_parser = pair_count)]
    pub pairs: Option<usize>,
    /// For pairs on this machine; without it, for the pods of the cluster, whose real addresses are looked up
    #[arg(long)]
    pub local: bool,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// The senders' device, once for all pairs or once a pair, in place of what the pods say
    #[arg(long)]
    pub tx_device: Vec<String>,
    /// The receivers' device
    #[arg(long)]
    pub rx_device: Vec<String>,
    /// Where the pairs' folders are
    #[arg(long, default_value = "flows")]
    pub flows_dir: PathBuf,
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
    /// Turn a profile into a Pktgen script that imports back to the same profile
    Export {
        /// The profile: TOML, YAML or JSON.
        profile: PathBuf,
        /// The port that the script sets.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..32))]
        port: u16,
        /// Where it goes [default: standard output]
        #[arg(short, long)]
        output: Option<PathBuf>,
        /// Replace the file if it exists
        #[arg(long)]
        force: bool,
    },
    /// Run a script on a pair, as Pktgen would: port 0 is the sender, port 1 the receiver
    Run(Box<LuaRunArgs>),
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
        /// The port whose profile is wanted [default: 0, or the first that the script starts]
        #[arg(long, value_parser = clap::value_parser!(u16).range(0..32))]
        port: Option<u16>,
        /// The capture that pktgen.pcap(ports, "on") sends (Pktgen's -s)
        #[arg(long, value_name = "FILE")]
        pcap: Option<PathBuf>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn clap_agrees_with_itself() {
        Cli::command().debug_assert();
    }
}
