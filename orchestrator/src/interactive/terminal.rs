//! The terminal's thread: keys in, the screen out, and everything as it was at the end.

use std::io::{self, BufWriter, Stderr, Write, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossterm::cursor::Show;
use crossterm::event::{self, Event};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio::sync::mpsc::Sender;

use super::Shared;
use super::draw::draw;
use super::keys::{self, Action};

/// No two drawings are closer together: what a link of 9600 baud can bear of a few changed figures.
const REDRAW: Duration = Duration::from_millis(250);
/// How long a key is waited for before the screen is looked at again.
const KEY_WAIT: Duration = Duration::from_millis(100);

/// Whether the terminal is ours.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal in our hands; given back when dropped.
#[derive(Debug)]
pub struct Taken(Terminal<CrosstermBackend<BufWriter<Stderr>>>);

impl Drop for Taken {
    fn drop(&mut self) {
        restore();
    }
}

/// Takes it: no echo, no line editing, a screen of our own.
pub fn take() -> io::Result<Taken> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::Release);
    let taken = execute!(stderr(), EnterAlternateScreen).and_then(|()| {
        // One write a drawing, whatever it changes.
        let backend = CrosstermBackend::new(BufWriter::with_capacity(1 << 16, stderr()));
        Terminal::new(backend)
    });
    taken.map(Taken).inspect_err(|_| restore())
}

/// Gives it back, if it is ours; also for those who end the process from elsewhere.
pub fn restore() {
    if TAKEN.swap(false, Ordering::AcqRel) {
        // A terminal that is gone needs nothing.
        let _ = disable_raw_mode();
        let _ = execute!(stderr(), LeaveAlternateScreen, Show);
        let _ = stderr().flush();
    }
}

/// Serves until told to end. A terminal that fails ends the screen, not the trial.
pub fn serve(mut taken: Taken, shared: &Shared, actions: &Sender<Action>) {
    let ended = turns(&mut taken, shared, actions);
    drop(taken);
    if let Err(error) = ended {
        shared
            .lock()
            .say(&format!("warning: the terminal failed ({error}): the trial goes on without a screen"));
    }
    shared.gone.store(true, Ordering::Release);
}

fn turns(taken: &mut Taken, shared: &Shared, actions: &Sender<Action>) -> io::Result<()> {
    let mut drawn: Option<Instant> = None;
    while !shared.ending.load(Ordering::Acquire) {
        if event::poll(KEY_WAIT)? {
            match event::read()? {
                Event::Key(key) => obey(keys::action(key), shared, actions),
                Event::Resize(..) => shared.changed.store(true, Ordering::Release),
                _ => {}
            }
        }
        let is_due = drawn.is_none_or(|at| at.elapsed() >= REDRAW);
        if is_due && shared.changed.swap(false, Ordering::AcqRel) {
            taken.0.draw(|frame| draw(frame, &shared.lock()))?;
            drawn = Some(Instant::now());
        }
    }
    Ok(())
}

fn obey(action: Option<Action>, shared: &Shared, actions: &Sender<Action>) {
    match action {
        None => {}
        Some(Action::Select(by)) => {
            shared.lock().select(by);
            shared.changed.store(true, Ordering::Release);
        }
        // A key held down says no more than the keys that wait already.
        Some(action) => drop(actions.try_send(action)),
    }
}
