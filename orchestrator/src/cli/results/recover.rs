//! `results recover`

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::results::recover::unfinished;
use crate::settings::OutputFormat;
use crate::show_results::show;
use crate::trial::{self, Status};

/// Writes what a killed orchestrator did not.
pub fn execute(folder: &Path, output: OutputFormat) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(recover(folder, output))
}

async fn recover(folder: &Path, output: OutputFormat) -> Result<ExitCode> {
    let written = trial::recover::recover(unfinished(folder)?).await?;
    show(written.iter().map(|(judged, folder)| (judged, folder.as_path())), output);
    let failed = written.iter().any(|(j, _)| j.outcome.status == Status::Failed);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
