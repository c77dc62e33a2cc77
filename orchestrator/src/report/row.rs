//! One pair's result as a row: every figure of the summary.

use serde::Serialize;
use traffic::units::FCS_BYTES;
use traffic::wire::Latency;

use super::figures::Line;
use super::series::{self, Range};
use crate::analysis::metric::loss_ratio;
use crate::results::ResultsError;
use crate::results::names::line_time;
use crate::results::stored::Stored;
use crate::trial::Status;

/// The row.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The trial.
    pub expid: String,
    /// When it began, UTC.
    pub started: String,
    /// The profile's name.
    pub profile: String,
    /// `tx0-rx0`.
    pub pair: String,
    /// The pair's folder.
    pub folder: String,
    /// How it ended.
    pub status: Status,
    /// Why it failed.
    pub error: Option<String>,
    /// Seconds that were asked for.
    pub duration_s: f64,
    /// Sizes of frames with FCS, in words.
    pub frame_sizes: String,
    /// Mean bytes of the frames that were sent, with FCS.
    pub frame_bytes: f64,
    /// Flows asked for, and seen.
    pub flows: Option<u64>,
    /// Distinct flows that arrived.
    pub flows_seen: Option<u64>,
    /// Packets a second asked for; none for as many as possible.
    pub requested_pps: Option<f64>,
    /// Sent + unsent.
    pub offered: u64,
    /// What the sender's port took.
    pub sent: u64,
    /// Distinct marked frames.
    pub received: u64,
    /// None where it was not measured.
    pub lost: Option<u64>,
    /// Of those sent.
    pub loss_percent: Option<f64>,
    /// Came after a higher number of their shard.
    pub reordered: u64,
    /// Copies, beyond the first.
    pub duplicated: u64,
    /// Sent a second.
    pub tx_pps: Range,
    /// Received a second.
    pub rx_pps: Range,
    /// Received, frames with FCS (layer 2).
    pub rx_gbps: f64,
    /// The same with preamble, delimiter and gap (layer 1).
    pub rx_gbps_l1: f64,
    /// The link, Gbit/s.
    pub link_gbps: Option<f64>,
    /// Frames of this size that the link carries a second.
    pub line_rate_pps: Option<f64>,
    /// Received of that.
    pub line_share_percent: Option<f64>,
    /// One-way, or there and back.
    pub latency: Option<Latency>,
    /// Whether everything came back to the sender.
    pub round_trip: bool,
    /// Share of departures within 256 ns of their due time, percent.
    pub punctual_percent: Option<f64>,
    /// Workers of the sender and of the receiver.
    pub workers: [usize; 2],
}

/// Of one result.
pub fn row(stored: &Stored, line: &Line) -> Result<Row, ResultsError> {
    let (outcome, v) = (&stored.judged.outcome, &stored.judged.verdict);
    let record = &outcome.record;
    let frame_bytes = frame_bytes(stored);
    let link_gbps = line.gbps(stored);
    let line_rate_pps = link_gbps.filter(|_| frame_bytes > 0.0).map(|gbps| line.pps(gbps, frame_bytes));
    let workers = |side: &crate::trial::SideOutcome| side.ready.as_ref().map_or(0, |r| r.worker_cpus.len());
    Ok(Row {
        expid: record.expid.to_string(),
        started: line_time(record.started_unix_ns)?,
        profile: record.profile_name.clone(),
        pair: record.pair.clone(),
        folder: stored.folder.display().to_string(),
        status: outcome.status,
        error: outcome.error.clone(),
        duration_s: record.duration_s,
        frame_sizes: frame_sizes(stored),
        frame_bytes,
        flows: v.flows_asked,
        flows_seen: v.flows_seen,
        requested_pps: v.requested_pps,
        offered: v.offered,
        sent: v.sent,
        received: v.received,
        lost: v.lost,
        loss_percent: loss_ratio(v).map(|ratio| ratio * 100.0),
        reordered: v.reordered,
        duplicated: v.duplicated,
        tx_pps: series::sent(stored).range(v.tx_pps),
        rx_pps: series::received(stored).range(v.rx_pps),
        rx_gbps: v.rx_bps / 1e9,
        rx_gbps_l1: v.rx_bps_l1 / 1e9,
        link_gbps,
        line_rate_pps,
        line_share_percent: line_rate_pps.map(|line| v.rx_pps / line * 100.0),
        latency: v.latency.clone(),
        round_trip: v.round_trip,
        punctual_percent: v.departures.as_ref().map(|d| d.within_256_ns * 100.0),
        workers: [workers(&outcome.tx), workers(&outcome.rx)],
    })
}

/// Mean of what was really sent; of the profile, where nothing was.
fn frame_bytes(stored: &Stored) -> f64 {
    let outcome = &stored.judged.outcome;
    let totals = outcome.tx.summary.as_ref().map(|s| &s.totals).or(outcome.tx.samples.last());
    let cores = totals.map_or(&[][..], |t| &t.cores);
    let (frames, bytes) = cores.iter().fold((0, 0), |(f, b), core| (f + core.tx_packets, b + core.tx_bytes));
    if frames > 0 {
        return bytes as f64 / frames as f64 + f64::from(FCS_BYTES);
    }
    let streams = &outcome.record.profile.streams;
    let means = streams.iter().map(|s| s.frame_size.mean_mbuf_bytes() + f64::from(FCS_BYTES));
    means.sum::<f64>() / streams.len().max(1) as f64
}

/// `64`, `64 to 1518`, `replay`.
fn frame_sizes(stored: &Stored) -> String {
    let bounds = stored.judged.outcome.record.profile.streams.iter().map(|s| s.frame_size.bounds());
    let bytes = bounds.map(|(low, high)| (u32::from(low), u32::from(high)));
    match bytes.reduce(|(a, b), (low, high)| (a.min(low), b.max(high))) {
        None => "replay".to_owned(),
        Some((low, high)) if low == high => low.to_string(),
        Some((low, high)) => format!("{low} to {high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::groups::tests::stored;

    #[test]
    fn figures_are_the_verdicts_and_the_links() {
        let line = Line { speed_gbps: Some(10.0), overhead_bytes: 20 };
        let row = row(&stored(|_| {}), &line).unwrap();
        assert_eq!((row.sent, row.lost, row.loss_percent), (1000, Some(0), Some(0.0)));
        assert_eq!((row.frame_sizes.as_str(), row.frame_bytes), ("64", 64.0));
        assert_eq!(row.line_rate_pps.unwrap().round(), 14_880_952.0);
        assert!((row.line_share_percent.unwrap() - 0.00672).abs() < 1e-9);
        assert_eq!(row.started, "2025-03-21T05:17:53");
        assert_eq!(row.rx_pps, Range { min: 1000.0, mean: 1000.0, max: 1000.0 });
    }
}
