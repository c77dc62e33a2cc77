//! A place where frames differ.

use crate::values::Values;

/// Bytes of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// A port, or the TTL with the protocol number behind it.
    Two,
    /// An IPv4 address.
    Four,
    /// A MAC address.
    Six,
    /// Half an IPv6 address.
    Eight,
}

impl Width {
    /// As a number.
    pub fn bytes(self) -> usize {
        match self {
            Width::Two => 2,
            Width::Four => 4,
            Width::Six => 6,
            Width::Eight => 8,
        }
    }
}

/// Which checksums cover a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// That of a tunnel's own IPv4 header.
    pub outer_ip: bool,
    /// That of the IPv4 header: of a tunnel, the inner one.
    pub ip: bool,
    /// That of layer 4, the pseudo header included.
    pub l4: bool,
}

/// `value << shift | low`, big-endian, at `at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Offset from the frame's first byte; even.
    pub at: u8,
    /// Bytes written.
    pub width: Width,
    /// Bits that the value is moved up.
    pub shift: u32,
    /// Constant bits around it; none where `mask` keeps what stands there.
    pub low: u64,
    /// The bits that are its own; all of the width unless another patch writes others of the same place.
    pub mask: u64,
    /// Checksums.
    pub covered: Covered,
    /// The values.
    pub values: Values,
}

impl Patch {
    /// Its place in the frame.
    pub fn bytes(&self) -> std::ops::Range<usize> {
        let at = usize::from(self.at);
        at..at + self.width.bytes()
    }

    /// A value with the constant bits around it, as it stands in the frame.
    pub fn stored(&self, value: u64) -> u64 {
        value << self.shift | self.low
    }

    /// Whether it has its place to itself, so that writing it needs no reading.
    pub fn is_alone(&self) -> bool {
        self.mask == whole(self.width)
    }

    /// Its place, read as a number.
    pub fn read(&self, frame: &[u8]) -> u64 {
        let mut word = [0; 8];
        word[8 - self.width.bytes()..].copy_from_slice(&frame[self.bytes()]);
        u64::from_be_bytes(word)
    }

    /// Writes a stored value over its own bits.
    pub fn write(&self, frame: &mut [u8], stored: u64) {
        let word = self.read(frame) & !self.mask | stored & self.mask;
        frame[self.bytes()].copy_from_slice(&word.to_be_bytes()[8 - self.width.bytes()..]);
    }

    /// The bytes that a stored value adds to a sum.
    pub fn summed(&self, stored: u64) -> u64 {
        super::checksum::sum(&stored.to_be_bytes()[8 - self.width.bytes()..])
    }
}

/// All bits of a width.
pub(super) fn whole(width: Width) -> u64 {
    u64::MAX >> (64 - 8 * width.bytes())
}
