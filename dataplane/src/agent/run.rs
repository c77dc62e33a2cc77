//! One run as the agent sees it: what it was asked, where it is, its samples. The engine's supervisor
//! ([`super::supervise`]) moves it on; requests read it and wait for it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use traffic::pacer::Gap;
use traffic::units::Rate;
use traffic::wire::{Command, Ready, Role, RunSpec, RunState, RunStatus, Sample, Summary};

use super::device::device_key;
use super::samples::{Place, Samples, read_file};
use super::store::RunDir;

/// Start is sent once, stop twice at most: to end sending, and to close the port. The rest is for new rates.
const COMMANDS_MAX: usize = 8;
/// What new rates may not take.
const COMMANDS_KEPT: usize = 4;

/// One run.
#[derive(Debug)]
pub struct Run {
    /// What it was asked.
    pub spec: RunSpec,
    /// Its folder.
    pub dir: RunDir,
    /// What no two live runs may share.
    pub device: String,
    /// Lines of the engine that were no events, or not the ones due.
    pub stray_lines: AtomicU64,
    status: watch::Sender<RunStatus>,
    samples: Mutex<Samples>,
    commands: mpsc::Sender<Command>,
    /// The start command is on its way; the engine says when it was obeyed.
    is_start_sent: AtomicBool,
    discard: watch::Sender<bool>,
}

/// What the supervisor holds of a run.
#[derive(Debug)]
pub struct Orders {
    /// For the engine.
    pub commands: mpsc::Receiver<Command>,
    /// Set once nobody wants the run's results any more.
    pub discard: watch::Receiver<bool>,
}

/// Why a run can't be started.
#[derive(Debug, thiserror::Error)]
#[error("run `{id}` is {state}, and only a ready run can be started: {next}")]
pub struct StartError {
    id: String,
    state: String,
    next: &'static str,
}

/// Why a rate stays as it is.
#[derive(Debug, thiserror::Error)]
#[error("the rate of run `{id}` can't be changed: {why}")]
pub struct RateError {
    id: String,
    why: String,
}

impl Run {
    /// A new one, and the supervisor's end of it.
    pub fn new(spec: RunSpec, dir: RunDir) -> (Run, Orders) {
        let (commands, command_orders) = mpsc::channel(COMMANDS_MAX);
        let (discard, discard_orders) = watch::channel(false);
        let status = RunStatus {
            id: spec.id.clone(),
            role: spec.role,
            state: RunState::Preparing,
            ready: None,
            started_unix_ns: None,
            samples: 0,
            summary: None,
            error: None,
        };
        let run = Run {
            device: device_key(&spec.device),
            spec,
            dir,
            stray_lines: AtomicU64::new(0),
            status: watch::Sender::new(status),
            samples: Mutex::default(),
            commands,
            is_start_sent: AtomicBool::new(false),
            discard,
        };
        (run, Orders { commands: command_orders, discard: discard_orders })
    }

    /// One that an earlier agent left on disk.
    pub fn recovered(spec: RunSpec, dir: RunDir, samples: Samples, end: Result<Summary, String>) -> Run {
        let (run, _) = Run::new(spec, dir);
        let (state, summary, error) = match end {
            Ok(summary) => (RunState::Done, Some(Box::new(summary)), None),
            Err(error) => (RunState::Failed, None, Some(error)),
        };
        let ready = run.dir.read_json("ready.json").map(Box::new);
        let count = samples.next();
        run.status.send_modify(|s| {
            *s = RunStatus { state, ready, samples: count, summary, error, ..s.clone() };
        });
        *run.lock_samples() = samples;
        run
    }

    /// Where it is.
    pub fn status(&self) -> RunStatus {
        self.status.borrow().clone()
    }

    /// Samples taken so far.
    pub fn sample_count(&self) -> u64 {
        self.status.borrow().samples
    }

    /// Whether nothing more will come and its engine is gone.
    pub fn is_over(&self) -> bool {
        self.status.borrow().state.is_over()
    }

    /// Told of every change.
    pub fn watch(&self) -> watch::Receiver<RunStatus> {
        self.status.subscribe()
    }

    /// Returns when `is_wanted` holds or the run is over or time is up.
    pub async fn wait(&self, limit: Duration, is_wanted: impl Fn(&RunStatus) -> bool) {
        let mut changes = self.watch();
        let wait = changes.wait_for(|status| status.state.is_over() || is_wanted(status));
        // Time being up is an answer, too: the caller reads the status whatever it is.
        let _ = tokio::time::timeout(limit, wait).await;
    }

    /// Lets a ready run begin; a second time changes nothing. It runs once the engine says so.
    pub fn start(&self) -> Result<(), StartError> {
        let mut refused = None;
        // Modified or not, nobody looks at the status while this does.
        self.status.send_if_modified(|status| {
            match status.state {
                RunState::Ready if self.is_start_sent.swap(true, Ordering::Relaxed) => {}
                RunState::Ready => self.send(Command::Start),
                RunState::Running => {}
                state => refused = Some(state),
            }
            false
        });
        let Some(state) = refused else { return Ok(()) };
        let next = match state {
            RunState::Preparing => "wait for that with ?state=ready&wait_ms=30000 on its GET",
            _ => "prepare another run with POST /v1/runs",
        };
        Err(StartError { id: self.spec.id.clone(), state: format!("{state:?}").to_lowercase(), next })
    }

    /// Has a running sender go on at so many thousandths of its profile's rate.
    pub fn set_rate(&self, per_mille: u32) -> Result<(), RateError> {
        let refused = |why: String| Err(RateError { id: self.spec.id.clone(), why });
        if let Some(why) = why_no_rate(&self.spec) {
            return refused(why.to_owned());
        }
        let state = self.status.borrow().state;
        if state != RunState::Running {
            return refused(format!("it is {}, not running", format!("{state:?}").to_lowercase()));
        }
        if self.commands.capacity() <= COMMANDS_KEPT {
            return refused("its engine has not obeyed the last ones yet; ask again".to_owned());
        }
        self.send(Command::Rate { per_mille });
        Ok(())
    }

    /// Tells the engine to end, and a sender that is done sending to close its port; told twice it does no
    /// more.
    pub fn stop(&self) {
        self.status.send_if_modified(|status| {
            let live = !matches!(status.state, RunState::Stopping | RunState::Done | RunState::Failed);
            if live {
                status.state = RunState::Stopping;
                self.send(Command::Stop);
            }
            live
        });
    }

    /// Tells the engine to end, and lets it be killed when it does not do so soon.
    pub fn discard(&self) {
        self.stop();
        self.discard.send_replace(true);
    }

    fn send(&self, command: Command) {
        // There is room for every command that a run can take; a closed channel means that the engine is
        // gone, which its supervisor tells.
        let _ = self.commands.try_send(command);
    }

    /// The engine is prepared.
    pub fn set_ready(&self, ready: Box<Ready>) {
        self.status.send_modify(|status| {
            status.ready = Some(ready);
            // A stop may have come before: it stays in force.
            if status.state == RunState::Preparing {
                status.state = RunState::Ready;
            }
        });
    }

    /// The engine has obeyed the start.
    pub fn set_started(&self, unix_ns: u64) {
        self.status.send_modify(|status| {
            status.started_unix_ns = Some(unix_ns);
            // A stop may have come before: it stays in force.
            if status.state == RunState::Ready {
                status.state = RunState::Running;
            }
        });
    }

    /// A sender has stopped sending and holds its port open.
    pub fn set_sent(&self) {
        self.status.send_if_modified(|status| {
            let is_sending = matches!(status.state, RunState::Running | RunState::Stopping);
            if is_sending {
                status.state = RunState::Sent;
            }
            is_sending
        });
        if *self.discard.borrow() {
            self.stop();
        }
    }

    /// The engine sent the next sample; `line` is how it stands in the file, if `is_in_file`.
    pub fn push_sample(&self, sample: Box<Sample>, line: &str, is_in_file: bool) {
        let count = {
            let mut samples = self.lock_samples();
            samples.push(sample, line, is_in_file);
            samples.next()
        };
        self.status.send_modify(|status| status.samples = count);
    }

    /// The engine is gone. Nothing changes afterwards.
    pub fn finish(&self, end: Result<Box<Summary>, String>) {
        self.lock_samples().settle();
        self.status.send_modify(|status| match end {
            Ok(summary) => {
                status.state = RunState::Done;
                status.summary = Some(summary);
            }
            Err(error) => {
                status.state = RunState::Failed;
                status.error = Some(error);
            }
        });
    }

    /// Counts a line that was no event.
    pub fn count_stray(&self) {
        self.stray_lines.fetch_add(1, Ordering::Relaxed);
    }

    /// The newest sample.
    pub fn latest_sample(&self) -> Option<Sample> {
        self.lock_samples().latest().cloned()
    }

    /// Samples from number `from` on as NDJSON; the error says which ones are lost and why.
    pub async fn samples(&self, from: u64, max: usize) -> Result<String, String> {
        let place = self.lock_samples().find(from, max);
        match place {
            Place::Here(text) => Ok(text),
            Place::File { offset, skip, lines } => {
                let path = self.dir.file("samples.ndjson");
                let shown = path.display().to_string();
                let read = tokio::task::spawn_blocking(move || read_file(&path, offset, skip, lines)).await;
                read.map_err(|error| error.to_string())
                    .and_then(|text| text.map_err(|error| error.to_string()))
                    .map_err(|error| format!("can't read samples back from {shown}: {error}"))
            }
            Place::Gone(first) => Err(format!(
                "sample {from} of run `{}` is lost: samples.ndjson could not be written and memory holds \
                 only what came from sample {first} on; go on with from={first}",
                self.spec.id
            )),
        }
    }

    fn lock_samples(&self) -> MutexGuard<'_, Samples> {
        // Whoever panicked left whole values behind: each field is set in one go.
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What keeps a run from having its rate changed.
fn why_no_rate(spec: &RunSpec) -> Option<&'static str> {
    let profile = &spec.profile;
    let shares = profile.streams.iter().any(|stream| stream.rate.is_none());
    let gaps = profile.streams.iter().filter_map(|stream| stream.gap).chain([profile.gap]);
    match () {
        () if spec.role != Role::Tx => Some("only senders have one"),
        () if profile.replay.is_some() => Some("a replay keeps its own times"),
        () if shares && profile.rate == Rate::Max => {
            Some("its profile says `max`: give it a rate in pps, bps or %")
        }
        () if gaps.into_iter().any(|gap| gap != Gap::Constant) => Some("its gaps are not constant"),
        () => None,
    }
}
