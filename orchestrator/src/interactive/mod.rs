//! `--interactive`: a live screen of a trial, and keys to steer it.
//!
//! The terminal has a thread of its own, so that a slow link keeps nobody waiting but itself: the trial writes what it
//! learns to the [`model`], the thread draws it ([`draw`]) four times a second at most and sends what [`keys`] mean.

pub mod draw;
pub mod keys;
pub mod model;
pub mod terminal;

use std::cell::RefCell;
use std::io::{IsTerminal, stderr, stdin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{Receiver, channel};

pub use keys::Action;
pub use model::Model;

use crate::say;

/// Keys that may wait to be obeyed; more are not heard.
const ACTIONS_MAX: usize = 16;

/// What the trial and the terminal's thread share.
#[derive(Debug)]
pub struct Shared {
    model: Mutex<Model>,
    changed: AtomicBool,
    ending: AtomicBool,
    gone: AtomicBool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Model> {
        // Whoever panicked left whole values behind.
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A screen that is up.
#[derive(Debug)]
pub struct Screen {
    shared: Arc<Shared>,
    actions: tokio::sync::Mutex<Receiver<Action>>,
    thread: RefCell<Option<JoinHandle<()>>>,
}

/// Whether there is a terminal to draw on and to read keys from.
pub fn has_terminal() -> bool {
    stderr().is_terminal() && stdin().is_terminal()
}

impl Screen {
    /// Takes the terminal. The error says why it can't be had.
    pub fn open(model: Model) -> Result<Screen, String> {
        let shared = Arc::new(Shared {
            model: Mutex::new(model),
            changed: AtomicBool::new(true),
            ending: AtomicBool::new(false),
            gone: AtomicBool::new(false),
        });
        let (sender, actions) = channel(ACTIONS_MAX);
        let taken = terminal::take().map_err(|error| format!("the terminal can't be taken: {error}"))?;
        let theirs = shared.clone();
        let thread = std::thread::Builder::new()
            .name("screen".into())
            .spawn(move || terminal::serve(taken, &theirs, &sender))
            .map_err(|error| format!("no thread for the screen: {error}"))?;
        Ok(Screen { shared, actions: tokio::sync::Mutex::new(actions), thread: RefCell::new(Some(thread)) })
    }

    /// Changes what is shown.
    pub fn update(&self, change: impl FnOnce(&mut Model)) {
        change(&mut self.shared.lock());
        self.shared.changed.store(true, Ordering::Release);
    }

    /// A line for the eye; false where nobody sees the screen any more.
    pub fn say(&self, line: &str) -> bool {
        self.update(|model| model.say(line));
        !self.shared.gone.load(Ordering::Acquire)
    }

    /// The next key that means something; none once the terminal is gone.
    pub async fn next(&self) -> Option<Action> {
        self.actions.lock().await.recv().await
    }

    /// Gives the terminal back as it was, and leaves on it what was said.
    pub fn close(&self) {
        let Some(thread) = self.thread.borrow_mut().take() else { return };
        self.shared.ending.store(true, Ordering::Release);
        // It looks a few times a second; a panic in it has been told by itself.
        let _ = thread.join();
        for line in self.shared.lock().said() {
            say::err(line);
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}
