//! Final figures as the Open Traffic Generator API answers `get_metrics`: one response a line, first of flows, then of
//! ports. A stream is a flow there.

use serde::Serialize;
use traffic::units::FCS_BYTES;
use traffic::wire::{CoreCounters, Latency, Sample};

use crate::collect::Verdict;
use crate::collect::streams::StreamVerdict;
use crate::results::stored::Stored;
use crate::trial::{SideOutcome, SideRecord};

/// One response.
#[derive(Debug, Serialize)]
#[serde(tag = "choice", rename_all = "snake_case")]
enum Response {
    FlowMetrics { flow_metrics: Vec<Flow> },
    PortMetrics { port_metrics: Vec<Port> },
}

#[derive(Debug, Serialize)]
struct Flow {
    name: String,
    port_tx: String,
    port_rx: String,
    transmit: &'static str,
    frames_tx: u64,
    frames_rx: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_tx: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_rx: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames_tx_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames_rx_rate: Option<f64>,
    /// Percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<Nanoseconds>,
}

#[derive(Debug, Serialize)]
struct Nanoseconds {
    minimum_ns: f64,
    maximum_ns: f64,
    average_ns: f64,
}

#[derive(Debug, Serialize)]
struct Port {
    name: String,
    location: String,
    link: &'static str,
    capture: &'static str,
    transmit: &'static str,
    frames_tx: u64,
    frames_rx: u64,
    bytes_tx: u64,
    bytes_rx: u64,
    frames_tx_rate: f64,
    frames_rx_rate: f64,
    bytes_tx_rate: f64,
    bytes_rx_rate: f64,
}

/// Both responses, a line each.
pub fn text(results: &[Stored]) -> Result<String, serde_json::Error> {
    let flow_metrics = results.iter().flat_map(flows).collect();
    let port_metrics = results.iter().flat_map(ports).collect();
    let flows = serde_json::to_string(&Response::FlowMetrics { flow_metrics })?;
    let ports = serde_json::to_string(&Response::PortMetrics { port_metrics })?;
    Ok(format!("{flows}\n{ports}\n"))
}

fn flows(stored: &Stored) -> Vec<Flow> {
    let (verdict, outcome) = (&stored.judged.verdict, &stored.judged.outcome);
    if !verdict.streams.is_empty() {
        return verdict.streams.iter().map(|stream| of_stream(stored, stream)).collect();
    }
    let (tx, rx) = (totals(&outcome.tx), totals(outcome.books()));
    // What was booked may be less than what came in: foreign frames and copies are no flow's.
    let bytes_rx = rx.filter(|rx| sum(rx, |c| c.rx_packets) == verdict.received).map(bytes_in);
    vec![Flow {
        bytes_tx: tx.map(bytes_out),
        bytes_rx,
        frames_tx_rate: Some(verdict.tx_pps),
        frames_rx_rate: Some(verdict.rx_pps),
        loss: loss(verdict.lost, verdict.sent),
        latency: verdict.latency.as_ref().map(nanoseconds),
        ..bare(stored, String::new(), verdict.sent, verdict.received)
    }]
}

fn of_stream(stored: &Stored, stream: &StreamVerdict) -> Flow {
    let Verdict { rated_s, .. } = stored.judged.verdict;
    let rate = |frames: u64| rated_s.filter(|s| *s > 0.0).map(|s| frames as f64 / s);
    Flow {
        frames_tx_rate: rate(stream.sent),
        frames_rx_rate: rate(stream.received),
        loss: (!stream.unmarked).then(|| loss(Some(stream.lost), stream.sent)).flatten(),
        latency: stream.latency.as_ref().map(nanoseconds),
        ..bare(stored, format!(" stream {}", stream.stream), stream.sent, stream.received)
    }
}

fn bare(stored: &Stored, part: String, frames_tx: u64, frames_rx: u64) -> Flow {
    let record = &stored.judged.outcome.record;
    // Of a round trip the sender's port is where frames arrive.
    let arrives = if stored.judged.verdict.round_trip { &record.tx } else { &record.rx };
    Flow {
        name: format!("{}/{} {}{part}", record.expid, record.pair, record.profile_name),
        port_tx: port_name(stored, &record.tx),
        port_rx: port_name(stored, arrives),
        transmit: "stopped",
        frames_tx,
        frames_rx,
        bytes_tx: None,
        bytes_rx: None,
        frames_tx_rate: None,
        frames_rx_rate: None,
        loss: None,
        latency: None,
    }
}

fn ports(stored: &Stored) -> Vec<Port> {
    let outcome = &stored.judged.outcome;
    let ends = [(&outcome.record.tx, &outcome.tx), (&outcome.record.rx, &outcome.rx)];
    ends.into_iter().filter_map(|(record, side)| port(stored, record, side)).collect()
}

/// By our own counters, which tell answers for the port's own addresses from traffic.
fn port(stored: &Stored, record: &SideRecord, side: &SideOutcome) -> Option<Port> {
    let totals = totals(side)?;
    let seconds = stored.judged.verdict.rated_s.unwrap_or(totals.elapsed_ns as f64 / 1e9);
    let rate = |n: u64| if seconds > 0.0 { n as f64 / seconds } else { 0.0 };
    let (frames_tx, frames_rx) = (sum(totals, |c| c.tx_packets), sum(totals, |c| c.rx_packets));
    let (bytes_tx, bytes_rx) = (bytes_out(totals), bytes_in(totals));
    Some(Port {
        name: port_name(stored, record),
        location: record.spec.device.clone(),
        link: if side.ready.as_ref().is_some_and(|r| r.link_up) { "up" } else { "down" },
        capture: "stopped",
        transmit: "stopped",
        frames_tx,
        frames_rx,
        bytes_tx,
        bytes_rx,
        frames_tx_rate: rate(frames_tx),
        frames_rx_rate: rate(frames_rx),
        bytes_tx_rate: rate(bytes_tx),
        bytes_rx_rate: rate(bytes_rx),
    })
}

fn port_name(stored: &Stored, side: &SideRecord) -> String {
    format!("{}/{}", stored.judged.outcome.record.expid, side.pod)
}

fn totals(side: &SideOutcome) -> Option<&Sample> {
    side.summary.as_ref().map(|s| &s.totals).or(side.samples.last())
}

fn sum(sample: &Sample, pick: fn(&CoreCounters) -> u64) -> u64 {
    sample.cores.iter().map(pick).sum()
}

/// A generator's bytes are those of the frame, with its FCS.
fn bytes_out(sample: &Sample) -> u64 {
    sum(sample, |c| c.tx_bytes + c.tx_packets * u64::from(FCS_BYTES))
}

fn bytes_in(sample: &Sample) -> u64 {
    sum(sample, |c| c.rx_bytes + c.rx_packets * u64::from(FCS_BYTES))
}

fn loss(lost: Option<u64>, sent: u64) -> Option<f64> {
    (sent > 0).then_some(lost? as f64 * 100.0 / sent as f64)
}

fn nanoseconds(latency: &Latency) -> Nanoseconds {
    Nanoseconds {
        minimum_ns: latency.min_ns as f64,
        maximum_ns: latency.max_ns as f64,
        average_ns: latency.mean_ns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::groups::tests::stored;
    use serde_json::Value;

    #[test]
    fn flows_and_ports_are_a_response_each() {
        let text = text(&[stored(|_| {})]).unwrap();
        let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let flow = &lines[0]["flow_metrics"][0];
        assert_eq!(lines[0]["choice"], "flow_metrics");
        assert_eq!((&flow["frames_tx"], &flow["frames_rx"]), (&Value::from(1000), &Value::from(1000)));
        assert_eq!((&flow["bytes_tx"], &flow["loss"]), (&Value::from(64_000), &Value::from(0.0)));
        assert_eq!(lines[1]["choice"], "port_metrics");
        assert_eq!(lines[1]["port_metrics"][1]["frames_rx"], 1000);
        assert_eq!(flow["port_rx"], lines[1]["port_metrics"][1]["name"]);
    }
}
