//! `man`: manual pages of every verb, made from what may be typed.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::CommandFactory;
use clap_mangen::{Man, generate_to};

use super::args::Cli;
use crate::say;

/// Into `folder`, or the main page on standard output.
pub fn execute(folder: Option<&Path>) -> Result<ExitCode> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        Man::new(Cli::command()).render(&mut page)?;
        say::out(String::from_utf8_lossy(&page).trim_end())?;
        return Ok(ExitCode::SUCCESS);
    };
    fs::create_dir_all(folder)
        .and_then(|()| generate_to(Cli::command(), folder))
        .map_err(|error| anyhow!("can't write manual pages in {}: {error}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}
