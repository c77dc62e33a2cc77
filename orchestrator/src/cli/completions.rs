//! `completions SHELL`

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::args::Cli;

/// Prints the script for `shell`.
pub fn execute(shell: Shell) -> Result<ExitCode> {
    let mut command = Cli::command();
    generate(shell, &mut command, "orchestrator", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
