//! Walking through a part, against a plain walk.

use proptest::prelude::*;

use super::{UDP, file, load, replay};
use crate::profile::Stop;
use crate::profile::replay::{Replay, Timing};
use crate::replay::{Cursor, ReplayPlan};
use crate::units::Rate;

const HZ: u64 = 1_000_000;

/// A plan of frames at these microseconds, which are ticks here.
pub(super) fn plan(times: &[u64], loops: u64) -> ReplayPlan {
    let frames: Vec<_> = times.iter().map(|us| (*us, UDP.frame())).collect();
    let profile = Replay { loops, timing: Timing::Original, ..replay() };
    let capture = load(&file(&frames), &profile).unwrap();
    ReplayPlan::compile(capture, &profile, Rate::Max, Stop::Never).unwrap()
}

proptest! {
    #[test]
    fn counts_are_those_of_a_walk(
        gaps in proptest::collection::vec(0u64..5, 1..20), loops in 1u64..5, skip in 0u64..60, until in 0u64..200,
        most in 0u64..50,
    ) {
        let times: Vec<u64> =
            std::iter::once(1).chain(gaps.iter().scan(1, |t, gap| { *t += gap; Some(*t) })).collect();
        prop_assume!(times.last() > times.first());
        let plan = plan(&times, loops);
        let part = &plan.parts(1, HZ, plan.requested_pps(0))[0];
        let mut cursor = Cursor::new(part, plan.capture.bytes());
        let bytes = cursor.advance(skip.min(cursor.left()));
        prop_assert_eq!(bytes, skip.min(part.total()) * UDP.frame().len() as u64);
        let mut walk = cursor.clone();
        let mut due = Vec::new();
        while walk.left() > 0 {
            due.push(walk.next_due());
            walk.advance(1);
        }
        prop_assert_eq!(walk.next_due(), u64::MAX);
        prop_assert!(due.is_sorted());
        let by_until: Vec<u64> = due.iter().copied().take_while(|d| *d <= until).take(most as usize).collect();
        let expected = (by_until.len() as u64, by_until.last().copied().unwrap_or(0));
        prop_assert_eq!(cursor.due(until, most), expected);
        let before = due.iter().filter(|d| **d < until).count() as u64;
        // Rounds begin at fractions of a tick.
        let near = due.iter().filter(|d| d.abs_diff(until) <= 1).count() as u64;
        prop_assert!(cursor.due_before(until).abs_diff(before) <= near);
    }
}

#[test]
fn a_worker_without_flows_is_done_at_once() {
    let plan = plan(&[1, 2, 3], 0);
    let parts = plan.parts(4, HZ, plan.requested_pps(0));
    let idle: Vec<_> = parts.iter().filter(|p| p.frames() == 0).collect();
    assert_eq!(idle.len(), 3, "one flow");
    let mut cursor = Cursor::new(idle[0], plan.capture.bytes());
    assert_eq!((cursor.left(), cursor.next_due(), cursor.due(99, 9)), (0, u64::MAX, (0, 0)));
    assert_eq!((cursor.ahead().count(), cursor.advance(0)), (0, 0));
}
