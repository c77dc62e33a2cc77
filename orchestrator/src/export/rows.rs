//! The rows of the three tables, and what their fields are taken from.

use traffic::units::FCS_BYTES;
use traffic::wire::{Account, CoreCounters, Latency, PortStats, Sample};

use super::fields::{Field, Head, Value, flag, int, real, text};
pub use super::trial_fields::TRIALS;
use crate::results::stored::Stored;
use crate::trial::SideOutcome;

/// One sample of one end.
#[derive(Debug)]
pub struct SampleRow {
    expid: String,
    pair: String,
    end: &'static str,
    last_word: bool,
    sample: Sample,
    /// Nanoseconds since the sample before, or the start.
    interval_ns: u64,
    before: Totals,
    now: Totals,
}

/// One core in one sample.
#[derive(Debug)]
pub struct CoreRow {
    expid: String,
    pair: String,
    end: &'static str,
    n: u64,
    unix_ns: u64,
    elapsed_ns: u64,
    interval_ns: u64,
    before: CoreCounters,
    now: CoreCounters,
}

/// Our own counters over all cores.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    tx_packets: u64,
    tx_bytes: u64,
    unsent_packets: u64,
    rx_packets: u64,
    rx_bytes: u64,
}

impl Totals {
    fn of(sample: &Sample) -> Totals {
        let sum = |pick: fn(&CoreCounters) -> u64| sample.cores.iter().map(pick).sum();
        Totals {
            tx_packets: sum(|c| c.tx_packets),
            tx_bytes: sum(|c| c.tx_bytes),
            unsent_packets: sum(|c| c.unsent_packets),
            rx_packets: sum(|c| c.rx_packets),
            rx_bytes: sum(|c| c.rx_bytes),
        }
    }
}

/// `samples`: one row a sample and end.
pub const SAMPLES: &[Field<SampleRow>] = &[
    text("expid", "The trial", |r| Some(r.expid.clone())),
    text("pair", "The pair: tx0-rx0", |r| Some(r.pair.clone())),
    text("end", "tx or rx", |r| Some(r.end.to_owned())),
    int("n", "", "Number of the sample in its run, from 0", |r| Some(r.sample.n)),
    flag("last_word", "The engine's last word, when its cores had stopped", |r| Some(r.last_word)),
    int("sampled_unix_ns", "ns", "Wall clock, since 1970", |r| Some(r.sample.unix_ns)),
    real("elapsed_s", "s", "Since the start of the run at this end", |r| Some(seconds(r.sample.elapsed_ns))),
    real("interval_s", "s", "That the rates of this row are over", |r| Some(seconds(r.interval_ns))),
    real("tx_pps", "pps", "Sent a second", |r| rate(r, |t| t.tx_packets)),
    real("unsent_pps", "pps", "Due but not sent, a second", |r| rate(r, |t| t.unsent_packets)),
    real("rx_pps", "pps", "Received a second, of any kind", |r| rate(r, |t| t.rx_packets)),
    real("tx_bps", "bps", "Bits sent a second, frames with FCS", |r| {
        rate(r, |t| bits(t.tx_bytes, t.tx_packets))
    }),
    real("rx_bps", "bps", "Bits received a second, frames with FCS", |r| {
        rate(r, |t| bits(t.rx_bytes, t.rx_packets))
    }),
    int("tx_packets", "packets", "Sent since the start", |r| Some(r.now.tx_packets)),
    int("unsent_packets", "packets", "Due but not sent, since the start", |r| Some(r.now.unsent_packets)),
    int("rx_packets", "packets", "Received since the start, of any kind", |r| Some(r.now.rx_packets)),
    int("tx_bytes", "bytes", "Sent since the start, without FCS", |r| Some(r.now.tx_bytes)),
    int("rx_bytes", "bytes", "Received since the start, without FCS", |r| Some(r.now.rx_bytes)),
    int("received_packets", "packets", "Distinct marked frames of this trial", |r| {
        account(r, |a| a.received)
    }),
    int("missing_packets", "packets", "Numbers up to the highest seen that have not come yet", |r| {
        account(r, |a| a.lost)
    }),
    int("reordered_packets", "packets", "Came after a higher number", |r| account(r, |a| a.reordered)),
    int("duplicated_packets", "packets", "Copies, beyond the first", |r| account(r, |a| a.duplicated)),
    int("invalid_packets", "packets", "Marked as ours but impossible", |r| account(r, |a| a.invalid)),
    int("foreign_packets", "packets", "Not of this trial", |r| account(r, Account::foreign)),
    int("p50_ns", "ns", "Median latency since the start", |r| latency(r, |l| l.p50_ns)),
    int("p99_ns", "ns", "99th percentile of latency since the start", |r| latency(r, |l| l.p99_ns)),
    int("p999_ns", "ns", "99.9th percentile of latency since the start", |r| latency(r, |l| l.p99_9_ns)),
    int("max_ns", "ns", "Highest latency since the start", |r| latency(r, |l| l.max_ns)),
    int("port_tx_packets", "packets", "The NIC's own count: sent (opackets)", |r| port(r, |p| p.opackets)),
    int("port_rx_packets", "packets", "The NIC's own count: received (ipackets)", |r| {
        port(r, |p| p.ipackets)
    }),
    int("port_tx_bytes", "bytes", "The NIC's own count: sent (obytes)", |r| port(r, |p| p.obytes)),
    int("port_rx_bytes", "bytes", "The NIC's own count: received (ibytes)", |r| port(r, |p| p.ibytes)),
    int("port_rx_missed_packets", "packets", "No descriptor was free (imissed)", |r| port(r, |p| p.imissed)),
    int("port_rx_error_packets", "packets", "Broken frames received (ierrors)", |r| port(r, |p| p.ierrors)),
    int("port_tx_error_packets", "packets", "Frames that failed to be sent (oerrors)", |r| {
        port(r, |p| p.oerrors)
    }),
    int("port_rx_no_mbuf_packets", "packets", "Frames without a buffer (rx_nombuf)", |r| {
        port(r, |p| p.rx_nombuf)
    }),
];

/// `cores`: one row a sample, end and core.
pub const CORES: &[Field<CoreRow>] = &[
    text("expid", "The trial", |r| Some(r.expid.clone())),
    text("pair", "The pair: tx0-rx0", |r| Some(r.pair.clone())),
    text("end", "tx or rx", |r| Some(r.end.to_owned())),
    int("n", "", "Number of the sample in its run, from 0", |r| Some(r.n)),
    int("cpu", "", "The CPU that the worker runs on", |r| Some(r.now.cpu.into())),
    int("sampled_unix_ns", "ns", "Wall clock, since 1970", |r| Some(r.unix_ns)),
    real("elapsed_s", "s", "Since the start of the run at this end", |r| Some(seconds(r.elapsed_ns))),
    real("interval_s", "s", "That the rates of this row are over", |r| Some(seconds(r.interval_ns))),
    real("tx_pps", "pps", "Sent a second", |r| core_rate(r, |c| c.tx_packets)),
    real("unsent_pps", "pps", "Due but not sent, a second", |r| core_rate(r, |c| c.unsent_packets)),
    real("rx_pps", "pps", "Received a second", |r| core_rate(r, |c| c.rx_packets)),
    int("tx_packets", "packets", "Sent since the start", |r| Some(r.now.tx_packets)),
    int("unsent_packets", "packets", "Due but not sent, since the start", |r| Some(r.now.unsent_packets)),
    int("rx_packets", "packets", "Received since the start", |r| Some(r.now.rx_packets)),
    int("tx_bytes", "bytes", "Sent since the start, without FCS", |r| Some(r.now.tx_bytes)),
    int("rx_bytes", "bytes", "Received since the start, without FCS", |r| Some(r.now.rx_bytes)),
    int("burst_calls", "calls", "Driver calls that sent or brought a frame", |r| Some(r.now.bursts)),
    int("idle_calls", "calls", "Driver calls that took or brought nothing", |r| Some(r.now.idle_polls)),
    real("busy_ratio", "ratio", "Driver calls of the interval that sent or brought a frame, of all", busy),
];

/// Names and types of a table's columns.
pub fn heads<R>(fields: &[Field<R>]) -> Vec<Head> {
    fields.iter().map(Field::head).collect()
}

/// One row's values.
pub fn values<R>(fields: &[Field<R>], row: &R) -> Vec<Value> {
    fields.iter().map(|field| field.value(row)).collect()
}

/// Both ends' samples of a result, and each core's part of them. The last word stands behind them where it came later.
pub fn samples(stored: &Stored) -> (Vec<SampleRow>, Vec<CoreRow>) {
    let outcome = &stored.judged.outcome;
    let (mut samples, mut cores) = (Vec::new(), Vec::new());
    for (end, side) in [("tx", &outcome.tx), ("rx", &outcome.rx)] {
        let (expid, pair) = (outcome.record.expid.to_string(), outcome.record.pair.clone());
        let mut before = Sample::default();
        for (sample, last_word) in moments(side) {
            let interval_ns = sample.elapsed_ns.saturating_sub(before.elapsed_ns);
            for (place, now) in sample.cores.iter().enumerate() {
                cores.push(CoreRow {
                    expid: expid.clone(),
                    pair: pair.clone(),
                    end,
                    n: sample.n,
                    unix_ns: sample.unix_ns,
                    elapsed_ns: sample.elapsed_ns,
                    interval_ns,
                    before: before.cores.get(place).copied().unwrap_or_default(),
                    now: *now,
                });
            }
            samples.push(SampleRow {
                expid: expid.clone(),
                pair: pair.clone(),
                end,
                last_word,
                interval_ns,
                before: Totals::of(&before),
                now: Totals::of(sample),
                sample: sample.clone(),
            });
            before = sample.clone();
        }
    }
    (samples, cores)
}

fn moments(side: &SideOutcome) -> impl Iterator<Item = (&Sample, bool)> {
    let covered = side.samples.last().map(|s| s.elapsed_ns);
    let last =
        side.summary.as_ref().map(|s| &s.totals).filter(|t| covered.is_none_or(|ns| t.elapsed_ns > ns));
    side.samples.iter().map(|sample| (sample, false)).chain(last.map(|totals| (totals, true)))
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

fn bits(bytes: u64, packets: u64) -> u64 {
    (bytes + packets * u64::from(FCS_BYTES)).saturating_mul(8)
}

/// A counter that went back, as no counter of ours does, has no rate.
fn per_second(now: u64, before: u64, interval_ns: u64) -> Option<f64> {
    (interval_ns > 0).then_some(now.checked_sub(before)? as f64 / seconds(interval_ns))
}

fn rate(row: &SampleRow, pick: fn(&Totals) -> u64) -> Option<f64> {
    per_second(pick(&row.now), pick(&row.before), row.interval_ns)
}

fn core_rate(row: &CoreRow, pick: fn(&CoreCounters) -> u64) -> Option<f64> {
    per_second(pick(&row.now), pick(&row.before), row.interval_ns)
}

fn busy(row: &CoreRow) -> Option<f64> {
    let busy = row.now.bursts.checked_sub(row.before.bursts)?;
    let all = busy + row.now.idle_polls.checked_sub(row.before.idle_polls)?;
    (all > 0).then(|| busy as f64 / all as f64)
}

fn account(row: &SampleRow, pick: fn(&Account) -> u64) -> Option<u64> {
    row.sample.account.as_ref().map(pick)
}

fn latency(row: &SampleRow, pick: fn(&Latency) -> u64) -> Option<u64> {
    row.sample.latency.as_ref().filter(|l| l.count > 0).map(pick)
}

fn port(row: &SampleRow, pick: fn(&PortStats) -> u64) -> Option<u64> {
    Some(pick(&row.sample.port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::groups::tests::stored;

    fn sample(n: u64, elapsed_ms: u64, packets: &[u64]) -> Sample {
        let core = |sent: &u64| CoreCounters {
            tx_packets: *sent,
            tx_bytes: sent * 60,
            bursts: *sent,
            ..CoreCounters::default()
        };
        Sample {
            n,
            elapsed_ns: elapsed_ms * 1_000_000,
            cores: packets.iter().map(core).collect(),
            ..Sample::default()
        }
    }

    fn cell<R>(fields: &[Field<R>], row: &R, name: &str) -> Value {
        fields.iter().find(|f| f.name == name).unwrap().value(row)
    }

    #[test]
    fn rates_are_over_the_time_since_the_sample_before() {
        let stored = stored(|o| {
            o.tx.samples = vec![sample(0, 1000, &[100, 200]), sample(1, 1500, &[150, 300])];
            o.tx.summary.as_mut().unwrap().totals = sample(2, 1750, &[150, 301]);
            o.rx.summary = None;
        });
        let (samples, cores) = samples(&stored);
        let rates: Vec<Value> = samples.iter().map(|row| cell(SAMPLES, row, "tx_pps")).collect();
        assert_eq!(rates, [Value::Real(300.0), Value::Real(300.0), Value::Real(4.0)]);
        // 64 bytes with the FCS.
        assert_eq!(cell(SAMPLES, &samples[0], "tx_bps"), Value::Real(300.0 * 512.0));
        assert_eq!(cell(SAMPLES, &samples[2], "last_word"), Value::Flag(true));
        assert_eq!(cell(SAMPLES, &samples[2], "p99_ns"), Value::Null);
        assert_eq!(cores.len(), 6);
        assert_eq!(cell(CORES, &cores[3], "tx_pps"), Value::Real(200.0));
        assert_eq!(cell(CORES, &cores[4], "busy_ratio"), Value::Null);
    }

    #[test]
    fn a_run_that_ended_with_a_sample_has_no_second_last_row() {
        let stored = stored(|o| {
            o.tx.samples = vec![sample(0, 1000, &[100])];
            o.tx.summary.as_mut().unwrap().totals = sample(1, 1000, &[100]);
        });
        let ends: Vec<&str> = samples(&stored).0.iter().map(|row| row.end).collect();
        assert_eq!(ends, ["tx", "rx"]);
    }
}
