//! Ctrl-C: the first one stops the traffic and keeps what was measured, the second one leaves at once.

use std::process;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::interactive::terminal;
use crate::lab::local::terminate;
use crate::say;

/// As shells count it: 128 + SIGINT.
pub const EXIT_INTERRUPTED: u8 = 130;

/// Tells every phase of the first Ctrl-C (or SIGTERM).
#[derive(Debug, Clone)]
pub struct Interrupt {
    came: watch::Receiver<bool>,
    /// Processes that are asked to end when the second one comes.
    pids: Arc<Mutex<Vec<u32>>>,
}

impl Interrupt {
    /// Listens from now on.
    pub fn listen() -> std::io::Result<Interrupt> {
        let pids = Arc::<Mutex<Vec<u32>>>::default();
        let to_end = pids.clone();
        let mut ctrl_c = signal(SignalKind::interrupt())?;
        let mut term = signal(SignalKind::terminate())?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            let mut next = async || {
                tokio::select! { _ = ctrl_c.recv() => {}, _ = term.recv() => {} }
            };
            next().await;
            say::err(
                "interrupted: stopping the traffic and keeping what was measured (again to leave at once)",
            );
            // Nobody listens any more: the trial is over anyway.
            let _ = sender.send(true);
            next().await;
            terminal::restore();
            say::err("leaving at once: `orchestrator results recover` writes what the agents have on disk");
            to_end.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().for_each(terminate);
            process::exit(i32::from(EXIT_INTERRUPTED));
        });
        Ok(Interrupt { came: receiver, pids })
    }

    /// These processes, and no others, are asked to end when the second one comes.
    pub fn end_with(&self, pids: Vec<u32>) {
        *self.pids.lock().unwrap_or_else(PoisonError::into_inner) = pids;
    }

    /// Whether it has come.
    pub fn came(&self) -> bool {
        *self.came.borrow()
    }

    /// Waits until it comes.
    pub async fn wait(&self) {
        let mut receiver = self.came.clone();
        if receiver.wait_for(|came| *came).await.is_err() {
            // Nobody can send any more: it never comes.
            std::future::pending::<()>().await;
        }
    }
}
