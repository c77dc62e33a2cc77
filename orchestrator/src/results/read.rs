//! `result.json` read back, as far as others than its writer need it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use traffic::profile::Profile;

use super::ResultsError;
use super::layout::RESULT;
use crate::expid::ExpId;
use crate::lab::ClusterRef;
use crate::trial::{Status, Timing};

/// What one pair's trial came to.
#[derive(Debug, Clone, Deserialize)]
pub struct ResultHead {
    /// How it ended.
    pub status: Status,
    /// Why it failed.
    pub error: Option<String>,
    /// The main figures.
    pub verdict: Figures,
    /// Where the time went; none when recovered.
    pub timing: Option<Timing>,
    /// What was asked.
    pub trial: TrialHead,
    /// The other files, by name.
    pub files: Vec<String>,
}

/// The figures that tables show.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// What the sender's NIC took.
    pub sent: u64,
    /// Distinct marked frames.
    pub received: u64,
    /// None where it was not measured.
    pub lost: Option<u64>,
    /// Received a second.
    pub rx_pps: f64,
}

/// What was known before the trial.
#[derive(Debug, Clone, Deserialize)]
pub struct TrialHead {
    /// The trial.
    pub expid: ExpId,
    /// Wall clock at the start.
    pub started_unix_ns: u64,
    /// `local` or `kube`.
    pub lab: String,
    /// Where its pods were.
    #[serde(default)]
    pub cluster: Option<ClusterRef>,
    /// `tx0-rx0`.
    pub pair: String,
    /// The profile's name.
    pub profile_name: String,
    /// As the user gave it.
    pub profile: Profile,
    /// Seconds of sending.
    pub duration_s: f64,
    /// Every option of the run.
    pub options: BTreeMap<String, String>,
}

/// The result in a pair's folder; none where there is none. A link is not followed.
pub fn read_result(folder: &Path) -> Result<Option<ResultHead>, ResultsError> {
    let path = folder.join(RESULT);
    if !fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file()) {
        return Ok(None);
    }
    let bytes = fs::read(&path).map_err(ResultsError::io("reading", &path))?;
    serde_json::from_slice(&bytes).map(Some).map_err(|source| ResultsError::Json { path, source })
}
