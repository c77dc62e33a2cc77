//! `search`: typed → goals and pairs → the search → the answers.

use std::fs;
use std::process::ExitCode;

use anyhow::{Result, bail};
use traffic::units::Rate;

use super::measure;
use super::search_args::{MethodArg, Scope, SearchArgs};
use crate::expid::ExpId;
use crate::profile_source::{self, LoadedProfile};
use crate::results::ResultsError;
use crate::say;
use crate::search::bench::extras::Extras;
use crate::search::bench::session::Session;
use crate::search::bench::{SearchError, SearchFile, show};
use crate::search::{Config, Goal, Machine, Method, Verdict};
use crate::trial::Interrupt;
use crate::trial::interrupt::EXIT_INTERRUPTED;

/// Searches.
pub fn execute(args: &SearchArgs) -> Result<ExitCode> {
    measure::check(&args.measure)?;
    if args.measure.duration.is_some() || args.measure.interactive {
        bail!(
            "--duration and --interactive are for `run`: a search has --initial-trial, --final-trial and --max-time"
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(args))
}

async fn run(args: &SearchArgs) -> Result<ExitCode> {
    let (place, pairs) = measure::place(&args.measure).await?;
    let options = measure::read_options(&args.measure);
    let profiles = profile_source::for_pairs(&args.profile, &args.measure.flows_dir, &pairs, options)?;
    let Some(first) = profiles.values().next().cloned() else { bail!("there is no pair to search with") };
    let config = config(args, &first)?;
    let settings = measure::settings(&args.measure, &pairs, profiles, args)?;
    let groups = match args.scope {
        Scope::Common => vec![pairs.clone()],
        Scope::Each => pairs.iter().map(|pair| vec![*pair]).collect(),
    };
    let extras = Extras {
        latency_s: args.latency_trial.max(0.0),
        curve_s: args.loss_curve.max(0.0),
        bursts: args.back_to_back,
    };
    let bound_s = Machine::bound_s(&config) + extras.bound_s(config.max_pps);
    let wanted =
        SearchFile::new((first.name, first.profile), config, bound_s, settings.options.clone(), groups);
    let (folder, mut file) = match &args.resume {
        Some(folder) => (folder.clone(), SearchFile::resume(folder, &wanted)?),
        None => (settings.results.join(format!("search_{}", ExpId::random()?)), wanted),
    };
    fs::create_dir_all(&folder).map_err(ResultsError::io("creating", &folder))?;
    let _held = crate::results::layout::lock(&folder.join(".lock"), &folder)?;
    show::plan(settings.output, &file, file.groups.iter().map(|group| group.trials.len()).sum());
    file.status = "running".to_owned();
    file.write(&folder)?;
    let interrupt = Interrupt::listen()?;
    let session =
        Session { settings: &settings, place: &place, interrupt: &interrupt, folder: &folder, extras };
    match session.run(&mut file).await {
        Ok(()) => {}
        Err(error @ SearchError::Interrupted(_)) => {
            say::err(error);
            return Ok(ExitCode::from(EXIT_INTERRUPTED));
        }
        Err(error) => return Err(error.into()),
    }
    show::answers(settings.output, &file)?;
    say::err(format_args!("results in {}", folder.display()));
    let unfinished = file.groups.iter().flat_map(|group| &group.found);
    let is_unfinished = unfinished.into_iter().any(|found| found.verdict == Verdict::Unfinished);
    Ok(if is_unfinished { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Goals and limits, or all that is wrong with them.
fn config(args: &SearchArgs, first: &LoadedProfile) -> Result<Config> {
    let profile = &first.profile;
    if profile.replay.is_some() || profile.streams.iter().any(|stream| stream.rate.is_some()) {
        bail!(
            "{}: a search sets the one rate of a profile: leave out [replay] and streams' own rates",
            first.source.display()
        );
    }
    let max_pps = match (args.max_rate, profile.rate) {
        (Some(max_pps), _) => max_pps,
        (None, Rate::Pps(pps)) => pps,
        (None, other) => bail!(
            "the profile's rate is {other}, which is no highest load in packets a second: give --max-rate 14.88Mpps, or what the \
             link carries"
        ),
    };
    let (min_pps, method) = (args.min_rate, args.method);
    if max_pps <= min_pps {
        bail!(
            "--max-rate {max_pps} pps is not above --min-rate {min_pps} pps: there is nothing to search between"
        );
    }
    let seconds = [args.warmup_trial, args.max_time, args.latency_trial, args.loss_curve];
    if seconds.iter().any(|s| !(0.0..=86_000.0).contains(s)) || args.max_time <= 0.0 {
        bail!("--warmup-trial, --max-time, --latency-trial and --loss-curve take seconds from 0 to 86000");
    }
    let goals = args.goal.iter().map(|text| goal(text, args)).collect::<Result<Vec<_>>>()?;
    let faults: Vec<String> = goals.iter().filter_map(Goal::fault).collect();
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    let mut names: Vec<&str> = goals.iter().map(|goal| goal.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < goals.len() {
        bail!("two goals have one name: write name=share for each");
    }
    let method = match method {
        MethodArg::Mlrsearch => Method::Mlrsearch,
        MethodArg::Rfc2544 | MethodArg::Tst009 => Method::Binary,
    };
    Ok(Config { min_pps, max_pps, goals, method, warmup_s: args.warmup_trial, budget_s: args.max_time })
}

fn goal(text: &str, args: &SearchArgs) -> Result<Goal> {
    let (name, loss_ratio) = match text.split_once('=') {
        Some((name, share)) => match share.parse() {
            Ok(share) if !name.is_empty() => (name, share),
            _ => bail!("--goal {text}: write name=share, as pdr=0.005"),
        },
        None if text == "ndr" => ("ndr", 0.0),
        None if text == "pdr" => ("pdr", 0.005),
        None => bail!("--goal {text}: there are ndr and pdr; any other is name=share, as half=0.5"),
    };
    let make = match args.method {
        MethodArg::Mlrsearch => Goal::csit,
        MethodArg::Rfc2544 => Goal::rfc2544,
        MethodArg::Tst009 => Goal::tst009,
    };
    let preset = make(name, loss_ratio);
    Ok(Goal {
        exceed_ratio: args.exceed_ratio.unwrap_or(preset.exceed_ratio),
        width: args.width.unwrap_or(preset.width),
        initial_trial_s: args.initial_trial.unwrap_or(preset.initial_trial_s),
        final_trial_s: args.final_trial.unwrap_or(preset.final_trial_s),
        duration_sum_s: args.duration_sum.unwrap_or(preset.duration_sum_s),
        ..preset
    })
}
