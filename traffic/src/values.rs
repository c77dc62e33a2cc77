//! A field's values by frame number, whatever kind of field it is: pure, so that any worker can begin anywhere.

use std::sync::Arc;

use crate::profile::{Field, Value};
use crate::sequence::Sequence;

/// The values of one field (of an IPv6 address: of one half).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    kind: Kind,
    /// Frames a step: 1 but for nested fields.
    every: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Range(Sequence),
    List(Arc<[u64]>),
    Random { seed: u64, min: u64, span: u64 },
    Bits { seed: u64, mask: u64, value: u64 },
}

impl Values {
    /// Of a field of up to 64 bits, or of the lower half of an IPv6 address. `salt` tells fields with one seed apart.
    pub fn low<T: Value>(field: &Field<T>, salt: u64) -> Values {
        Values::of(field, T::to_u64, salt)
    }

    /// Of the upper half of an IPv6 address.
    pub fn high<T: Value>(field: &Field<T>, salt: u64) -> Values {
        Values::of(field, T::high, salt)
    }

    fn of<T: Value>(field: &Field<T>, half: impl Fn(T) -> u64, salt: u64) -> Values {
        let salted = |seed: u64| scramble(seed ^ scramble(salt));
        let kind = match field {
            Field::Fixed(v) => Kind::Range(Sequence::constant(half(*v))),
            Field::Range(r) => {
                let [start, min, max, inc] = [r.start, r.min, r.max, r.inc].map(&half);
                Kind::Range(Sequence::range(start, min, max, inc))
            }
            Field::List(l) => {
                let values: Vec<u64> = l.list.iter().map(|v| half(*v)).collect();
                match values.as_slice() {
                    [] => Kind::Range(Sequence::constant(0)),
                    [first, others @ ..] if others.iter().all(|v| v == first) => {
                        Kind::Range(Sequence::constant(*first))
                    }
                    _ => Kind::List(values.into()),
                }
            }
            Field::Random(r) => {
                let (min, max) = (half(r.random.min), half(r.random.max));
                if min == max {
                    Kind::Range(Sequence::constant(min))
                } else {
                    Kind::Random { seed: salted(r.seed), min, span: max.wrapping_sub(min) }
                }
            }
            Field::Bits(b) => {
                let (mask, value) = (half(b.bits), half(b.value) & !half(b.bits));
                if mask == 0 {
                    Kind::Range(Sequence::constant(value))
                } else {
                    Kind::Bits { seed: salted(b.seed), mask, value }
                }
            }
        };
        Values { kind, every: 1 }
    }

    /// A range, as Pktgen steps it.
    pub fn range(start: u64, min: u64, max: u64, inc: u64) -> Values {
        Values { kind: Kind::Range(Sequence::range(start, min, max, inc)), every: 1 }
    }

    /// The value of frame `frame`.
    pub fn at(&self, frame: u64) -> u64 {
        match &self.kind {
            Kind::Range(sequence) => sequence.at(frame / self.every),
            Kind::List(values) => {
                let index = frame / self.every % values.len().max(1) as u64;
                values.get(index as usize).copied().unwrap_or_default()
            }
            // As many of 2^64 chances as fit fall on each value (Lemire's multiplication, without rejection: the bias
            // is below span / 2^64).
            Kind::Random { seed, min, span } => {
                let chance = u128::from(scramble(seed.wrapping_add(frame)));
                min.wrapping_add(((chance * (u128::from(*span) + 1)) >> 64) as u64)
            }
            Kind::Bits { seed, mask, value } => scramble(seed.wrapping_add(frame)) & mask | value,
        }
    }

    /// Steps before the values repeat; 1 for random ones, which tell no flows apart.
    pub fn period(&self) -> u64 {
        match &self.kind {
            Kind::Range(sequence) => sequence.period(),
            Kind::List(values) => values.len() as u64,
            Kind::Random { .. } | Kind::Bits { .. } => 1,
        }
    }

    /// Frames before the cycle.
    pub fn lead_in(&self) -> u64 {
        match &self.kind {
            Kind::Range(sequence) => sequence.lead_in().saturating_mul(self.every),
            _ => 0,
        }
    }

    /// Whether frames differ by it.
    pub fn varies(&self) -> bool {
        self.is_random() || self.period() > 1 || self.lead_in() > 0
    }

    /// Whether chance has a hand in it.
    pub fn is_random(&self) -> bool {
        matches!(self.kind, Kind::Random { .. } | Kind::Bits { .. })
    }

    /// Frames a step.
    pub fn every(&self) -> u64 {
        self.every
    }

    /// The same values, a step every `frames` frames.
    pub fn nested(mut self, frames: u64) -> Values {
        self.every = frames.max(1);
        self
    }

    /// As a range that steps with every frame, where it is one: it can be stepped without division.
    pub fn sequence(&self) -> Option<&Sequence> {
        match &self.kind {
            Kind::Range(sequence) if self.every == 1 => Some(sequence),
            _ => None,
        }
    }
}

/// A number that looks random and is not: the finalizer of SplitMix64.
fn scramble(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The byte at `index` of a payload of random bytes.
pub fn random_byte(seed: u64, index: usize) -> u8 {
    (scramble(scramble(seed).wrapping_add(index as u64 / 8)) >> (index % 8 * 8)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::field::{Bits, Bounds, List, Random};
    use proptest::prelude::*;

    #[test]
    fn a_list_goes_round() {
        let values = Values::low(&Field::List(List { list: vec![5u16, 7, 5], nest: 0 }), 0);
        assert_eq!((0..7).map(|i| values.at(i)).collect::<Vec<_>>(), [5, 7, 5, 5, 7, 5, 5]);
        assert_eq!(values.nested(2).at(3), 7);
    }

    proptest! {
        #[test]
        fn random_values_stay_within_their_bounds_and_can_be_repeated(min: u16, width: u16, seed: u64, salt: u64) {
            let max = min.saturating_add(width);
            let field = Field::Random(Random { random: Bounds { min, max }, seed });
            let (values, again) = (Values::low(&field, salt), Values::low(&field, salt));
            for frame in 0..100 {
                let v = values.at(frame);
                prop_assert!((u64::from(min)..=u64::from(max)).contains(&v));
                prop_assert_eq!(v, again.at(frame));
            }
        }

        #[test]
        fn only_the_masked_bits_are_random(bits: u32, value: u32, frame: u64) {
            let v = Values::low(&Field::Bits(Bits { bits, value, seed: 1 }), 0).at(frame);
            prop_assert_eq!(v & !u64::from(bits), u64::from(value & !bits));
        }
    }

    #[test]
    fn random_values_are_spread_evenly() {
        let field = Field::Random(Random { random: Bounds { min: 0u8, max: 9 }, seed: 3 });
        let values = Values::low(&field, 0);
        let mut seen = [0u32; 10];
        (0..10_000).for_each(|frame| seen[values.at(frame) as usize] += 1);
        // 1000 expected; five standard deviations are 150.
        assert!(seen.iter().all(|n| (850..1150).contains(n)), "{seen:?}");
    }
}
