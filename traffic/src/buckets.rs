//! Log-linear buckets for clock ticks: no conversion and no allocation a frame.
//!
//! 64 buckets an octave keep every figure within 1.6 % of the truth (the layout of HdrHistogram); ticks become
//! nanoseconds only when somebody reads.

const SUB_BITS: u32 = 6;
const SUB: usize = 1 << SUB_BITS;
/// Values up to 2^40 ticks (minutes) have a bucket.
pub const TOP_BITS: u32 = 40;
const BUCKETS: usize = (TOP_BITS - SUB_BITS + 1) as usize * SUB;

/// How often each value came, nearly.
#[derive(Debug)]
pub struct Buckets(Box<[u64]>);

impl Default for Buckets {
    fn default() -> Self {
        Buckets(vec![0; BUCKETS].into_boxed_slice())
    }
}

impl Buckets {
    /// Counts `value` `times`; false when it is beyond the last bucket.
    #[inline(always)]
    pub fn record(&mut self, value: u64, times: u64) -> bool {
        let bucket = self.0.get_mut(bucket_of(value));
        bucket.map(|count| *count += times).is_some()
    }

    /// Takes over another's counts, none of which is outside of `low..=high`, nor was any here before.
    pub fn copy_range(&mut self, other: &Buckets, low: u64, high: u64) {
        let range = range_of(low, high);
        if let (Some(mine), Some(theirs)) = (self.0.get_mut(range.clone()), other.0.get(range)) {
            mine.copy_from_slice(theirs);
        }
    }

    /// Adds another's counts, none of which is outside of `low..=high`.
    pub fn add_range(&mut self, other: &Buckets, low: u64, high: u64) {
        let range = range_of(low, high);
        let theirs = other.0.get(range.clone()).unwrap_or_default();
        for (mine, theirs) in self.0.get_mut(range).unwrap_or_default().iter_mut().zip(theirs) {
            *mine += theirs;
        }
    }

    /// Sets the counts of `low..=high` to zero.
    pub fn clear_range(&mut self, low: u64, high: u64) {
        self.0.get_mut(range_of(low, high)).unwrap_or_default().fill(0);
    }

    /// The upper edge of the bucket in which `rank` values, counted from the smallest and from 1, are reached.
    pub fn at_rank(&self, rank: u64) -> u64 {
        let mut seen = 0;
        self.filled()
            .find_map(|(edge, count)| {
                seen += count;
                (seen >= rank).then_some(edge)
            })
            .unwrap_or(u64::MAX)
    }

    /// Upper edges and counts of the buckets that are not empty, from the smallest.
    pub fn filled(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.0.iter().enumerate();
        counts.filter(|(_, count)| **count > 0).map(|(i, count)| (upper_edge(i), *count))
    }
}

/// The rank of quantile `q` among `count` values.
pub fn rank(count: u64, q: f64) -> u64 {
    ((count as f64 * q).ceil() as u64).max(1)
}

/// The buckets of `low..=high`; none when there is no such value.
fn range_of(low: u64, high: u64) -> std::ops::Range<usize> {
    if low > high { 0..0 } else { bucket_of(low).min(BUCKETS)..(bucket_of(high) + 1).min(BUCKETS) }
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
        fn buckets_are_within_two_percent(ticks in 0u64..(1 << TOP_BITS)) {
            let b = bucket_of(ticks);
            prop_assert!(b < BUCKETS);
            let edge = upper_edge(b);
            prop_assert!(edge >= ticks && edge as f64 <= ticks as f64 * 1.016 + 1.0, "{ticks} {edge}");
        }

        #[test]
        fn sums_and_copies_of_a_range_hold_every_value(
            a in proptest::collection::vec(0u64..100_000, 1..50), b in proptest::collection::vec(0u64..100_000, 1..50)
        ) {
            let of = |values: &[u64]| {
                let mut buckets = Buckets::default();
                values.iter().for_each(|v| assert!(buckets.record(*v, 1)));
                let (low, high) = (*values.iter().min().unwrap(), *values.iter().max().unwrap());
                (buckets, low, high)
            };
            let ((one, low, high), (two, other_low, other_high)) = (of(&a), of(&b));
            let mut sum = Buckets::default();
            sum.copy_range(&one, low, high);
            sum.add_range(&two, other_low, other_high);
            let all: Vec<u64> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(&sum.0, &of(&all).0.0);
            sum.clear_range(low.min(other_low), high.max(other_high));
            prop_assert_eq!(sum.filled().count(), 0);
        }
    }
}
