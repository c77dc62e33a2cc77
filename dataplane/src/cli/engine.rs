//! `dataplane engine`: one run for the agent, over pipes.

use crate::warnln;
use std::io::{BufRead, stdin};
use std::thread;

use dpdk::LogSink;
use traffic::wire::{Command, Event, RunSpec};

use super::standalone::line;
use crate::engine::{self, Control, EngineError, Message};

/// Why no run began.
#[derive(Debug, thiserror::Error)]
pub enum EngineCliError {
    /// No spec.
    #[error("can't read the run's spec from standard input: {0}; `dataplane engine` is started by the agent")]
    Read(std::io::Error),
    /// Not a spec.
    #[error(
        "the first line of standard input is no run spec: {0}; `dataplane engine` is started by the agent"
    )]
    Spec(serde_json::Error),
    /// The run.
    #[error(transparent)]
    Run(#[from] EngineError),
}

/// Reads a spec, runs it, writes events; the failure is the last event too.
pub fn run() -> Result<(), EngineCliError> {
    let result = run_spec();
    if let Err(error) = &result {
        let _ = line(&Event::Failed { error: error.to_string() });
    }
    result
}

fn run_spec() -> Result<(), EngineCliError> {
    let mut first = String::new();
    stdin().lock().read_line(&mut first).map_err(EngineCliError::Read)?;
    let spec: RunSpec = serde_json::from_str(&first).map_err(EngineCliError::Spec)?;
    let control = Control::default();
    let sender = control.sender();
    // Not joined: it ends with the process, or at the end of its input.
    thread::spawn(move || {
        for text in stdin().lock().lines().map_while(Result::ok) {
            match serde_json::from_str::<Command>(&text) {
                Ok(command) => {
                    if sender.send(Message::Command(command)).is_err() {
                        return;
                    }
                }
                Err(error) => warnln!("warning: a command was not understood: {text:?}: {error}"),
            }
        }
    });
    let orphaned = control.sender();
    Ok(engine::run(&spec, &control, LogSink::Stderr, &mut |event| {
        if !line(&event) {
            // The agent is gone, and with it everybody who could read a result: end sending, then close the
            // port.
            let _ = orphaned.send(Message::Command(Command::Stop));
            let _ = orphaned.send(Message::Command(Command::Stop));
        }
    })?)
}
