//! `results recover`

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::args::ResultsVerb;
use super::measure_args::Output;
use crate::results::recover::unfinished;
use crate::settings::OutputFormat;
use crate::show_results::show;
use crate::trial::{self, Status};

/// Does what was typed.
pub fn execute(verb: &ResultsVerb) -> Result<ExitCode> {
    match verb {
        ResultsVerb::Recover { folder, output } => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(recover(folder, (*output).into()))
        }
    }
}

async fn recover(folder: &Path, output: OutputFormat) -> Result<ExitCode> {
    let written = trial::recover::recover(unfinished(folder)?).await?;
    show(&written, output);
    let failed = written.iter().any(|(j, _)| j.outcome.status == Status::Failed);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl From<Output> for OutputFormat {
    fn from(output: Output) -> Self {
        match output {
            Output::Table => Self::Table,
            Output::Json => Self::Json,
        }
    }
}
