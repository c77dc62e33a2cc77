//! `run`: typed → settings → lab → trial → results.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, anyhow, bail};

use traffic::wire::Dump;

use super::run_args::RunArgs;
use crate::experiment::interrupt::EXIT_INTERRUPTED;
use crate::experiment::trial::{Trial, forget};
use crate::experiment::{Interrupt, PairOutcome, Progress, Status, TrialError};
use crate::expid::ExpId;
use crate::lab::binary::find_dataplane;
use crate::lab::local::{LocalLab, LocalPlan};
use crate::lab::{CoreWish, Lab, devices, pair_name};
use crate::profile_source::{self, ReadOptions};
use crate::results::TrialFolder;
use crate::results::result_json::Judged;
use crate::results::write::write_pair;
use crate::say;
use crate::settings::{OutputFormat, Settings, SideSettings};
use crate::show_results::{show, show_arrays};

/// Runs one trial.
pub fn execute(args: &RunArgs) -> Result<ExitCode> {
    let begun = Instant::now();
    refuse_what_is_not_there(args)?;
    for note in notes(args) {
        say::err(format_args!("note: {note}"));
    }
    let settings = settings(args)?;
    let dataplane = find_dataplane(args.dataplane.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(trial(&settings, dataplane, begun))
}

fn refuse_what_is_not_there(args: &RunArgs) -> Result<()> {
    if !args.local {
        bail!("the Kubernetes lab is not in this version; run on this machine with --local");
    }
    if args.interactive {
        bail!("--interactive true is not there yet: a run is told everything by its profile and its flags");
    }
    for (a, b, worker) in [("--txq", "--tx-num-core", "sends"), ("--rxq", "--rx-num-core", "polls")] {
        let (queues, cores) =
            if a == "--txq" { (args.txq, args.tx_num_core) } else { (args.rxq, args.rx_num_core) };
        if let (Some(queues), Some(cores)) = (queues, cores)
            && queues != cores
        {
            bail!(
                "{a} {queues} and {b} {cores} differ, but each worker {worker} one queue: give one of them"
            );
        }
    }
    Ok(())
}

/// What flags of the old tool mean here: nothing is taken silently.
fn notes(args: &RunArgs) -> Vec<&'static str> {
    [
        (args.latency, "--latency: latency is measured in every run whose two ends share a clock"),
        (args.rx1_txn, "--rx1-txn: senders here need no receiving core; all their workers send"),
        (args.control_port != 22022, "--control-port: a run has no Lua port; `dataplane lua -G` does"),
        (args.skip_copy, "--skip-copy: profiles are never copied; agents are handed them"),
        (args.skip_testpmd, "--skip-testpmd: the receiver always runs; there is no testpmd to skip"),
        (args.verify_testpmd, "--verify-testpmd: the receiver is always ready before the sender starts"),
    ]
    .into_iter()
    .filter_map(|(typed, note)| typed.then_some(note))
    .collect()
}

fn settings(args: &RunArgs) -> Result<Settings> {
    let options = ReadOptions { quirks: args.pktgen_quirks, no_stamp: args.no_stamp };
    let profiles = profile_source::for_pairs(&args.profile, &args.flows_dir, args.pairs, options)?;
    // Said before any folder is made or any agent started.
    devices::named_pairs(&args.tx_device, &args.rx_device, args.pairs)?;
    let mut settings = Settings {
        profiles,
        duration_s: args.duration,
        warmup_s: args.warmup_duration,
        sample_interval_s: args.sample_interval,
        sample_count: args.sample_count,
        tx: SideSettings { descriptors: args.txd, socket_mem_mib: args.tx_socket_mem },
        rx: SideSettings { descriptors: args.rxd, socket_mem_mib: args.rx_socket_mem },
        burst: args.burst,
        memory: args.memory().into(),
        clock: args.mark_clock(),
        dump: Dump { invalid: args.dump_invalid, foreign: args.dump_foreign },
        cores: CoreWish {
            tx_workers: args.tx_num_core.or(args.txq),
            rx_workers: args.rx_num_core.or(args.rxq),
        },
        results: args.results.clone(),
        tx_devices: args.tx_device.clone(),
        rx_devices: args.rx_device.clone(),
        output: args.output.into(),
        debug: args.debug,
        options: BTreeMap::new(),
    };
    settings.options = typed(args, settings.duration_s_max())?;
    Ok(settings)
}

/// Every option by its flag's name, for `metadata.txt`.
fn typed(args: &RunArgs, duration_s: f64) -> Result<BTreeMap<String, String>> {
    let serde_json::Value::Object(fields) = serde_json::to_value(args)? else { return Ok(BTreeMap::new()) };
    let text = |value: serde_json::Value| match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let mut options: BTreeMap<String, String> = fields.into_iter().map(|(k, v)| (k, text(v))).collect();
    options.insert("duration".into(), duration_s.to_string());
    // One truth of the two flags.
    options.insert("memory".into(), text(serde_json::to_value(args.memory())?));
    // The record has a `profile` of its own: the file that was really read.
    options.remove("profile").and_then(|name| options.insert("profile_option".into(), name));
    Ok(options)
}

async fn trial(settings: &Settings, dataplane: PathBuf, begun: Instant) -> Result<ExitCode> {
    let expid = ExpId::random().map_err(|e| anyhow!("no random numbers for the trial's id: {e}"))?;
    let names: Vec<String> = (0..settings.profiles.len()).map(pair_name).collect();
    let folder = TrialFolder::create(&settings.results, expid, &names)?;
    let plan = LocalPlan {
        dataplane,
        frame_bytes: settings.frame_bytes_max(),
        tx_devices: settings.tx_devices.clone(),
        rx_devices: settings.rx_devices.clone(),
        state_folders: names.iter().map(|name| folder.pair(name).state()).collect(),
    };
    let lab = match LocalLab::start(&plan).await {
        Ok(lab) => lab,
        Err(error) => {
            folder.discard()?;
            return Err(error.into());
        }
    };
    let interrupt = Interrupt::listen(lab.pids())?;
    let progress = Progress::new(settings.output, names, settings.duration_s_max());
    progress.say(&format!("trial {expid}: {} pair(s) on this machine", lab.pairs().len()));
    let trial = Trial { settings, folder: &folder, interrupt: &interrupt, progress: &progress, begun };
    let outcomes = trial.run(&lab).await;
    let written = outcomes.map_err(anyhow::Error::from).and_then(|o| write(settings, &folder, o));
    if let Ok(written) = &written {
        forget(&lab, written.iter().map(|(judged, _)| &judged.outcome.record)).await;
    }
    for trouble in lab.teardown().await {
        say::err(trouble);
    }
    finish(settings, &folder, written, begun)
}

/// Every pair's files, unless no pair measured anything.
fn write(
    settings: &Settings,
    folder: &TrialFolder,
    outcomes: Vec<PairOutcome>,
) -> Result<Vec<(Judged, Option<PathBuf>)>> {
    let keep = outcomes.iter().any(PairOutcome::measured);
    let mut written = Vec::new();
    for outcome in outcomes {
        let judged = Judged::of(outcome);
        let pair = folder.pair(&judged.outcome.record.pair);
        if keep {
            let arrays = write_pair(&pair, &judged)?;
            if settings.debug {
                show_arrays(&judged.outcome.record.pair, &arrays);
            }
        }
        written.push((judged, keep.then(|| pair.path().to_owned())));
    }
    Ok(written)
}

/// Shows what came of it, and removes what nobody needs any more.
fn finish(
    settings: &Settings,
    folder: &TrialFolder,
    written: Result<Vec<(Judged, Option<PathBuf>)>>,
    begun: Instant,
) -> Result<ExitCode> {
    let written = match written {
        Ok(written) => written,
        Err(error) => return give_up(folder, error),
    };
    if written.iter().all(|(_, path)| path.is_none()) {
        folder.discard()?;
        let reasons: Vec<String> = written.iter().filter_map(|(j, _)| j.outcome.error.clone()).collect();
        bail!("nothing was measured: {}", reasons.join("; "));
    }
    for (judged, _) in &written {
        folder.pair(&judged.outcome.record.pair).forget_state()?;
    }
    show(&written, settings.output);
    if settings.output == OutputFormat::Table {
        let spent = begun.elapsed().as_secs_f64();
        let overhead =
            written.iter().filter_map(|(j, _)| j.outcome.timing).map(|t| t.overhead_s).fold(0.0, f64::max);
        // As in `show`: the results are on disk.
        drop(say::out(format_args!("{spent:.1} s in all, {overhead:.1} s of it beside warm-up and sending")));
    }
    let any = |status| written.iter().any(|(j, _)| j.outcome.status == status);
    if any(Status::Interrupted) {
        say::err(
            "interrupted: the results hold what was measured until then; the same command makes a whole trial",
        );
    }
    Ok(match (any(Status::Failed), any(Status::Interrupted)) {
        (true, _) => ExitCode::FAILURE,
        (false, true) => ExitCode::from(EXIT_INTERRUPTED),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// A trial without outcomes. What agents have on disk is kept when results could not be written.
fn give_up(folder: &TrialFolder, error: anyhow::Error) -> Result<ExitCode> {
    match error.downcast_ref::<TrialError>() {
        Some(TrialError::Interrupted) => {
            folder.discard()?;
            say::err(error);
            Ok(ExitCode::from(EXIT_INTERRUPTED))
        }
        Some(_) => {
            folder.discard()?;
            Err(error)
        }
        None => Err(anyhow!(
            "the results can't be written: {error}; what was measured is kept; then: orchestrator results recover {}",
            folder.path().display()
        )),
    }
}
