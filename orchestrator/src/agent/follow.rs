//! Follows a run to its end: its samples without holes, and its last word.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use traffic::wire::{RunState, RunStatus, Sample};

use super::client::{RETRY_PAUSE, RunRef, pauses};
use super::connect::Silence;
use super::error::AgentError;

/// The longest pause between two calls to an agent that does not answer.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// A long poll's turn; samples are taken between two, so that one connection an agent does for both.
const POLL_WAIT: Duration = Duration::from_secs(1);

/// When to stop a run that does not end by itself, and when a sender that has sent all may close its port.
#[derive(Debug)]
pub struct StopRule {
    /// Told to stop when this turns true.
    pub signal: watch::Receiver<bool>,
    /// Told to stop at this time at the latest.
    pub at: Option<Instant>,
    /// From being told to stop to having stopped.
    pub patience: Duration,
    /// Set when a sender is done sending, or over.
    pub sent: watch::Sender<Option<Instant>>,
    /// A sender that is done sending closes its port when this turns true.
    pub close: watch::Receiver<bool>,
}

impl StopRule {
    /// For a run that nobody waits for: a sender may close its port as soon as it has sent.
    pub fn alone(signal: watch::Receiver<bool>, at: Option<Instant>, patience: Duration) -> StopRule {
        let (_gone, close) = watch::channel(true);
        StopRule { signal, at, patience, sent: watch::Sender::new(None), close }
    }
}

/// What a run left: all its samples, and its last status or why there is none.
#[derive(Debug)]
pub struct Followed {
    /// In order, without holes.
    pub samples: Vec<Sample>,
    /// The status when it was over.
    pub end: Result<RunStatus, AgentError>,
}

/// Follows `run` until it is over; `seen` is called once for every new sample, `say` for what the user should know of
/// an agent that does not answer.
pub async fn follow(
    run: RunRef<'_>,
    rule: StopRule,
    mut seen: impl FnMut(&Sample),
    say: impl Fn(&str),
) -> Followed {
    let mut samples = Vec::new();
    let end = wait_over(run, rule, &mut samples, &mut seen, say).await;
    drain(run, &mut samples, &mut seen).await;
    Followed { samples, end }
}

/// Takes the samples that are there now. Where the way broke, the next turn resumes at the first that is missing.
async fn take(run: RunRef<'_>, samples: &mut Vec<Sample>, seen: &mut impl FnMut(&Sample)) {
    if let Ok(batch) = run.samples(samples.len() as u64, Duration::ZERO).await {
        append(samples, batch, seen);
    }
}

/// Takes what is left after the end.
async fn drain(run: RunRef<'_>, samples: &mut Vec<Sample>, seen: &mut impl FnMut(&Sample)) {
    let mut pauses = pauses();
    loop {
        match run.samples(samples.len() as u64, Duration::ZERO).await {
            Ok(batch) if batch.is_empty() => return,
            Ok(batch) => append(samples, batch, seen),
            Err(_) => match pauses.next() {
                Some(pause) => sleep(pause).await,
                None => return,
            },
        }
    }
}

/// Keeps the list without holes and without copies, whatever a resumed stream repeats.
fn append(samples: &mut Vec<Sample>, batch: Vec<Sample>, seen: &mut impl FnMut(&Sample)) {
    for sample in batch {
        if sample.n == samples.len() as u64 {
            seen(&sample);
            samples.push(sample);
        }
    }
}

/// Waits for the end, telling the run to stop, and a sender to close its port, when the rule says so.
async fn wait_over(
    run: RunRef<'_>,
    mut rule: StopRule,
    samples: &mut Vec<Sample>,
    seen: &mut impl FnMut(&Sample),
    say: impl Fn(&str),
) -> Result<RunStatus, AgentError> {
    let mut told: Option<Instant> = None;
    let mut is_sent = false;
    let mut silent = Silent::new(say);
    loop {
        let is_due = match is_sent {
            false => *rule.signal.borrow() || rule.at.is_some_and(|at| Instant::now() >= at),
            true => *rule.close.borrow(),
        };
        if told.is_none() && is_due {
            match run.stop().await {
                Ok(_) => told = Some(Instant::now()),
                Err(error) => {
                    silent.bear(run, error).await?;
                    continue;
                }
            }
        }
        let awaited = if is_sent { "done,failed" } else { "sent,done,failed" };
        let answer = tokio::select! {
            answer = run.status_once(awaited, POLL_WAIT) => answer,
            Ok(()) = rule.signal.changed(), if told.is_none() && !is_sent => continue,
            Ok(()) = rule.close.changed(), if told.is_none() && is_sent => continue,
            () = until(rule.at), if told.is_none() && !is_sent => continue,
        };
        match answer {
            Ok(status) if status.state.is_over() => return judged(run, status),
            Ok(status) if status.state == RunState::Sent && !is_sent => {
                silent.over();
                (is_sent, told) = (true, None);
                rule.sent.send_replace(Some(Instant::now()));
            }
            Ok(status) => {
                silent.over();
                if told.is_some_and(|t| t.elapsed() > rule.patience) {
                    return Err(AgentError::Stuck {
                        agent: run.agent.pod().to_owned(),
                        awaited: "over after it was told to stop",
                        state: format!("{:?}", status.state).to_lowercase(),
                        limit: rule.patience,
                    });
                }
            }
            Err(error) => {
                silent.bear(run, error).await?;
                continue;
            }
        }
        take(run, samples, seen).await;
    }
}

/// An agent's silence: borne as long as it may end.
struct Silent<S> {
    since: Instant,
    pause: Duration,
    /// What was said of it last.
    said: String,
    say: S,
}

impl<S: Fn(&str)> Silent<S> {
    fn new(say: S) -> Silent<S> {
        Silent { since: Instant::now(), pause: RETRY_PAUSE, said: String::new(), say }
    }

    /// The agent answered.
    fn over(&mut self) {
        if !self.said.is_empty() {
            (self.say)("answers again");
            self.said.clear();
        }
        (self.since, self.pause) = (Instant::now(), RETRY_PAUSE);
    }

    /// Pauses before the next call, or gives up with what is known.
    async fn bear(&mut self, run: RunRef<'_>, error: AgentError) -> Result<(), AgentError> {
        if !error.is_transient() {
            return Err(error);
        }
        let lost = |reason| AgentError::Lost { agent: run.agent.pod().to_owned(), reason };
        match run.agent.silence().await {
            Silence::Final(reason) => return Err(lost(reason)),
            Silence::Passing { why, patience } if self.since.elapsed() > patience => {
                return Err(if why.is_empty() { error } else { lost(why) });
            }
            Silence::Passing { why, .. } if why != self.said => {
                (self.say)(&format!("does not answer: {why}"));
                self.said = why;
            }
            Silence::Passing { .. } => {}
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Ok(())
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// A failed run is an error that carries the engine's sentence.
fn judged(run: RunRef<'_>, status: RunStatus) -> Result<RunStatus, AgentError> {
    if status.state == RunState::Done {
        return Ok(status);
    }
    let error = status.error.unwrap_or_else(|| "the engine failed without saying why".into());
    Err(AgentError::RunFailed { agent: run.agent.pod().to_owned(), error })
}
