//! A latency histogram for the packet path: log-linear buckets on clock ticks, no conversion and no allocation a frame.
//!
//! 64 buckets an octave keep every figure within 1.6 % of the truth (the layout of HdrHistogram); ticks become
//! nanoseconds only when somebody reads.

use crate::wire::Latency;

const SUB_BITS: u32 = 6;
const SUB: usize = 1 << SUB_BITS;
/// Values up to 2^40 ticks (minutes) are kept; above, they are no latency.
const TOP_BITS: u32 = 40;
const BUCKETS: usize = (TOP_BITS - SUB_BITS + 1) as usize * SUB;

/// Ticks from mark to receiver.
#[derive(Debug)]
pub struct LatencyHistogram {
    count: u64,
    rejected: u64,
    sum: u64,
    min: u64,
    max: u64,
    last: u64,
    /// RFC 3550 jitter in 1/16 ticks.
    jitter_16: u64,
    buckets: Box<[u64]>,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        LatencyHistogram {
            count: 0,
            rejected: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
            last: 0,
            jitter_16: 0,
            buckets: vec![0; BUCKETS].into_boxed_slice(),
        }
    }
}

impl Clone for LatencyHistogram {
    fn clone(&self) -> Self {
        let mut new = LatencyHistogram::default();
        new.clone_from(self);
        new
    }

    fn clone_from(&mut self, other: &Self) {
        let LatencyHistogram { count, rejected, sum, min, max, last, jitter_16, buckets } = other;
        (self.count, self.rejected, self.sum, self.min) = (*count, *rejected, *sum, *min);
        (self.max, self.last, self.jitter_16) = (*max, *last, *jitter_16);
        self.buckets.copy_from_slice(buckets);
    }
}

impl LatencyHistogram {
    /// Counts one frame's ticks, a difference modulo 2^48: times in the future and minutes in the past are rejected.
    #[inline(always)]
    pub fn record(&mut self, ticks: u64) {
        let Some(bucket) = self.buckets.get_mut(bucket_of(ticks)) else {
            self.rejected += 1;
            return;
        };
        *bucket += 1;
        self.count += 1;
        self.sum += ticks;
        self.min = self.min.min(ticks);
        self.max = self.max.max(ticks);
        // RFC 3550 §6.4.1 and A.8, in integers: J += (|D| − J) / 16. The first frame has no predecessor.
        let last = if self.count == 1 { ticks } else { self.last };
        self.jitter_16 = self.jitter_16 + ticks.abs_diff(last) - ((self.jitter_16 + 8) >> 4);
        self.last = ticks;
    }

    /// Adds another queue's; the jitter becomes the mean weighted by frames.
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
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
    }

    /// In nanoseconds, with the clock's name; `hz` is its rate.
    pub fn report(&self, clock: &str, hz: u64) -> Latency {
        let ns = |ticks: f64| ticks * 1e9 / hz.max(1) as f64;
        let quantile = |q: f64| ns(self.quantile(q) as f64) as u64;
        let any = self.count > 0;
        Latency {
            clock: clock.to_owned(),
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

    /// The upper edge of the bucket where `q` of all frames are reached, no more than the maximum.
    fn quantile(&self, q: f64) -> u64 {
        let rank = ((self.count as f64 * q).ceil() as u64).max(1);
        let mut seen = 0;
        for (i, n) in self.buckets.iter().enumerate() {
            seen += n;
            if seen >= rank {
                return upper_edge(i).min(self.max);
            }
        }
        self.max
    }
}

/// Linear below 64 ticks, then 64 buckets an octave; beyond the last bucket for values too large.
#[inline(always)]
fn bucket_of(ticks: u64) -> usize {
    let octave = (64 - (ticks >> SUB_BITS).leading_zeros()) as usize;
    // In octave 0 values are their own bucket; above, the leading one is implied.
    let within = (ticks >> octave.saturating_sub(1)) as usize;
    if octave == 0 { within } else { octave * SUB + (within - SUB) }
}

fn upper_edge(bucket: usize) -> u64 {
    let (octave, within) = (bucket / SUB, bucket % SUB);
    if octave == 0 { within as u64 } else { ((SUB + within + 1) as u64) << (octave - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn buckets_are_within_two_percent(ticks in 0u64..(1 << 40)) {
            let b = bucket_of(ticks);
            prop_assert!(b < BUCKETS);
            let edge = upper_edge(b);
            prop_assert!(edge >= ticks && edge as f64 <= ticks as f64 * 1.016 + 1.0, "{ticks} {edge}");
        }

        #[test]
        fn any_value_is_taken_or_rejected(ticks: u64) {
            let mut h = LatencyHistogram::default();
            h.record(ticks);
            prop_assert_eq!((h.count, h.rejected), if ticks < 1 << 40 { (1, 0) } else { (0, 1) });
        }
    }

    #[test]
    fn percentiles_of_a_known_distribution() {
        let mut h = LatencyHistogram::default();
        (1..=10_000).for_each(|t| h.record(t));
        let r = h.report("tsc", 1_000_000_000);
        assert_eq!((r.count, r.min_ns, r.max_ns), (10_000, 1, 10_000));
        assert!((r.mean_ns - 5000.5).abs() < 0.01);
        for (got, want) in [(r.p50_ns, 5000.0), (r.p90_ns, 9000.0), (r.p99_ns, 9900.0), (r.p99_99_ns, 9999.0)]
        {
            assert!((got as f64 / want - 1.0).abs() < 0.02, "{got} for {want}");
        }
        // Every step is one tick: the jitter settles at one tick.
        assert!((r.jitter_ns - 1.0).abs() < 0.6, "{}", r.jitter_ns);
    }

    #[test]
    fn an_empty_histogram_reports_zeros() {
        assert_eq!(
            LatencyHistogram::default().report("tsc", 1),
            Latency { clock: "tsc".into(), ..Latency::default() }
        );
    }
}
