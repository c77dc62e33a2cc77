//! Who keeps the agent busy: requests in flight and live runs. An agent that nobody needs ends by itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Counts what is going on; clones count together.
#[derive(Clone, Debug)]
pub struct Load(Arc<watch::Sender<Busy>>);

#[derive(Clone, Copy, Debug)]
struct Busy {
    /// Requests in flight and live runs.
    now: usize,
    /// When `now` last changed.
    since: Instant,
}

impl Default for Load {
    /// Nothing is going on.
    fn default() -> Load {
        Load(Arc::new(watch::Sender::new(Busy { now: 0, since: Instant::now() })))
    }
}

impl Load {
    /// Something goes on for as long as the value lives.
    pub fn begin(&self) -> LoadGuard {
        self.0.send_modify(|busy| *busy = Busy { now: busy.now + 1, since: Instant::now() });
        LoadGuard(self.clone())
    }

    /// Returns when nothing has gone on for `quiet`; never without one.
    pub async fn idle_for(&self, quiet: Option<Duration>) {
        let Some(quiet) = quiet else { return std::future::pending().await };
        let mut changes = self.0.subscribe();
        loop {
            let busy = *changes.borrow_and_update();
            // The sender lives in `self`, so a change can always be waited for: its error can't happen.
            if busy.now > 0 {
                let _ = changes.changed().await;
                continue;
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep_until(busy.since + quiet) => return,
            }
        }
    }
}

/// One request or one live run.
#[derive(Debug)]
pub struct LoadGuard(Load);

impl Drop for LoadGuard {
    fn drop(&mut self) {
        self.0.0.send_modify(|busy| *busy = Busy { now: busy.now.saturating_sub(1), since: Instant::now() });
    }
}
