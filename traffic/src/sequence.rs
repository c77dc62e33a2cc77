//! A range as numbers: Pktgen's wrap rule in closed form.
//!
//! The rule is `v += inc; if v > max { v = min } else if v < min { v = max }`, one step a frame. From `min` on the
//! values repeat with a fixed period; a start that the cycle does not hit leaves a short lead-in before it.

/// The values of one field, by frame number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// First value, when it is outside the range.
    head: Option<u64>,
    /// Values within the range but off the cycle: first one and how many.
    lead: (u64, u64),
    min: u64,
    inc: u64,
    /// Values in the cycle.
    period: u64,
    /// Where in the cycle the lead-in ends.
    entry: u64,
}

impl Sequence {
    /// The same value for ever.
    pub fn constant(value: u64) -> Sequence {
        Sequence { head: None, lead: (0, 0), min: value, inc: 0, period: 1, entry: 0 }
    }

    /// Pktgen's rule for `min ≤ max`; an `inc` of zero holds `start`.
    pub fn range(start: u64, min: u64, max: u64, inc: u64) -> Sequence {
        if inc == 0 || min > max {
            return Sequence::constant(start);
        }
        let period = (max - min) / inc + 1;
        let (head, inside) = if start > max {
            (Some(start), min)
        } else if start < min {
            let next = start + inc;
            (
                Some(start),
                if next < min {
                    max
                } else if next > max {
                    min
                } else {
                    next
                },
            )
        } else {
            (None, start)
        };
        let offset = inside - min;
        let (lead, entry) = if offset.is_multiple_of(inc) {
            ((0, 0), offset / inc)
        } else {
            ((inside, (max - inside) / inc + 1), 0)
        };
        Sequence { head, lead, min, inc, period, entry }
    }

    /// Distinct values of the cycle.
    pub fn period(&self) -> u64 {
        self.period
    }

    /// Frames before the cycle: 0 for every range that starts on it.
    pub fn lead_in(&self) -> u64 {
        u64::from(self.head.is_some()) + self.lead.1
    }

    /// The value of frame `i`, from 0.
    pub fn at(&self, i: u64) -> u64 {
        let mut i = i;
        if let Some(head) = self.head {
            if i == 0 {
                return head;
            }
            i -= 1;
        }
        if i < self.lead.1 {
            return self.lead.0 + i * self.inc;
        }
        i -= self.lead.1;
        // Reduced first, so that frame numbers near 2^64 can't overflow.
        self.min + (i % self.period + self.entry) % self.period * self.inc
    }

    /// How a cycle value moves when `frames` frames are skipped, as `(stride, span, top)`:
    /// `v += stride; if v > top { v -= span }`.
    pub fn stepping(&self, frames: u64) -> (u64, u64, u64) {
        let stride = frames % self.period * self.inc;
        (stride, self.period * self.inc, self.min + (self.period - 1) * self.inc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The rule as Pktgen writes it.
    fn pktgen(start: u64, min: u64, max: u64, inc: u64, n: usize) -> Vec<u64> {
        let mut v = start;
        (0..n)
            .map(|_| {
                let now = v;
                if inc > 0 {
                    v += inc;
                    if v > max {
                        v = min
                    } else if v < min {
                        v = max
                    }
                }
                now
            })
            .collect()
    }

    proptest! {
        #[test]
        fn closed_form_equals_the_rule(start in 0u64..50, min in 0u64..40, width in 0u64..40, inc in 0u64..45) {
            let s = Sequence::range(start, min, min + width, inc);
            let want = pktgen(start, min, min + width, inc, 200);
            let got: Vec<u64> = (0..200).map(|i| s.at(i)).collect();
            prop_assert_eq!(got, want);
        }

        #[test]
        fn stepping_follows_the_cycle(min in 0u64..40, width in 0u64..40, inc in 1u64..45, skip in 1u64..20) {
            let s = Sequence::range(min, min, min + width, inc);
            let (stride, span, top) = s.stepping(skip);
            let mut v = s.at(0);
            for i in 1..100 {
                v += stride;
                if v > top { v -= span }
                prop_assert_eq!(v, s.at(i * skip));
            }
        }
    }

    #[test]
    fn huge_frame_numbers_do_not_overflow() {
        let s = Sequence::range(1, 1, 100, 1);
        assert_eq!(s.at(u64::MAX), u64::MAX % 100 + 1);
    }
}
