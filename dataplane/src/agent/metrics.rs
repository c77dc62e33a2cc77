//! `/metrics`: the newest sample of each run as OpenMetrics text. Rates are the reader's to make: all
//! counters are cumulative.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use traffic::wire::{Account, CoreCounters, Latency, PortStats, RunState, RunStatus, Sample, StreamCounters};

use super::run::Run;

/// As OpenMetrics says it.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// One number of `T`: the family's name (its unit last), its help, and where it stands.
struct Family<T> {
    name: &'static str,
    unit: &'static str,
    help: &'static str,
    get: fn(&T) -> u64,
}

const fn packets<T>(name: &'static str, help: &'static str, get: fn(&T) -> u64) -> Family<T> {
    Family { name, unit: "packets", help, get }
}

const fn bytes<T>(name: &'static str, help: &'static str, get: fn(&T) -> u64) -> Family<T> {
    Family { name, unit: "bytes", help, get }
}

const fn calls<T>(name: &'static str, help: &'static str, get: fn(&T) -> u64) -> Family<T> {
    Family { name, unit: "calls", help, get }
}

const CORE: &[Family<CoreCounters>] = &[
    packets("core_tx_packets", "Frames that the NIC took from this worker", |c| c.tx_packets),
    bytes("core_tx_bytes", "Their bytes, without FCS", |c| c.tx_bytes),
    packets("core_unsent_packets", "Frames that were due and that the NIC did not take", |c| {
        c.unsent_packets
    }),
    packets("core_rx_packets", "Frames that this worker received", |c| c.rx_packets),
    bytes("core_rx_bytes", "Their bytes, without FCS", |c| c.rx_bytes),
    calls("core_burst_calls", "Driver calls that sent or brought a frame", |c| c.bursts),
    calls("core_idle_calls", "Driver calls that took or brought nothing", |c| c.idle_polls),
    packets("core_responded_arp_packets", "ARP requests answered", |c| c.responded.arp),
    packets("core_responded_icmp_packets", "ICMP and ICMPv6 echo requests answered", |c| c.responded.icmp),
    packets("core_responded_ndp_packets", "Neighbour solicitations answered", |c| c.responded.ndp),
    packets("core_announced_packets", "Gratuitous ARPs and unsolicited advertisements", |c| {
        c.responded.announced
    }),
];

const PORT: &[Family<PortStats>] = &[
    packets("port_rx_packets", "Frames the NIC received (ipackets)", |p| p.ipackets),
    packets("port_tx_packets", "Frames the NIC sent (opackets)", |p| p.opackets),
    bytes("port_rx_bytes", "Bytes the NIC received (ibytes)", |p| p.ibytes),
    bytes("port_tx_bytes", "Bytes the NIC sent (obytes)", |p| p.obytes),
    packets("port_rx_missed_packets", "Frames the NIC dropped as its queues were full (imissed)", |p| {
        p.imissed
    }),
    packets("port_rx_error_packets", "Broken frames received (ierrors)", |p| p.ierrors),
    packets("port_tx_error_packets", "Frames that failed to be sent (oerrors)", |p| p.oerrors),
    packets("port_rx_no_mbuf_packets", "Frames without a buffer (rx_nombuf)", |p| p.rx_nombuf),
];

const ACCOUNT: &[Family<Account>] = &[
    packets("received_packets", "Marked frames of this run, each counted once", |a| a.received),
    packets("reordered_packets", "Came after a higher number of their shard", |a| a.reordered),
    packets("duplicated_packets", "Copies of frames that had come before", |a| a.duplicated),
    packets("invalid_packets", "Marked as ours but impossible", |a| a.invalid),
    packets("too_late_packets", "Too late to tell a late frame from a copy", |a| a.too_late),
    packets("foreign_arp_packets", "Not ours: ARP", |a| a.foreign_arp),
    packets("foreign_ipv4_packets", "Not ours: IPv4", |a| a.foreign_ipv4),
    packets("foreign_ipv6_packets", "Not ours: IPv6", |a| a.foreign_ipv6),
    packets("foreign_lldp_packets", "Not ours: LLDP", |a| a.foreign_lldp),
    packets("foreign_other_packets", "Not ours: anything else", |a| a.foreign_other),
    packets("foreign_tagged_packets", "Of all that is not ours: with VLAN tags", |a| a.foreign_tagged),
    packets("foreign_broadcast_packets", "Of all that is not ours: to everybody", |a| a.foreign_broadcast),
    packets("foreign_multicast_packets", "Of all that is not ours: to a group", |a| a.foreign_multicast),
];

const STREAM: &[Family<StreamCounters>] = &[
    packets("stream_received_packets", "Marked frames of this stream, each counted once", |s| s.received),
    packets("stream_reordered_packets", "Came after a higher number of their shard", |s| s.reordered),
    packets("stream_duplicated_packets", "Copies of frames that had come before", |s| s.duplicated),
];

/// One run, read once, so that all its numbers are of one moment.
struct Row {
    status: RunStatus,
    sample: Option<Sample>,
    stray_lines: u64,
    labels: String,
}

/// The whole page.
pub fn render(runs: &[Arc<Run>]) -> String {
    let rows: Vec<Row> = runs
        .iter()
        .map(|run| {
            let status = run.status();
            // Ids are made of a-z 0-9 - _ and roles of letters: nothing to escape.
            let labels =
                format!("run=\"{}\",role=\"{}\"", status.id, format!("{:?}", status.role).to_lowercase());
            let stray_lines = run.stray_lines.load(Ordering::Relaxed);
            Row { status, sample: run.latest_sample(), stray_lines, labels }
        })
        .collect();
    let mut page = Page::default();
    page.head("agent", "info", None, "This agent");
    let (release, wire) = (env!("CARGO_PKG_VERSION"), traffic::wire::VERSION);
    page.value("agent_info", &format!("release=\"{release}\",wire_version=\"{wire}\""), 1);
    run_families(&mut page, &rows);
    for family in CORE {
        page.head(family.name, "counter", Some(family.unit), family.help);
        for (labels, sample) in samples(&rows) {
            for (worker, core) in sample.cores.iter().enumerate() {
                let labels = format!("{labels},worker=\"{worker}\",cpu=\"{}\"", core.cpu);
                page.value(&format!("{}_total", family.name), &labels, (family.get)(core));
            }
        }
    }
    page.counters(PORT, samples(&rows).map(|(labels, sample)| (labels, &sample.port)));
    driver_family(&mut page, &rows);
    stream_families(&mut page, &rows);
    let accounts = || samples(&rows).filter_map(|(labels, sample)| Some((labels, sample.account.as_ref()?)));
    page.counters(ACCOUNT, accounts());
    // These two may fall again: a late frame is no longer lost.
    page.head(
        "lost_packets",
        "gauge",
        Some("packets"),
        "Numbers up to the highest seen that have not come (yet)",
    );
    accounts().for_each(|(labels, account)| page.value("lost_packets", labels, account.lost));
    page.head("seen_flows", "gauge", Some("flows"), "Distinct flows seen");
    for (labels, account) in accounts() {
        account.flows_seen.into_iter().for_each(|flows| page.value("seen_flows", labels, flows));
    }
    latency_families(&mut page, samples(&rows).filter_map(|(labels, s)| Some((labels, s.latency.as_ref()?))));
    page.0.push_str("# EOF\n");
    page.0
}

fn samples(rows: &[Row]) -> impl Iterator<Item = (&str, &Sample)> {
    rows.iter().filter_map(|row| Some((row.labels.as_str(), row.sample.as_ref()?)))
}

/// The driver's own statistics, most of them a queue's, under its names. What each counts is the driver's to say, so
/// they are of no type.
fn driver_family(page: &mut Page, rows: &[Row]) {
    page.head("port_driver_statistic", "unknown", None, "The driver's extended statistics that are not zero");
    for (labels, sample) in samples(rows) {
        for (name, value) in &sample.xstats {
            let labels = format!("{labels},name=\"{}\"", escaped(name));
            page.value("port_driver_statistic", &labels, value);
        }
    }
}

/// What drivers call their numbers is not ours to trust.
fn escaped(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .flat_map(|c| matches!(c, '"' | '\\').then_some('\\').into_iter().chain([c]))
        .collect()
}

fn stream_families(page: &mut Page, rows: &[Row]) {
    let streams: Vec<(String, &StreamCounters)> = samples(rows)
        .flat_map(|(labels, sample)| {
            sample.streams.iter().map(move |s| (format!("{labels},stream=\"{}\"", s.stream), s))
        })
        .collect();
    page.counters(STREAM, streams.iter().map(|(labels, stream)| (labels.as_str(), *stream)));
    page.head("stream_lost_packets", "gauge", Some("packets"), "As lost_packets, of this stream");
    streams.iter().for_each(|(labels, stream)| page.value("stream_lost_packets", labels, stream.lost));
    page.head(
        "stream_tx_packets",
        "counter",
        Some("packets"),
        "Frames sent of this stream, once the run is done",
    );
    for row in rows {
        let mut sent: BTreeMap<u16, u64> = BTreeMap::new();
        for shard in row.status.summary.iter().flat_map(|summary| &summary.tx_shards) {
            *sent.entry(shard.stream).or_default() += shard.sent;
        }
        for (stream, sent) in
            sent.into_iter().filter(|(stream, _)| usize::from(*stream) < Sample::STREAMS_MAX)
        {
            page.value("stream_tx_packets_total", &format!("{},stream=\"{stream}\"", row.labels), sent);
        }
    }
}

fn run_families(page: &mut Page, rows: &[Row]) {
    page.head("run_state", "stateset", None, "Where each run is");
    let states = [
        (RunState::Preparing, "preparing"),
        (RunState::Ready, "ready"),
        (RunState::Running, "running"),
        (RunState::Sent, "sent"),
        (RunState::Stopping, "stopping"),
        (RunState::Done, "done"),
        (RunState::Failed, "failed"),
    ];
    for row in rows {
        for (state, name) in states {
            // A state set's own label has the family's whole name.
            let labels = format!("{},dpdkbench_run_state=\"{name}\"", row.labels);
            page.value("run_state", &labels, u64::from(row.status.state == state));
        }
    }
    page.head("run_samples", "counter", Some("samples"), "Samples taken");
    rows.iter().for_each(|row| page.value("run_samples_total", &row.labels, row.status.samples));
    page.head(
        "run_stray_lines",
        "counter",
        Some("lines"),
        "Lines of the engine that were no events and were ignored",
    );
    rows.iter().for_each(|row| page.value("run_stray_lines_total", &row.labels, row.stray_lines));
}

fn latency_families<'a>(page: &mut Page, all: impl Iterator<Item = (&'a str, &'a Latency)>) {
    let seconds = |ns: u64| ns as f64 / 1e9;
    let (mut quantiles, mut jitter) = (Page::default(), Page::default());
    quantiles.head(
        "latency_seconds",
        "summary",
        Some("seconds"),
        "One-way latency since the start of the run",
    );
    jitter.head("jitter_seconds", "gauge", Some("seconds"), "RFC 3550 interarrival jitter");
    for (labels, latency) in all {
        let points = [
            ("0", latency.min_ns),
            ("0.5", latency.p50_ns),
            ("0.9", latency.p90_ns),
            ("0.99", latency.p99_ns),
            ("0.999", latency.p99_9_ns),
            ("0.9999", latency.p99_99_ns),
            ("1", latency.max_ns),
        ];
        for (quantile, ns) in points {
            quantiles.value("latency_seconds", &format!("{labels},quantile=\"{quantile}\""), seconds(ns));
        }
        quantiles.value("latency_seconds_count", labels, latency.count);
        quantiles.value("latency_seconds_sum", labels, latency.mean_ns * latency.count as f64 / 1e9);
        jitter.value("jitter_seconds", labels, latency.jitter_ns / 1e9);
    }
    page.0.push_str(&quantiles.0);
    page.0.push_str(&jitter.0);
}

/// Text in the making. Writing to a string can't fail, which is why results are let go.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, unit: Option<&str>, help: &str) {
        let _ = writeln!(self.0, "# TYPE dpdkbench_{name} {kind}");
        if let Some(unit) = unit {
            let _ = writeln!(self.0, "# UNIT dpdkbench_{name} {unit}");
        }
        let _ = writeln!(self.0, "# HELP dpdkbench_{name} {help}.");
    }

    fn value(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "dpdkbench_{name}{{{labels}}} {value}");
    }

    fn counters<'a, T: 'a>(&mut self, families: &[Family<T>], rows: impl Iterator<Item = (&'a str, &'a T)>) {
        let rows: Vec<_> = rows.collect();
        for family in families {
            self.head(family.name, "counter", Some(family.unit), family.help);
            rows.iter().for_each(|(labels, row)| {
                self.value(&format!("{}_total", family.name), labels, (family.get)(row));
            });
        }
    }
}
