//! All runs of an agent: which there are, which may be added, which are forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use traffic::wire::{Role, RunSpec, RunState, RunStatus};

use super::limits::{FINISHED_RUNS_MAX, LIVE_RUNS_MAX, Limits, SENDERS_STOP};
use super::load::Load;
use super::recover::{Found, recover};
use super::run::{Orders, Run};
use super::spec::{SpecError, check_spec};
use super::store::{Appender, Store, is_valid_id};
use super::supervise::{Files, spawn, supervise};

/// Why a run is not made, found or removed.
#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    /// Nothing an engine could do anything with.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// Ids name folders: they are used once.
    #[error("run `{0}` exists: choose another id, or remove that run with DELETE /v1/runs/{0}")]
    Exists(String),
    /// Two engines on one port would each measure the other.
    #[error(
        "device {device} is held by run `{holder}`, which is not over: stop it with POST \
         /v1/runs/{holder}/stop"
    )]
    DeviceHeld {
        /// As asked.
        device: String,
        /// The live run.
        holder: String,
    },
    /// Bounded.
    #[error("{LIVE_RUNS_MAX} runs are live, which is the limit: stop one of them first")]
    TooMany,
    /// Bounded, too.
    #[error(
        "{0} runs are on disk, which is the limit, and none of them has been acknowledged: collect their samples, then \
         remove them with DELETE /v1/runs/ID (GET /v1/runs lists the latest; the folder `runs` of the state directory \
         has all)"
    )]
    Full(usize),
    /// SIGTERM has come.
    #[error("the agent is ending: start it again and prepare the run there")]
    Ending,
    /// No such run.
    #[error("there is no run `{0}` here: GET /v1/runs lists those there are")]
    Unknown(String),
    /// Disk full, read-only, …
    #[error("run `{id}`: can't write to its folder: {source}. Make room in the agent's state directory")]
    Disk {
        /// The run.
        id: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// The engine's program does not start.
    #[error(
        "can't start the engine `{program}`: {source}. The agent's --engine-command must name a program \
         that exists and may be run"
    )]
    Spawn {
        /// As configured.
        program: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// A process in the kernel's hands.
    #[error(
        "the engine of run `{0}` does not go even after SIGKILL: a driver holds it in the kernel (see \
         `dmesg`)"
    )]
    Unkillable(String),
}

/// The runs of one agent.
#[derive(Debug)]
pub struct Runs {
    store: Store,
    engine_command: Vec<OsString>,
    limits: Limits,
    load: Load,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_id: BTreeMap<String, Arc<Run>>,
    /// In the order of their making: the oldest finished ones are forgotten first.
    order: Vec<String>,
    /// All that have a folder, or will have one in a moment.
    on_disk: BTreeSet<String>,
    is_ending: bool,
}

impl Runs {
    /// Those that an earlier agent left in the state directory.
    pub fn open(store: Store, engine_command: Vec<OsString>, limits: Limits, load: Load) -> io::Result<Runs> {
        let mut known = Known::default();
        let mut ids = store.ids()?;
        known.on_disk = ids.iter().cloned().collect();
        // The newest come first; an unfinished one is marked as failed however old it is.
        for (age, id) in ids.iter().enumerate() {
            if let Found::Run(run) = recover(store.run(id), age < FINISHED_RUNS_MAX) {
                known.by_id.insert(id.clone(), Arc::new(*run));
            }
        }
        ids.retain(|id| known.by_id.contains_key(id));
        ids.reverse();
        known.order = ids;
        Ok(Runs { store, engine_command, limits, load, known: Mutex::new(known) })
    }

    /// Makes a run and starts its engine.
    pub async fn create(&self, spec: RunSpec) -> Result<RunStatus, RunsError> {
        check_spec(&spec)?;
        let id = spec.id.clone();
        let (run, orders) = self.reserve(spec)?;
        match self.launch(&run, orders).await {
            Ok(()) => Ok(run.status()),
            Err(error) => {
                run.finish(Err(error.to_string()));
                self.forget(&id);
                Err(error)
            }
        }
    }

    /// Takes the id and the device, or says who has them.
    fn reserve(&self, spec: RunSpec) -> Result<(Arc<Run>, Orders), RunsError> {
        let mut known = self.lock();
        let dir = self.store.run(&spec.id);
        if known.is_ending {
            return Err(RunsError::Ending);
        }
        if known.by_id.contains_key(&spec.id) || dir.exists() {
            return Err(RunsError::Exists(spec.id));
        }
        let (run, orders) = Run::new(spec, dir);
        let mut live = known.by_id.values().filter(|other| !other.is_over());
        if let Some(holder) = live.clone().find(|other| other.device == run.device) {
            let (device, holder) = (run.spec.device.clone(), holder.spec.id.clone());
            return Err(RunsError::DeviceHeld { device, holder });
        }
        if live.nth(LIVE_RUNS_MAX - 1).is_some() {
            return Err(RunsError::TooMany);
        }
        if known.on_disk.len() >= self.limits.kept_runs {
            return Err(RunsError::Full(known.on_disk.len()));
        }
        let run = Arc::new(run);
        known.insert(run.clone());
        Ok((run, orders))
    }

    /// Makes the folder and starts the engine; leaves no folder behind when either fails.
    async fn launch(&self, run: &Arc<Run>, orders: Orders) -> Result<(), RunsError> {
        let disk = |source| RunsError::Disk { id: run.spec.id.clone(), source };
        run.dir.create().await.map_err(disk)?;
        let prepared = async {
            run.dir.write_json("spec.json", &run.spec).await.map_err(disk)?;
            let samples = Appender::samples(&run.dir).await.map_err(disk)?;
            let log = Appender::log(&run.dir).await.map_err(disk)?;
            let child = spawn(&self.engine_command).map_err(|source| RunsError::Spawn {
                program: self.engine_command.first().map(|p| p.display().to_string()).unwrap_or_default(),
                source,
            })?;
            Ok((Files { samples, log }, child))
        };
        match prepared.await {
            Ok((files, child)) => {
                tokio::spawn(supervise(run.clone(), child, files, orders, self.limits, self.load.begin()));
                Ok(())
            }
            Err(error) => {
                // Best effort: the error that is told is the first one.
                let _ = run.dir.remove().await;
                Err(error)
            }
        }
    }

    /// One run of those in memory.
    pub fn remembered(&self, id: &str) -> Option<Arc<Run>> {
        self.lock().by_id.get(id).cloned()
    }

    /// One run; an old one is read back from disk. Blocks.
    pub fn get(&self, id: &str) -> Result<Arc<Run>, RunsError> {
        if let Some(run) = self.remembered(id) {
            return Ok(run);
        }
        if is_valid_id(id)
            && let Found::Run(run) = recover(self.store.run(id), true)
        {
            return Ok(Arc::new(*run));
        }
        Err(RunsError::Unknown(id.to_owned()))
    }

    /// The live ones and the last finished ones, in the order of their making.
    pub fn list(&self) -> Vec<Arc<Run>> {
        let known = self.lock();
        known.order.iter().filter_map(|id| known.by_id.get(id).cloned()).collect()
    }

    /// Ends a run if need be, and removes it with its files.
    pub async fn delete(&self, id: &str) -> Result<(), RunsError> {
        if let Some(run) = self.remembered(id) {
            run.discard();
            run.wait(self.kill_limit(), |_| false).await;
            if !run.is_over() {
                return Err(RunsError::Unkillable(id.to_owned()));
            }
        } else if !is_valid_id(id) || !self.store.run(id).exists() {
            return Err(RunsError::Unknown(id.to_owned()));
        }
        let removed = self.store.run(id).remove().await;
        removed.map_err(|source| RunsError::Disk { id: id.to_owned(), source })?;
        self.forget(id);
        Ok(())
    }

    /// Ends all runs and makes no more: senders stop sending and hold their ports, receivers take what is on the way
    /// and end, then senders close. An engine that does not obey soon is killed.
    pub async fn end(&self) {
        let live: Vec<Arc<Run>> = {
            let mut known = self.lock();
            known.is_ending = true;
            known.by_id.values().filter(|run| !run.is_over()).cloned().collect()
        };
        let (senders, others): (Vec<_>, Vec<_>) = live.into_iter().partition(|run| run.spec.role == Role::Tx);
        senders.iter().for_each(|run| run.stop());
        wait_for_all(&senders, SENDERS_STOP, |status| status.state == RunState::Sent).await;
        for these in [others, senders] {
            these.iter().for_each(|run| run.discard());
            wait_for_all(&these, self.kill_limit(), |_| false).await;
        }
    }

    /// For an engine to be gone after [`Run::discard`]: grace, kill, its last output.
    fn kill_limit(&self) -> Duration {
        self.limits.discard + self.limits.teardown + Duration::from_secs(1)
    }

    fn forget(&self, id: &str) {
        let mut known = self.lock();
        known.by_id.remove(id);
        known.order.retain(|other| other != id);
        known.on_disk.remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Whoever panicked left a whole map behind.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns when all of them are over or as wanted, or time is up.
async fn wait_for_all(runs: &[Arc<Run>], limit: Duration, is_wanted: impl Fn(&RunStatus) -> bool) {
    let limit = Instant::now() + limit;
    for run in runs {
        run.wait(limit.saturating_duration_since(Instant::now()), &is_wanted).await;
    }
}

impl Known {
    fn insert(&mut self, run: Arc<Run>) {
        let id = run.spec.id.clone();
        let over: Vec<String> = self
            .order
            .iter()
            .filter(|id| self.by_id.get(*id).is_some_and(|r| r.is_over()))
            .cloned()
            .collect();
        for old in over.iter().take(over.len().saturating_sub(FINISHED_RUNS_MAX)) {
            self.by_id.remove(old);
            self.order.retain(|other| other != old);
        }
        self.order.push(id.clone());
        self.on_disk.insert(id.clone());
        self.by_id.insert(id, run);
    }
}
