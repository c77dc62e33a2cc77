//! One task a run: starts the engine, feeds it, watches over it, and has the last word when it has none.

use std::ffi::OsString;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use traffic::wire::{Command, RunState, Summary};

use super::death;
use super::events::{LastWord, copy_log, read_events};
use super::limits::Limits;
use super::load::LoadGuard;
use super::log::{EngineLog, note};
use super::reap;
use super::run::{Orders, Run};
use super::store::Appender;

/// Starts the engine of a run. Its own process group keeps a terminal's Ctrl-C from it: the agent decides.
pub fn spawn(command: &[OsString]) -> io::Result<Child> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut engine = tokio::process::Command::new(program);
    engine
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    reap::spawn_ours(|| engine.spawn(), Child::id)
}

/// The files that a run's tasks append to.
#[derive(Debug)]
pub struct Files {
    /// `samples.ndjson`.
    pub samples: Appender,
    /// `engine.log`.
    pub log: Appender,
}

/// Sees a run through. The guard keeps the agent from ending as idle.
pub async fn supervise(
    run: Arc<Run>,
    mut child: Child,
    files: Files,
    orders: Orders,
    limits: Limits,
    busy: LoadGuard,
) {
    let pid = child.id().unwrap_or_default();
    let log = Arc::new(Mutex::new(EngineLog::new(files.log)));
    let (last_word, mut last_word_seen) = watch::channel(None);
    let spec_line = serde_json::to_vec(&run.spec);
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr), Ok(spec_line)) = (pipes.0, pipes.1, pipes.2, spec_line)
    else {
        let _ = child.start_kill();
        run.finish(Err(format!(
            "the engine of run `{}` could not be given its orders: run it again",
            run.spec.id
        )));
        return;
    };
    let mut readers = tokio::task::JoinSet::new();
    readers.spawn(read_events(run.clone(), stdout, files.samples, log.clone(), last_word));
    readers.spawn(copy_log(stderr, log.clone()));
    let feeder = tokio::spawn(feed(stdin, spec_line, orders.commands));

    let (exit, overdue) = watch_over(&run, &mut child, &mut last_word_seen, orders.discard, limits).await;
    reap::release(pid);
    // What the engine wrote before it ended is in the pipes; only a process that it left behind could keep
    // them open.
    let drained = async { while readers.join_next().await.is_some() {} };
    if timeout(limits.teardown, drained).await.is_err() {
        log.lock()
            .await
            .remark("something the engine started holds its output open; what it says is left out")
            .await;
        readers.shutdown().await;
    }
    feeder.abort();

    let word = last_word_seen.borrow().clone();
    let mut log = log.lock().await;
    let end = conclude(&run, pid, exit, overdue, word, &log);
    write_end(&run, &end).await;
    log.close().await;
    run.finish(end);
    drop(busy);
}

/// Hands over the spec, then commands as they come. A dead engine's pipe breaks, which its exit tells better.
async fn feed(mut stdin: ChildStdin, mut line: Vec<u8>, mut commands: mpsc::Receiver<Command>) {
    loop {
        line.push(b'\n');
        if stdin.write_all(&line).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
        let Some(command) = commands.recv().await else { return };
        line = serde_json::to_vec(&command).unwrap_or_default();
    }
}

/// Why the agent killed an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overdue {
    Prepare,
    Limit,
    Stop,
    Teardown,
    Discard,
}

/// Waits for the engine's end, and brings it about when it is overdue.
async fn watch_over(
    run: &Run,
    child: &mut Child,
    last_word: &mut watch::Receiver<Option<LastWord>>,
    mut discard: watch::Receiver<bool>,
    limits: Limits,
) -> (io::Result<ExitStatus>, Option<(Overdue, Duration)>) {
    let mut status = run.watch();
    let mut deadlines = Deadlines::new(run, limits);
    let mut killed = None;
    loop {
        let (due, why, limit) = deadlines.next(status.borrow_and_update().state);
        tokio::select! {
            exit = child.wait() => return (exit, killed),
            Ok(()) = status.changed() => {}
            // Its last word, or (an error) the end of its output.
            _ = last_word.changed(), if deadlines.spoke.is_none() => deadlines.spoke = Some(Instant::now()),
            Ok(()) = discard.changed() => { deadlines.discarded.get_or_insert_with(Instant::now); }
            () = sleep_until(due), if killed.is_none() => {
                killed = Some((why, limit));
                note(&format!("run `{}`: engine is overdue ({why:?}, {limit:?}) and is killed", run.spec.id));
                // It fails only when the engine has just ended by itself.
                let _ = child.start_kill();
            }
        }
    }
}

/// By when an engine must have ended.
#[derive(Debug)]
struct Deadlines {
    limits: Limits,
    run_limit: Duration,
    drain: Duration,
    linger: Duration,
    begun: Instant,
    stopped: Option<Instant>,
    spoke: Option<Instant>,
    discarded: Option<Instant>,
}

impl Deadlines {
    fn new(run: &Run, limits: Limits) -> Deadlines {
        Deadlines {
            limits,
            run_limit: Duration::from_secs(u64::from(run.spec.limit_s)),
            drain: Duration::from_millis(u64::from(run.spec.drain_limit_ms)),
            linger: Duration::from_millis(u64::from(run.spec.linger_ms)),
            begun: Instant::now(),
            stopped: None,
            spoke: None,
            discarded: None,
        }
    }

    /// The earliest one, what it is, and how long that is.
    fn next(&mut self, state: RunState) -> (Instant, Overdue, Duration) {
        match state {
            RunState::Stopping => drop(self.stopped.get_or_insert_with(Instant::now)),
            // The first stop was obeyed; the time for the second one, which closes the port, begins with it.
            RunState::Sent => self.stopped = None,
            _ => {}
        }
        let whole = self.limits.prepare + self.run_limit + self.drain + self.linger + self.limits.slack;
        let preparing = (state == RunState::Preparing).then_some(self.begun);
        [
            (Some(self.begun), Overdue::Limit, whole),
            (preparing, Overdue::Prepare, self.limits.prepare),
            (self.stopped, Overdue::Stop, self.drain + self.limits.slack),
            (self.spoke, Overdue::Teardown, self.limits.teardown),
            (self.discarded, Overdue::Discard, self.limits.discard),
        ]
        .into_iter()
        .filter_map(|(from, why, limit)| Some((from? + limit, why, limit)))
        .min_by_key(|(due, ..)| *due)
        .unwrap_or((self.begun + whole, Overdue::Limit, whole))
    }
}

/// The engine's own last word where it had one, else what became of it.
fn conclude(
    run: &Run,
    pid: u32,
    exit: io::Result<ExitStatus>,
    overdue: Option<(Overdue, Duration)>,
    word: Option<LastWord>,
    log: &EngineLog,
) -> Result<Box<Summary>, String> {
    let fate = match &exit {
        Ok(exit) => death::in_words(*exit),
        Err(error) => format!("ended, but its exit status can't be read ({error})"),
    };
    let is_clean = exit.as_ref().is_ok_and(|exit| exit.success());
    match word {
        Some(LastWord::Done(mut summary, fault)) => {
            summary.warnings.extend(fault);
            if !is_clean {
                summary
                    .warnings
                    .push(format!("the engine (pid {pid}) {fate} after its summary: see engine.log"));
            }
            return Ok(summary);
        }
        Some(LastWord::Failed(error)) => return Err(error),
        None => {}
    }
    let id = &run.spec.id;
    let kept = format!("{} samples are kept", run.sample_count());
    let said = log.tail().map_or_else(
        || "It said nothing on standard error.".to_owned(),
        |tail| format!("Its last log lines:\n  {tail}\n"),
    );
    let seconds = overdue.map_or(0.0, |(_, limit)| limit.as_secs_f64());
    let what = match overdue.map(|(why, _)| why) {
        Some(Overdue::Prepare) => format!("was not ready within {seconds} s and was killed; {kept}"),
        Some(Overdue::Limit) => format!("went on beyond all its limits ({seconds} s) and was killed; {kept}"),
        Some(Overdue::Stop) => {
            format!("had not ended {seconds} s after being told to stop and was killed; {kept}")
        }
        Some(Overdue::Discard) => {
            format!("had not ended {seconds} s after being discarded and was killed; {kept}")
        }
        Some(Overdue::Teardown) => {
            format!("closed its output, had not ended {seconds} s later and was killed; {kept}")
        }
        None => format!("{fate} without a result; {kept}"),
    };
    let next = match (&exit, overdue) {
        (Ok(exit), None) => death::next_step(*exit),
        _ => "See engine.log in the run's folder for where it stood",
    };
    Err(format!("the engine of run `{id}` (pid {pid}) {what}. {said} {next}."))
}

async fn write_end(run: &Run, end: &Result<Box<Summary>, String>) {
    let written = match end {
        Ok(summary) => run.dir.write_json("summary.json", summary).await,
        Err(error) => run.dir.write("error.txt", format!("{error}\n").as_bytes()).await,
    };
    if let Err(error) = written {
        note(&format!(
            "run `{}`: its end could not be written to disk: {error}; ask for it by HTTP",
            run.spec.id
        ));
    }
}
