//! A latency histogram for the packet path.

use crate::buckets::{Buckets, rank};
use crate::stamp::MASK_48;
use crate::wire::Latency;

/// Clock units (ticks, or nanoseconds where the clock is CLOCK_REALTIME) from mark to receiver.
#[derive(Debug)]
pub struct LatencyHistogram {
    count: u64,
    rejected: u64,
    sum: u128,
    min: u64,
    max: u64,
    last: u64,
    /// RFC 3550 jitter in 1/16 units.
    jitter_16: u64,
    /// Times in the future by no more than this are the clocks' error: they count as 0.
    slack: u64,
    buckets: Buckets,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        LatencyHistogram::with_slack(0)
    }
}

impl Clone for LatencyHistogram {
    fn clone(&self) -> Self {
        let mut new = LatencyHistogram::default();
        new.copy_from(self);
        new
    }
}

impl LatencyHistogram {
    /// For two clocks that differ by no more than `slack`.
    pub fn with_slack(slack: u64) -> LatencyHistogram {
        LatencyHistogram {
            count: 0,
            rejected: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
            last: 0,
            jitter_16: 0,
            slack,
            buckets: Buckets::default(),
        }
    }

    /// Counts one frame's ticks, a difference modulo 2^48: times in the future and minutes in the past are rejected.
    #[inline(always)]
    pub fn record(&mut self, ticks: u64) {
        if !self.buckets.record(ticks, 1) {
            return self.impossible(ticks);
        }
        self.count += 1;
        self.sum += u128::from(ticks);
        self.min = self.min.min(ticks);
        self.max = self.max.max(ticks);
        // RFC 3550 §6.4.1 and A.8, in integers: J += (|D| − J) / 16. The first frame has no predecessor.
        let last = if self.count == 1 { ticks } else { self.last };
        self.jitter_16 = self.jitter_16 + ticks.abs_diff(last) - ((self.jitter_16 + 8) >> 4);
        self.last = ticks;
    }

    /// A negative difference is a very large one.
    #[cold]
    fn impossible(&mut self, ticks: u64) {
        let ahead = ticks.wrapping_neg() & MASK_48;
        if ahead > 0 && ahead <= self.slack {
            self.record(0);
        } else {
            self.rejected += 1;
        }
    }

    /// Takes over `other`'s state without allocating.
    pub fn copy_from(&mut self, other: &LatencyHistogram) {
        self.buckets.clear_range(self.min, self.max);
        self.buckets.copy_range(&other.buckets, other.min, other.max);
        let LatencyHistogram { count, rejected, sum, min, max, last, jitter_16, slack, buckets: _ } = other;
        (self.count, self.rejected, self.sum, self.min) = (*count, *rejected, *sum, *min);
        (self.max, self.last, self.jitter_16, self.slack) = (*max, *last, *jitter_16, *slack);
    }

    /// Adds another queue's or stream's; the jitter becomes the mean weighted by frames.
    pub fn add(&mut self, other: &LatencyHistogram) {
        let frames = u128::from(self.count + other.count).max(1);
        let weighted = u128::from(self.jitter_16) * u128::from(self.count)
            + u128::from(other.jitter_16) * u128::from(other.count);
        self.jitter_16 = (weighted / frames) as u64;
        self.count += other.count;
        self.rejected += other.rejected;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.buckets.add_range(&other.buckets, other.min, other.max);
    }

    /// In nanoseconds, with the clock's name; `hz` is its rate.
    pub fn report(&self, clock: &str, hz: u64) -> Latency {
        let ns = |ticks: f64| ticks * 1e9 / hz.max(1) as f64;
        let quantile = |q: f64| ns(self.buckets.at_rank(rank(self.count, q)).min(self.max) as f64) as u64;
        let any = self.count > 0;
        Latency {
            clock: clock.to_owned(),
            clock_error_ns: None,
            count: self.count,
            rejected: self.rejected,
            min_ns: if any { ns(self.min as f64) as u64 } else { 0 },
            mean_ns: ns(self.sum as f64) / self.count.max(1) as f64,
            p50_ns: quantile(0.5),
            p90_ns: quantile(0.9),
            p99_ns: quantile(0.99),
            p99_9_ns: quantile(0.999),
            p99_99_ns: quantile(0.9999),
            max_ns: ns(self.max as f64) as u64,
            jitter_ns: ns(self.jitter_16 as f64 / 16.0),
        }
    }

    /// Upper edges in nanoseconds and frames of the values seen, from the smallest; 8 steps an octave, as many as a
    /// chart can show.
    pub fn steps(&self, hz: u64) -> Vec<(u64, u64)> {
        let mut steps: Vec<(u64, u64)> = Vec::new();
        let mut of_last = None;
        for (edge, frames) in self.buckets.filled() {
            let edge = edge.min(self.max);
            let step = (u128::from(edge) * 1_000_000_000 / u128::from(hz.max(1))) as u64;
            // The leading four bits of the clock's own value name the step.
            let bits = 64 - edge.leading_zeros();
            let name = (bits, edge >> bits.saturating_sub(4));
            match steps.last_mut() {
                Some(last) if of_last == Some(name) => *last = (step, last.1 + frames),
                _ => steps.push((step, frames)),
            }
            of_last = Some(name);
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buckets::TOP_BITS;
    use proptest::prelude::*;

    const GHZ: u64 = 1_000_000_000;

    fn of(values: &[u64]) -> LatencyHistogram {
        let mut h = LatencyHistogram::default();
        values.iter().for_each(|v| h.record(*v));
        h
    }

    /// RFC 3550 §6.4.1 as it is written, in real numbers.
    fn jitter(values: &[u64]) -> f64 {
        values.windows(2).fold(0.0, |j, pair| j + (pair[1].abs_diff(pair[0]) as f64 - j) / 16.0)
    }

    proptest! {
        #[test]
        fn any_value_is_taken_or_rejected(ticks: u64) {
            let h = of(&[ticks]);
            prop_assert_eq!((h.count, h.rejected), if ticks < 1 << TOP_BITS { (1, 0) } else { (0, 1) });
        }

        #[test]
        fn steps_hold_every_value_once_and_are_few(
            values in proptest::collection::vec((0u32..36).prop_flat_map(|bits| 0u64..1 << bits), 1..2000)
        ) {
            let steps = of(&values).steps(GHZ);
            prop_assert!(steps.is_sorted_by(|a, b| a.0 < b.0) && steps.len() <= 8 * TOP_BITS as usize);
            let mut below = 0;
            for (edge, frames) in &steps {
                below += frames;
                let exact = values.iter().filter(|v| *v < edge).count() as u64;
                // A value may lie in the bucket of the edge and above it: 1.6 % at most.
                let near = values.iter().filter(|v| **v as f64 <= *edge as f64 * 1.016 + 1.0).count() as u64;
                prop_assert!((exact..=near).contains(&below), "{edge}: {below} of {exact} to {near}");
            }
            prop_assert_eq!(below, values.len() as u64);
        }

        /// Against all values sorted, and the RFC's own formula.
        #[test]
        fn every_figure_is_that_of_an_exact_computation(
            values in proptest::collection::vec((0u32..36).prop_flat_map(|bits| 0u64..1 << bits), 1..2000),
            hz in 10_000_000u64..5_000_000_000
        ) {
            let report = of(&values).report("t", hz);
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let ns = |ticks: f64| ticks * 1e9 / hz as f64;
            for (q, got) in [
                (0.5, report.p50_ns), (0.9, report.p90_ns), (0.99, report.p99_ns), (0.999, report.p99_9_ns),
                (0.9999, report.p99_99_ns),
            ] {
                // Nearest rank: the smallest value that q of all values do not exceed.
                let exact = sorted[((sorted.len() as f64 * q).ceil() as usize).max(1) - 1] as f64;
                // No lower, and no more than a bucket's width higher; whole nanoseconds in the report.
                let (low, high) = (ns(exact).floor(), ns(exact * 1.016 + 1.0));
                prop_assert!((low..=high).contains(&(got as f64)), "{q}: {got}, exactly {}", ns(exact));
            }
            let mean = values.iter().sum::<u64>() as f64 / values.len() as f64;
            prop_assert!((report.mean_ns - ns(mean)).abs() <= ns(mean) * 1e-9);
            prop_assert_eq!(report.min_ns, ns(sorted[0] as f64) as u64);
            prop_assert_eq!(report.max_ns, ns(*sorted.last().unwrap() as f64) as u64);
            prop_assert_eq!((report.count, report.rejected), (values.len() as u64, 0));
            // Integers of 1/16 tick are off by half a unit a step, of which 1/16 is forgotten a step: 1/2 tick.
            let exact = ns(jitter(&values));
            prop_assert!((report.jitter_ns - exact).abs() <= ns(1.0), "{} {exact}", report.jitter_ns);
        }

        #[test]
        fn sums_are_those_of_all_values(a in proptest::collection::vec(0u64..1 << 40, 0..50),
                                        b in proptest::collection::vec(0u64..1 << 40, 0..50)) {
            let (one, two) = (of(&a), of(&b));
            // What was there before is gone.
            let mut sum = of(&[7, 1 << 39]);
            sum.copy_from(&one);
            sum.add(&two);
            let whole = of(&a.iter().chain(&b).copied().collect::<Vec<_>>()).report("t", GHZ);
            let report = sum.report("t", GHZ);
            prop_assert_eq!(Latency { jitter_ns: 0.0, ..report }, Latency { jitter_ns: 0.0, ..whole });
        }
    }

    #[test]
    fn absurd_times_are_counted_and_never_averaged() {
        let good = of(&[100, 200, 300]);
        let mut h = good.clone();
        // A frame from the future, and one that is six minutes old at 3 GHz.
        for absurd in [MASK_48, MASK_48 - 5000, 1 << TOP_BITS] {
            h.record(absurd);
        }
        let report = h.report("t", GHZ);
        assert_eq!((report.rejected, report.count), (3, 3));
        assert_eq!(Latency { rejected: 0, ..report }, good.report("t", GHZ));
    }

    #[test]
    fn negative_within_the_clocks_error_is_zero_and_beyond_it_absurd() {
        let mut h = LatencyHistogram::with_slack(50);
        for ticks in [1, MASK_48, MASK_48 - 49, MASK_48 - 50] {
            h.record(ticks);
        }
        let report = h.report("t", GHZ);
        assert_eq!((report.count, report.rejected, report.min_ns, report.max_ns), (3, 1, 0, 1));
    }

    #[test]
    fn an_empty_histogram_reports_zeros() {
        assert_eq!(
            LatencyHistogram::default().report("tsc", 1),
            Latency { clock: "tsc".into(), ..Latency::default() }
        );
    }
}
