//! Runs in pods whose orchestrator was killed: their agents keep samples and last words until somebody takes them.

use std::time::Duration;

use futures_util::future::join;
use tokio::time::Instant;
use traffic::wire::{RunState, RunStatus, Sample};

use super::outcome::{PairOutcome, Record, SideOutcome, SideRecord, Status};
use crate::agent::both::{Ears, follow_both};
use crate::agent::connect::Silence;
use crate::agent::follow::{Followed, StopRule, follow};
use crate::agent::{AgentClient, AgentError};
use crate::cluster::{Cluster, ClusterArgs, ClusterError};
use crate::lab::kube::{PodEnd, agent_of};
use crate::lab::{ClusterRef, LabError};

/// From being told to stop to being over.
const PATIENCE: Duration = Duration::from_secs(15);

/// The agents of one pair's trial.
#[derive(Debug)]
pub struct PodOrphans {
    tx: AgentClient,
    rx: AgentClient,
}

impl PodOrphans {
    /// The agents of the pods that the trial ran in. A pod that was replaced meanwhile has nothing of it, which shows
    /// when it is asked.
    pub async fn of(record: &Record, cluster: &ClusterRef) -> Result<PodOrphans, LabError> {
        let args = ClusterArgs {
            context: Some(cluster.context.clone()).filter(|c| c != "in-cluster"),
            namespace: Some(cluster.namespace.clone()),
            ..ClusterArgs::default()
        };
        let cluster = Cluster::connect(&args).await.map_err(|e: ClusterError| LabError::Pods(e.into()))?;
        let agent = |side: &SideRecord| {
            let end = PodEnd {
                name: side.pod.clone(),
                uid: side.pod_uid.clone().unwrap_or_default(),
                node: side.node.clone(),
                device: side.spec.device.clone(),
                // A container that was started again has kept its finished runs.
                restarts: i32::MAX,
            };
            agent_of(&cluster, &end)
        };
        Ok(PodOrphans { tx: agent(&record.tx), rx: agent(&record.rx) })
    }

    /// Brings both runs to their end and takes what they left. An error means that an agent can't be asked now, and
    /// may have everything: ask again later.
    pub async fn take(&self, record: Record, say: impl Fn(&str)) -> Result<PairOutcome, AgentError> {
        let (tx, rx) = (self.tx.run(&record.tx.spec.id), self.rx.run(&record.rx.spec.id));
        let looked = join(tx.status_within("", Duration::ZERO), rx.status_within("", Duration::ZERO)).await;
        let limit = Duration::from_secs(u64::from(record.tx.spec.limit_s));
        let (tx, rx) = match looked {
            (Ok(sending), Ok(_)) => {
                // One that was never started would wait for its own limit.
                let waits = matches!(sending.state, RunState::Preparing | RunState::Ready);
                let at = Instant::now() + if waits { Duration::ZERO } else { limit };
                if !sending.state.is_over() {
                    say(&format!(
                        "waiting for {} to end (its own limit: {} s)",
                        record.tx.pod,
                        limit.as_secs()
                    ));
                }
                let ears = Ears { tx: |_: &Sample| {}, rx: |_: &Sample| {}, say: &say };
                let both = follow_both((tx, rx), at, PATIENCE, std::future::pending(), ears).await;
                (both.tx, both.rx)
            }
            // Whoever is left alone measures nothing more.
            (Ok(_), Err(error)) => {
                let gone = gone(&self.rx, error).await?;
                (end(tx, &say).await, gone)
            }
            (Err(error), Ok(_)) => {
                let gone = gone(&self.tx, error).await?;
                (gone, end(rx, &say).await)
            }
            (Err(tx), Err(rx)) => (gone(&self.tx, tx).await?, gone(&self.rx, rx).await?),
        };
        let warmup = match &record.rx.warmup_spec {
            Some(spec) => self.rx.run(&spec.id).samples(0, Duration::ZERO).await.unwrap_or_default(),
            None => Vec::new(),
        };
        Ok(outcome(record, tx, rx, warmup))
    }

    /// Ends and forgets the trial's runs, once their results are written.
    pub async fn forget(&self, record: &Record) {
        for (agent, side) in [(&self.tx, &record.tx), (&self.rx, &record.rx)] {
            for spec in side.warmup_spec.iter().chain([&side.spec]) {
                // A run that is not there needs no end; an agent that does not answer ends it by its own limit.
                let _ = agent.run(&spec.id).delete().await;
            }
        }
    }
}

async fn end(run: crate::agent::client::RunRef<'_>, say: impl Fn(&str)) -> Followed {
    let (_none, signal) = tokio::sync::watch::channel(false);
    let rule = StopRule::alone(signal, Some(Instant::now()), PATIENCE);
    follow(run, rule, |_| {}, say).await
}

/// What is left of a run whose agent says nothing of it; an error where that may change.
async fn gone(agent: &AgentClient, error: AgentError) -> Result<Followed, AgentError> {
    let error = match error.is_transient() {
        false => error,
        true => match agent.silence().await {
            Silence::Final(reason) => AgentError::Lost { agent: agent.pod().to_owned(), reason },
            Silence::Passing { .. } => return Err(error),
        },
    };
    Ok(Followed { samples: Vec::new(), end: Err(error) })
}

fn outcome(record: Record, tx: Followed, rx: Followed, warmup: Vec<Sample>) -> PairOutcome {
    let mut errors = Vec::new();
    let mut side = |followed: Followed| {
        let status: Option<RunStatus> = followed.end.map_err(|e| errors.push(e.to_string())).ok();
        SideOutcome {
            ready: status.as_ref().and_then(|s| s.ready.clone()).map(|r| *r),
            summary: status.and_then(|s| s.summary).map(|s| *s),
            samples: followed.samples,
        }
    };
    let (tx, rx) = (side(tx), side(rx));
    let mut outcome = PairOutcome {
        status: if errors.is_empty() { Status::Complete } else { Status::Failed },
        error: (!errors.is_empty()).then(|| errors.join("; ")),
        tx,
        rx,
        warmup,
        warnings: vec![
            "recovered from the pods' agents: the orchestrator ended before the trial did".to_owned(),
        ],
        timing: None,
        record,
    };
    if let (Status::Complete, Some((side, what))) = (outcome.status, outcome.cut_short()) {
        outcome.error = Some(format!("{}: {what}", side.pod));
        outcome.status = Status::Failed;
    }
    outcome
}
