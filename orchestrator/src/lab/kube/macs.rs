//! The MAC addresses of pairs, for profiles that are made for them.

use std::time::Duration;

use futures_util::future::{join, try_join_all};
use traffic::mac::Mac;
use traffic::wire::Inventory;

use super::{KubeLab, KubePlace, PodPair};
use crate::agent::{AgentClient, AgentError};
use crate::expid::ExpId;
use crate::lab::{Endpoint, Lab, LabError};
use crate::path::resolve::known_mac;
use crate::trial::specs::look_spec;

/// Opening a NIC takes seconds at most.
const OPEN_LIMIT: Duration = Duration::from_secs(60);

/// Every pair's addresses, sender's first. Where only its driver knows a port's address, the port is opened for a
/// moment.
pub async fn macs(place: &KubePlace, pairs: &[PodPair]) -> Result<Vec<(usize, Mac, Mac)>, LabError> {
    let indices: Vec<usize> = pairs.iter().map(|pair| pair.index).collect();
    let lab = KubeLab::connect(place, &indices).await?;
    let all = lab.pairs().iter().map(async |pair| {
        let (tx, rx) = join(mac(&pair.tx), mac(&pair.rx)).await;
        Ok::<_, LabError>((pair.index, tx?, rx?))
    });
    try_join_all(all).await
}

async fn mac(end: &Endpoint) -> Result<Mac, AgentError> {
    end.agent.greet().await?;
    let inventory: Inventory = end.agent.inventory().await?;
    match known_mac(end, &inventory) {
        Some(mac) => Ok(mac),
        None => by_opening(&end.agent, &end.device).await,
    }
}

async fn by_opening(agent: &AgentClient, device: &str) -> Result<Mac, AgentError> {
    let id = ExpId::random().map_or_else(|_| "look".to_owned(), |id| format!("look-{id}"));
    agent.prepare(&look_spec(&id, device)).await?;
    let run = agent.run(&id);
    let ready = run.wait_ready(OPEN_LIMIT).await;
    // It ends by its own limit if this fails.
    let _ = run.delete().await;
    ready?.ready.map(|ready| ready.mac).ok_or_else(|| AgentError::Unreadable {
        agent: agent.pod().to_owned(),
        what: "the state of its run".into(),
        reason: "ready, without saying which address its port has".into(),
    })
}
