//! Getting a pair ready: first contact, and both ports up.

use std::time::Duration;

use tokio::time::timeout;
use traffic::wire::{Ready, RunSpec, RunStatus};

use crate::agent::{AgentClient, AgentError};
use crate::lab::{LabPair, PairInventory};

/// EAL with hugepages to zero and a NIC to bring up takes seconds; more than this is a fault.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// To end what is ready when the other end is not.
const END_LIMIT: Duration = Duration::from_secs(10);

/// Says hello to both agents and asks what their machines have.
pub async fn contact(pair: &LabPair) -> Result<PairInventory, AgentError> {
    let (tx, rx) = (&pair.tx.agent, &pair.rx.agent);
    tx.greet().await?;
    rx.greet().await?;
    Ok(PairInventory { tx: tx.inventory().await?, rx: rx.inventory().await? })
}

/// Both ends ready to start, sender's first in the answer. The receiver's port comes up first: frames must never meet
/// a closed door, and a memif receiver serves the socket that its sender connects to. Where one fails, neither is left
/// to hold its device.
pub async fn both(
    sender: (&AgentClient, &RunSpec),
    receiver: (&AgentClient, &RunSpec),
) -> Result<(Ready, Ready), AgentError> {
    let ready = async { Ok((one(receiver).await?, one(sender).await?)) };
    match ready.await {
        Ok((receiver, sender)) => Ok((sender, receiver)),
        Err(error) => {
            let end = async |(agent, spec): (&AgentClient, &RunSpec)| agent.run(&spec.id).delete().await.ok();
            // An agent that does not answer ends its run by its own limits.
            let _ = timeout(END_LIMIT, async { tokio::join!(end(sender), end(receiver)) }).await;
            Err(error)
        }
    }
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
