//! One line that says how far a wait has come: in place on a terminal, elsewhere a new one when something changed.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::ProgressBar;

use crate::say;

/// For the eye, on standard error.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    last: RefCell<String>,
}

impl Progress {
    /// Nothing is shown yet.
    pub fn new() -> Progress {
        let bar = std::io::stderr().is_terminal().then(ProgressBar::new_spinner);
        if let Some(bar) = &bar {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Progress { bar, last: RefCell::default() }
    }

    /// `done` of `all` pods, and what the next one does.
    pub fn status(&self, done: usize, all: usize, word: String) {
        self.line(format!("{done} of {all} pods are ready; {word}"));
    }

    /// The line as it is now.
    pub fn line(&self, line: String) {
        match &self.bar {
            Some(bar) => bar.set_message(line),
            None if *self.last.borrow() == line => {}
            None => {
                say::err(&line);
                *self.last.borrow_mut() = line;
            }
        }
    }

    /// A line that stays.
    pub fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say::err(text)),
            None => say::err(text),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
