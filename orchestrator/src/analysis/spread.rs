//! Median and spread of a few repeats, by order statistics: nothing is assumed of how they scatter.

use serde::Serialize;

/// What is wanted of an interval; with fewer than six values it can't be had, and what there is is said.
const CONFIDENCE: f64 = 0.95;

/// Several values of one figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// How many.
    pub n: usize,
    /// Half of them are no larger.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The interval that holds the true median with `confidence`.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How surely; 0 of a single value, which says nothing of its noise.
    pub confidence: f64,
}

impl Spread {
    /// Of at least one finite value; none without.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut sorted: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let (below, confidence) = rank(n);
        let median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
        Some(Spread { n, median, min, max, low: sorted[below], high: sorted[n - 1 - below], confidence })
    }

    /// Whether the two intervals have nothing in common: the difference is more than noise. Of single values nobody
    /// knows.
    pub fn is_apart(&self, other: &Spread) -> Option<bool> {
        (self.n > 1 && other.n > 1).then_some(self.high < other.low || other.high < self.low)
    }
}

/// How many of the smallest and of the largest values the interval may leave out, and its confidence: the median lies
/// above the k-th smallest value unless fewer than k of n throws of a coin come up heads.
fn rank(n: usize) -> (usize, f64) {
    let mut chance = 0.5f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let mut tail = chance;
    let mut best = (0, (1.0 - 2.0 * tail).max(0.0));
    for k in 1..n.div_ceil(2) {
        chance *= (n - k + 1) as f64 / k as f64;
        tail += chance;
        let confidence = 1.0 - 2.0 * tail;
        if confidence < CONFIDENCE {
            break;
        }
        best = (k, confidence);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        // Conover, Practical Nonparametric Statistics: n = 6 → smallest and largest, 96.9 %; n = 10 → second and
        // ninth, 97.9 %.
        assert_eq!(rank(5), (0, 0.9375));
        assert_eq!(rank(6), (0, 0.96875));
        let (left_out, confidence) = rank(10);
        assert!(left_out == 1 && (confidence - 0.978_515_625).abs() < 1e-9, "{confidence}");
        let (left_out, confidence) = rank(20);
        assert!(left_out == 5 && (confidence - 0.958_6).abs() < 1e-3, "{left_out} {confidence}");
        assert_eq!(rank(1), (0, 0.0));
    }

    #[test]
    fn the_middle_and_the_ends() {
        let spread = Spread::of([4.0, 1.0, 2.0, 3.0, f64::NAN]).unwrap();
        assert_eq!((spread.n, spread.median, spread.min, spread.max), (4, 2.5, 1.0, 4.0));
        assert_eq!(Spread::of([7.0]).unwrap().median, 7.0);
        assert!(Spread::of([]).is_none());
        let other = Spread::of([4.5, 5.0]).unwrap();
        assert_eq!(spread.is_apart(&other), Some(true));
        assert_eq!(spread.is_apart(&Spread::of([9.0]).unwrap()), None);
    }
}
