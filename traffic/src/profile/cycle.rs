//! How many values a range gives before it repeats, and with them how many flows a stream has.

use super::field::{Field, Range, Value};
use super::model::Stream;

/// More flows than this are refused: their places could not be told apart in a frame's mark.
pub const MAX_FLOWS: u64 = 1 << 40;

/// A sequence of values: `lead` that come once, then `period` that come again and again; all are distinct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Values before the repeating ones: a `start` that is no whole number of steps above `min` gives some.
    pub lead: u64,
    /// Values that repeat; at least 1.
    pub period: u64,
}

impl<T: Value> Range<T> {
    /// The range's cycle, for a checked range (`min` ≤ `start` ≤ `max`).
    pub fn cycle(&self) -> Cycle {
        let [start, min, max, inc] = [self.start, self.min, self.max, self.inc].map(Value::to_u64);
        if inc == 0 {
            return Cycle { lead: 0, period: 1 };
        }
        let period = max.saturating_sub(min) / inc + 1;
        let on_grid = start.saturating_sub(min) % inc == 0;
        Cycle { lead: if on_grid { 0 } else { max.saturating_sub(start) / inc + 1 }, period }
    }
}

impl<T: Value> Field<T> {
    /// One value for ever, or the range's cycle.
    pub fn cycle(&self) -> Cycle {
        match self {
            Field::Fixed(_) => Cycle { lead: 0, period: 1 },
            Field::Range(range) => range.cycle(),
        }
    }
}

/// The cycle of a checked stream's fields taken together: they step in lockstep, so its period is the least common
/// multiple of theirs. `lead + period` is the number of flows; `None` when that is more than [`MAX_FLOWS`].
pub fn of_stream(stream: &Stream) -> Option<Cycle> {
    let mut cycles = vec![
        stream.ethernet.src.cycle(),
        stream.ethernet.dst.cycle(),
        stream.ipv4.src.cycle(),
        stream.ipv4.dst.cycle(),
        stream.ipv4.ttl.cycle(),
    ];
    for ports in [&stream.udp, &stream.tcp].into_iter().flatten() {
        cycles.extend([ports.src.cycle(), ports.dst.cycle()]);
    }
    let lead = cycles.iter().map(|c| c.lead).max().unwrap_or(0);
    let mut period = 1;
    for cycle in cycles {
        period = least_common_multiple(period, cycle.period).filter(|p| *p <= MAX_FLOWS)?;
    }
    (lead.checked_add(period)? <= MAX_FLOWS).then_some(Cycle { lead, period })
}

fn least_common_multiple(a: u64, b: u64) -> Option<u64> {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x).checked_mul(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pktgen's rule, step by step.
    fn walked(r: Range<u8>) -> Cycle {
        let mut seen: Vec<u64> = Vec::new();
        let mut value = u64::from(r.start);
        loop {
            if let Some(lead) = seen.iter().position(|v| *v == value) {
                return Cycle { lead: lead as u64, period: (seen.len() - lead) as u64 };
            }
            seen.push(value);
            value += u64::from(r.inc);
            if value > u64::from(r.max) {
                value = if r.inc == 0 { value } else { u64::from(r.min) };
            }
        }
    }

    #[test]
    fn a_cycle_is_what_walking_the_range_gives() {
        for min in 0..6 {
            for max in min..12 {
                for start in min..=max {
                    for inc in 0..14 {
                        let range = Range { start, min, max, inc };
                        assert_eq!(range.cycle(), walked(range), "{range:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_common_multiple_is_bounded() {
        assert_eq!(least_common_multiple(6, 4), Some(12));
        assert_eq!(least_common_multiple(u64::MAX, u64::MAX - 1), None);
    }
}
