//! A stream's frame sizes: one, a range stepped once a frame, or several by weight.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::field::is_zero;
use crate::units::FrameSize;

/// Bytes with the FCS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FrameSizes {
    /// Every frame.
    One(FrameSize),
    /// From `min` to `max` and again, one step a frame.
    Range(SizeRange),
    /// Several sizes, mixed evenly by weight.
    Mix(#[schemars(length(min = 1, max = 64))] Vec<WeightedSize>),
    /// A mix with a name.
    Named(NamedMix),
}

/// Sizes in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SizeRange {
    /// The first.
    pub min: FrameSize,
    /// The last, if the steps hit it.
    pub max: FrameSize,
    /// From one to the next; 0 is 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(min = 1, max = 9536))]
    pub step: u16,
}

/// A size and how often it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightedSize {
    /// Bytes with the FCS.
    pub size: FrameSize,
    /// Its part of the frames, beside the other weights.
    #[schemars(range(min = 1, max = 1000))]
    pub weight: u32,
}

/// Mixes that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamedMix {
    /// FD.io CSIT's: 28 × 64, 16 × 570, 4 × 1518 bytes.
    Imix,
}

impl FrameSizes {
    /// All sizes with their weights, in the order in which they are given.
    pub fn weighted(&self) -> Vec<WeightedSize> {
        let size = |size, weight| WeightedSize { size, weight };
        let of = |bytes, weight| FrameSize::new(bytes).ok().map(|s| size(s, weight));
        match self {
            FrameSizes::One(one) => vec![size(*one, 1)],
            FrameSizes::Range(SizeRange { min, max, step }) => {
                let (min, max) = (u32::from(*min), u32::from(*max));
                (min..=max).step_by(usize::from((*step).max(1))).filter_map(|bytes| of(bytes, 1)).collect()
            }
            FrameSizes::Mix(sizes) => sizes.clone(),
            FrameSizes::Named(NamedMix::Imix) => {
                [(64, 28), (570, 16), (1518, 4)].into_iter().filter_map(|(b, w)| of(b, w)).collect()
            }
        }
    }

    /// The smallest and the largest.
    pub fn bounds(&self) -> (FrameSize, FrameSize) {
        match self {
            FrameSizes::One(size) => (*size, *size),
            FrameSizes::Range(r) => (r.min, r.max.max(r.min)),
            _ => {
                let sizes = self.weighted();
                let least = sizes.iter().map(|s| s.size).min().unwrap_or(FrameSize::MIN);
                (least, sizes.iter().map(|s| s.size).max().unwrap_or(least))
            }
        }
    }

    /// The mean frame's bytes, without FCS.
    pub fn mean_mbuf_bytes(&self) -> f64 {
        let sizes = self.weighted();
        let weight: f64 = sizes.iter().map(|s| f64::from(s.weight)).sum();
        let bytes: f64 = sizes.iter().map(|s| f64::from(s.weight) * f64::from(s.size.mbuf_bytes())).sum();
        bytes / weight.max(1.0)
    }
}

impl From<FrameSize> for FrameSizes {
    fn from(size: FrameSize) -> FrameSizes {
        FrameSizes::One(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imix_has_csits_mean() {
        // (28 × 64 + 16 × 570 + 4 × 1518) / 48 = 353.83 bytes with FCS.
        let imix = FrameSizes::Named(NamedMix::Imix);
        assert!((imix.mean_mbuf_bytes() + 4.0 - 16984.0 / 48.0).abs() < 1e-9);
        assert_eq!(imix.bounds(), (FrameSize::MIN, FrameSize::new(1518).unwrap()));
    }

    #[test]
    fn a_range_steps_from_its_least_size() {
        let size = |n| FrameSize::new(n).unwrap();
        let range = FrameSizes::Range(SizeRange { min: size(64), max: size(100), step: 16 });
        let sizes: Vec<u16> = range.weighted().iter().map(|s| s.size.bytes()).collect();
        assert_eq!(sizes, [64, 80, 96]);
    }
}
