//! `run`: typed → place and settings → one trial, or repeats of it → shown.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use super::measure;
use super::run_args::RunArgs;
use crate::analysis::groups;
use crate::profile_source::{self, ReadOptions};
use crate::results::tree::Tree;
use crate::say;
use crate::settings::OutputFormat;
use crate::show_repeats;
use crate::show_results::show;
use crate::trial::interrupt::EXIT_INTERRUPTED;
use crate::trial::whole::Report;
use crate::trial::{Interrupt, Status, TrialError, whole};

/// Runs one trial, or several.
pub fn execute(args: &RunArgs) -> Result<ExitCode> {
    let begun = Instant::now();
    measure::check(&args.measure)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(args, begun))
}

async fn run(args: &RunArgs, begun: Instant) -> Result<ExitCode> {
    let (place, pairs) = measure::place(&args.measure).await?;
    let options = ReadOptions { pcap: args.pcap.as_deref(), ..measure::read_options(&args.measure) };
    let profiles = profile_source::for_pairs(&args.profile, &args.measure.flows_dir, &pairs, options)?;
    let settings = measure::settings(&args.measure, &pairs, profiles, args)?;
    let interrupt = Interrupt::listen()?;
    let mut done = Vec::new();
    let mut since = begun;
    for repeat in 1..=args.repeats {
        if args.repeats > 1 && settings.output == OutputFormat::Table {
            say::err(format_args!("repeat {repeat} of {}", args.repeats));
        }
        let report = match whole(&settings, &place, &interrupt, since).await {
            Ok(report) => report,
            Err(TrialError::Interrupted) => {
                say::err(TrialError::Interrupted);
                return finish(&done, settings.output, ExitCode::from(EXIT_INTERRUPTED));
            }
            Err(error) if done.is_empty() => return Err(error.into()),
            Err(error) => {
                say::err(format_args!("error: {error}"));
                return finish(&done, settings.output, ExitCode::FAILURE);
            }
        };
        show_one(&report, settings.output, since);
        let (code, is_whole) = (report.exit_code(), report.is_whole());
        done.push(report);
        // What failed once would fail again, and a median of what is left would hide it.
        if !is_whole || repeat == args.repeats {
            return finish(&done, settings.output, code);
        }
        since = Instant::now();
    }
    Ok(ExitCode::SUCCESS)
}

fn show_one(report: &Report, output: OutputFormat, begun: Instant) {
    show(report.pairs.iter().map(|(judged, folder)| (judged, folder.as_path())), output);
    if output == OutputFormat::Table {
        let spent = begun.elapsed().as_secs_f64();
        let overhead = report.overhead_s();
        // As in `show`: the results are on disk.
        drop(say::out(format_args!("{spent:.1} s in all, {overhead:.1} s of it beside warm-up and sending")));
    }
    if report.any(Status::Interrupted) {
        say::err(
            "interrupted: the results hold what was measured until then; the same command makes a whole trial",
        );
    }
}

/// What the repeats come to, read back from where they were written.
fn finish(done: &[Report], output: OutputFormat, code: ExitCode) -> Result<ExitCode> {
    if done.len() > 1 {
        let folders: Vec<PathBuf> =
            done.iter().flat_map(|report| report.pairs.iter().map(|(_, folder)| folder.clone())).collect();
        show_repeats::show(&groups(&Tree::read(&folders)?.results), output)?;
    }
    Ok(code)
}
