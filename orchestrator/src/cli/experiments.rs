//! `experiments`: typed and read → matrix → scan → shown, planned or run.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use super::experiments_args::{ExperimentArgs, ProfilesFrom};
use super::experiments_config::{Resolved, resolve};
use super::experiments_new::redeploy;
use super::flows::{Lists, macs, render};
use super::measure;
use crate::experiment::asked::Asked;
use crate::experiment::backup::Aside;
use crate::experiment::events::{Events, words};
use crate::experiment::folder::{ExperimentFolder, Journal};
use crate::experiment::matrix::{self, Entry, Source, entries};
use crate::experiment::plan::Plan;
use crate::experiment::run::{Ended, Experiment};
use crate::experiment::scan::{Grid, Scan};
use crate::experiment::show;
use crate::lab::kube::{KubePlace, Wanted, discover, macs::macs as kube_macs};
use crate::lab::{Place, pair_name};
use crate::say;
use crate::settings::{OutputFormat, Settings};
use crate::show::seconds;
use crate::trial::interrupt::EXIT_INTERRUPTED;
use crate::trial::{Interrupt, recover};

/// Does what was typed.
pub fn execute() -> Result<ExitCode> {
    let resolved = resolve(std::env::args_os())?;
    let args = &resolved.args;
    if args.action.config {
        return config(&resolved);
    }
    measure::check(&args.measure)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match args.action.run {
        true => runtime.block_on(run(args)),
        false => runtime.block_on(look(args)),
    }
}

fn config(resolved: &Resolved) -> Result<ExitCode> {
    say::out(resolved.to_toml().trim_end())?;
    if let Some(path) = &resolved.args.action.config_file {
        let kept = resolved.save(path)?;
        say::err(format_args!("saved in {}", path.display()));
        if let Some(kept) = kept {
            say::err(format_args!("what was there is in {}", kept.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A matrix with everything that it is looked at with.
struct Matrix {
    place: Place,
    pairs: Vec<usize>,
    entries: Vec<Entry>,
    settings: Settings,
}

impl Matrix {
    async fn read(args: &ExperimentArgs) -> Result<Matrix> {
        let (place, pairs) = measure::place(&args.measure).await?;
        let settings = measure::settings(&args.measure, &pairs, BTreeMap::new(), args)?;
        let source = source(args, &place, &pairs).await?;
        let options = measure::read_options(&args.measure);
        let entries = entries(&source, &args.measure.flows_dir, &pairs, &args.filter, options)?;
        Ok(Matrix { place, pairs, entries, settings })
    }

    fn scan(&self, journal: &Journal) -> Result<(Scan, Grid)> {
        let scan = Scan::read(&self.settings.results)?;
        for sentence in &scan.unreadable {
            say::err(format_args!("warning: {sentence}"));
        }
        let grid = scan.grid(&self.entries, &Asked::new(&self.settings, &self.place), journal);
        Ok((scan, grid))
    }

    fn to_write(&self) -> usize {
        self.entries.iter().flat_map(|e| e.pairs.values()).filter(|p| p.to_write.is_some()).count()
    }
}

async fn source(args: &ExperimentArgs, place: &Place, pairs: &[usize]) -> Result<Source> {
    if !args.profile.is_empty() {
        return Ok(Source::Named(args.profile.clone()));
    }
    if args.profiles_from == ProfilesFrom::Folder {
        return Ok(Source::Folder);
    }
    let lists = Lists { flows: &args.flows, sizes: &args.pkt_size, rates: &args.rate };
    let mut by_pair = macs(&args.shape, pairs)?;
    let mut files = BTreeMap::new();
    let mut is_missing = args.action.new;
    for (pair, macs) in pairs.iter().zip(&by_pair) {
        let rendered = render(lists, &args.shape, *macs)?;
        let folder = args.measure.flows_dir.join(pair_name(*pair));
        is_missing |= rendered.iter().any(|(name, _)| !folder.join(name).exists());
        files.insert(*pair, rendered);
    }
    if let Place::Kube(kube) = place
        && args.action.run
        && is_missing
        && args.shape.tx_mac.is_empty()
        && args.shape.rx_mac.is_empty()
    {
        by_pair = real_macs(kube, pairs).await?;
        for (pair, macs) in pairs.iter().zip(by_pair) {
            files.insert(*pair, render(lists, &args.shape, macs)?);
        }
    }
    Ok(Source::Lists { files, anew: args.action.new })
}

/// What the pairs' ports say themselves.
async fn real_macs(
    place: &KubePlace,
    pairs: &[usize],
) -> Result<Vec<(traffic::mac::Mac, traffic::mac::Mac)>> {
    let found = discover(&place.cluster, &Wanted::These(pairs.to_vec())).await?;
    Ok(kube_macs(place, &found).await?.into_iter().map(|(_, tx, rx)| (tx, rx)).collect())
}

/// Checks everything, says what would be done, and changes nothing.
async fn look(args: &ExperimentArgs) -> Result<ExitCode> {
    let matrix = Matrix::read(args).await?;
    let (scan, grid) = matrix.scan(&Journal::read(&matrix.settings.results)?)?;
    let (entries, settings, output) = (&matrix.entries, &matrix.settings, matrix.settings.output);
    show::scan(entries, &grid, output, args.action.scan_results)?;
    let plan = Plan::new(&grid, settings);
    if output == OutputFormat::Json {
        let left_s = plan.seconds(entries, settings, 0);
        say::out(
            serde_json::json!({"event": "plan", "results": plan.cells, "done": plan.done(), "trials": plan.trials.len(),
                                    "estimated_s": left_s, "profiles_to_write": matrix.to_write()}),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    say::out(show::tally(&plan))?;
    if args.action.scan_results {
        return Ok(ExitCode::SUCCESS);
    }
    if !scan.unfinished.is_empty() {
        say::out(format_args!("{} unfinished trial(s) would be recovered first", scan.unfinished.len()))?;
    }
    if args.action.new {
        let pods = if args.measure.local { "" } else { ", and the pods made again" };
        say::out(format_args!(
            "--new: their results would be set aside, and all of them measured again{pods}"
        ))?;
    }
    if matrix.to_write() > 0 {
        say::out(format_args!("{} profile(s) would be written", matrix.to_write()))?;
    }
    note_own(&matrix)?;
    let trials = if args.action.new { entries.len() } else { plan.trials.len() };
    let about = plan.seconds(entries, settings, 0).filter(|_| !args.action.new);
    let about = about.map_or(String::new(), |s| format!(", about {} without failures", seconds(s)));
    let rest = if trials == 0 { "nothing is left to run" } else { "nothing was started; --run starts it" };
    say::out(format_args!("{trials} trial(s) to run on {}{about}; {rest}", words(&matrix.pairs)))?;
    Ok(ExitCode::SUCCESS)
}

/// In a cluster addresses always differ from those that the lists are looked at with.
fn note_own(matrix: &Matrix) -> Result<()> {
    let own = matrix.entries.iter().flat_map(|e| e.pairs.values()).filter(|p| p.is_own).count();
    if own > 0 && matches!(matrix.place, Place::Local { .. }) {
        say::out(format_args!(
            "{own} profile(s) differ from what the flags would make, and are taken as they are (--new makes them again)"
        ))?;
    }
    Ok(())
}

/// Runs what is not done.
async fn run(args: &ExperimentArgs) -> Result<ExitCode> {
    let measure = &args.measure;
    let events = Events(measure.output.into());
    let mut folder = ExperimentFolder::open(&measure.results, args.action.new)?;
    recover_all(args, events).await?;
    if args.action.new && !measure.local {
        redeploy(args).await?;
    }
    let mut matrix = Matrix::read(args).await?;
    let aside = Aside::new(&measure.results, &measure.flows_dir);
    if args.action.new {
        let scan = Scan::read(&measure.results)?;
        for (entry, pair) in matrix.entries.iter().flat_map(|e| e.pairs.keys().map(move |pair| (e, *pair))) {
            for found in scan.of(&entry.name, pair) {
                aside.pair(&found.folder)?;
            }
        }
    }
    let written = matrix::write(&mut matrix.entries, &aside)?;
    if written > 0 {
        say::err(format_args!("{written} profile(s) written in {}", measure.flows_dir.display()));
    }
    let interrupt = Interrupt::listen()?;
    let (scan, grid) = matrix.scan(folder.journal())?;
    let plan = Plan::new(&grid, &matrix.settings);
    let left_s = plan.seconds(&matrix.entries, &matrix.settings, 0);
    events.started(matrix.entries.len(), plan.cells, plan.done(), left_s);
    let experiment = Experiment {
        settings: &matrix.settings,
        place: &matrix.place,
        interrupt: &interrupt,
        entries: &matrix.entries,
        scan: &scan,
        plan: &plan,
        aside: &aside,
        retries: args.retries,
        ready_limit: Duration::from_secs(args.wait_timeout.into()),
        events,
    };
    let ended = experiment.run(&mut folder).await;
    for (what, place) in [("results", aside.results()), ("profiles", aside.flows())] {
        if let Some(place) = place {
            say::err(format_args!("{what} that gave way are in {}", place.display()));
        }
    }
    finish(&matrix, &folder, ended?)
}

fn finish(matrix: &Matrix, folder: &ExperimentFolder, ended: Ended) -> Result<ExitCode> {
    let (_, grid) = matrix.scan(folder.journal())?;
    let interrupted = ended == Ended::Interrupted;
    show::summary(&matrix.entries, &grid, matrix.settings.output, interrupted)?;
    let plan = Plan::new(&grid, &matrix.settings);
    if interrupted {
        say::err(format_args!(
            "interrupted: {}; the same command goes on (without --new)",
            show::tally(&plan)
        ));
        return Ok(ExitCode::from(EXIT_INTERRUPTED));
    }
    if plan.trials.is_empty() {
        say::err(show::tally(&plan));
        return Ok(ExitCode::SUCCESS);
    }
    say::err(format_args!("{}; the same command tries again what is not done", show::tally(&plan)));
    Ok(ExitCode::FAILURE)
}

/// What an earlier call was killed in becomes results.
async fn recover_all(args: &ExperimentArgs, events: Events) -> Result<()> {
    let unfinished = Scan::read(&args.measure.results)?.unfinished;
    if unfinished.is_empty() {
        return Ok(());
    }
    say::err(format_args!("recovering {} unfinished trial(s)", unfinished.len()));
    let written = recover::recover(unfinished.into_iter().map(|u| u.folder).collect()).await?;
    events.results(&written);
    Ok(())
}
