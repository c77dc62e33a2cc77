//! The warm-up: a short run the other way, so that switches learn both addresses before anything is measured.

use std::time::Duration;

use tokio::time::Instant;
use traffic::wire::Sample;

use super::prepare;
use super::specs::PairSpecs;
use crate::agent::AgentError;
use crate::agent::both::follow_both;
use crate::agent::follow::Followed;
use crate::lab::LabPair;

/// Stopping and draining a warm-up takes fractions of a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a warm-up left.
#[derive(Debug, Default)]
pub struct Warmup {
    /// Of `rxN`, which sends here.
    pub samples: Vec<Sample>,
    /// What went wrong: a warm-up that taught nobody is a warning, not a failure of the measurement.
    pub warnings: Vec<String>,
}

/// Runs the warm-up of one pair for `duration_s` seconds.
pub async fn run(pair: &LabPair, specs: &PairSpecs, duration_s: f64) -> Result<Warmup, AgentError> {
    // In a warm-up rxN sends and txN receives.
    prepare::both((&pair.rx.agent, &specs.tx), (&pair.tx.agent, &specs.rx)).await?;
    let (sender, receiver) = (pair.rx.agent.run(&specs.tx.id), pair.tx.agent.run(&specs.rx.id));
    receiver.start().await?;
    sender.start().await?;
    let latest = Instant::now() + Duration::from_secs_f64(duration_s) + PATIENCE;
    let nobody_leaves = std::future::pending();
    let both =
        follow_both((sender, receiver), latest, PATIENCE, nobody_leaves, (|_: &Sample| {}, |_: &Sample| {}))
            .await;
    Ok(judge(pair, both.tx, both.rx))
}

fn judge(pair: &LabPair, sent: Followed, received: Followed) -> Warmup {
    let mut warnings = Vec::new();
    let mut samples = sent.samples;
    match sent.end {
        // A warm-up shorter than a second has no sample of its own.
        Ok(status) => samples.extend(status.summary.filter(|_| samples.is_empty()).map(|s| s.totals)),
        Err(error) => warnings.push(format!("warm-up: {error}")),
    }
    match received.end {
        Ok(status) => {
            let arrived = status.summary.and_then(|s| s.totals.account).map_or(0, |a| a.received);
            if arrived == 0 {
                warnings.push(format!(
                    "warm-up: nothing that {} sent reached {}; look at the way between them",
                    pair.rx.pod, pair.tx.pod
                ));
            }
        }
        Err(error) => warnings.push(format!("warm-up: {error}")),
    }
    Warmup { samples, warnings }
}
