//! How late frames left: the time at which each was handed to the driver less the time at which it was due.

use super::Pacer;
use crate::buckets::{Buckets, rank};
use crate::wire;

/// Bounds that shares are told for, nanoseconds.
const BOUNDS_NS: [u64; 5] = [64, 128, 256, 512, 1000];

/// One worker's departures, in ticks.
#[derive(Debug)]
pub struct Departures {
    bounds: [u64; BOUNDS_NS.len()],
    /// Frames within each bound and not within the one before; the last ones are beyond all.
    within: [u64; BOUNDS_NS.len() + 1],
    frames: u64,
    max: u64,
    /// Which frame of a burst stands for it.
    turn: u64,
    buckets: Buckets,
}

impl Departures {
    /// For a clock of `hz`.
    pub fn new(hz: u64) -> Departures {
        Departures {
            bounds: BOUNDS_NS.map(|ns| (u128::from(ns) * u128::from(hz) / 1_000_000_000) as u64),
            within: [0; BOUNDS_NS.len() + 1],
            frames: 0,
            max: 0,
            turn: 0,
            buckets: Buckets::default(),
        }
    }

    /// The first `frames` of the pacer's last grant leave at `at`. The first is the latest of them; for the others one
    /// stands, another one in each burst, so that the cost is one burst's and the distribution the frames'.
    #[inline]
    pub fn book(&mut self, pacer: &Pacer, frames: u64, at: u64) {
        if frames == 0 || !pacer.is_paced() {
            return;
        }
        let late = |i| at.saturating_sub(pacer.due(i));
        let first = late(0);
        self.max = self.max.max(first);
        self.frames += frames;
        let late = if frames == 1 {
            first
        } else {
            self.turn += 1;
            late(self.turn % frames)
        };
        let bound: usize = self.bounds.iter().map(|b| usize::from(late > *b)).sum();
        if let Some(count) = self.within.get_mut(bound) {
            *count += frames;
        }
        // Minutes late is beyond the last bucket: counted in `frames` and `max`.
        self.buckets.record(late, frames);
    }

    /// Adds another worker's.
    pub fn add(&mut self, other: &Departures) {
        self.within.iter_mut().zip(other.within).for_each(|(mine, theirs)| *mine += theirs);
        self.frames += other.frames;
        self.max = self.max.max(other.max);
        self.buckets.add_range(&other.buckets, 0, u64::MAX);
    }

    /// In nanoseconds; `hz` is the clock's rate. None without a frame.
    pub fn report(&self, hz: u64) -> Option<wire::Departures> {
        let ns = |ticks: u64| (u128::from(ticks) * 1_000_000_000 / u128::from(hz.max(1))) as u64;
        let share =
            |bounds: usize| self.within.iter().take(bounds).sum::<u64>() as f64 / self.frames.max(1) as f64;
        let quantile = |q: f64| ns(self.buckets.at_rank(rank(self.frames, q)).min(self.max));
        let mut log2: Vec<u64> = Vec::new();
        for (edge, count) in self.buckets.filled() {
            let ns = ns(edge.min(self.max));
            let place = (64 - ns.leading_zeros()) as usize;
            log2.resize(log2.len().max(place + 1), 0);
            if let Some(bucket) = log2.get_mut(place) {
                *bucket += count;
            }
        }
        (self.frames > 0).then(|| wire::Departures {
            frames: self.frames,
            within_64_ns: share(1),
            within_128_ns: share(2),
            within_256_ns: share(3),
            within_512_ns: share(4),
            within_1000_ns: share(5),
            p50_ns: quantile(0.5),
            p99_ns: quantile(0.99),
            max_ns: ns(self.max),
            log2_ns: log2,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HZ: u64 = 3_000_000_000;

    #[test]
    fn single_frames_are_booked_exactly() {
        let mut pacer = Pacer::new(Some(1e6), HZ);
        let mut departures = Departures::new(HZ);
        pacer.start(500);
        // Frame n is due at 3000 n, and leaves n * 30 ticks, 10 n nanoseconds, late.
        for n in 0..=100u64 {
            let at = 500 + 3000 * n + 30 * n;
            assert_eq!(pacer.grant(at, 32), 1);
            departures.book(&pacer, 1, at);
        }
        let report = departures.report(HZ).unwrap();
        assert_eq!((report.frames, report.max_ns), (101, 1000));
        // Up to 64 ns are frames 0 to 6.
        assert!((report.within_64_ns - 7.0 / 101.0).abs() < 1e-9, "{report:?}");
        assert!((report.within_256_ns - 26.0 / 101.0).abs() < 1e-9);
        assert_eq!(report.within_1000_ns, 1.0);
        assert!((500..=510).contains(&report.p50_ns) && (990..=1000).contains(&report.p99_ns), "{report:?}");
        assert_eq!(report.log2_ns.iter().sum::<u64>(), 101);
        // 0, then 1, 2-3, 4-7, 8-15: nothing but frame 0 and frame 1 (10 ns).
        assert_eq!(report.log2_ns[..5], [1, 0, 0, 0, 1]);
    }

    #[test]
    fn a_burst_is_booked_by_its_frames_in_turn() {
        let mut pacer = Pacer::new(Some(1e6), HZ);
        let mut departures = Departures::new(HZ);
        pacer.start(0);
        // Asked every four intervals, 100 ns behind the last of four frames.
        for n in 0..4000u64 {
            let at = 12_000 * n + 9_300;
            assert_eq!(pacer.grant(at, 32), 4);
            departures.book(&pacer, 4, at);
        }
        let report = departures.report(HZ).unwrap();
        assert_eq!((report.frames, report.max_ns), (16_000, 3100));
        assert_eq!([report.within_64_ns, report.within_128_ns, report.within_1000_ns], [0.0, 0.25, 0.25]);
        assert!((1100..=1118).contains(&report.p50_ns), "{report:?}");
    }

    #[test]
    fn workers_add_up() {
        let mut pacer = Pacer::new(Some(1e6), HZ);
        let (mut one, mut two) = (Departures::new(HZ), Departures::new(HZ));
        pacer.start(0);
        pacer.grant(0, 1);
        one.book(&pacer, 1, 0);
        two.book(&pacer, 1, 30_000);
        one.add(&two);
        let report = one.report(HZ).unwrap();
        assert_eq!((report.frames, report.within_64_ns, report.max_ns), (2, 0.5, 10_000));
        assert_eq!(Departures::new(HZ).report(HZ), None);
    }
}
