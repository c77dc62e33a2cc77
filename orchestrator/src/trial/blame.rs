//! Why somebody else ended a run.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::outcome::{PairOutcome, Status};
use crate::agent::AgentClient;
use crate::agent::connect::Silence;
use crate::lab::LabPair;

/// How long a cluster is asked why a run was ended, and how often.
const BLAME_LIMIT: Duration = Duration::from_secs(10);
const BLAME_STEP: Duration = Duration::from_millis(500);

/// A run that somebody else ended is no whole trial; the cluster may know why.
pub async fn blame(pair: &LabPair, outcome: &mut PairOutcome) {
    let Some((side, what)) = outcome.cut_short() else { return };
    let end = if side.pod == pair.tx.pod { &pair.tx } else { &pair.rx };
    let why = match told(&end.agent).await {
        why if why.is_empty() => why,
        why => format!(": {why}"),
    };
    outcome.error = Some(format!("{}: {what}{why}", side.pod));
    outcome.status = Status::Failed;
}

/// What the cluster says of a pod, where it can be asked; a server that is busy is asked again.
async fn told(agent: &AgentClient) -> String {
    let until = Instant::now() + BLAME_LIMIT;
    loop {
        match agent.silence().await {
            Silence::Final(why) => return why,
            Silence::Passing { why, .. } if why.is_empty() || Instant::now() >= until => return why,
            Silence::Passing { .. } => sleep(BLAME_STEP).await,
        }
    }
}
