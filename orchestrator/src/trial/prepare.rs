//! Getting a pair ready: first contact, and both ports up.

use std::time::Duration;

use traffic::wire::{Ready, RunSpec, RunStatus};

use crate::agent::{AgentClient, AgentError};
use crate::lab::{LabPair, PairInventory};

/// EAL with hugepages to zero and a NIC to bring up takes seconds; more than this is a fault.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Says hello to both agents and asks what their machines have.
pub async fn contact(pair: &LabPair) -> Result<PairInventory, AgentError> {
    let (tx, rx) = (&pair.tx.agent, &pair.rx.agent);
    tx.greet().await?;
    rx.greet().await?;
    Ok(PairInventory { tx: tx.inventory().await?, rx: rx.inventory().await? })
}

/// Both ends ready to start, sender's first in the answer. The receiver's port comes up first: frames must never meet
/// a closed door, and a memif receiver serves the socket that its sender connects to.
pub async fn both(
    sender: (&AgentClient, &RunSpec),
    receiver: (&AgentClient, &RunSpec),
) -> Result<(Ready, Ready), AgentError> {
    let receiver = one(receiver).await?;
    Ok((one(sender).await?, receiver))
}

async fn one((agent, spec): (&AgentClient, &RunSpec)) -> Result<Ready, AgentError> {
    agent.prepare(spec).await?;
    let status = agent.run(&spec.id).wait_ready(READY_LIMIT).await?;
    ready_of(agent, status)
}

fn ready_of(agent: &AgentClient, status: RunStatus) -> Result<Ready, AgentError> {
    status.ready.map(|r| *r).ok_or_else(|| AgentError::Unreadable {
        agent: agent.pod().to_owned(),
        what: "the state of its run".into(),
        reason: "ready, without saying what became of its port".into(),
    })
}
