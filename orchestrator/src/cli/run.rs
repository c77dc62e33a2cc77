//! `run`: typed → place and settings → one trial → shown.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use super::measure;
use super::run_args::RunArgs;
use crate::profile_source;
use crate::say;
use crate::settings::OutputFormat;
use crate::show_results::show;
use crate::trial::interrupt::EXIT_INTERRUPTED;
use crate::trial::{Interrupt, Status, TrialError, whole};

/// Runs one trial.
pub fn execute(args: &RunArgs) -> Result<ExitCode> {
    let begun = Instant::now();
    measure::check(&args.measure)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(args, begun))
}

async fn run(args: &RunArgs, begun: Instant) -> Result<ExitCode> {
    let (place, pairs) = measure::place(&args.measure).await?;
    let options = measure::read_options(&args.measure);
    let profiles = profile_source::for_pairs(&args.profile, &args.measure.flows_dir, &pairs, options)?;
    let settings = measure::settings(&args.measure, &pairs, profiles, args)?;
    let interrupt = Interrupt::listen()?;
    let report = match whole(&settings, &place, &interrupt, begun).await {
        Ok(report) => report,
        Err(TrialError::Interrupted) => {
            say::err(TrialError::Interrupted);
            return Ok(ExitCode::from(EXIT_INTERRUPTED));
        }
        Err(error) => return Err(error.into()),
    };
    show(&report.pairs, settings.output);
    if settings.output == OutputFormat::Table {
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
    Ok(report.exit_code())
}
