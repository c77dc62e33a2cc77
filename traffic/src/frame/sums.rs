//! The two sums of a frame, side by side in one register.

use super::checksum;

/// The low 16 bits of both sums.
const LOW: u64 = 0x0000_ffff_0000_ffff;

/// Ones' complement sums of the IPv4 header and of layer 4, each in half of a word. See [`checksum`].
///
/// A half has room for 128 sums of less than 2^25: far more than a frame has varying fields.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums(u64);

impl Sums {
    /// From sums of any size.
    pub fn new(ip: u64, l4: u64) -> Sums {
        Sums(checksum::fold(ip) | checksum::fold(l4) << 32)
    }

    /// Adds a sum of less than 2^25 to the halves that `IP` and `L4` name.
    #[inline(always)]
    pub fn add<const IP: bool, const L4: bool>(&mut self, sum: u64) {
        self.0 += match (IP, L4) {
            (true, true) => sum * 0x1_0000_0001,
            (true, false) => sum,
            (false, true) => sum << 32,
            (false, false) => 0,
        };
    }

    /// The checksum fields for both, to be stored in native byte order.
    #[inline(always)]
    pub fn finish(self) -> (u16, u16) {
        let once = (self.0 & LOW) + (self.0 >> 16 & LOW);
        let both = !(once + (once >> 16 & LOW));
        (both as u16, (both >> 32) as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn halves_are_the_sums_alone(
            ip in 1u64..1 << 40,
            l4 in 1u64..1 << 40,
            more in proptest::collection::vec(0u64..1 << 25, 0..100),
        ) {
            let mut sums = Sums::new(ip, l4);
            let (mut want_ip, mut want_l4) = (ip, l4);
            for (i, sum) in more.iter().enumerate() {
                match i % 3 {
                    0 => sums.add::<true, true>(*sum),
                    1 => sums.add::<true, false>(*sum),
                    _ => sums.add::<false, true>(*sum),
                }
                want_ip += if i % 3 < 2 { *sum } else { 0 };
                want_l4 += if i % 3 != 1 { *sum } else { 0 };
            }
            prop_assert_eq!(sums.finish(), (checksum::finish(want_ip), checksum::finish(want_l4)));
        }
    }
}
