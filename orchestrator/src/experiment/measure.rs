//! The measured part: both ends followed from start to their last word.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use traffic::wire::Role;

use super::specs::PairSpecs;
use super::{Interrupt, Progress};
use crate::agent::AgentError;
use crate::agent::follow::{Followed, StopRule, follow};
use crate::lab::LabPair;

/// How much longer than planned a sender that ends by itself may take before it is told to.
const SENDER_MARGIN: Duration = Duration::from_secs(5);
/// From being told to stop to being over: the receiver's drain is 2 s at most.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long the sender may send.
#[derive(Debug, Clone, Copy)]
pub enum SenderEnd {
    /// Its profile's duration ends it.
    ByItself(Duration),
    /// It counts frames; after this time it is told to stop.
    ToldAfter(Duration),
}

/// What both ends left, and when they ended.
#[derive(Debug)]
pub struct Measured {
    /// The sender's.
    pub tx: Followed,
    /// The receiver's.
    pub rx: Followed,
    /// From the start to the sender's end.
    pub sending: Duration,
    /// From the sender's end to the receiver's.
    pub draining: Duration,
}

/// The receiver counts.
pub async fn start_receiver(pair: &LabPair, specs: &PairSpecs) -> Result<(), AgentError> {
    pair.rx.agent.run(&specs.rx.id).start().await.map(|_| ())
}

/// The sender sends.
pub async fn start_sender(pair: &LabPair, specs: &PairSpecs) -> Result<(), AgentError> {
    pair.tx.agent.run(&specs.tx.id).start().await.map(|_| ())
}

/// Follows both ends. The receiver is told to stop when the sender is over, however that came about; the sender is
/// told to stop when the receiver died or the user wants to leave.
pub async fn to_the_end(
    pair: &LabPair,
    specs: &PairSpecs,
    end: SenderEnd,
    interrupt: &Interrupt,
    progress: &Progress,
) -> Measured {
    let begun = Instant::now();
    let at = match end {
        SenderEnd::ByItself(after) => begun + after + SENDER_MARGIN,
        SenderEnd::ToldAfter(after) => begun + after,
    };
    let (stop_tx, tx_stopped) = watch::channel(false);
    let (stop_rx, rx_stopped) = watch::channel(false);
    let sender = async {
        let rule = StopRule { signal: tx_stopped, at: Some(at), patience: PATIENCE };
        let run = pair.tx.agent.run(&specs.tx.id);
        let followed = follow(run, rule, |s| progress.sample(pair.index, Role::Tx, s)).await;
        // The receiver may be gone already.
        let _ = stop_rx.send(true);
        (followed, Instant::now())
    };
    let receiver = async {
        let rule = StopRule { signal: rx_stopped, at: None, patience: PATIENCE };
        let run = pair.rx.agent.run(&specs.rx.id);
        let followed = follow(run, rule, |s| progress.sample(pair.index, Role::Rx, s)).await;
        // Nothing is measured without a receiver; most often the sender is over already.
        let _ = stop_tx.send(true);
        (followed, Instant::now())
    };
    let both = futures_util::future::join(sender, receiver);
    let leave = async {
        interrupt.wait().await;
        let _ = stop_tx.send(true);
        std::future::pending::<std::convert::Infallible>().await
    };
    let ((tx, tx_over), (rx, rx_over)) = tokio::select! {
        ended = both => ended,
        never = leave => match never {},
    };
    Measured { tx, rx, sending: tx_over - begun, draining: rx_over.saturating_duration_since(tx_over) }
}
