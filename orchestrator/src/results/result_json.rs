//! `result.json`: the whole truth about one pair's trial. It is written last: a pair whose folder has it is done.

use serde::Serialize;
use traffic::wire::{Ready, Sample, Summary};

use crate::collect::{Verdict, flow_books, verdict, warnings};
use crate::trial::{PairOutcome, Record, Status, Timing};

/// Of this file's own format.
pub const FORMAT: u32 = 1;

/// The file.
#[derive(Debug, Serialize)]
pub struct ResultFile<'a> {
    /// Of this file's own format.
    pub format: u32,
    /// How the trial ended.
    pub status: Status,
    /// Why it failed.
    pub error: Option<&'a str>,
    /// The figures.
    pub verdict: &'a Verdict,
    /// What a careful reader has to know.
    pub warnings: &'a [String],
    /// Where the time went; none when recovered from disk.
    pub timing: Option<Timing>,
    /// Specs, inventories, options: what was known before.
    pub trial: &'a Record,
    /// The sender.
    pub tx: SideFile<'a>,
    /// The receiver.
    pub rx: SideFile<'a>,
    /// The other files, by name.
    pub files: &'a [String],
}

/// One end.
#[derive(Debug, Serialize)]
pub struct SideFile<'a> {
    /// What came of its preparation.
    pub ready: Option<&'a Ready>,
    /// Its last word, with every core's counters, shards and extended statistics.
    pub summary: Option<&'a Summary>,
    /// Every sample, one a second.
    pub samples: &'a [Sample],
}

/// An outcome with what is made of it.
#[derive(Debug)]
pub struct Judged {
    /// As it came.
    pub outcome: PairOutcome,
    /// The figures.
    pub verdict: Verdict,
    /// What a careful reader has to know.
    pub warnings: Vec<String>,
}

impl Judged {
    /// Judges an outcome.
    pub fn of(mut outcome: PairOutcome) -> Judged {
        flow_books::settle(&mut outcome);
        let verdict = verdict::judge(&outcome);
        let warnings = warnings::collect(&outcome, &verdict);
        Judged { outcome, verdict, warnings }
    }

    /// As it is written.
    pub fn file<'a>(&'a self, files: &'a [String]) -> ResultFile<'a> {
        let outcome = &self.outcome;
        ResultFile {
            format: FORMAT,
            status: outcome.status,
            error: outcome.error.as_deref(),
            verdict: &self.verdict,
            warnings: &self.warnings,
            timing: outcome.timing,
            trial: &outcome.record,
            tx: side(&outcome.tx),
            rx: side(&outcome.rx),
            files,
        }
    }
}

fn side(side: &crate::trial::SideOutcome) -> SideFile<'_> {
    SideFile { ready: side.ready.as_ref(), summary: side.summary.as_ref(), samples: &side.samples }
}
