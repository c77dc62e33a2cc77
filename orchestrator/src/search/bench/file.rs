//! A search's `result.json`: everything that was asked and measured, written anew after every trial.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use traffic::profile::Profile;
use traffic::wire::Latency;

use super::SearchError;
use crate::results::ResultsError;
use crate::results::write::write_synced;
use crate::search::{Config, Found, Trial};

/// Of this file's own format.
const FORMAT: u32 = 1;

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchFile {
    /// Of this file's own format.
    pub format: u32,
    /// `search`: what tells it from a trial's.
    pub kind: String,
    /// Of the program that began it.
    pub release: String,
    /// `running`, `interrupted`, `complete`.
    pub status: String,
    /// The profile's name.
    pub profile_name: String,
    /// As it was read; its rate is the search's affair.
    pub profile: Profile,
    /// What is searched.
    pub config: Config,
    /// Trial seconds of each group at most, as said beforehand.
    pub bound_s: f64,
    /// Every option.
    pub options: BTreeMap<String, String>,
    /// One for all pairs together, or one a pair.
    pub groups: Vec<Group>,
}

/// Pairs that are searched together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Their indices.
    pub pairs: Vec<usize>,
    /// In order.
    pub trials: Vec<Entry>,
    /// How each goal stands.
    pub found: Vec<Found>,
    /// Under load.
    pub latency: Vec<LatencyPoint>,
    /// RFC 2544 §26.3, from the highest load down.
    pub loss_curve: Vec<CurvePoint>,
    /// RFC 9004.
    pub back_to_back: Option<BackToBack>,
}

/// One trial of the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Whether it is in no figure.
    pub is_warmup: bool,
    /// The pair that lost most, which decides.
    pub trial: Trial,
    /// Every pair.
    pub pairs: Vec<PairTrial>,
}

/// One pair's part of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairTrial {
    /// `tx0-rx0`
    pub pair: String,
    /// Its figures.
    pub trial: Trial,
    /// Where both ends share a clock.
    pub latency: Option<Latency>,
}

/// Latency at one load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatencyPoint {
    /// `90 % of pdr`, `lowest load`.
    pub name: String,
    /// What was measured there.
    pub entry: Entry,
}

/// Loss at one load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Of the highest load.
    pub percent: u32,
    /// What was measured there.
    pub entry: Entry,
}

/// The longest bursts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackToBack {
    /// Frames of each repetition.
    pub frames: Vec<u64>,
    /// Their mean.
    pub mean_frames: f64,
    /// RFC 9004 §6.4, by the throughput found for the goal of the least loss.
    pub corrected_buffer_s: Option<f64>,
    /// Whether the longest burst that was tried passed: the device buffers, or forwards, more than that.
    pub is_whole: bool,
}

impl SearchFile {
    /// Before the first trial.
    pub fn new(
        (profile_name, profile): (String, Profile),
        config: Config,
        bound_s: f64,
        options: BTreeMap<String, String>,
        groups: Vec<Vec<usize>>,
    ) -> SearchFile {
        SearchFile {
            format: FORMAT,
            kind: "search".to_owned(),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            status: "running".to_owned(),
            profile_name,
            profile,
            config,
            bound_s,
            options,
            groups: groups.into_iter().map(|pairs| Group { pairs, ..Group::default() }).collect(),
        }
    }

    /// The one in `folder`, if it is a search of the same as `wanted`.
    pub fn resume(folder: &Path, wanted: &SearchFile) -> Result<SearchFile, SearchError> {
        let path = SearchFile::path(folder);
        let not_this = |why: &str| Err(SearchError::NotThis { path: path.clone(), why: why.to_owned() });
        let bytes = fs::read(&path).map_err(ResultsError::io("reading", &path))?;
        let found: SearchFile = serde_json::from_slice(&bytes)
            .map_err(|source| ResultsError::Json { path: path.clone(), source })?;
        let pairs = |file: &SearchFile| file.groups.iter().map(|g| g.pairs.clone()).collect::<Vec<_>>();
        match () {
            () if found.kind != "search" || found.format != FORMAT => {
                not_this("it is no search of this release")
            }
            () if found.profile != wanted.profile => not_this("its profile says something else"),
            () if found.config != wanted.config => not_this("its goals, method or limits are others"),
            () if pairs(&found) != pairs(wanted) => not_this("its pairs are others"),
            () => Ok(found),
        }
    }

    /// Where it stands.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("result.json")
    }

    /// Whole or not at all.
    pub fn write(&self, folder: &Path) -> Result<(), ResultsError> {
        let path = SearchFile::path(folder);
        let partial = folder.join(".result.json.partial");
        let json = serde_json::to_vec_pretty(self)
            .map_err(|source| ResultsError::Json { path: path.clone(), source })?;
        write_synced(&partial, &json)?;
        fs::rename(&partial, &path).map_err(ResultsError::io("renaming to", &path))
    }
}
