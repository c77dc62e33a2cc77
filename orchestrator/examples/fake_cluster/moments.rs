//! Faults that happen at a moment instead of standing.

use std::time::Duration;

use tokio::time::sleep;

use crate::faults::{Fault, When};
use crate::kinds::Kind;
use crate::state::Fake;
use crate::{delete, kubelet, nodes};

/// Between two looks at an agent's samples.
const LOOK: Duration = Duration::from_millis(10);

/// Lets a fault stand, or happen.
pub fn begin(fake: &Fake, fault: Fault) {
    let fake = fake.clone();
    match fault {
        Fault::Stop { ms } => {
            fake.outage_ms.send_replace(ms);
            fake.outages.send_modify(|n| *n += 1);
        }
        Fault::Compact => fake.store().compact(),
        Fault::NodeLost { node } => {
            nodes::set_ready(&mut fake.store(), &node, false);
            fake.lost.send_modify(|lost| {
                lost.insert(node);
            });
        }
        Fault::NodeBack { node } => {
            nodes::set_ready(&mut fake.store(), &node, true);
            fake.lost.send_modify(|lost| {
                lost.remove(&node);
            });
        }
        Fault::AgentMode { pod, mode } => {
            if let Some(agent) = uid(&fake, &pod).and_then(|uid| fake.agent(&uid)) {
                agent.agent.set_mode(&mode);
            }
        }
        Fault::Evict { pod, when } => {
            tokio::spawn(async move {
                wait(&fake, &pod, &when).await;
                kubelet::evict(&fake, &fake.args.home, &pod);
            });
        }
        Fault::Delete { pod, when } => {
            tokio::spawn(async move {
                wait(&fake, &pod, &when).await;
                delete::by_somebody(&fake, &fake.args.home, &pod);
            });
        }
        Fault::Restart { pod, when } => {
            tokio::spawn(async move {
                wait(&fake, &pod, &when).await;
                kubelet::restart(&fake, &fake.args.home, &pod).await;
            });
        }
        standing => fake.faults.add(standing),
    }
}

fn uid(fake: &Fake, pod: &str) -> Option<String> {
    let pod = fake.store().get(Kind::Pod, &fake.args.home, pod)?;
    pod["metadata"]["uid"].as_str().map(str::to_owned)
}

async fn wait(fake: &Fake, pod: &str, when: &When) {
    sleep(Duration::from_millis(when.after_ms.unwrap_or(0))).await;
    let Some(wanted) = when.after_samples else { return };
    let samples = || uid(fake, pod).and_then(|uid| fake.agent(&uid)).map_or(0, |agent| agent.agent.samples());
    while samples() < wanted {
        sleep(LOOK).await;
    }
}
