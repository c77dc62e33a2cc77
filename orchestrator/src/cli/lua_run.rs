//! `lua run`: typed → a pair → the script → its counters.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use serde::Serialize;
use traffic::units::FrameSize;

use super::measure;
use super::measure_args::MeasureArgs;
use crate::live::{LiveError, Outcome, Script, run};
use crate::say;
use crate::settings::OutputFormat;
use crate::trial::Interrupt;
use crate::trial::interrupt::EXIT_INTERRUPTED;

/// `lua run`
#[derive(Debug, Args, Serialize)]
pub struct LuaRunArgs {
    /// The script; its port 0 is the pair's sender, its port 1 the receiver
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub file: PathBuf,
    /// The pair that it runs on
    #[arg(long, default_value_t = 0)]
    pub pair: usize,
    /// The capture that pktgen.pcap(ports, "on") sends (Pktgen's -s), as the sender's machine or pod has it
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<PathBuf>,
    /// Bytes of the largest frame with FCS, 64 to 9600, that the script may send
    #[arg(long, default_value = "1518", value_parser = super::flow_args::frame_size)]
    #[serde(skip)]
    pub max_frame: FrameSize,
    /// Seconds that the script may run in all
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..=86_000))]
    pub limit: u64,
    /// How to measure.
    #[command(flatten)]
    #[serde(flatten)]
    pub measure: MeasureArgs,
}

/// Runs a script on a pair.
pub fn execute(args: &LuaRunArgs) -> Result<ExitCode> {
    let measure = &args.measure;
    let misplaced = [
        (
            measure.duration.is_some(),
            "--duration: the script says how long it sends; --limit bounds it in all",
        ),
        (measure.interactive, "--interactive: the script steers"),
        (measure.round_trip, "--round-trip: a script's port 1 receives"),
        (measure.no_stamp, "--no-stamp: a script's frames carry no mark unless it asks for latency"),
        (measure.dump_invalid + measure.dump_foreign > 0, "--dump-invalid and --dump-foreign"),
        (measure.per_flow > 0, "--per-flow"),
    ];
    if let Some((_, what)) = misplaced.into_iter().find(|(typed, _)| *typed) {
        bail!("{what}: leave it out with `lua run`; `orchestrator run` takes it");
    }
    measure::check(measure)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(on_pair(args))
}

async fn on_pair(args: &LuaRunArgs) -> Result<ExitCode> {
    let (place, pairs) = measure::place(&args.measure).await?;
    if !pairs.contains(&args.pair) {
        bail!(
            "there is no pair {}: there are {} (give -n with --local, or make pods)",
            args.pair,
            pairs.len()
        );
    }
    let settings = measure::settings(&args.measure, &pairs, BTreeMap::new(), args)?;
    let results = args.measure.results.clone();
    fs::create_dir_all(&results).map_err(|e| anyhow!("--results {}: {e}", results.display()))?;
    let script = Script {
        path: args.file.clone(),
        results,
        pcap: args.pcap.clone(),
        quirks: args.measure.pktgen_quirks,
        limit: Duration::from_secs(args.limit),
        frame_max: args.max_frame.bytes(),
        pair: args.pair,
    };
    let (interrupt, output) = (Interrupt::listen()?, settings.output);
    match run(&script, settings, &place, &interrupt).await {
        Ok(outcome) => {
            show(&outcome, output)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error @ LiveError::Interrupted) => {
            say::err(error);
            Ok(ExitCode::from(EXIT_INTERRUPTED))
        }
        Err(error) => Err(error.into()),
    }
}

fn show(outcome: &Outcome, output: OutputFormat) -> Result<()> {
    if output == OutputFormat::Json {
        let ports = outcome.iter().map(|(device, counts)| {
            let numbers = counts.told().map(|(name, n)| (name.to_owned(), n.into()));
            let device = ("device".to_owned(), serde_json::Value::from(device.as_str()));
            serde_json::Value::Object(std::iter::once(device).chain(numbers).collect())
        });
        let ports: Vec<serde_json::Value> = ports.collect();
        say::out(serde_json::json!({ "ports": ports }))?;
        return Ok(());
    }
    for (number, (device, counts)) in outcome.iter().enumerate() {
        say::err(format_args!("port {number} ({device}): {}", counts.words()));
    }
    Ok(())
}
