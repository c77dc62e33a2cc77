//! One trial on all pairs: contact → warm up → prepare → run → drain → collect. The pairs go through each phase
//! together; one that fails is left behind with its reason while the others finish.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use traffic::profile::Stop;
use traffic::wire::{Ready, RunStatus};

use super::blame::blame;
use super::measure::{self, SenderEnd};
use super::outcome::{PairOutcome, Record, SideOutcome, SideRecord, Status, Timing};
use super::specs::{PairSpecs, main_specs, warmup_specs};
use super::warmup::{self, Warmup};
use super::{Interrupt, Progress, TrialError, prepare};
use crate::agent::both::Both;
use crate::agent::{AgentClient, AgentError};
use crate::lab::{Lab, LabPair, PairCores, PairInventory};
use crate::path::adapt::adapt;
use crate::path::resolve::resolve;
use crate::path::{PairPath, PathWish};
use crate::preflight;
use crate::results::TrialFolder;
use crate::settings::Settings;
use crate::show::count;

/// Everything that a trial is given.
#[derive(Debug)]
pub struct Trial<'a> {
    /// What the user asked.
    pub settings: &'a Settings,
    /// Its folder.
    pub folder: &'a TrialFolder,
    /// Ctrl-C.
    pub interrupt: &'a Interrupt,
    /// The user's eyes.
    pub progress: &'a Progress,
    /// When the command began: overhead counts from there.
    pub begun: Instant,
}

/// What is known of a pair before anything is asked of it.
struct Known<'a> {
    pair: &'a LabPair,
    inventory: &'a PairInventory,
    cores: &'a PairCores,
    path: &'a PairPath,
    notes: Vec<String>,
}

/// A pair on its way through the phases.
struct PairRun<'a> {
    pair: &'a LabPair,
    specs: PairSpecs,
    warmup_specs: Option<PairSpecs>,
    record: Record,
    warmup: Warmup,
    ready: Option<(Ready, Ready)>,
    measured: Option<Both>,
    failure: Option<String>,
}

impl PairRun<'_> {
    fn alive(&self) -> bool {
        self.failure.is_none()
    }

    /// The value of a phase; a failed one is kept as the pair's reason.
    fn take<T>(&mut self, result: Result<T, AgentError>) -> Option<T> {
        result.map_err(|error| self.failure = Some(error.to_string())).ok()
    }
}

impl Trial<'_> {
    /// Runs it. An error means that nothing was measured; a pair that failed is an outcome.
    pub async fn run<L: Lab>(&self, lab: &L) -> Result<Vec<PairOutcome>, TrialError> {
        let mut timing = Timing::default();
        let mut runs = self.or_interrupted(self.begin(lab)).await??;
        timing.contact_s = self.begun.elapsed().as_secs_f64();
        if self.settings.warmup_s > 0.0 {
            timing.warmup_s = self.timed(self.warm_up(&mut runs)).await?;
        }
        timing.prepare_s = self.timed(self.prepare(&mut runs)).await?;
        timing.start_skew_s = self.start(&mut runs).await;
        self.measure(&mut runs).await;
        self.progress.finish();
        let ended = runs.into_iter().map(async |run| {
            let pair = run.pair;
            let mut outcome = self.outcome(run, timing);
            if outcome.status == Status::Complete {
                blame(pair, &mut outcome).await;
            }
            outcome
        });
        Ok(join_all(ended).await)
    }

    /// Contact, cores, specs; the record of every pair is on disk before anything else happens.
    async fn begin<'p, L: Lab>(&self, lab: &'p L) -> Result<Vec<PairRun<'p>>, TrialError> {
        let contacts = join_all(lab.pairs().iter().map(prepare::contact)).await;
        let inventories = contacts.into_iter().collect::<Result<Vec<_>, _>>()?;
        let cores = lab.cores(&inventories, self.settings.cores)?;
        if let Some(warning) = cores.iter().find_map(|c| c.warning.as_deref()) {
            self.progress.say(&format!("warning: {warning}"));
        }
        let warnings = preflight::trial::before(lab, self.settings, &inventories, &cores)
            .map_err(TrialError::Preflight)?;
        let mut runs = Vec::new();
        let ends = lab.pairs().iter().zip(&inventories);
        let wish = match self.settings.path {
            // What joins local pairs takes any address.
            PathWish::Auto if lab.cluster().is_none() => PathWish::AsIs,
            wish => wish,
        };
        let paths = join_all(ends.map(|(pair, inventory)| find_path(wish, pair, inventory))).await;
        let ends = lab.pairs().iter().zip(&inventories).zip(&cores);
        for ((((pair, inventory), cores), path), warnings) in ends.zip(paths).zip(warnings) {
            let mut run = self.plan(lab, (pair, inventory, cores), path?)?;
            run.record.warnings.extend(warnings);
            self.folder.save_record(&run.record)?;
            runs.push(run);
        }
        Ok(runs)
    }

    /// What one pair is asked: its profile, made to fit the way, on its cores.
    fn plan<'p, L: Lab>(
        &self,
        lab: &L,
        (pair, inventory, cores): (&'p LabPair, &PairInventory, &PairCores),
        path: PairPath,
    ) -> Result<PairRun<'p>, TrialError> {
        let (settings, expid) = (self.settings, self.folder.expid());
        let placed = |source| TrialError::Path { pair: pair.name(), source };
        let fitted = adapt(&settings.profiles[&pair.index].profile, &path).map_err(placed)?;
        let specs = main_specs(settings, expid, pair, cores, inventory, (&fitted.profile, &path));
        let warmup_specs =
            (settings.warmup_s > 0.0).then(|| warmup_specs(settings, expid, pair, cores, &path));
        if let Some(words) = path.words() {
            self.progress.say(&format!("{}: {words}", pair.name()));
        }
        for note in &fitted.notes {
            self.progress.say(&format!("{}: {note}", pair.name()));
        }
        let known = Known { pair, inventory, cores, path: &path, notes: fitted.notes };
        let record = self.record(lab, known, &specs, warmup_specs.as_ref());
        Ok(PairRun {
            pair,
            specs,
            warmup_specs,
            record,
            warmup: Warmup::default(),
            ready: None,
            measured: None,
            failure: None,
        })
    }

    fn record<L: Lab>(
        &self,
        lab: &L,
        known: Known<'_>,
        specs: &PairSpecs,
        warmup: Option<&PairSpecs>,
    ) -> Record {
        let (settings, pair) = (self.settings, known.pair);
        let loaded = &settings.profiles[&pair.index];
        let side = |end: &crate::lab::Endpoint, spec, warmup_spec, inventory| SideRecord {
            pod: end.pod.clone(),
            node: end.node.clone(),
            agent_pid: end.pid,
            agent_address: end.address,
            pod_uid: end.uid.clone(),
            spec,
            warmup_spec,
            inventory,
        };
        let warmup_of = |pick: fn(&PairSpecs) -> &traffic::wire::RunSpec| warmup.map(|w| pick(w).clone());
        let inventory = known.inventory;
        Record {
            expid: self.folder.expid(),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            started_unix_ns: unix_ns(),
            lab: lab.kind().to_owned(),
            cluster: lab.cluster(),
            socket_folder: lab.socket_folder().map(Path::to_owned),
            pair: pair.name(),
            profile_name: loaded.name.clone(),
            profile_source: loaded.source.display().to_string(),
            profile: loaded.profile.clone(),
            path: known.path.clone(),
            duration_s: settings.duration_s(&loaded.profile),
            warmup_s: settings.warmup_s,
            sample_interval_s: settings.sample_interval_s,
            sample_count: settings.sample_count,
            options: settings.options.clone(),
            events: Vec::new(),
            tx: side(&pair.tx, specs.tx.clone(), warmup_of(|w| &w.rx), inventory.tx.clone()),
            rx: side(&pair.rx, specs.rx.clone(), warmup_of(|w| &w.tx), inventory.rx.clone()),
            warnings: [&loaded.notes, &known.notes]
                .into_iter()
                .flatten()
                .cloned()
                .chain(known.cores.warning.clone())
                .collect(),
        }
    }

    async fn warm_up(&self, runs: &mut [PairRun<'_>]) {
        let seconds = self.settings.warmup_s;
        self.progress.say(&format!("warming up for {seconds} s"));
        join_all(runs.iter_mut().map(async |run| {
            let Some(specs) = &run.warmup_specs else { return };
            let result = warmup::run(run.pair, specs, &run.record.path, seconds).await;
            let Some(mut done) = run.take(result) else { return };
            if let Some(blocked) = done.blocked.take() {
                match self.settings.force {
                    true => done.warnings.push(blocked),
                    false => run.failure = Some(format!("{blocked} (--force measures all the same)")),
                }
            }
            run.warmup = done;
        }))
        .await;
    }

    async fn prepare(&self, runs: &mut [PairRun<'_>]) {
        join_all(runs.iter_mut().filter(|r| r.alive()).map(async |run| {
            let (sender, receiver) = (&run.pair.tx.agent, &run.pair.rx.agent);
            let result = prepare::both((sender, &run.specs.tx), (receiver, &run.specs.rx)).await;
            run.ready = run.take(result);
        }))
        .await;
    }

    /// Every receiver counts before any sender sends. Answers how far apart the senders began.
    async fn start(&self, runs: &mut [PairRun<'_>]) -> Option<f64> {
        let started: Vec<_> = runs.iter().filter(|r| r.alive()).map(|r| self.sending(r)).collect();
        if !started.is_empty() {
            self.progress.say(&format!("sending {}", started.join(", ")));
        }
        join_all(runs.iter_mut().filter(|r| r.alive()).map(async |run| {
            let result = measure::start_receiver(run.pair, &run.specs).await;
            run.take(result);
        }))
        .await;
        let begun = join_all(runs.iter_mut().filter(|r| r.alive()).map(async |run| {
            let result = measure::start_sender(run.pair, &run.specs).await;
            run.take(result)
        }))
        .await;
        let begun: Vec<measure::Begun> = begun.into_iter().flatten().collect();
        let mut boots = runs.iter().map(|run| &run.record.tx.inventory.clock.boot_id);
        let first = boots.next();
        let one_clock = boots.all(|boot| Some(boot) == first);
        let skew_s = measure::skew_s(&begun, one_clock);
        if let Some(skew_s) = skew_s {
            let how = if one_clock { "" } else { ", as their agents answered" };
            self.progress.say(&format!("{} senders began within {:.1} ms{how}", begun.len(), skew_s * 1e3));
        }
        skew_s
    }

    /// What a pair sends, in words; its bar gets that length.
    fn sending(&self, run: &PairRun<'_>) -> String {
        let (name, limit_s) = (run.pair.name(), run.record.duration_s);
        let Stop::Count(frames) = run.specs.tx.profile.stop else {
            return format!("for {limit_s} s on {name}");
        };
        let pps = run.ready.as_ref().and_then(|(tx, _)| tx.requested_pps);
        if let Some(pps) = pps.filter(|pps| *pps > 0.0) {
            self.progress.expect(run.pair.index, (frames as f64 / pps).min(limit_s));
        }
        format!("{} frames on {name}", count(frames))
    }

    async fn measure(&self, runs: &mut [PairRun<'_>]) {
        join_all(runs.iter_mut().filter(|r| r.alive()).map(async |run| {
            let duration = Duration::from_secs_f64(run.record.duration_s);
            let end = match run.specs.tx.profile.stop {
                Stop::DurationS(_) => SenderEnd::ByItself(duration),
                Stop::Count(_) | Stop::Never => SenderEnd::ToldAfter(duration),
            };
            let measured =
                measure::to_the_end(run.pair, &run.specs, end, self.interrupt, self.progress).await;
            run.measured = Some(measured);
        }))
        .await;
    }

    fn outcome(&self, run: PairRun<'_>, mut timing: Timing) -> PairOutcome {
        let mut failures: Vec<String> = run.failure.into_iter().collect();
        let mut outcome = PairOutcome {
            record: run.record,
            status: Status::Complete,
            error: None,
            tx: SideOutcome::default(),
            rx: SideOutcome::default(),
            warmup: run.warmup.samples,
            warnings: run.warmup.warnings,
            timing: None,
        };
        if let Some((tx, rx)) = run.ready {
            (outcome.tx.ready, outcome.rx.ready) = (Some(tx), Some(rx));
        }
        if let Some(measured) = run.measured {
            timing.run_s = measured.sending.as_secs_f64();
            timing.drain_s = measured.draining.as_secs_f64();
            for (side, followed) in [(&mut outcome.tx, measured.tx), (&mut outcome.rx, measured.rx)] {
                side.samples = followed.samples;
                match followed.end {
                    Ok(RunStatus { summary, .. }) => side.summary = summary.map(|s| *s),
                    Err(error) => failures.push(with_engine(&error, side.ready.as_ref())),
                }
            }
        }
        let spent = self.begun.elapsed().as_secs_f64();
        timing.overhead_s =
            (spent - self.settings.warmup_s - timing.run_s.min(outcome.record.duration_s)).max(0.0);
        outcome.timing = Some(timing);
        outcome.record.events = self.progress.events();
        let was_ended = self.interrupt.came() || self.progress.is_stopped();
        outcome.status = match (failures.is_empty(), was_ended) {
            (false, _) => Status::Failed,
            (true, true) => Status::Interrupted,
            (true, false) => Status::Complete,
        };
        outcome.error = (!failures.is_empty()).then(|| failures.join("; "));
        outcome
    }

    /// A phase before any traffic, given up when the user wants to leave.
    async fn or_interrupted<T>(&self, phase: impl Future<Output = T>) -> Result<T, TrialError> {
        tokio::select! {
            value = phase => Ok(value),
            () = self.interrupt.wait() => Err(TrialError::Interrupted),
        }
    }

    /// The seconds that such a phase took.
    async fn timed(&self, phase: impl Future<Output = ()>) -> Result<f64, TrialError> {
        let begun = Instant::now();
        self.or_interrupted(phase).await?;
        Ok(begun.elapsed().as_secs_f64())
    }
}

async fn find_path(
    wish: PathWish,
    pair: &LabPair,
    inventory: &PairInventory,
) -> Result<PairPath, TrialError> {
    resolve(wish, pair, inventory).await.map_err(|source| TrialError::Path { pair: pair.name(), source })
}

/// Where nobody can ask the agent any more, its engine's process is named: it may still be there for a moment.
fn with_engine(error: &AgentError, ready: Option<&Ready>) -> String {
    match ready.filter(|_| error.is_transient()) {
        Some(ready) => format!(
            "{error}; its engine is process {}, which ends by itself when its agent is gone",
            ready.pid
        ),
        None => error.to_string(),
    }
}

/// Ends and forgets every run of these outcomes at their agents, once the results are written. An agent that does not
/// answer ends its runs by its own limits.
pub async fn forget<L: Lab>(lab: &L, records: impl Iterator<Item = &Record>) {
    let ends = lab.pairs().iter().flat_map(|p| [&p.tx, &p.rx]);
    let agents: HashMap<&str, &AgentClient> = ends.map(|e| (e.pod.as_str(), &e.agent)).collect();
    let sides = records.flat_map(|r| [&r.tx, &r.rx]);
    join_all(sides.map(async |side| {
        let Some(agent) = agents.get(side.pod.as_str()) else { return };
        for spec in side.warmup_spec.iter().chain([&side.spec]) {
            let _ = agent.run(&spec.id).delete().await;
        }
    }))
    .await;
}

/// The wall clock; 0 where it stands before 1970.
fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
