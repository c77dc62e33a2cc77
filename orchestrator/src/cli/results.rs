//! `results recover`

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::args::ResultsVerb;
use super::measure_args::Output;
use crate::lab::sockets;
use crate::results::layout::PairFolder;
use crate::results::recover::{read_pair, unfinished};
use crate::results::result_json::Judged;
use crate::results::write::write_pair;
use crate::say;
use crate::settings::OutputFormat;
use crate::show_results::show;
use crate::trial::pod_orphans::PodOrphans;
use crate::trial::{Status, orphans};

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
    let mut written: Vec<(Judged, _)> = Vec::new();
    for pair in unfinished(folder)? {
        let judged = recover_pair(&pair).await?;
        written.push((judged, pair.path().to_owned()));
    }
    // Not before all pairs are at their end: they share it.
    for (judged, _) in &written {
        if let Some(folder) = &judged.outcome.record.socket_folder {
            sockets::remove_stale(folder);
        }
    }
    show(&written, output);
    let failed = written.iter().any(|(j, _)| j.outcome.status == Status::Failed);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn recover_pair(pair: &PairFolder) -> Result<Judged> {
    let _mine = pair.lock()?;
    let record = pair.record()?;
    let say = |line: &str| say::err(format_args!("{}: {line}", pair.path().display()));
    if let Some(cluster) = record.cluster.clone() {
        let orphans = PodOrphans::of(&record, &cluster).await?;
        let judged = Judged::of(orphans.take(record, say).await?);
        write_pair(pair, &judged)?;
        orphans.forget(&judged.outcome.record).await;
        pair.forget_state()?;
        return Ok(judged);
    }
    orphans::bring_to_end(&record, say).await?;
    let judged = Judged::of(read_pair(pair)?);
    write_pair(pair, &judged)?;
    orphans::dismiss(&record).await;
    pair.forget_state()?;
    Ok(judged)
}

impl From<Output> for OutputFormat {
    fn from(output: Output) -> Self {
        match output {
            Output::Table => Self::Table,
            Output::Json => Self::Json,
        }
    }
}
