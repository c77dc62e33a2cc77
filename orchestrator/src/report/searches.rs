//! Throughput searches among the results.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::results::ResultsError;
use crate::results::tree::folders_in;
use crate::search::bench::file::{Group, SearchFile};
use crate::show::pps;

/// How folders of searches are called.
const PREFIX: &str = "search_";

/// Searches below some paths, and what of them can't be read.
#[derive(Debug, Default)]
pub struct Searches {
    /// With their folders, in order.
    pub found: Vec<(PathBuf, SearchFile)>,
    /// Folders with the reason.
    pub unread: Vec<(PathBuf, String)>,
}

impl Searches {
    /// Reads paths that are searches themselves, or have some directly below them. Links are not followed.
    pub fn read(paths: &[PathBuf]) -> Result<Searches, ResultsError> {
        let mut searches = Searches::default();
        for path in paths {
            let own = is_search(path).then(|| path.clone());
            let below = folders_in(path)?.into_iter().filter(|folder| is_search(folder));
            for folder in own.into_iter().chain(below) {
                match read_one(&folder) {
                    Ok(file) => searches.found.push((folder, file)),
                    Err(reason) => searches.unread.push((folder, reason)),
                }
            }
        }
        Ok(searches)
    }
}

fn is_search(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
}

fn read_one(folder: &Path) -> Result<SearchFile, String> {
    let bytes = fs::read(SearchFile::path(folder)).map_err(|error| format!("its result.json: {error}"))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| format!("its result.json is not what this release writes: {error}"))
}

/// What one goal of a search came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GoalRow {
    /// The search's folder, by name.
    pub search: String,
    /// `running`, `interrupted`, `complete`.
    pub status: String,
    /// The profile's name.
    pub profile: String,
    /// `tx0-rx0`, or several.
    pub pairs: String,
    /// `ndr`.
    pub goal: String,
    /// `found`, `never_loses`, …
    pub verdict: String,
    /// The answer, packets a second.
    pub lower_pps: Option<f64>,
    /// The lowest load that is not borne.
    pub upper_pps: Option<f64>,
    /// What arrives at the answer.
    pub conditional_pps: Option<f64>,
    /// The three for the eye.
    pub text: [String; 3],
    /// Trials of the search.
    pub trials: usize,
}

/// A row for each goal of each group of pairs.
pub fn rows(searches: &Searches) -> Vec<GoalRow> {
    let of_file = |(folder, file): &(PathBuf, SearchFile)| -> Vec<GoalRow> {
        let search = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let of_group = |group: &Group| -> Vec<GoalRow> {
            let row = |found: &crate::search::Found| GoalRow {
                search: search.clone(),
                status: file.status.clone(),
                profile: file.profile_name.clone(),
                pairs: pairs(group),
                goal: found.goal.clone(),
                verdict: serde_json::to_value(found.verdict)
                    .ok()
                    .and_then(|v| v.as_str().map(str::to_owned))
                    .unwrap_or_default(),
                lower_pps: found.lower_pps,
                upper_pps: found.upper_pps,
                conditional_pps: found.conditional_pps,
                text: [found.lower_pps, found.upper_pps, found.conditional_pps]
                    .map(|value| value.map_or("-".to_owned(), pps)),
                trials: group.trials.len(),
            };
            group.found.iter().map(row).collect()
        };
        file.groups.iter().flat_map(of_group).collect()
    };
    searches.found.iter().flat_map(of_file).collect()
}

/// `tx0-rx0, tx1-rx1`.
pub fn pairs(group: &Group) -> String {
    let names: Vec<String> = group.pairs.iter().map(|pair| crate::lab::pair_name(*pair)).collect();
    names.join(", ")
}
