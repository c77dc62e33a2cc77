//! `results recover`

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::args::{Output, ResultsVerb};
use crate::experiment::Status;
use crate::results::recover::{read_pair, unfinished};
use crate::results::result_json::Judged;
use crate::results::write::write_pair;
use crate::show_results::show;

/// Does what was typed.
pub fn execute(verb: &ResultsVerb) -> Result<ExitCode> {
    match verb {
        ResultsVerb::Recover { folder, output } => recover(folder, (*output).into()),
    }
}

fn recover(folder: &Path, output: crate::settings::OutputFormat) -> Result<ExitCode> {
    let mut written = Vec::new();
    for pair in unfinished(folder)? {
        let judged = Judged::of(read_pair(&pair)?);
        write_pair(&pair, &judged)?;
        pair.forget_state()?;
        written.push((judged, Some(pair.path().to_owned())));
    }
    show(&written, output);
    let failed = written.iter().any(|(j, _)| j.outcome.status == Status::Failed);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl From<Output> for crate::settings::OutputFormat {
    fn from(output: Output) -> Self {
        match output {
            Output::Table => Self::Table,
            Output::Json => Self::Json,
        }
    }
}
