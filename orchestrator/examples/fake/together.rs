//! Senders that begin together or not at all.

use std::collections::BTreeSet;

use tokio::sync::watch;

/// Holds each sender's start until as many were asked for.
pub struct Together {
    wanted: usize,
    asked: watch::Sender<BTreeSet<(String, String)>>,
}

impl Together {
    pub fn new(wanted: usize) -> Together {
        Together { wanted, asked: watch::Sender::default() }
    }

    /// A start that is asked for twice counts once.
    pub async fn wait(&self, pod: &str, run: &str) {
        let mut asked = self.asked.subscribe();
        self.asked.send_if_modified(|all| all.insert((pod.to_owned(), run.to_owned())));
        // Its sender lives as long as this.
        let _ = asked.wait_for(|all| all.len() >= self.wanted).await;
    }
}
