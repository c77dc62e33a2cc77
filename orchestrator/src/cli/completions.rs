//! `completions SHELL`

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::args::Cli;
use crate::say;

/// Prints the script for `shell`.
pub fn execute(shell: Shell) -> Result<ExitCode> {
    let mut command = Cli::command();
    // By way of memory, since it takes a closed pipe for a fault of the program.
    let mut script = Vec::new();
    generate(shell, &mut command, "orchestrator", &mut script);
    say::out(String::from_utf8_lossy(&script).trim_end())?;
    Ok(ExitCode::SUCCESS)
}
