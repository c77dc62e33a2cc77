//! The two sums of a frame, side by side in one register.

use super::checksum;

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
pub trait Fields: Copy {
    /// Of layer 4, for a frame with these sums, and how they go on by `step` a frame, which is folded.
    fn l4(first: Sums, step: Sums) -> Self;
    /// The next frame's, in native byte order, and goes on.
    fn next(&mut self) -> u16;
    /// As [`Fields::next`], of a frame whose sum is greater by `more`.
    fn next_of(&mut self, more: u16) -> u16;
}

/// Fields that are a sum's complement, and 0 where that is: of IPv4 and TCP. They go down as the sum goes up, its carry
/// being their borrow.
#[derive(Clone, Copy, Debug)]
pub struct Falling {
    /// 0 to fffe, as no sum is 0.
    field: u16,
    step: u16,
}

/// Fields of which 0 is written as ffff, as adding with carry around gives it: of UDP, and sums themselves.
#[derive(Clone, Copy, Debug)]
pub struct Rising {
    /// 1 to ffff.
    field: u16,
    step: u16,
}

impl Falling {
    /// Of IPv4: its checksum for `first`, and how that goes on by `step` a frame, which is folded.
    #[inline(always)]
    pub fn ip(first: Sums, step: Sums) -> Falling {
        Falling { field: !first.ip(), step: step.0 as u16 }
    }

    /// Zero for ever.
    pub fn zero() -> Falling {
        Falling { field: 0, step: 0 }
    }

    /// As two bytes of a big-endian number that goes down by the second one each frame, if it does so for all of
    /// `frames`: where no borrow comes in between.
    #[inline(always)]
    pub fn straight(self, frames: usize) -> Option<(u64, u64)> {
        let (field, step) = (u64::from(u16::from_be(self.field)), u64::from(u16::from_be(self.step)));
        (step * (frames as u64 - 1) <= field).then_some((field, step))
    }
}

impl Rising {
    /// The sum of layer 4 itself, for a NIC that goes on with it.
    pub fn l4_sum(first: Sums, step: Sums) -> Rising {
        Rising { field: first.l4(), step: (step.0 >> 32) as u16 }
    }
}

impl Fields for Falling {
    #[inline(always)]
    fn l4(first: Sums, step: Sums) -> Falling {
        Falling { field: !first.l4(), step: (step.0 >> 32) as u16 }
    }
    #[inline(always)]
    fn next(&mut self) -> u16 {
        let now = self.field;
        self.field = less(now, self.step);
        now
    }
    #[inline(always)]
    fn next_of(&mut self, more: u16) -> u16 {
        less(self.next(), more)
    }
}

impl Fields for Rising {
    #[inline(always)]
    fn l4(first: Sums, step: Sums) -> Rising {
        let field = !first.l4();
        Rising { field: if field == 0 { 0xffff } else { field }, step: !((step.0 >> 32) as u16) }
    }
    #[inline(always)]
    fn next(&mut self) -> u16 {
        let now = self.field;
        self.field = more(now, self.step);
        now
    }
    #[inline(always)]
    fn next_of(&mut self, more_sum: u16) -> u16 {
        more(self.next(), !more_sum)
    }
}

/// With the borrow taken from the other end.
#[inline(always)]
fn less(field: u16, by: u16) -> u16 {
    let (field, borrow) = field.overflowing_sub(by);
    field - u16::from(borrow)
}

/// With the carry added at the other end.
#[inline(always)]
fn more(field: u16, by: u16) -> u16 {
    let (field, carry) = field.overflowing_add(by);
    field + u16::from(carry)
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
        fn stepped_fields_are_what_each_frames_own_sum_gives(first in 1u64..1 << 17, step in 0u64..1 << 17) {
            let (start, by) = (Sums::new(first, first), Sums::new(step, step));
            let (mut ip, mut tcp) = (Falling::ip(start, by), Falling::l4(start, by));
            let (mut udp, mut nic) = (Rising::l4(start, by), Rising::l4_sum(start, by));
            for frame in 0..200 {
                let sum = first + frame * step;
                let of = (frame * 311) as u16;
                prop_assert_eq!({ tcp }.next_of(of), checksum::finish(sum + u64::from(of)));
                prop_assert_eq!({ udp }.next_of(of), checksum::finish_udp(sum + u64::from(of)));
                prop_assert_eq!(ip.next(), checksum::finish(sum));
                prop_assert_eq!(tcp.next(), checksum::finish(sum));
                prop_assert_eq!(udp.next(), checksum::finish_udp(sum));
                prop_assert_eq!(u64::from(nic.next()), checksum::fold(sum));
            }
        }

        #[test]
        fn straight_fields_go_down_by_themselves(first in 1u64..1 << 16, step in 0u64..300, frames in 1usize..99) {
            let by = native(step);
            let mut field = Falling::ip(Sums::new(first, 0), Sums::new(by, 0));
            let straight = field.straight(frames);
            let all: Vec<u64> = (0..frames).map(|_| u16::from_be(field.next()).into()).collect();
            match straight {
                Some((value, step)) => {
                    prop_assert!((0..).zip(&all).all(|(n, field)| value - step * n == *field));
                }
                None => prop_assert!(!all.is_sorted_by(|a, b| a >= b)),
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
