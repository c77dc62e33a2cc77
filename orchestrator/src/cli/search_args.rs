//! What may be typed behind `search`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use traffic::units::Rate;

use super::measure_args::MeasureArgs;

/// `search`
#[derive(Debug, Args, Serialize)]
pub struct SearchArgs {
    /// A profile's path, or its bare file name in flows/txN-rxN/; its rate is the search's affair
    #[arg(long)]
    pub profile: String,
    /// What to search: ndr (no loss), pdr (0.5 %), or name=share such as half=0.5
    #[arg(long, value_delimiter = ',', default_value = "ndr,pdr")]
    pub goal: Vec<String>,
    /// mlrsearch with CSIT's numbers, or binary search with those of RFC 2544 or ETSI TST 009
    #[arg(long, value_enum, default_value_t = MethodArg::Mlrsearch)]
    pub method: MethodArg,
    /// No trial is below: 10kpps
    #[arg(long, default_value = "1kpps", value_parser = packet_rate)]
    pub min_rate: f64,
    /// No trial is above: 14.88Mpps [default: the profile's own rate, where it is one in packets a second]
    #[arg(long, value_parser = packet_rate)]
    pub max_rate: Option<f64>,
    /// Seconds of the shortest trials [default: the method's]
    #[arg(long)]
    pub initial_trial: Option<f64>,
    /// Seconds of the longest trials
    #[arg(long)]
    pub final_trial: Option<f64>,
    /// Trial seconds by which a load is judged
    #[arg(long)]
    pub duration_sum: Option<f64>,
    /// Share of those that may be bad
    #[arg(long)]
    pub exceed_ratio: Option<f64>,
    /// Distance of the bounds, as a share of the upper one
    #[arg(long)]
    pub width: Option<f64>,
    /// Seconds of the first trial at the highest load, which is in no figure
    #[arg(long, default_value_t = 1.0)]
    pub warmup_trial: f64,
    /// Trial seconds of each search at most
    #[arg(long, default_value_t = 7200.0)]
    pub max_time: f64,
    /// Search the highest rate that all pairs bear at once, or each pair's own, one behind the other
    #[arg(long, value_enum, default_value_t = Scope::Common)]
    pub scope: Scope,
    /// Seconds of each latency trial, at 90, 50 and 10 % of the answer and the lowest load; 0 leaves them out
    #[arg(long, default_value_t = 5.0)]
    pub latency_trial: f64,
    /// Seconds of each trial of a frame loss rate curve (RFC 2544); 0 leaves it out
    #[arg(long, default_value_t = 0.0)]
    pub loss_curve: f64,
    /// Repetitions of the search for the longest burst (RFC 9004 asks for 50); 0 leaves it out
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub back_to_back: u32,
    /// Go on with the search in this folder
    #[arg(long, value_name = "FOLDER")]
    pub resume: Option<PathBuf>,
    /// How to measure.
    #[command(flatten)]
    #[serde(flatten)]
    pub measure: MeasureArgs,
}

/// Ways to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodArg {
    /// draft-ietf-bmwg-mlrsearch.
    Mlrsearch,
    /// Binary search, a trial of 60 s a load.
    Rfc2544,
    /// Binary search, a bad trial is tried again.
    Tst009,
}

/// Whose rate is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Of all pairs at once.
    Common,
    /// Of each by itself.
    Each,
}

fn packet_rate(text: &str) -> Result<f64, String> {
    match text.parse::<Rate>() {
        Ok(Rate::Pps(pps)) if pps > 0.0 => Ok(pps),
        _ => Err("write packets a second: 500kpps, 1.2Mpps".to_owned()),
    }
}
