//! `trials`: one row a pair's trial, its final figures.

use traffic::wire::{Departures, Latency, Ready};

use super::fields::{Field, flag, int, real, text};
use crate::analysis::metric::loss_ratio;
use crate::collect::verdict::LossBasis;
use crate::results::names::line_time;
use crate::results::stored::Stored;
use crate::trial::{Record, SideOutcome, SideRecord, Status};

/// Its fields.
pub const TRIALS: &[Field<Stored>] = &[
    text("expid", "The trial", |s| Some(record(s).expid.to_string())),
    text("pair", "The pair: tx0-rx0", |s| Some(record(s).pair.clone())),
    text("profile", "The profile's name", |s| Some(record(s).profile_name.clone())),
    text("started_utc", "Start of the trial, UTC", |s| line_time(record(s).started_unix_ns).ok()),
    text("status", "complete, interrupted or failed", |s| Some(status(s.judged.outcome.status).to_owned())),
    text("error", "Why it failed", |s| s.judged.outcome.error.clone()),
    text("release", "Of the program that measured", |s| Some(record(s).release.clone())),
    text("lab", "local or kube", |s| Some(record(s).lab.clone())),
    text("tx_node", "The sender's machine", |s| Some(record(s).tx.node.clone())),
    text("rx_node", "The receiver's machine", |s| Some(record(s).rx.node.clone())),
    text("tx_device", "The sender's device, as asked", |s| Some(record(s).tx.spec.device.clone())),
    text("rx_device", "The receiver's device, as asked", |s| Some(record(s).rx.spec.device.clone())),
    text("tx_driver", "The sender's DPDK driver", |s| tx(s).map(|r| r.driver.clone())),
    text("rx_driver", "The receiver's DPDK driver", |s| rx(s).map(|r| r.driver.clone())),
    text("tx_dpdk", "The sender's DPDK release", |s| tx(s).map(|r| r.dpdk_version.clone())),
    text("rx_dpdk", "The receiver's DPDK release", |s| rx(s).map(|r| r.dpdk_version.clone())),
    text("tx_cpu", "The sender's kind of CPU", |s| known(&record(s).tx)),
    text("rx_cpu", "The receiver's kind of CPU", |s| known(&record(s).rx)),
    text("tx_cores", "CPUs of the sender's workers: 1-3", |s| cores(&s.judged.outcome.tx)),
    text("rx_cores", "CPUs of the receiver's workers", |s| cores(&s.judged.outcome.rx)),
    int("streams", "", "Streams of the profile", |s| Some(record(s).profile.streams.len() as u64)),
    int("frame_min_bytes", "bytes", "The profile's shortest frame, with FCS", |s| {
        sizes(s).map(|(min, _)| min)
    }),
    int("frame_max_bytes", "bytes", "The profile's longest frame, with FCS", |s| {
        sizes(s).map(|(_, max)| max)
    }),
    flag("round_trip", "The receiver sent everything back, and figures are of what came back", |s| {
        Some(s.judged.verdict.round_trip)
    }),
    real("duration_s", "s", "Asked for", |s| Some(record(s).duration_s)),
    real("rated_s", "s", "That all rates are over: of sending", |s| s.judged.verdict.rated_s),
    real("overhead_s", "s", "Of the trial, beside warm-up and sending", |s| {
        s.judged.outcome.timing.map(|t| t.overhead_s)
    }),
    int("warnings", "", "How many a careful reader has to know", |s| Some(s.judged.warnings.len() as u64)),
    real("requested_pps", "pps", "Asked of the port; none for the highest rate", |s| {
        s.judged.verdict.requested_pps
    }),
    real("offered_pps", "pps", "Due a second: sent and unsent", |s| Some(s.judged.verdict.offered_pps)),
    real("tx_pps", "pps", "Sent a second", |s| Some(s.judged.verdict.tx_pps)),
    real("rx_pps", "pps", "Received a second of the sender's time", |s| Some(s.judged.verdict.rx_pps)),
    real("rx_bps", "bps", "Bits received a second, frames with FCS (layer 2)", |s| {
        Some(s.judged.verdict.rx_bps)
    }),
    real("rx_l1_bps", "bps", "The same with preamble, delimiter and gap (layer 1)", |s| {
        Some(s.judged.verdict.rx_bps_l1)
    }),
    int("offered_packets", "packets", "Sent and unsent", |s| Some(s.judged.verdict.offered)),
    int("sent_packets", "packets", "What the sender's NIC took", |s| Some(s.judged.verdict.sent)),
    int("unsent_packets", "packets", "Due, but not taken by the NIC", |s| Some(s.judged.verdict.unsent)),
    int("received_packets", "packets", "Distinct marked frames; all, where they carry no mark", |s| {
        Some(s.judged.verdict.received)
    }),
    int("lost_packets", "packets", "Sent but not received", |s| s.judged.verdict.lost),
    real("loss_ratio", "ratio", "Lost of all sent, 0 to 1", |s| loss_ratio(&s.judged.verdict)),
    text("loss_basis", "What the loss was counted from: sequence, receiver_gaps or not_measured", |s| {
        Some(basis(s.judged.verdict.loss_basis).to_owned())
    }),
    int("reordered_packets", "packets", "Came after a higher number", |s| Some(s.judged.verdict.reordered)),
    int("duplicated_packets", "packets", "Copies, beyond the first", |s| Some(s.judged.verdict.duplicated)),
    int("invalid_packets", "packets", "Marked as ours but impossible", |s| Some(s.judged.verdict.invalid)),
    int("too_late_packets", "packets", "Too late to be told from copies; counted as lost", |s| {
        Some(s.judged.verdict.too_late)
    }),
    int("foreign_packets", "packets", "Not of this trial", |s| Some(s.judged.verdict.foreign)),
    int("asked_flows", "flows", "Distinct flows of the profile", |s| s.judged.verdict.flows_asked),
    int("seen_flows", "flows", "Distinct flows that arrived", |s| s.judged.verdict.flows_seen),
    text("latency_clock", "The clock that both times of a latency are of", |s| {
        latency(s).map(|l| l.clock.clone())
    }),
    int("latency_clock_error_ns", "ns", "How much the clocks may differ, as stated", |s| {
        latency(s).and_then(|l| l.clock_error_ns)
    }),
    int("timed_packets", "packets", "Whose latency was measured", |s| latency(s).map(|l| l.count)),
    int("min_ns", "ns", "Lowest latency", |s| latency(s).map(|l| l.min_ns)),
    real("mean_ns", "ns", "Mean latency", |s| latency(s).map(|l| l.mean_ns)),
    int("p50_ns", "ns", "Median latency", |s| latency(s).map(|l| l.p50_ns)),
    int("p90_ns", "ns", "90th percentile of latency", |s| latency(s).map(|l| l.p90_ns)),
    int("p99_ns", "ns", "99th percentile of latency", |s| latency(s).map(|l| l.p99_ns)),
    int("p999_ns", "ns", "99.9th percentile of latency", |s| latency(s).map(|l| l.p99_9_ns)),
    int("p9999_ns", "ns", "99.99th percentile of latency", |s| latency(s).map(|l| l.p99_99_ns)),
    int("max_ns", "ns", "Highest latency", |s| latency(s).map(|l| l.max_ns)),
    real("jitter_ns", "ns", "Interarrival jitter (RFC 3550) at the end", |s| latency(s).map(|l| l.jitter_ns)),
    int("departure_p50_ns", "ns", "Half of the frames left no later than so much behind their time", |s| {
        departures(s).map(|d| d.p50_ns)
    }),
    int("departure_p99_ns", "ns", "99 of 100 did", |s| departures(s).map(|d| d.p99_ns)),
    int("departure_max_ns", "ns", "All did", |s| departures(s).map(|d| d.max_ns)),
];

fn record(stored: &Stored) -> &Record {
    &stored.judged.outcome.record
}

fn tx(stored: &Stored) -> Option<&Ready> {
    stored.judged.outcome.tx.ready.as_ref()
}

fn rx(stored: &Stored) -> Option<&Ready> {
    stored.judged.outcome.rx.ready.as_ref()
}

fn known(side: &SideRecord) -> Option<String> {
    Some(side.inventory.cpu_model.clone()).filter(|model| !model.is_empty())
}

fn cores(side: &SideOutcome) -> Option<String> {
    side.ready.as_ref().map(|ready| crate::show::cpu_list(&ready.worker_cpus))
}

/// Of a replay nobody knows without its capture.
fn sizes(stored: &Stored) -> Option<(u64, u64)> {
    let bounds = || record(stored).profile.streams.iter().map(|stream| stream.frame_size.bounds());
    let wide = |size: traffic::units::FrameSize| u64::from(u32::from(size));
    Some((wide(bounds().map(|b| b.0).min()?), wide(bounds().map(|b| b.1).max()?)))
}

fn latency(stored: &Stored) -> Option<&Latency> {
    stored.judged.verdict.latency.as_ref()
}

fn departures(stored: &Stored) -> Option<&Departures> {
    stored.judged.verdict.departures.as_ref()
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Complete => "complete",
        Status::Interrupted => "interrupted",
        Status::Failed => "failed",
    }
}

fn basis(basis: LossBasis) -> &'static str {
    match basis {
        LossBasis::Sequence => "sequence",
        LossBasis::ReceiverGaps => "receiver_gaps",
        LossBasis::NotMeasured => "not_measured",
    }
}
