//! A run by hand: the engine in this process, started at once, ended by Ctrl-C.

use crate::warnln;
use std::io::Write;

use dpdk::LogSink;
use traffic::wire::{Command, Event, FlowBook, RunSpec, Summary};

use super::options::Output;
use super::show;
use crate::engine::{self, Control, EngineError, Message};

/// Runs `spec` and gives its last word; an error is also printed as the last event where programs read.
pub fn run(spec: &RunSpec, output: Output) -> Result<Option<Box<Summary>>, EngineError> {
    let control = Control::default();
    let sender = control.sender();
    // Without a handler Ctrl-C ends the process as it always does: the run's counters are lost, nothing else.
    let handler =
        ctrlc::set_handler(move || sender.send(Message::Command(Command::Stop)).unwrap_or_default());
    if let Err(error) = handler {
        warnln!("warning: can't catch Ctrl-C ({error}): it will end the run without a summary");
    }
    let sender = control.sender();
    let mut screen = show::Screen::default();
    let mut summary = None;
    let result = engine::run(spec, &control, LogSink::Kept, &mut |event| {
        if matches!(event, Event::Ready(_)) {
            // The inbox is `control`'s, which outlives this.
            sender.send(Message::Command(Command::Start)).unwrap_or_default();
        }
        let (event, books) = without_books(event);
        match output {
            // A program that went away does not end a measurement that somebody started by hand.
            Output::Json => drop(line(&event)),
            Output::Table => screen.show(&event),
        }
        if let Event::Done(last) = event {
            summary = Some(Box::new(Summary { flow_books: books, ..*last }));
        }
    });
    if let (Err(error), Output::Json) = (&result, output) {
        let _ = line(&Event::Failed { error: error.to_string() });
    }
    result.map(|()| summary)
}

/// What is shown of an event: a million flows' books are for their file.
fn without_books(mut event: Event) -> (Event, Vec<FlowBook>) {
    let books = match &mut event {
        Event::Done(last) => std::mem::take(&mut last.flow_books),
        _ => Vec::new(),
    };
    (event, books)
}

/// One event on standard output; false when it could not be written.
pub fn line(event: &Event) -> bool {
    let mut out = std::io::stdout().lock();
    let written = serde_json::to_writer(&mut out, event)
        .map_err(std::io::Error::from)
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    if let Err(error) = &written {
        warnln!("warning: an event could not be written to standard output: {error}");
    }
    written.is_ok()
}
