//! Packets a second over time, of both ends on one clock.

use serde::Serialize;
use traffic::wire::Sample;

use crate::collect::series::{PortRates, port_rates, tx_end};
use crate::results::stored::Stored;

/// One end's rate over time.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RateSeries {
    /// Seconds since the sender's start, at the end of each interval.
    pub seconds: Vec<f64>,
    /// Packets a second in it.
    pub pps: Vec<f64>,
}

/// Half of the usual interval.
const REST_NS: u64 = 500_000_000;

/// Smallest, mean and largest of a series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Range {
    /// Of a second.
    pub min: f64,
    /// Over the whole sending time.
    pub mean: f64,
    /// Of a second.
    pub max: f64,
}

impl RateSeries {
    /// With the mean that the verdict has; seconds in which nothing flowed yet or any more are left out.
    pub fn range(&self, mean: f64) -> Range {
        let flowing = self.pps.iter().copied().filter(|pps| *pps > 0.0);
        let (min, max) =
            flowing.fold((f64::INFINITY, 0.0), |(min, max): (f64, f64), v| (min.min(v), max.max(v)));
        if max == 0.0 { Range { min: mean, mean, max: mean } } else { Range { min, mean, max } }
    }
}

/// Of the sender's port, to the end of its sending.
pub fn sent(stored: &Stored) -> RateSeries {
    let tx = &stored.judged.outcome.tx;
    let mut samples = tx.samples.clone();
    if let (Some(summary), Some(last)) = (&tx.summary, tx.samples.last()) {
        let end = tx_end(summary, &tx.samples);
        let after_ns = end.elapsed_ns.saturating_sub(last.elapsed_ns);
        // A rest of a few milliseconds has a rate that means nothing.
        if after_ns >= REST_NS {
            samples.push(Sample { unix_ns: last.unix_ns + after_ns, ..end });
        }
    }
    of(stored, &samples, |r| r.opackets)
}

/// Of the port that receives: of a round trip, the sender's.
pub fn received(stored: &Stored) -> RateSeries {
    of(stored, &stored.judged.outcome.books().samples, |r| r.ipackets)
}

fn of(stored: &Stored, samples: &[Sample], pick: fn(&PortRates) -> f64) -> RateSeries {
    let outcome = &stored.judged.outcome;
    let first = outcome.tx.samples.first().or(samples.first());
    let start_ns = first.map_or(0, |s| s.unix_ns.saturating_sub(s.elapsed_ns));
    let seconds = |s: &Sample| (s.unix_ns as f64 - start_ns as f64) / 1e9;
    RateSeries {
        seconds: samples.iter().map(seconds).collect(),
        pps: port_rates(samples).iter().map(pick).collect(),
    }
}
