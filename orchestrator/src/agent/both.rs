//! Both ends of a pair, followed from their start to their last word.
//!
//! The receiver is told to stop when the sender has sent all, or is over, however that came about. The sender closes
//! its port last, since closing a memif pulls memory from under its peer; it is told to stop when the receiver died or
//! the user wants to leave.

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use traffic::wire::Sample;

use super::client::RunRef;
use super::follow::{Followed, StopRule, follow};

/// What both ends left, and when they were done.
#[derive(Debug)]
pub struct Both {
    /// The sender's.
    pub tx: Followed,
    /// The receiver's.
    pub rx: Followed,
    /// From the start to the sender's last frame.
    pub sending: Duration,
    /// From there to the receiver's end.
    pub draining: Duration,
}

/// Who hears what happens meanwhile.
#[derive(Debug)]
pub struct Ears<T, R, S> {
    /// Each of the sender's samples.
    pub tx: T,
    /// Each of the receiver's samples.
    pub rx: R,
    /// Sentences for the user.
    pub say: S,
}

/// Follows both. The sender is told to stop at `at` at the latest, or when `leave` comes; either end may take
/// `patience` to obey.
pub async fn follow_both(
    (sender, receiver): (RunRef<'_>, RunRef<'_>),
    at: Instant,
    patience: Duration,
    leave: impl Future<Output = ()>,
    ears: Ears<impl FnMut(&Sample), impl FnMut(&Sample), impl Fn(&str)>,
) -> Both {
    let say = |line: &str| (ears.say)(line);
    let begun = Instant::now();
    let stop_tx = watch::Sender::new(false);
    let stop_rx = watch::Sender::new(false);
    let sent = watch::Sender::new(None);
    let close_tx = watch::Sender::new(false);
    let sending = async {
        let rule = StopRule {
            signal: stop_tx.subscribe(),
            at: Some(at),
            patience,
            sent: sent.clone(),
            close: close_tx.subscribe(),
        };
        let followed =
            follow(sender, rule, ears.tx, |line| say(&format!("{} {line}", sender.agent.pod()))).await;
        // A sender that died has sent what it has sent.
        sent.send_if_modified(|at| at.is_none() && at.replace(Instant::now()).is_none());
        followed
    };
    let receiving = async {
        let rule = StopRule::alone(stop_rx.subscribe(), None, patience);
        let followed =
            follow(receiver, rule, ears.rx, |line| say(&format!("{} {line}", receiver.agent.pod()))).await;
        // Nothing is measured without a receiver; most often the sender waits for this to close its port.
        stop_tx.send_replace(true);
        close_tx.send_replace(true);
        (followed, Instant::now())
    };
    let relay = async {
        let mut sent = sent.subscribe();
        // Fails only when nobody can send any more, and `sent` lives as long as this.
        if sent.wait_for(Option::is_some).await.is_ok() {
            stop_rx.send_replace(true);
        }
        std::future::pending::<Infallible>().await
    };
    let leaving = async {
        leave.await;
        stop_tx.send_replace(true);
        std::future::pending::<Infallible>().await
    };
    let (tx, (rx, rx_over)) = tokio::select! {
        ended = futures_util::future::join(sending, receiving) => ended,
        never = relay => match never {},
        never = leaving => match never {},
    };
    let sent_at = sent.borrow().unwrap_or(rx_over);
    Both {
        tx,
        rx,
        sending: sent_at.saturating_duration_since(begun),
        draining: rx_over.saturating_duration_since(sent_at),
    }
}
