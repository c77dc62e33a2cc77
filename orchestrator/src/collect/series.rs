//! Cumulative samples → the series of the result files.
//!
//! The engines sample every second. The receiver's series has one value a second. The sender's has one value every
//! `--sample-interval` seconds, and one more at the end when what is left is at least half an interval; a shorter
//! rest joins the value before it, and a run that is shorter than the interval has exactly one value.

use std::collections::BTreeSet;
use std::time::Duration;

use traffic::units::{FCS_BYTES, WIRE_OVERHEAD_BYTES};
use traffic::wire::{CoreCounters, Latency, PortStats, Sample, Summary};

use super::columns::Columns;

/// Bytes of link time that a frame costs beyond those in the mbuf.
const OVERHEAD_BYTES: u64 = (FCS_BYTES + WIRE_OVERHEAD_BYTES) as u64;

/// The sender's samples that its series has, every `interval_s` seconds and at most `count`.
pub fn tx_ticks(
    samples: &[Sample],
    totals: Option<&Sample>,
    interval_s: u32,
    count: Option<u32>,
) -> Vec<Sample> {
    let interval = Duration::from_secs(u64::from(interval_s.max(1)));
    let mut all: Vec<&Sample> = samples.iter().collect();
    let last_ns = all.last().map_or(0, |s| s.elapsed_ns);
    all.extend(totals.filter(|t| t.elapsed_ns > last_ns || samples.is_empty()));
    let Some(end) = all.last() else { return Vec::new() };
    let mut ticks: Vec<Sample> = Vec::new();
    let mut due = interval;
    for sample in &all {
        // Half a second of grace: a tick that comes a little early is the tick that was meant.
        if Duration::from_nanos(sample.elapsed_ns) + Duration::from_millis(500) >= due {
            ticks.push((*sample).clone());
            due += interval;
        }
    }
    let covered = ticks.last().map_or(0, |s| s.elapsed_ns);
    let rest = Duration::from_nanos(end.elapsed_ns.saturating_sub(covered));
    if rest > Duration::ZERO || ticks.is_empty() {
        if rest * 2 < interval {
            ticks.pop();
        }
        ticks.push((*end).clone());
    }
    ticks.truncate(count.map_or(usize::MAX, |c| c as usize));
    ticks
}

/// A sender's last sample as the end of its series: at the time that the last word's own rates are over, so that the
/// last value agrees with them. A sample that was taken later than that stays the end.
pub fn tx_end(summary: &Summary, samples: &[Sample]) -> Sample {
    let covered = samples.last().map_or(0, |s| s.elapsed_ns);
    let elapsed_ns =
        if summary.effective_ns > covered { summary.effective_ns } else { summary.totals.elapsed_ns };
    Sample { elapsed_ns, ..summary.totals.clone() }
}

/// The receiver's samples: all of them, or its totals when it ran for less than a second.
pub fn rx_ticks(samples: &[Sample], totals: Option<&Sample>) -> Vec<Sample> {
    if samples.is_empty() { totals.into_iter().cloned().collect() } else { samples.to_vec() }
}

/// The sender's columns: rates and totals by the port's counters under Pktgen's names, then our own.
pub fn tx_columns(ticks: &[Sample]) -> Columns {
    let mut columns = Columns::default();
    let rates = port_rates(ticks);
    let rate = |pick: fn(&PortRates) -> f64| rates.iter().map(move |r| pick(r).round() as u64);
    let mbits = |packets: f64, bytes: f64| (packets * OVERHEAD_BYTES as f64 + bytes) * 8.0 / 1e6;
    columns.floats("mbits_tx", rates.iter().map(|r| mbits(r.opackets, r.obytes)));
    columns.ints("pkts_tx", rate(|r| r.opackets));
    columns.ints("obytes", rate(|r| r.obytes));
    columns.ints("opackets", rate(|r| r.opackets));
    columns.ints("imissed", rate(|r| r.imissed));
    columns.ints("oerrors", rate(|r| r.oerrors));
    columns.ints("rx_nombuf", rate(|r| r.rx_nombuf));
    columns.ints("pkts_rx", rate(|r| r.ipackets));
    columns.floats("mbits_rx", rates.iter().map(|r| mbits(r.ipackets, r.ibytes)));
    columns.ints("ipackets", rate(|r| r.ipackets));
    columns.ints("ibytes", rate(|r| r.ibytes));
    columns.ints("ierrors", rate(|r| r.ierrors));
    let total = |pick: fn(&PortStats) -> u64| ticks.iter().map(move |s| pick(&s.port));
    columns.ints("port_rx_nombuf", total(|p| p.rx_nombuf));
    columns.ints("port_opackets", total(|p| p.opackets));
    columns.ints("port_imissed", total(|p| p.imissed));
    columns.ints("port_ierrors", total(|p| p.ierrors));
    columns.ints("port_ibytes", total(|p| p.ibytes));
    columns.ints("port_oerrors", total(|p| p.oerrors));
    columns.ints("port_obytes", total(|p| p.obytes));
    columns.ints("port_ipackets", total(|p| p.ipackets));
    own_columns(&mut columns, ticks, "core_tx_packets", |c| c.tx_packets);
    columns.grid("core_unsent_packets", &core_rows(ticks, |c| c.unsent_packets));
    xstats(&mut columns, ticks);
    columns
}

/// The receiver's columns: testpmd's names, then our own. Packets and bytes are totals, `*_pps` rates.
pub fn rx_columns(ticks: &[Sample]) -> Columns {
    let mut columns = Columns::default();
    let rates = port_rates(ticks);
    let total = |pick: fn(&PortStats) -> u64| ticks.iter().map(move |s| pick(&s.port));
    columns.ints("rx_pps", rates.iter().map(|r| r.ipackets.round() as u64));
    columns.ints("tx_pps", rates.iter().map(|r| r.opackets.round() as u64));
    columns.ints("rx_bytes", total(|p| p.ibytes));
    columns.ints("tx_bytes", total(|p| p.obytes));
    columns.ints("rx_packets", total(|p| p.ipackets));
    columns.ints("tx_packets", total(|p| p.opackets));
    columns.ints("rx_errors", total(|p| p.ierrors));
    columns.ints("rx_missed", total(|p| p.imissed));
    columns.ints("rx_nombuf", total(|p| p.rx_nombuf));
    own_columns(&mut columns, ticks, "core_rx_packets", |c| c.rx_packets);
    let account = |pick: fn(&traffic::wire::Account) -> u64| {
        ticks.iter().map(move |s| s.account.as_ref().map_or(0, pick))
    };
    columns.ints("account_received", account(|a| a.received));
    columns.ints("account_lost", account(|a| a.lost));
    columns.ints("account_reordered", account(|a| a.reordered));
    columns.ints("account_duplicated", account(|a| a.duplicated));
    columns.ints("account_invalid", account(|a| a.invalid));
    columns.ints("account_foreign", account(traffic::wire::Account::foreign));
    xstats(&mut columns, ticks);
    if ticks.iter().any(|s| s.latency.is_some()) {
        let latency =
            |pick: fn(&Latency) -> u64| ticks.iter().map(move |s| s.latency.as_ref().map_or(0, pick));
        columns.ints("latency_p50_ns", latency(|l| l.p50_ns));
        columns.ints("latency_p90_ns", latency(|l| l.p90_ns));
        columns.ints("latency_p99_ns", latency(|l| l.p99_ns));
        columns.ints("latency_p99_9_ns", latency(|l| l.p99_9_ns));
        columns.ints("latency_max_ns", latency(|l| l.max_ns));
    }
    columns
}

/// The NIC's extended statistics since the start, each under its driver's name: what was ever not zero.
fn xstats(columns: &mut Columns, ticks: &[Sample]) {
    let names: BTreeSet<&String> = ticks.iter().flat_map(|s| s.xstats.keys()).collect();
    for name in names {
        // Members of the npz file are files.
        let safe: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let values = ticks.iter().map(|s| s.xstats.get(name).copied().unwrap_or(0));
        columns.ints(&format!("xstats_{safe}"), values);
    }
}

/// Sample times, and one counter of every core.
fn own_columns(columns: &mut Columns, ticks: &[Sample], name: &str, pick: fn(&CoreCounters) -> u64) {
    columns.ints("sample_unix_ns", ticks.iter().map(|s| s.unix_ns));
    columns.grid(name, &core_rows(ticks, pick));
}

fn core_rows(ticks: &[Sample], pick: fn(&CoreCounters) -> u64) -> Vec<Vec<u64>> {
    ticks.iter().map(|s| s.cores.iter().map(pick).collect()).collect()
}

/// The port's counters per second, from one tick to the next; the first one counts from the start.
#[derive(Debug, Clone, Copy)]
pub struct PortRates {
    /// Frames in.
    pub ipackets: f64,
    /// Frames out.
    pub opackets: f64,
    /// Bytes in, without FCS.
    pub ibytes: f64,
    /// Bytes out, without FCS.
    pub obytes: f64,
    /// Frames that the NIC had no descriptor for.
    pub imissed: f64,
    /// Broken frames.
    pub ierrors: f64,
    /// Frames that failed to go out.
    pub oerrors: f64,
    /// Failed buffer allocations.
    pub rx_nombuf: f64,
}

/// One set of rates a tick.
pub fn port_rates(ticks: &[Sample]) -> Vec<PortRates> {
    let mut before = PortStats::default();
    let mut before_ns = 0;
    let mut rates = Vec::with_capacity(ticks.len());
    for tick in ticks {
        let seconds = Duration::from_nanos(tick.elapsed_ns.saturating_sub(before_ns)).as_secs_f64();
        let (now, old) = (&tick.port, &before);
        let per_second = |now: u64, old: u64| {
            if seconds > 0.0 { now.saturating_sub(old) as f64 / seconds } else { 0.0 }
        };
        rates.push(PortRates {
            ipackets: per_second(now.ipackets, old.ipackets),
            opackets: per_second(now.opackets, old.opackets),
            ibytes: per_second(now.ibytes, old.ibytes),
            obytes: per_second(now.obytes, old.obytes),
            imissed: per_second(now.imissed, old.imissed),
            ierrors: per_second(now.ierrors, old.ierrors),
            oerrors: per_second(now.oerrors, old.oerrors),
            rx_nombuf: per_second(now.rx_nombuf, old.rx_nombuf),
        });
        (before, before_ns) = (tick.port, tick.elapsed_ns);
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::Column;
    use crate::trial::fixture;

    fn sample(n: u64, ms: u64, packets: u64) -> Sample {
        let port = PortStats { opackets: packets, obytes: packets * 60, ..PortStats::default() };
        let core = CoreCounters { tx_packets: packets / 2, ..CoreCounters::default() };
        Sample { n, elapsed_ns: ms * 1_000_000, port, cores: vec![core; 2], ..Sample::default() }
    }

    fn ticks_of(run_ms: u64, interval_s: u32, count: Option<u32>) -> Vec<u64> {
        let samples: Vec<Sample> = (1..=run_ms / 1000).map(|s| sample(s - 1, s * 1000, s * 100)).collect();
        let totals = sample(99, run_ms, run_ms / 10);
        tx_ticks(&samples, Some(&totals), interval_s, count)
            .iter()
            .map(|s| s.elapsed_ns / 1_000_000)
            .collect()
    }

    #[test]
    fn the_sender_has_a_value_an_interval_and_never_none() {
        assert_eq!(ticks_of(60_000, 10, None), [10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
        assert_eq!(ticks_of(5_000, 10, None), [5_000]);
        assert_eq!(ticks_of(300, 10, None), [300]);
        assert_eq!(ticks_of(25_000, 10, None), [10_000, 20_000, 25_000]);
        assert_eq!(ticks_of(20_200, 10, None), [10_000, 20_200]);
        assert_eq!(ticks_of(60_000, 10, Some(2)), [10_000, 20_000]);
        assert!(tx_ticks(&[], None, 10, None).is_empty());
    }

    #[test]
    fn the_series_ends_with_the_rate_of_the_last_word() {
        // Six frames at two a second: 3 s of sending, the last frame out after 2.5 s.
        let summary = Summary { effective_ns: 3_000_000_000, ..fixture::summary(sample(2, 2_500, 6)) };
        let samples = [sample(0, 1000, 2), sample(1, 2000, 4)];
        let ticks = tx_ticks(&samples, Some(&tx_end(&summary, &samples)), 10, None);
        assert_eq!(tx_columns(&ticks).get("pkts_tx"), Some(&Column::Int(vec![2])));
        let late = [sample(0, 3100, 6)];
        assert_eq!(tx_end(&summary, &late).elapsed_ns, 2_500_000_000);
    }

    #[test]
    fn extended_statistics_are_columns_that_are_zero_until_they_count() {
        let mut ticks = [sample(0, 1000, 1), sample(1, 2000, 2)];
        ticks[1].xstats.insert("rx q0/errors".into(), 7);
        for columns in [tx_columns(&ticks), rx_columns(&ticks)] {
            assert_eq!(columns.get("xstats_rx_q0_errors"), Some(&Column::Int(vec![0, 7])));
        }
    }

    #[test]
    fn rates_are_per_second_and_megabits_count_the_whole_wire() {
        let ticks = [sample(0, 1000, 1000), sample(1, 3000, 5000)];
        let columns = tx_columns(&ticks);
        assert_eq!(columns.get("pkts_tx"), Some(&Column::Int(vec![1000, 2000])));
        assert_eq!(columns.get("port_opackets"), Some(&Column::Int(vec![1000, 5000])));
        assert_eq!(columns.get("mbits_tx"), Some(&Column::Float(vec![0.672, 1.344])));
        let Some(Column::Grid(grid)) = columns.get("core_tx_packets") else { panic!("no grid") };
        assert_eq!(grid.shape(), [2, 2]);
        assert_eq!(grid[(1, 0)], 2500);
    }
}
