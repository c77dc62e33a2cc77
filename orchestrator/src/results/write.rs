//! Writes a pair's files: each whole or not at all, and `result.json` last.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use traffic::pcap::PcapWriter;
use traffic::wire::DumpedFrame;

use super::layout::{PairFolder, RESULT};
use super::names::NpzName;
use super::result_json::Judged;
use super::{ResultsError, csv, log, metadata, npz};
use crate::collect::Columns;
use crate::collect::series::{rx_columns, rx_ticks, tx_columns, tx_end, tx_ticks};
use crate::show::cpu_list;
use crate::trial::{PairOutcome, SideOutcome, Status};

/// The arrays of both ends.
#[derive(Debug)]
pub struct Arrays {
    /// The sender's; none without a sample.
    pub tx: Option<Columns>,
    /// The receiver's.
    pub rx: Option<Columns>,
}

/// Writes every file of `judged` to `folder` and forgets the agents' state there.
pub fn write_pair(folder: &PairFolder, judged: &Judged) -> Result<Arrays, ResultsError> {
    let partial = folder.fresh_partial()?;
    let mut files = Files { partial: &partial, names: Vec::new() };
    let arrays = write_files(&mut files, folder, &judged.outcome)?;
    let names = files.names;
    let result = partial.join(RESULT);
    let json = serde_json::to_vec_pretty(&judged.file(&names))
        .map_err(|source| ResultsError::Json { path: result.clone(), source })?;
    write_synced(&result, &json)?;
    for name in names.iter().map(String::as_str).chain([RESULT]) {
        let to = folder.path().join(name);
        fs::rename(partial.join(name), &to).map_err(ResultsError::io("renaming to", &to))?;
    }
    sync_folder(folder.path())?;
    fs::remove_dir(&partial).map_err(ResultsError::io("removing", &partial))?;
    Ok(arrays)
}

/// Files on their way, by name.
struct Files<'a> {
    partial: &'a Path,
    names: Vec<String>,
}

impl Files<'_> {
    fn text(&mut self, name: String, text: &str) -> Result<(), ResultsError> {
        self.bytes(name, text.as_bytes())
    }

    fn bytes(&mut self, name: String, bytes: &[u8]) -> Result<(), ResultsError> {
        write_synced(&self.partial.join(&name), bytes)?;
        self.names.push(name);
        Ok(())
    }

    fn npz(&mut self, name: String, columns: &Columns) -> Result<(), ResultsError> {
        npz::write(&self.partial.join(&name), columns)?;
        self.names.push(name);
        Ok(())
    }
}

fn write_files(
    files: &mut Files<'_>,
    folder: &PairFolder,
    outcome: &PairOutcome,
) -> Result<Arrays, ResultsError> {
    let record = &outcome.record;
    let (tx_pod, rx_pod) = (&record.tx.pod, &record.rx.pod);
    let sent = &outcome.tx.samples;
    let end = outcome.tx.summary.as_ref().map(|s| tx_end(s, sent));
    let ticks = tx_ticks(sent, end.as_ref(), record.sample_interval_s, record.sample_count);
    let tx = (!ticks.is_empty()).then(|| tx_columns(&ticks));
    if let Some(columns) = &tx {
        files.npz(npz_name(outcome, tx_pod, "tx")?, columns)?;
        files.text(format!("{tx_pod}_port_stats.csv"), &csv::port_stats(&ticks, columns)?)?;
        files.text(format!("{tx_pod}_port_rate_stats.csv"), &csv::rate_stats(&ticks, columns)?)?;
    }
    let ticks = rx_ticks(&outcome.rx.samples, outcome.rx.summary.as_ref().map(|s| &s.totals));
    let rx = (!ticks.is_empty()).then(|| rx_columns(&ticks));
    if let Some(columns) = &rx {
        files.npz(npz_name(outcome, rx_pod, "rx")?, columns)?;
        files.text(format!("{rx_pod}_stats.log"), &log::stats_log(&ticks))?;
    }
    let kept = outcome.rx.summary.as_ref().map_or(&[][..], |s| &s.dumped);
    if !kept.is_empty() {
        files.bytes(format!("{rx_pod}_dump.pcap"), &pcap(kept)?)?;
    }
    let books = outcome.books().summary.as_ref().map_or(&[][..], |s| &s.flow_books);
    if !books.is_empty() {
        files.text(format!("{rx_pod}_flows.csv"), &csv::flows(books))?;
    }
    if outcome.measured() {
        files.text(format!("{rx_pod}_warmup.log"), &log::stats_log(&outcome.warmup))?;
    }
    if outcome.status == Status::Failed {
        engine_logs(files, folder, outcome)?;
    }
    if !record.events.is_empty() {
        files.text("events.log".to_owned(), &log::events_log(&record.events)?)?;
    }
    files.text("metadata.txt".to_owned(), &metadata::metadata(outcome)?)?;
    Ok(Arrays { tx, rx })
}

/// Frames that a receiver was asked to keep.
fn pcap(kept: &[DumpedFrame]) -> Result<Vec<u8>, ResultsError> {
    let write = || {
        let mut pcap = PcapWriter::new(Vec::new())?;
        for frame in kept {
            pcap.write_cut(frame.unix_ns, &frame.bytes(), frame.len)?;
        }
        pcap.finish()
    };
    // Into memory.
    write().map_err(ResultsError::io("writing", Path::new("the kept frames")))
}

/// What the engines of a failed pair wrote, where their agents keep it on this machine: the state folder goes.
fn engine_logs(
    files: &mut Files<'_>,
    folder: &PairFolder,
    outcome: &PairOutcome,
) -> Result<(), ResultsError> {
    for side in [&outcome.record.tx, &outcome.record.rx] {
        if let Ok(log) = fs::read(folder.run_state(&side.pod, &side.spec.id).join("engine.log")) {
            files.text(format!("{}_engine.log", side.pod), &String::from_utf8_lossy(&log))?;
        }
    }
    Ok(())
}

fn npz_name(outcome: &PairOutcome, pod: &str, role: &str) -> Result<String, ResultsError> {
    let cores = |side: &SideOutcome| cpu_list(side.ready.as_ref().map_or(&[][..], |r| &r.worker_cpus));
    NpzName {
        expid: outcome.record.expid,
        pod,
        role,
        tx_cores: &cores(&outcome.tx),
        rx_cores: &cores(&outcome.rx),
        profile: &outcome.record.profile_name,
        started_unix_ns: outcome.record.started_unix_ns,
    }
    .file_name()
}

/// Writes a file and waits until it is on disk.
pub fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), ResultsError> {
    let mut file = File::create(path).map_err(ResultsError::io("creating", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(ResultsError::io("writing", path))
}

fn sync_folder(path: &Path) -> Result<(), ResultsError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(ResultsError::io("syncing", path))
}
