//! The two sums of a frame, side by side in one register.

use super::checksum::{self, UDP_ZERO};

/// The low 16 bits of both sums.
const LOW: u64 = 0x0000_ffff_0000_ffff;

/// Ones' complement sums of the IPv4 header and of layer 4, each in half of a word. See [`checksum`].
///
/// Only what they are modulo 2^16 − 1 counts, so that they can be stepped like the fields that they cover: a field that
/// goes up by a stride makes the sum go up by the stride's own sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums(u64);

impl Sums {
    /// From sums of any size.
    pub fn new(ip: u64, l4: u64) -> Sums {
        Sums(checksum::fold(ip) | checksum::fold(l4) << 32)
    }

    /// Both together. Halves have room for 2^15 folded sums.
    #[inline(always)]
    pub fn plus(self, other: Sums) -> Sums {
        Sums(self.0 + other.0)
    }

    /// So many times as much; no more than halves have room for.
    #[inline(always)]
    pub fn times(self, count: u64) -> Sums {
        Sums(self.0 * count)
    }

    /// Both in 16 bits, carries included: 0 for 0 only.
    #[inline(always)]
    pub fn folded(self) -> Sums {
        let once = (self.0 & LOW) + (self.0 >> 16 & LOW);
        Sums((once & LOW) + (once >> 16 & LOW))
    }

    /// The checksum fields for both, to be stored in native byte order.
    #[inline(always)]
    pub fn finish(self) -> (u16, u16) {
        // Adding a word to itself rotated by half leaves the folded sum, carries included, in its upper half.
        let fold = |half: u32| (half.wrapping_add(half.rotate_left(16)) >> 16) as u16;
        (!fold(self.0 as u32), !fold((self.0 >> 32) as u32))
    }

    /// That of the IPv4 header, folded.
    fn ip(self) -> u16 {
        self.folded().0 as u16
    }

    /// That of layer 4, folded.
    fn l4(self) -> u16 {
        (self.folded().0 >> 32) as u16
    }
}

/// The checksum fields of frames whose sums go up evenly.
#[derive(Clone, Copy, Debug)]
pub struct Rising {
    /// 1 to ffff: the sum, or its complement where a checksum of zero is sent as ffff.
    sum: u16,
    step: u16,
    invert: u16,
}

impl Rising {
    /// Of IPv4: its checksum for `first`, and how that goes on by `step` a frame.
    #[inline(always)]
    pub fn ip(first: Sums, step: Sums) -> Rising {
        Rising { sum: first.ip(), step: step.ip(), invert: 0xffff }
    }

    /// Of layer 4. `zero` is what is sent for a checksum of zero.
    #[inline(always)]
    pub fn l4(first: Sums, step: Sums, zero: u16) -> Rising {
        let (sum, step) = (first.l4(), step.l4());
        if zero == UDP_ZERO {
            // Of the two zeros, adding with carry around gives ffff.
            Rising { sum: if sum == 0xffff { 0xffff } else { !sum }, step: !step, invert: 0 }
        } else {
            Rising { sum, step, invert: 0xffff }
        }
    }

    /// The sum of layer 4 itself, for a NIC that goes on with it.
    pub fn l4_sum(first: Sums, step: Sums) -> Rising {
        Rising { sum: first.l4(), step: step.l4(), invert: 0 }
    }

    /// Zero for ever, as [`Rising::inverted_field`].
    pub fn zero() -> Rising {
        Rising { sum: 0xffff, step: 0, invert: 0xffff }
    }

    /// The next frame's field, in native byte order.
    #[inline(always)]
    pub fn field(&mut self) -> u16 {
        let field = self.sum ^ self.invert;
        self.go_on();
        field
    }

    /// As [`Rising::field`] of one that is known to be a sum.
    #[inline(always)]
    pub fn inverted_field(&mut self) -> u16 {
        let field = !self.sum;
        self.go_on();
        field
    }

    #[inline(always)]
    fn go_on(&mut self) {
        let (sum, carry) = self.sum.overflowing_add(self.step);
        self.sum = sum + u16::from(carry);
    }
}

/// The sum that a field of this value adds, in native byte order: its words add up to the number itself, as 2^16 ≡ 1.
#[inline(always)]
pub fn native(value: u64) -> u64 {
    u64::from((checksum::fold(value) as u16).to_be())
}

/// What takes a folded sum away.
#[inline(always)]
pub fn minus(folded: u64) -> u64 {
    0xffff - folded
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
                let (ip, l4) = (if i % 3 < 2 { *sum } else { 0 }, if i % 3 != 1 { *sum } else { 0 });
                sums = sums.plus(Sums::new(ip, l4));
                want_ip += ip;
                want_l4 += l4;
            }
            prop_assert_eq!(sums.finish(), (checksum::finish(want_ip), checksum::finish(want_l4)));
            prop_assert_eq!(sums.folded().finish(), sums.finish());
        }

        /// Stepped fields are those of sums made anew, the two zeros included.
        #[test]
        fn rising_is_what_each_frames_own_sum_gives(first in 1u64..1 << 17, step in 0u64..1 << 17) {
            let (start, by) = (Sums::new(first, first), Sums::new(step, step));
            let (mut ip, mut tcp) = (Rising::ip(start, by), Rising::l4(start, by, 0));
            let (mut udp, mut nic) = (Rising::l4(start, by, UDP_ZERO), Rising::l4_sum(start, by));
            for frame in 0..200 {
                let sum = first + frame * step;
                prop_assert_eq!(ip.inverted_field(), checksum::finish(sum));
                prop_assert_eq!(tcp.field(), checksum::finish(sum));
                prop_assert_eq!(udp.field(), checksum::finish_udp(sum));
                prop_assert_eq!(u64::from(nic.field()), checksum::fold(sum));
            }
        }

        #[test]
        fn a_fields_sum_is_that_of_its_bytes(value: u64) {
            let bytes = checksum::sum(&value.to_be_bytes());
            prop_assert_eq!(native(value) % 0xffff, bytes % 0xffff);
            prop_assert_eq!((native(value) + minus(native(value))) % 0xffff, 0);
        }
    }
}
