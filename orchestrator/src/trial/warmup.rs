//! The warm-up: a short run the other way and back, so that switches learn both addresses before anything is measured.

use std::time::Duration;

use tokio::time::Instant;
use traffic::wire::Sample;

use super::prepare;
use super::specs::PairSpecs;
use crate::agent::AgentError;
use crate::agent::both::{Ears, follow_both};
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
    // In a warm-up rxN sends and txN sends it back.
    prepare::both((&pair.rx.agent, &specs.tx), (&pair.tx.agent, &specs.rx)).await?;
    let (sender, reflector) = (pair.rx.agent.run(&specs.tx.id), pair.tx.agent.run(&specs.rx.id));
    reflector.start().await?;
    sender.start().await?;
    let latest = Instant::now() + Duration::from_secs_f64(duration_s) + PATIENCE;
    let ears = Ears { tx: |_: &Sample| {}, rx: |_: &Sample| {}, say: |_: &str| {} };
    let nobody_leaves = std::future::pending();
    let both = follow_both((sender, reflector), latest, PATIENCE, nobody_leaves, ears).await;
    Ok(judge((&pair.tx.pod, &pair.rx.pod), both.tx, both.rx))
}

fn judge((tx_pod, rx_pod): (&str, &str), sent: Followed, reflected: Followed) -> Warmup {
    let mut warnings = Vec::new();
    let mut samples = sent.samples;
    match sent.end {
        // A warm-up shorter than a second has no sample of its own.
        Ok(status) => samples.extend(status.summary.filter(|_| samples.is_empty()).map(|s| s.totals)),
        Err(error) => warnings.push(format!("warm-up: {error}")),
    }
    match reflected.end {
        Ok(status) => {
            let cores = status.summary.map(|s| s.totals.cores).unwrap_or_default();
            let (came, went) =
                cores.iter().fold((0, 0), |(came, went), c| (came + c.rx_packets, went + c.tx_packets));
            if came == 0 {
                warnings.push(format!(
                    "warm-up: nothing that {rx_pod} sent reached {tx_pod}; look at the way between them"
                ));
            } else if went == 0 {
                warnings.push(format!(
                    "warm-up: {tx_pod} sent nothing back; switches on the way may not know its address yet"
                ));
            }
        }
        Err(error) => warnings.push(format!("warm-up: {error}")),
    }
    Warmup { samples, warnings }
}
