//! What the script's thread and the task that speaks with the agents share: orders one way, counters the other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};
use traffic::mac::Mac;
use traffic::profile::Profile;

use super::books::Books;

/// Who sends: port 0.
pub const SENDER: u16 = 0;
/// Who receives: port 1.
pub const RECEIVER: u16 = 1;

/// What the task is told; it answers each.
#[derive(Debug)]
pub enum Order {
    /// Send this, in place of what is sent; samples every so many milliseconds.
    Start(Box<Profile>, u32, Reply),
    /// Go on at so many thousandths of what was started.
    Rate(u32, Reply),
    /// Send nothing.
    Stop(Reply),
    /// Look at the newest samples.
    Look(Reply),
}

/// An answer: sentences for the user, or why it came to nothing.
pub type Reply = oneshot::Sender<Result<Vec<String>, String>>;

/// What is known of a port.
#[derive(Debug, Default)]
pub struct Port {
    /// Its counters.
    pub books: Books,
    /// Its device.
    pub device: String,
    /// Its address, where it is known.
    pub mac: Option<Mac>,
    /// Whether its link was up when it was last opened.
    pub link_up: bool,
    /// Mbit/s; 0 where the driver does not say.
    pub link_mbps: u32,
    /// Ticks a second of its clock.
    pub hz: u64,
}

/// Both ports.
#[derive(Debug)]
pub struct Shared {
    ports: Mutex<[Port; 2]>,
    sending: watch::Sender<bool>,
    fault: watch::Sender<Option<String>>,
}

impl Shared {
    /// Ports that send nothing.
    pub fn new(ports: [Port; 2]) -> Shared {
        Shared {
            ports: Mutex::new(ports),
            sending: watch::Sender::new(false),
            fault: watch::Sender::new(None),
        }
    }

    /// The ports, for a moment.
    pub fn ports(&self) -> MutexGuard<'_, [Port; 2]> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether port 0 sends.
    pub fn is_sending(&self) -> bool {
        *self.sending.borrow()
    }

    /// It began or ended.
    pub fn set_sending(&self, on: bool) {
        self.sending.send_replace(on);
    }

    /// Hears of beginning and end.
    pub fn sending(&self) -> watch::Receiver<bool> {
        self.sending.subscribe()
    }

    /// What ended the traffic that should not have.
    pub fn fault(&self) -> Option<String> {
        self.fault.borrow().clone()
    }

    /// Traffic ended that should not have; the first reason counts.
    pub fn fail(&self, why: String) {
        self.fault.send_if_modified(|fault| fault.is_none() && fault.replace(why).is_none());
    }

    /// Hears of that.
    pub fn faults(&self) -> watch::Receiver<Option<String>> {
        self.fault.subscribe()
    }
}
