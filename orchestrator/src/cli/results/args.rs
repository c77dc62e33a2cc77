//! What may be typed behind `results`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::export::ExportFormat;
use crate::analysis::Metric;
use crate::cli::measure_args::Output;
use crate::report::write::Format;

/// `results …`
#[derive(Debug, Subcommand)]
pub enum ResultsVerb {
    /// List the trials in a folder of results, the oldest first
    List(ReadArgs),
    /// Show results as they were shown when they were measured; of repeats, the median and the spread
    Show(ReadArgs),
    /// Check that npz files and figures are whole and can be true; exit code 1 if not
    Validate {
        /// Folders of results, of trials or pairs, or npz files
        #[arg(default_value = "results")]
        paths: Vec<PathBuf>,
        /// Fewer values than this make a file invalid
        #[arg(long, default_value_t = 1)]
        min_samples: usize,
    },
    /// Check that every pair's folder has every file; exit code 1 if not
    Sanity {
        /// The folder of results
        #[arg(default_value = "results")]
        results: PathBuf,
        /// Remove the folders that are not whole, after saying which
        #[arg(long)]
        purge: bool,
        /// With --purge: do not ask on a terminal
        #[arg(long, requires = "purge")]
        yes: bool,
        /// With --purge: only say what would be removed
        #[arg(long, requires = "purge", conflicts_with = "yes")]
        dry_run: bool,
    },
    /// Compare results with those of the first folder; exit code 1 if a figure got worse
    Compare(CompareArgs),
    /// Write a report: tables, charts, environment and warnings of everything in the folders
    Report(ReportArgs),
    /// Write the results of a trial whose orchestrator was killed, from what its agents have on disk
    Recover {
        /// The folder of results, of a trial, or of a pair
        folder: PathBuf,
        /// table, or json: an object a line, its kind in "event"
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Write results in formats that other programs read; docs/export.md has every field with its unit
    Export(ExportArgs),
    /// Hand results to Weights & Biases, by the wandb package of your own Python: a run a trial
    UploadWandb(UploadArgs),
}

/// Which results.
#[derive(Debug, Args)]
pub struct ReadArgs {
    /// Folders of results, of trials (results/<expid>) or of pairs
    #[arg(default_value = "results")]
    pub paths: Vec<PathBuf>,
    /// table, or json: an object a line, its kind in "event"
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// `results compare`
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Two folders or more, matched by profile and pair; the first one is what others are compared with
    #[arg(required = true, num_args = 2..)]
    pub paths: Vec<PathBuf>,
    /// Figures that decide; all are shown
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Metric::RxPps, Metric::LossPercent])]
    pub metric: Vec<Metric>,
    /// Percent of the first folder's median by which a figure may get worse; of a loss, percentage points
    #[arg(long, default_value_t = 5.0, value_parser = percent)]
    pub threshold: f64,
    /// Compare what was measured on unlike machines, or asked differently, all the same
    #[arg(long)]
    pub unlike: bool,
    /// table, or json: an object a line, its kind in "event"
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// `results report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Folders of results, of trials (results/<expid>) or of pairs
    #[arg(default_value = "results")]
    pub paths: Vec<PathBuf>,
    /// One or several
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Format::Html])]
    pub format: Vec<Format>,
    /// The folder that it is written to
    #[arg(long, default_value = "report")]
    pub output: PathBuf,
    /// A PDF too: of LaTeX if that is among the formats (by a LaTeX of this machine), else of HTML (by its Chromium)
    #[arg(long)]
    pub pdf: bool,
    /// Every chart as SVG and PNG too, in the folder charts
    #[arg(long)]
    pub charts: bool,
    /// Gbit/s of the link that throughput is compared with [default: what the ports say]
    #[arg(long, value_parser = gbps)]
    pub speed: Option<f64>,
    /// Bytes of link time that a frame costs beyond itself: preamble, delimiter and gap
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub overhead: u32,
    /// At its head
    #[arg(long)]
    pub title: Option<String>,
    /// Replace a report that is there
    #[arg(long)]
    pub force: bool,
}

fn gbps(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value > 0.0 && value <= 10_000.0 => Ok(value),
        _ => Err("write Gbit/s, above 0 to 10000: 25".to_owned()),
    }
}

/// `results export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Folders of results, of trials (results/<expid>) or of pairs
    #[arg(default_value = "results")]
    pub paths: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// A folder for csv and parquet; a file for the others [default of those: standard output]
    #[arg(long)]
    pub output: Option<PathBuf>,
    /// Replace files that are there
    #[arg(long)]
    pub force: bool,
}

/// `results upload-wandb`
#[derive(Debug, Args)]
pub struct UploadArgs {
    /// Folders of results, of trials (results/<expid>) or of pairs
    #[arg(default_value = "results")]
    pub paths: Vec<PathBuf>,
    /// The project at Weights & Biases
    #[arg(long, default_value = "dpdk-benchmarks")]
    pub project: String,
    /// The user or team that it belongs to [default: the one that is logged in]
    #[arg(long)]
    pub entity: Option<String>,
    /// Write to ./wandb (WANDB_DIR) without network; `wandb sync` hands it on later
    #[arg(long)]
    pub offline: bool,
    /// The Python that has the wandb package
    #[arg(long, default_value = "python3")]
    pub python: PathBuf,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').trim().parse() {
        Ok(value) if (0.0..=1000.0).contains(&value) => Ok(value),
        _ => Err("write percent, from 0 to 1000: 2.5".to_owned()),
    }
}
