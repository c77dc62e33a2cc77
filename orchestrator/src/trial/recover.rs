//! Trials that an orchestrator was killed in: brought to their end, and their results written.

use std::path::PathBuf;

use super::TrialError;
use super::orphans;
use super::pod_orphans::PodOrphans;
use crate::lab::sockets;
use crate::results::layout::PairFolder;
use crate::results::recover::read_pair;
use crate::results::result_json::Judged;
use crate::results::write::write_pair;
use crate::say;

/// Every one of these, with the folder of its results.
pub async fn recover(pairs: Vec<PairFolder>) -> Result<Vec<(Judged, PathBuf)>, TrialError> {
    let mut written: Vec<(Judged, PathBuf)> = Vec::new();
    for pair in pairs {
        let judged = one(&pair).await?;
        written.push((judged, pair.path().to_owned()));
    }
    // Not before all pairs are at their end: they share it.
    for (judged, _) in &written {
        if let Some(folder) = &judged.outcome.record.socket_folder {
            sockets::remove_stale(folder);
        }
    }
    Ok(written)
}

async fn one(pair: &PairFolder) -> Result<Judged, TrialError> {
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
