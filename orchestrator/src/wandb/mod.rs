//! Results to Weights & Biases, by the user's own Python and its wandb package: `upload.py` in a child process.

pub mod child;
pub mod steps;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::export::fields::Value;
use crate::export::rows::TRIALS;
use crate::results::stored::Stored;
use crate::results::validate::role_of;
use crate::results::{ResultsError, metadata, npz};
use steps::Steps;

/// Where runs go.
#[derive(Debug, Clone)]
pub struct Target {
    /// The project.
    pub project: String,
    /// The user or team.
    pub entity: Option<String>,
    /// Without network.
    pub offline: bool,
}

/// One line to the child.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ToChild {
    /// A run begins.
    Run {
        /// `pktgen_run_{expid}`.
        name: String,
        /// The project.
        project: String,
        /// The user or team.
        entity: Option<String>,
        /// Without network.
        offline: bool,
        /// What was asked.
        config: Map<String, Json>,
    },
    /// Values of one second.
    Step {
        /// Seconds since the start.
        step: u64,
        /// By `{pod}/{npz key}`.
        metrics: BTreeMap<String, f64>,
    },
    /// It ends.
    End {
        /// Final figures.
        summary: BTreeMap<String, f64>,
        /// The artifact's name.
        artifact: String,
        /// Its files.
        files: Vec<ArtifactFile>,
    },
}

/// A file of an artifact.
#[derive(Debug, Serialize)]
pub struct ArtifactFile {
    /// On this machine.
    path: PathBuf,
    /// In the artifact: `tx0-rx0/….npz`.
    name: String,
}

/// One line of the child.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum FromChild {
    /// A run was made: a sign of life.
    Begun,
    /// A run is handed on.
    Done {
        /// Which.
        name: String,
        /// Where its files are on this machine.
        folder: PathBuf,
        /// Where it is to be seen; none offline.
        url: Option<String>,
    },
    /// It gave up.
    Error {
        /// `missing`, `login` or `wandb`.
        kind: String,
        /// What Python said.
        text: String,
    },
}

/// A run as lines, and what of its files can't be read.
#[derive(Debug)]
pub struct Upload {
    /// In order.
    pub lines: Vec<ToChild>,
    /// A sentence each.
    pub skipped: Vec<String>,
}

/// One trial's pairs as a run.
pub fn run(pairs: &[Stored], target: &Target) -> Result<Option<Upload>, ResultsError> {
    let Some(first) = pairs.first() else { return Ok(None) };
    let expid = first.judged.outcome.record.expid;
    let mut skipped = Vec::new();
    let (mut steps, mut files, mut summary) = (Steps::default(), Vec::new(), BTreeMap::new());
    for stored in pairs {
        let record = &stored.judged.outcome.record;
        summary.extend(figures(stored));
        for name in &stored.files {
            let Some(role) = role_of(name).filter(|_| Path::new(name).components().count() == 1) else {
                continue;
            };
            let path = stored.folder.join(name);
            match npz::read(&path) {
                Ok(columns) => {
                    let pod = if role == "tx" { &record.tx.pod } else { &record.rx.pod };
                    steps.add(pod, &columns, record.started_unix_ns);
                    files.push(ArtifactFile {
                        path: absolute(&path)?,
                        name: format!("{}/{name}", record.pair),
                    });
                }
                Err(error) => skipped.push(format!(
                    "{}: not uploaded: it can't be read: {error}; `orchestrator results validate` tells more",
                    path.display()
                )),
            }
        }
    }
    let mut lines = vec![ToChild::Run {
        name: format!("pktgen_run_{expid}"),
        project: target.project.clone(),
        entity: target.entity.clone(),
        offline: target.offline,
        config: config(pairs)?,
    }];
    lines.extend(steps.into_lines());
    lines.push(ToChild::End { summary, artifact: format!("results_{expid}"), files });
    Ok(Some(Upload { lines, skipped }))
}

/// `metadata.txt` of the first pair, and under its name that of every pair.
fn config(pairs: &[Stored]) -> Result<Map<String, Json>, ResultsError> {
    let mut config = Map::new();
    for stored in pairs {
        let text = metadata::metadata(&stored.judged.outcome)?;
        let pairs_own: Map<String, Json> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (key.to_owned(), Json::from(value)))
            .collect();
        if config.is_empty() {
            config.extend(pairs_own.clone());
        }
        config.insert(stored.judged.outcome.record.pair.clone(), Json::Object(pairs_own));
    }
    Ok(config)
}

/// Final figures by `{pair}/{field}`, as they are exported.
fn figures(stored: &Stored) -> impl Iterator<Item = (String, f64)> {
    TRIALS.iter().filter_map(|field| match field.value(stored) {
        Value::Text(_) => None,
        value => Some((format!("{}/{}", stored.judged.outcome.record.pair, field.name), value.number()?)),
    })
}

fn absolute(path: &Path) -> Result<PathBuf, ResultsError> {
    path.canonicalize().map_err(ResultsError::io("reading", path))
}
