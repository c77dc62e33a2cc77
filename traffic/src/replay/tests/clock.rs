//! When frames leave: on time, after stalls, and never ahead.

use proptest::prelude::*;

use super::cursor::plan;
use crate::replay::{Cursor, ReplayClock};

/// Microseconds are ticks: 10 ms are 10,000.
const HZ: u64 = 1_000_000;

/// Asks at each of `asks` and sends all that is granted.
fn departures(
    times: &[u64],
    loops: u64,
    burst: u64,
    asks: impl IntoIterator<Item = u64>,
) -> (Vec<(u64, u64)>, u64) {
    let plan = plan(times, loops);
    let part = &plan.parts(1, HZ, plan.requested_pps(0))[0];
    let mut cursor = Cursor::new(part, plan.capture.bytes());
    let mut clock = ReplayClock::new(true, HZ);
    let mut out = Vec::new();
    clock.start(1000);
    for ask in asks {
        let n = clock.grant(1000 + ask, &cursor, burst);
        assert!(n <= burst.min(cursor.left()));
        cursor.advance(n);
        if n > 0 {
            out.push((ask, n));
        }
    }
    (out, clock.given_up())
}

#[test]
fn frames_leave_at_their_times_round_after_round() {
    // 3 frames, then one mean gap of 10 to the next round.
    let (out, given_up) = departures(&[7, 8, 27], 2, 32, 0..100);
    assert_eq!(out, [(0, 1), (1, 1), (20, 1), (30, 1), (31, 1), (50, 1)]);
    assert_eq!(given_up, 0);
}

#[test]
fn frames_of_one_time_leave_together_however_many() {
    let times: Vec<u64> = [5; 100].into_iter().chain([9000]).collect();
    let (out, _) = departures(&times, 1, 32, 0..10);
    assert_eq!(out, [(0, 32), (1, 32), (2, 32), (3, 4)]);
}

#[test]
fn a_stall_is_not_caught_up_by_a_burst() {
    // A frame a tick; away for 5 ms, then asked each tick.
    let times: Vec<u64> = (0..40_000).collect();
    let (out, given_up) = departures(&times, 1, 32, std::iter::once(0).chain(5000..7000));
    assert_eq!(given_up, 0);
    assert_eq!(out[1], (5000, 32));
    assert!(out[2..].iter().all(|(_, n)| *n <= 2), "at most twice the pace");
    let sent: u64 = out.iter().map(|(_, n)| n).sum();
    assert!((4020..=4033).contains(&sent), "twice the pace for 2 ms: {sent}");
}

#[test]
fn what_is_owed_beyond_10_ms_is_time_given_up_and_no_frame_lost() {
    let times: Vec<u64> = (0..30_000).collect();
    let (out, given_up) = departures(&times, 1, 32, std::iter::once(0).chain(15_000..60_000));
    assert!((4_900..=5_001).contains(&given_up), "{given_up}");
    assert_eq!(out.iter().map(|(_, n)| n).sum::<u64>(), 30_000, "all frames, in the end");
    // The backlog of 10 ms is gone after 10 ms at twice the pace, and the schedule is 5 ms late from there on.
    let last = out.last().unwrap().0;
    assert!((34_900..=35_100).contains(&last), "{last}");
}

#[test]
fn silence_in_the_capture_is_no_backlog() {
    // Nobody asks for 8 ms of the silence; the frame behind it leaves at its time.
    let (out, given_up) = departures(&[0, 9000, 9001, 9500], 1, 32, [0].into_iter().chain(8000..10_000));
    assert_eq!(out, [(0, 1), (9000, 1), (9001, 1), (9500, 1)]);
    assert_eq!(given_up, 0);
}

proptest! {
    #[test]
    fn grants_never_run_ahead_and_in_the_end_all_have_left(
        gaps in proptest::collection::vec(0u64..400, 1..60), loops in 1u64..4,
        asks in proptest::collection::vec(1u64..14_000, 1..80), burst in 1u64..65,
    ) {
        let times: Vec<u64> =
            std::iter::once(1).chain(gaps.iter().scan(1, |t, gap| { *t += gap; Some(*t) })).collect();
        prop_assume!(times.last() > times.first());
        let total = times.len() as u64 * loops;
        let asks: Vec<u64> = asks.iter().scan(0, |t, gap| { *t += gap; Some(*t) }).collect();
        let end = *asks.last().unwrap();
        let every_tick = end + 1..end + 200_000;
        let (out, given_up) = departures(&times, loops, burst, asks.into_iter().chain(every_tick));
        let plan = plan(&times, loops);
        let part = &plan.parts(1, HZ, plan.requested_pps(0))[0];
        let mut cursor = Cursor::new(part, plan.capture.bytes());
        let mut sent = 0;
        for (at, n) in &out {
            cursor.advance(n - 1);
            prop_assert!(cursor.next_due() <= *at, "due {}, sent {}", cursor.next_due(), at);
            cursor.advance(1);
            sent += n;
        }
        prop_assert_eq!(sent, total);
        // A slot is given up at most once for each time that it was missed.
        prop_assert!(given_up <= total * 80);
    }
}

#[test]
fn unpaced_grants_whole_bursts_up_to_the_end() {
    let plan = plan(&[1, 2, 3], 2);
    let part = &plan.parts(1, HZ, None)[0];
    let mut cursor = Cursor::new(part, plan.capture.bytes());
    let mut clock = ReplayClock::new(false, HZ);
    clock.start(0);
    assert_eq!(clock.grant(0, &cursor, 4), 4);
    cursor.advance(4);
    assert_eq!(clock.grant(0, &cursor, 4), 2);
}
