//! Several things in turn, each as often as its weight says and as evenly spread as can be.

use crate::divisor::gcd;

/// One cycle: as many places as the weights come to once divided by what they have in common.
pub fn even_order(weights: &[u32]) -> Vec<u16> {
    let common = weights.iter().fold(0, |a, b| gcd(a, u64::from(*b))).max(1);
    let total: u64 = weights.iter().map(|w| u64::from(*w) / common).sum();
    let mut places: Vec<(u64, u16)> = Vec::with_capacity(total as usize);
    for (index, weight) in weights.iter().enumerate() {
        let times = u64::from(*weight) / common;
        // The middles of `times` equal parts of the cycle, in halves of 2^-32 of it.
        let part = |i: u64| ((2 * i + 1) << 32) / times;
        places.extend((0..times).map(|i| (part(i), index as u16)));
    }
    places.sort_unstable();
    places.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_weights_take_turns() {
        assert_eq!(even_order(&[5, 5, 5]), [0, 1, 2]);
        assert_eq!(even_order(&[2, 1]), [0, 1, 0]);
        assert_eq!(even_order(&[28, 16, 4]).len(), 12);
    }

    proptest! {
        #[test]
        fn each_comes_as_often_as_it_weighs_and_evenly(weights in proptest::collection::vec(1u32..50, 1..10)) {
            let order = even_order(&weights);
            let total: u32 = weights.iter().sum();
            for (i, w) in weights.iter().enumerate() {
                let n = order.iter().filter(|o| usize::from(**o) == i).count();
                prop_assert_eq!(n as u64 * u64::from(total), order.len() as u64 * u64::from(*w));
                // In every stretch it is within as many frames of its share as there are things.
                let mut seen = 0f64;
                for (at, o) in order.iter().enumerate() {
                    seen += f64::from(u8::from(usize::from(*o) == i));
                    let due = (at + 1) as f64 * f64::from(*w) / f64::from(total);
                    prop_assert!((seen - due).abs() <= weights.len() as f64);
                }
            }
        }
    }
}
