//! Charts: what is drawn of results, and how.

pub mod drawing;
mod latency;
mod load;
mod pacing;
mod palette;
pub mod png;
mod search;
mod shape;
mod throughput;
mod time;

use serde::Serialize;
pub use shape::{Axis, Chart, Kind, Point, Series};

use super::ReportError;
use super::figures::Line;
use super::model::CHARTED_MAX;
use super::searches::Searches;
use crate::analysis::Group;

/// A chart as it goes into a report.
#[derive(Debug, Clone, Serialize)]
pub struct Drawn {
    /// Of its file, unique in a report.
    pub id: String,
    /// Above it.
    pub title: String,
    /// Below it: what is shown, of which results.
    pub caption: String,
    /// Points that are drawn.
    pub points: usize,
    /// The picture.
    #[serde(skip)]
    pub svg: String,
}

/// Every chart of these results: of searches, of all results together, then of the newest result of each group.
pub fn all(groups: &[Group<'_>], searches: &Searches, line: &Line) -> Result<Vec<Drawn>, ReportError> {
    let mut charts: Vec<Chart> = search::charts(searches);
    charts.extend(throughput::charts(groups, line));
    for (place, group) in groups.iter().take(CHARTED_MAX).enumerate() {
        let Some(newest) = group.newest() else { continue };
        let of = |name: &str| format!("{place:03}-{name}");
        charts.extend(time::chart(newest, of("rate")));
        charts.extend(latency::charts(newest, &of));
        charts.extend(load::charts(newest, &of));
        charts.extend(pacing::chart(newest, of("pacing")));
    }
    charts.iter().map(drawing::draw).collect()
}

/// `udp_64 on tx0-rx0, trial 0badcafe`.
fn of_result(stored: &crate::results::stored::Stored) -> String {
    let record = &stored.judged.outcome.record;
    format!("{} on {}, trial {}", record.profile_name, record.pair, record.expid)
}
