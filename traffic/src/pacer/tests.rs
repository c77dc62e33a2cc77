//! Departures against what was asked, for every kind of gap.

use super::*;
use proptest::prelude::*;

const HZ: u64 = 1_000_000_000;

#[test]
fn unpaced_grants_whole_bursts() {
    assert_eq!(Pacer::new(None, HZ).grant(5, 32), 32);
}

#[test]
fn one_frame_at_a_time_when_asked_often() {
    let mut p = Pacer::new(Some(1000.0), HZ);
    p.start(500);
    let mut departures = Vec::new();
    for now in (500..10_000_500).step_by(100) {
        let n = p.grant(now, 32);
        assert!(n <= 1);
        if n == 1 {
            departures.push(now - 500);
        }
    }
    assert_eq!(departures, (0..10).map(|i| i * 1_000_000).collect::<Vec<_>>());
}

/// Each rate is kept exactly from the moment it is told, up and down, and nothing is lost or sent twice at the seams.
#[test]
fn a_changed_rate_is_kept_from_then_on() {
    let mut p = Pacer::new(Some(1000.0), HZ);
    p.start(7);
    let count = |p: &mut Pacer, from: u64, until: u64| -> u64 {
        (from..until).step_by(1000).map(|now| p.grant(7 + now, 32)).sum()
    };
    assert_eq!(count(&mut p, 0, 100_000_000), 100);
    p.rescale(7 + 100_000_000, 2000);
    assert!((199..=201).contains(&count(&mut p, 100_000_000, 200_000_000)));
    p.rescale(7 + 200_000_000, 100);
    assert!((9..=11).contains(&count(&mut p, 200_000_000, 300_000_000)));
    p.rescale(7 + 300_000_000, 1000);
    assert!((99..=101).contains(&count(&mut p, 300_000_000, 400_000_000)));
    assert_eq!(p.given_up(), 0);
    assert_eq!(p.interval(), 1_000_000);
    // Told a thousand times within one frame's time, no frame leaves for it.
    let at = 7 + 400_000_000;
    p.grant(at, 32);
    let extra: u64 = (0..1000u64)
        .map(|i| {
            p.rescale(at + i * 10, 500 + (i as u32 % 2) * 1000);
            p.grant(at + i * 10, 32)
        })
        .sum();
    assert!(extra <= 1, "{extra}");
    let mut unpaced = Pacer::new(None, HZ);
    unpaced.rescale(5, 10);
    assert_eq!(unpaced.grant(9, 32), 32);
}

#[test]
fn a_stall_is_not_caught_up_by_a_burst() {
    let mut p = Pacer::new(Some(1e6), HZ);
    p.start(0);
    p.grant(0, 32);
    // 50 ms away: 50,000 due, 10 ms of them kept.
    assert_eq!(p.grant(50_000_000, 32), 32);
    assert!((39_900..40_000).contains(&p.given_up()), "{}", p.given_up());
    // From then on at most two a microsecond.
    let sent: u64 = (1..=1000).map(|us| p.grant(50_000_000 + us * 1000, 32)).sum();
    assert!((1990..=2000).contains(&sent), "{sent}");
}

proptest! {
    #[test]
    fn grants_never_run_ahead_and_never_fall_behind_unseen(
        pps in 1.0f64..50e6, gaps in proptest::collection::vec(1u64..3_000_000, 1..200)
    ) {
        let mut p = Pacer::new(Some(pps), HZ);
        p.start(0);
        let (mut now, mut sent) = (0u64, 0u64);
        for gap in gaps {
            now += gap;
            let n = p.grant(now, 64);
            prop_assert!(n <= 64);
            sent += n;
            let due = (now as f64 * pps / HZ as f64) as u64 + 1;
            prop_assert!(sent + p.given_up() <= due + 1);
        }
    }

    #[test]
    fn the_long_run_rate_is_exact(pps in 10.0f64..1e6) {
        let mut p = Pacer::new(Some(pps), HZ);
        p.start(0);
        let mut sent = 0;
        for us in 0..=1_000_000u64 {
            sent += p.grant(us * 1000, 64);
        }
        prop_assert!((sent as f64 - pps).abs() <= 2.0, "{} of {}", sent, pps);
    }
}

/// Departures of a pacer that is asked every `step` ticks for `ticks` ticks, with frames at all times.
fn departures(p: &mut Pacer, ticks: u64, step: u64) -> Vec<u64> {
    p.start(0);
    let mut times = Vec::new();
    for now in (0..=ticks).step_by(step as usize) {
        let n = p.grant(now, 32);
        for i in 0..n {
            assert!(p.due(i) <= now, "granted before it was due");
            times.push(p.due(i));
        }
    }
    times
}

#[test]
fn due_times_are_those_of_the_rate() {
    let mut p = Pacer::new(Some(3e6), HZ);
    let times = departures(&mut p, 1_000_000, 100);
    assert_eq!(times.len(), 3001);
    for (n, due) in times.iter().enumerate() {
        assert_eq!(*due, (n as u64 * 1000).div_ceil(3), "frame {n}");
    }
}

#[test]
fn poisson_gaps_are_exponential() {
    let mean = 1000.0;
    let mut p = Pacer::with_gap(Some(HZ as f64 / mean), HZ, Gap::Poisson, 42);
    let times = departures(&mut p, 200_000_000, 20);
    let n = times.len() as f64;
    // 200,000 of them: the count's standard deviation is 447.
    assert!((n - 200_000.0).abs() < 4.0 * 447.0, "{n}");
    let gaps: Vec<f64> = times.windows(2).map(|w| (w[1] - w[0]) as f64).collect();
    let m = gaps.iter().sum::<f64>() / n;
    let variance = gaps.iter().map(|g| (g - m) * (g - m)).sum::<f64>() / n;
    assert!((m / mean - 1.0).abs() < 0.01, "mean {m}");
    assert!((variance / (mean * mean) - 1.0).abs() < 0.03, "variance {variance}");
    // The whole distribution: P(gap > x) = exp(-x / mean); four standard deviations of each share.
    for x in [100.0, 500.0, 1000.0, 2000.0, 5000.0] {
        let (share, wanted) = (gaps.iter().filter(|g| **g > x).count() as f64 / n, (-x / mean).exp());
        assert!((share - wanted).abs() < 4.0 * (wanted * (1.0 - wanted) / n).sqrt() + 1e-3, "{x}: {share}");
    }
    // No memory: neighbours are not correlated.
    let covariance = gaps.windows(2).map(|w| (w[0] - m) * (w[1] - m)).sum::<f64>() / n;
    assert!((covariance / variance).abs() < 0.01, "{covariance}");
}

#[test]
fn a_seed_gives_the_same_gaps_and_another_seed_others() {
    let times = |seed| departures(&mut Pacer::with_gap(Some(1e6), HZ, Gap::Poisson, seed), 1_000_000, 50);
    assert_eq!(times(1), times(1));
    assert_ne!(times(1), times(2));
}

#[test]
fn bursts_are_n_frames_every_t() {
    // By the mean rate as a sender states it, and without.
    for pps in [None, Some(100.0 / 1e-3)] {
        let mut p = Pacer::with_gap(pps, HZ, Gap::Burst { burst: 100, every_s: 1e-3 }, 0);
        let times = departures(&mut p, 999_999_999, 1000);
        assert_eq!(times.len(), 100_000);
        for (i, due) in times.iter().enumerate() {
            assert_eq!(*due, i as u64 / 100 * 1_000_000, "frame {i}");
        }
        assert_eq!((p.given_up(), p.interval()), (0, 10_000));
    }
}

#[test]
fn a_burst_leaves_as_fast_as_the_sender_takes_it() {
    let mut p = Pacer::with_gap(None, HZ, Gap::Burst { burst: 100, every_s: 1.0 }, 0);
    p.start(0);
    assert_eq!([0, 1, 2, 3, 4].map(|now| p.grant(now, 32)), [32, 32, 32, 4, 0]);
    assert_eq!([HZ - 1, HZ, HZ + 1].map(|now| p.grant(now, 64)), [0, 64, 36]);
}

#[test]
fn workers_share_every_burst() {
    for burst in [1, 10, 11] {
        let gap = Gap::Burst { burst, every_s: 1e-3 };
        let mean_pps = gap.mean_pps(None).unwrap();
        let (mut all, mut before) = (Vec::new(), 0.0);
        for share in [0.34, 0.33, 0.33] {
            let pacer = Pacer::with_gap(Some(mean_pps * share), HZ, gap, 0).behind(mean_pps * before, gap);
            let times = departures(&mut { pacer }, 99_999_999, 1000);
            assert!((times.len() as f64 - 100.0 * f64::from(burst) * share).abs() <= 1.0);
            all.extend(times);
            before += share;
        }
        all.sort_unstable();
        let whole = (0..100).flat_map(|n| std::iter::repeat_n(n * 1_000_000, burst as usize));
        assert!(all.iter().copied().eq(whole), "bursts of {burst}");
    }
}

#[test]
fn returned_frames_are_granted_again_with_their_due_times() {
    let gap = Gap::Burst { burst: 1, every_s: 1e-6 };
    for mut p in [Pacer::new(Some(1e6), HZ), Pacer::with_gap(None, HZ, gap, 0)] {
        p.start(0);
        let granted = p.grant(5500, 3);
        assert!(granted >= 2 && [p.due(0), p.due(1)] == [0, 1000], "{granted}");
        p.return_grant(granted - 1);
        assert!(p.grant(6500, 3) >= 2);
        assert_eq!([p.due(0), p.due(1)], [1000, 2000]);
    }
}

#[test]
fn a_stall_of_any_schedule_ends_in_one_burst_and_twice_the_rate() {
    let bursts = Gap::Burst { burst: 10, every_s: 1e-5 };
    for gap in [Gap::Poisson, bursts] {
        let mut p = Pacer::with_gap(Some(1e6), HZ, gap, 3);
        p.start(0);
        let mut sent = p.grant(0, 64);
        // Half a second away: 500,000 due, 10 ms of them kept.
        sent += p.grant(500_000_000, 64);
        assert!(sent <= 65, "{gap:?}: {sent} at once");
        let kept = 500_000 - p.given_up();
        assert!((9_000..21_000).contains(&kept), "{gap:?}: {kept} kept");
        let later: u64 = (1..=10_000).map(|i| p.grant(500_000_000 + i * 100, 64)).sum();
        assert!((1_500..=2_100).contains(&later), "{gap:?}: {later} in the next millisecond");
        // Nothing is lost from the books: what is neither sent nor given up is owed.
        let rest: u64 = (1..=200_000).map(|i| p.grant(501_000_000 + i * 100, 64)).sum();
        let due = 521_000.0;
        let all = (sent + later + rest + p.given_up()) as f64;
        assert!((all - due).abs() < 4.0 * f64::sqrt(due), "{gap:?}: {all}");
    }
}

proptest! {
    // A second of each, in microseconds.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_gap_has_the_rate_in_the_long_run(pps in 1e3f64..1e6, seed: u64, burst in 1u32..200) {
        let bursts = Gap::Burst { burst, every_s: f64::from(burst) / pps };
        for gap in [Gap::Constant, Gap::Poisson, bursts] {
            let sent = departures(&mut Pacer::with_gap(Some(pps), HZ, gap, seed), HZ, 1000).len() as f64;
            let allowed = match gap {
                Gap::Constant => 2.0,
                // Five standard deviations of a Poisson count.
                Gap::Poisson => 5.0 * pps.sqrt() + 2.0,
                Gap::Burst { burst, .. } => f64::from(burst) + 1.0,
            };
            prop_assert!((sent - pps).abs() <= allowed, "{gap:?}: {sent} of {pps}");
        }
    }
}
