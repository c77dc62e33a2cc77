//! What may be typed behind `experiments`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use traffic::units::FrameSize;

use super::flow_args::{ShapeArgs, frame_size};
use super::measure_args::MeasureArgs;

/// `experiments`
#[derive(Debug, Args, Serialize)]
pub struct ExperimentArgs {
    /// What is to be done now.
    #[command(flatten)]
    #[serde(flatten)]
    pub action: ActionArgs,
    /// Distinct flows; a list makes a profile for each
    #[arg(long, value_delimiter = ',', default_value = "1,100,10000", value_parser = clap::value_parser!(u64).range(1..))]
    pub flows: Vec<u64>,
    /// Bytes with the FCS, 64 to 9600; a list makes a profile for each
    #[arg(long, value_delimiter = ',', default_value = "64,512,1500,2000,9000", value_parser = frame_size)]
    pub pkt_size: Vec<FrameSize>,
    /// Percent of the link, 1 to 100; a list makes a profile for each
    #[arg(long, value_delimiter = ',', default_value = "100", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rate: Vec<u32>,
    /// What generated profiles are like.
    #[command(flatten)]
    #[serde(flatten)]
    pub shape: ShapeArgs,
    /// Which profiles: those that the lists make, or all that are in the pairs' folders
    #[arg(long, value_enum, default_value_t = ProfilesFrom::Lists)]
    pub profiles_from: ProfilesFrom,
    /// This profile instead of the lists: a path, or a bare file name in flows/txN-rxN/; may be repeated
    #[arg(long)]
    pub profile: Vec<String>,
    /// Only profiles whose name contains this; may be repeated, any of them is enough
    #[arg(short, long)]
    pub filter: Vec<String>,
    /// How often a failed pair is tried again
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub retries: u32,
    /// Seconds until pods must be ready, before a failed pair is tried again and when --new makes them anew
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub wait_timeout: u32,
    /// With --new: all pods on one node
    #[arg(long, overrides_with = "no_same_node")]
    pub same_node: bool,
    /// With --new: each pair over two nodes (this is the default)
    #[arg(long, overrides_with = "same_node")]
    pub no_same_node: bool,
    /// With --new: an option of `pods create`, as cpu=4 or privileged; may be repeated
    #[arg(long, value_name = "OPTION=VALUE")]
    pub pods: Vec<String>,
    /// How to measure.
    #[command(flatten)]
    #[serde(flatten)]
    pub measure: MeasureArgs,
}

/// What is to be done now: typed, never read from a configuration file.
#[derive(Debug, Args, Serialize)]
pub struct ActionArgs {
    /// Run what is not done yet
    #[arg(long, conflicts_with = "dry_run")]
    pub run: bool,
    /// Check everything and say what would be run; start and write nothing (this is the default)
    #[arg(long)]
    pub dry_run: bool,
    /// Show what is done, pending and failed, per profile and pair
    #[arg(long, conflicts_with_all = ["run", "dry_run", "new"])]
    pub scan_results: bool,
    /// Begin anew: results are set aside, profiles generated and pods made again
    #[arg(long)]
    pub new: bool,
    /// Don't ask before pods are deleted and made
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Print the configuration, with everything that was typed, as TOML, and do nothing else
    #[arg(long, conflicts_with_all = ["run", "dry_run", "scan_results", "new"])]
    pub config: bool,
    /// Take options from this TOML file, typed ones first; with --config the result is saved there
    #[arg(long, value_name = "FILE")]
    pub config_file: Option<PathBuf>,
}

/// Where profiles come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfilesFrom {
    /// What --flows, --pkt-size and --rate make; what is missing of it is generated.
    Lists,
    /// Every profile in flows/txN-rxN/.
    Folder,
}

/// The flags of [`ActionArgs`].
pub const ACTIONS: [&str; 7] = ["run", "dry-run", "scan-results", "new", "yes", "config", "config-file"];
