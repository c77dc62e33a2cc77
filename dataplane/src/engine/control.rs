//! What can happen to a run while it waits: a command, a worker's word, or time.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use traffic::wire::Command;

/// Something that happened.
#[derive(Debug)]
pub enum Message {
    /// Somebody wants the run to go on or to end.
    Command(Command),
    /// A worker is registered and waits at the gate.
    WorkerReady,
    /// A worker can't work.
    WorkerFailed(String),
    /// A worker is done, of itself or as told.
    WorkerDone,
}

/// The main core's inbox: the only thing that it ever waits on.
#[derive(Debug)]
pub struct Control {
    sender: Sender<Message>,
    receiver: Receiver<Message>,
}

impl Default for Control {
    fn default() -> Self {
        let (sender, receiver) = channel();
        Control { sender, receiver }
    }
}

impl Control {
    /// For those who have something to say.
    pub fn sender(&self) -> Sender<Message> {
        self.sender.clone()
    }

    /// The next message, or `None` at `until`.
    pub fn next(&self, until: Instant) -> Option<Message> {
        // Never disconnected: `self` holds a sender.
        self.receiver.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
    }

    /// Waits for `condition`, asked once a `step`, and says whether it held before `limit` was over.
    pub fn wait_for(&self, limit: Duration, step: Duration, mut condition: impl FnMut() -> bool) -> bool {
        let end = Instant::now() + limit;
        loop {
            if condition() {
                return true;
            }
            if Instant::now() >= end {
                return false;
            }
            std::thread::park_timeout(step);
        }
    }
}
