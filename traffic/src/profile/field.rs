//! One header field's value over time: fixed, stepped once a frame, from a list, or random.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::Value;

/// A field of every frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "FieldOf_{T}")]
pub enum Field<T> {
    /// The same in every frame.
    Fixed(T),
    /// One step a frame, in lockstep with the stream's other ranges and lists of its nest.
    Range(Range<T>),
    /// One value after the other, round and round.
    List(List<T>),
    /// Any value between two, by chance and repeatable.
    Random(Random<T>),
    /// Some bits by chance and repeatable, the others fixed: Pktgen's `rnd`.
    Bits(Bits<T>),
}

/// Pktgen's range: `start`, then `+ inc` a frame; above `max` it goes on at `min`, below `min` at `max`.
///
/// An `inc` of zero holds `start` for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RangeOf_{T}")]
pub struct Range<T> {
    /// The first frame's value.
    pub start: T,
    /// Where the range goes on after `max`.
    pub min: T,
    /// The last value.
    pub max: T,
    /// The step, in the value's own notation (`0.0.0.1` for addresses).
    pub inc: T,
    /// 0 steps once a frame; 1 once in a whole cycle of all fields with nest 0, and so on: N × M combinations.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(max = 7))]
    pub nest: u8,
}

/// Values one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ListOf_{T}")]
pub struct List<T> {
    /// The values; the same one may stand there several times, to come more often.
    #[schemars(length(min = 1, max = 65536))]
    pub list: Vec<T>,
    /// As a range's.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(max = 7))]
    pub nest: u8,
}

/// Values by chance: a pure function of the seed and the frame's number, so that a run can be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RandomOf_{T}")]
pub struct Random<T> {
    /// Between which values, both included.
    pub random: Bounds<T>,
    /// Another seed, other values.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seed: u64,
}

/// The least and the largest value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BoundsOf_{T}")]
pub struct Bounds<T> {
    /// The least.
    pub min: T,
    /// The largest.
    pub max: T,
}

/// Bits by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BitsOf_{T}")]
pub struct Bits<T> {
    /// Which bits are random, in the value's own notation (`0.0.0.255` for addresses).
    pub bits: T,
    /// The other bits.
    pub value: T,
    /// As [`Random::seed`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seed: u64,
}

/// For serde: what is zero is not written.
pub(super) fn is_zero<N: PartialEq + Default>(n: &N) -> bool {
    *n == N::default()
}

impl<T: Value> Field<T> {
    /// A value that shows what the field is like: the first frame's, where it is not random.
    pub fn start(&self) -> T {
        match self {
            Field::Fixed(v) => *v,
            Field::Range(r) => r.start,
            // The check refuses an empty list.
            Field::List(l) => l.list.first().copied().unwrap_or_else(T::zero),
            Field::Random(r) => r.random.min,
            Field::Bits(b) => b.value,
        }
    }

    /// Zero in every frame: what most optional fields are when they are not given.
    pub fn zero() -> Field<T> {
        Field::Fixed(T::zero())
    }

    /// Whether all frames have the same value, and it is `value`.
    pub fn is(&self, value: T) -> bool {
        matches!(self, Field::Fixed(v) if *v == value)
    }

    /// A range in lockstep with all others.
    pub fn range(start: T, min: T, max: T, inc: T) -> Field<T> {
        Field::Range(Range { start, min, max, inc, nest: 0 })
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Field<T> {
        Field::Fixed(value)
    }
}
