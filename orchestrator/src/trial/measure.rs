//! The measured part: both ends followed from start to their last word.

use std::time::Duration;

use tokio::time::Instant;
use traffic::wire::{Role, Sample};

use super::specs::PairSpecs;
use super::{Interrupt, Progress};
use crate::agent::AgentError;
use crate::agent::both::{Both, Ears, follow_both};
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

/// The receiver counts.
pub async fn start_receiver(pair: &LabPair, specs: &PairSpecs) -> Result<(), AgentError> {
    pair.rx.agent.run(&specs.rx.id).start().await.map(|_| ())
}

/// When a sender began.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    /// By the clock of its machine.
    pub unix_ns: Option<u64>,
    /// When its agent had said so, by ours.
    pub answered: Instant,
}

/// The sender sends.
pub async fn start_sender(pair: &LabPair, specs: &PairSpecs) -> Result<Begun, AgentError> {
    let status = pair.tx.agent.run(&specs.tx.id).start().await?;
    Ok(Begun { unix_ns: status.started_unix_ns, answered: Instant::now() })
}

/// Seconds between the first and the last of several senders: by their own clock where they have one in common, else by
/// when they answered.
pub fn skew_s(begun: &[Begun], one_clock: bool) -> Option<f64> {
    if begun.len() < 2 {
        return None;
    }
    let own: Option<Vec<u64>> = begun.iter().map(|b| b.unix_ns).collect();
    if let Some(own) = own.filter(|_| one_clock) {
        let (first, last) = (own.iter().min()?, own.iter().max()?);
        return Some(Duration::from_nanos(last - first).as_secs_f64());
    }
    let (first, last) = (begun.iter().map(|b| b.answered).min()?, begun.iter().map(|b| b.answered).max()?);
    Some((last - first).as_secs_f64())
}

/// Follows both ends.
pub async fn to_the_end(
    pair: &LabPair,
    specs: &PairSpecs,
    end: SenderEnd,
    interrupt: &Interrupt,
    progress: &Progress,
) -> Both {
    let now = Instant::now();
    let at = match end {
        SenderEnd::ByItself(after) => now + after + SENDER_MARGIN,
        SenderEnd::ToldAfter(after) => now + after,
    };
    let runs = (pair.tx.agent.run(&specs.tx.id), pair.rx.agent.run(&specs.rx.id));
    let ears = Ears {
        tx: |s: &Sample| progress.sample(pair.index, Role::Tx, s),
        rx: |s: &Sample| progress.sample(pair.index, Role::Rx, s),
        say: |line: &str| progress.say(line),
    };
    let leave = async {
        tokio::select! { () = interrupt.wait() => {}, () = progress.stopped() => {} }
    };
    follow_both(runs, at, PATIENCE, leave, ears).await
}
