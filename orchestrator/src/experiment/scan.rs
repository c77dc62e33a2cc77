//! What a results folder holds of an experiment. Links are not followed, and nothing is changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::asked::Asked;
use super::folder::Journal;
use super::matrix::Entry;
use crate::expid::ExpId;
use crate::lab::pair_name;
use crate::results::layout::PairFolder;
use crate::results::read::{ResultHead, read_result};
use crate::results::tree::folders_in;
use crate::results::{ResultsError, validate};
use crate::trial::Status;

/// A valid result has at least so many values in its series.
const SAMPLES_MIN: usize = 1;

/// Everything in a results folder.
#[derive(Debug, Default)]
pub struct Scan {
    /// Results, by profile and pair, the oldest first.
    found: BTreeMap<(String, String), Vec<Found>>,
    /// Trials that were begun and not finished.
    pub unfinished: Vec<Unfinished>,
    /// What can't be read, a sentence each.
    pub unreadable: Vec<String>,
}

/// One pair's result.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its folder.
    pub folder: PathBuf,
    /// What is in it.
    pub head: ResultHead,
}

/// One pair's trial that an orchestrator was killed in.
#[derive(Debug, Clone)]
pub struct Unfinished {
    /// Its folder.
    pub folder: PairFolder,
    /// The profile's name.
    pub profile: String,
    /// `tx0-rx0`.
    pub pair: String,
}

/// How far a profile is on a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A whole result that answers what is asked.
    Done,
    /// Nothing yet.
    Pending,
    /// A fault ended the last trial.
    Failed,
    /// Ctrl-C ended it.
    Interrupted,
    /// Its files are not whole.
    Damaged,
    /// It answers another question.
    Stale,
    /// The orchestrator was killed: to be recovered.
    Unfinished,
}

impl State {
    /// All of them.
    pub const ALL: [State; 7] = [
        State::Done,
        State::Pending,
        State::Failed,
        State::Interrupted,
        State::Damaged,
        State::Stale,
        State::Unfinished,
    ];

    /// For tables.
    pub fn word(self) -> &'static str {
        match self {
            State::Done => "done",
            State::Pending => "pending",
            State::Failed => "failed",
            State::Interrupted => "interrupted",
            State::Damaged => "damaged",
            State::Stale => "stale",
            State::Unfinished => "unfinished",
        }
    }
}

/// One profile on one pair.
#[derive(Debug, Clone)]
pub struct Cell {
    /// How far it is.
    pub state: State,
    /// Why it is not done.
    pub reason: Option<String>,
    /// The result that this was told by.
    pub found: Option<Found>,
}

impl Cell {
    fn new(state: State, reason: Option<String>, found: Option<&Found>) -> Cell {
        Cell { state, reason, found: found.cloned() }
    }
}

/// By entry, then by pair.
pub type Grid = Vec<BTreeMap<usize, Cell>>;

impl Scan {
    /// Reads the folder; one that is not there is empty.
    pub fn read(results: &Path) -> Result<Scan, ResultsError> {
        let mut scan = Scan::default();
        for trial in folders_in(results)? {
            let name = trial.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            // Backups and whatever else is there are nobody's trials.
            if ExpId::try_from(name).is_err() {
                continue;
            }
            for folder in folders_in(&trial)? {
                scan.take(folder);
            }
        }
        for found in scan.found.values_mut() {
            found.sort_by_key(|f| f.head.trial.started_unix_ns);
        }
        Ok(scan)
    }

    fn take(&mut self, folder: PathBuf) {
        let pair = PairFolder::at(&folder);
        if pair.is_unfinished() {
            match pair.record() {
                Ok(record) => {
                    let (profile, name) = (record.profile_name, record.pair);
                    self.unfinished.push(Unfinished { folder: pair, profile, pair: name });
                }
                Err(error) => self.unreadable.push(error.to_string()),
            }
            return;
        }
        match read_result(&folder) {
            Ok(Some(head)) => {
                let key = (head.trial.profile_name.clone(), head.trial.pair.clone());
                self.found.entry(key).or_default().push(Found { folder, head });
            }
            Ok(None) => {}
            Err(error) => self.unreadable.push(error.to_string()),
        }
    }

    /// Every result of a profile on a pair.
    pub fn of(&self, profile: &str, pair: usize) -> &[Found] {
        self.found.get(&(profile.to_owned(), pair_name(pair))).map_or(&[], Vec::as_slice)
    }

    /// How far every profile is on every pair of it.
    pub fn grid(&self, entries: &[Entry], asked: &Asked<'_>, journal: &Journal) -> Grid {
        let cell = |entry: &Entry, pair: usize| self.cell(entry, pair, asked, journal);
        entries
            .iter()
            .map(|entry| entry.pairs.keys().map(|pair| (*pair, cell(entry, *pair))).collect())
            .collect()
    }

    fn cell(&self, entry: &Entry, pair: usize, asked: &Asked<'_>, journal: &Journal) -> Cell {
        let name = pair_name(pair);
        let all = self.of(&entry.name, pair);
        let judged: Vec<Cell> = all.iter().map(|found| judge(entry, pair, asked, found)).collect();
        if let Some(done) = judged.iter().rev().find(|cell| cell.state == State::Done) {
            return done.clone();
        }
        if self.unfinished.iter().any(|u| u.profile == entry.name && u.pair == name) {
            return Cell::new(State::Unfinished, Some("its orchestrator was ended".to_owned()), None);
        }
        if let Some(last) = judged.last() {
            return last.clone();
        }
        match journal.failure(&entry.name, &name) {
            Some(failure) => Cell::new(State::Failed, Some(failure.reason.clone()), None),
            None => Cell::new(State::Pending, None, None),
        }
    }
}

fn judge(entry: &Entry, pair: usize, asked: &Asked<'_>, found: &Found) -> Cell {
    let head = &found.head;
    match head.status {
        Status::Failed => Cell::new(State::Failed, head.error.clone(), Some(found)),
        Status::Interrupted => {
            Cell::new(State::Interrupted, Some("it was stopped early".into()), Some(found))
        }
        Status::Complete => {
            if let Err(fault) = validate::files(&found.folder, head, SAMPLES_MIN) {
                return Cell::new(State::Damaged, Some(fault.to_string()), Some(found));
            }
            let planned = entry.pairs.get(&pair);
            match planned.and_then(|planned| asked.differs(&planned.loaded, &head.trial)) {
                Some(why) => Cell::new(State::Stale, Some(why), Some(found)),
                None => Cell::new(State::Done, None, Some(found)),
            }
        }
    }
}
