//! Agents whose orchestrator was killed: their runs are brought to their end, so that results can be recovered.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use traffic::wire::Sample;

use super::outcome::{Record, SideRecord};
use crate::agent::both::{Ears, follow_both};
use crate::agent::follow::{Followed, StopRule, follow};
use crate::agent::{AgentClient, AgentError, TcpAgent};
use crate::lab::local::terminate;

/// From being told to stop to being over.
const PATIENCE: Duration = Duration::from_secs(15);

/// Waits until the sender is over, by its own profile; then the receiver is told to stop, and drains. Agents that are
/// gone have nothing to end. `say` hears what is waited for.
pub async fn bring_to_end(record: &Record, say: impl Fn(&str)) -> Result<(), AgentError> {
    let limit = Duration::from_secs(u64::from(record.tx.spec.limit_s));
    let wait_words =
        format!("waiting for {} to end (its own limit: {} s)", record.tx.pod, record.tx.spec.limit_s);
    match (alive(&record.tx).await, alive(&record.rx).await) {
        (Some(tx), Some(rx)) => {
            say(&wait_words);
            let runs = (tx.run(&record.tx.spec.id), rx.run(&record.rx.spec.id));
            let at = Instant::now() + limit;
            let nothing = Ears { tx: |_: &Sample| {}, rx: |_: &Sample| {}, say: &say };
            let both = follow_both(runs, at, PATIENCE, std::future::pending(), nothing).await;
            accept(both.tx).and(accept(both.rx))
        }
        (Some(tx), None) => {
            say(&wait_words);
            end(&tx, &record.tx, Instant::now() + limit).await
        }
        (None, Some(rx)) => {
            say(&format!("stopping {}", record.rx.pod));
            end(&rx, &record.rx, Instant::now()).await
        }
        (None, None) => Ok(()),
    }
}

/// Ends the agents themselves, once nobody needs them any more.
pub async fn dismiss(record: &Record) {
    for side in [&record.tx, &record.rx] {
        if let (Some(_), Some(pid)) = (alive(side).await, side.agent_pid) {
            terminate(pid);
        }
    }
}

/// The agent of `side`, if it is still the one that the trial started: ports and process ids are used again.
async fn alive(side: &SideRecord) -> Option<AgentClient> {
    let agent = AgentClient::new(&side.pod, Box::new(TcpAgent(side.agent_address?)));
    let health = agent.greet().await.ok()?;
    (Some(health.pid) == side.agent_pid).then_some(agent)
}

async fn end(agent: &AgentClient, side: &SideRecord, at: Instant) -> Result<(), AgentError> {
    let (_none, signal) = watch::channel(false);
    let rule = StopRule::alone(signal, Some(at), PATIENCE);
    accept(follow(agent.run(&side.spec.id), rule, |_| {}, |_| {}).await)
}

/// How a run ended is for the result to say; here it matters that it is over.
fn accept(followed: Followed) -> Result<(), AgentError> {
    match followed.end {
        Ok(_) | Err(AgentError::RunFailed { .. } | AgentError::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
