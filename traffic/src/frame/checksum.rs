//! The Internet checksum (RFC 1071) in native byte order, and how a sum becomes the stored field.
//!
//! A ones' complement sum does not care about byte order as long as it is the same throughout, nor whether 16-bit
//! words are added one by one or as parts of larger words (RFC 1071 §2), since 2^16 ≡ 1 modulo 2^16 − 1. So fields
//! are added as the words that are stored, and a new checksum is base + fields: no difference to an old one needed,
//! which is what RFC 1624 §3 comes to when the old fields are zero.

/// The sum of `bytes` as native 16-bit words; an odd last byte is padded with zero.
pub fn sum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks_exact(2);
    let tail = words.remainder().first().map_or(0, |b| u64::from(u16::from_ne_bytes([*b, 0])));
    words.map(|w| u64::from(u16::from_ne_bytes([w[0], w[1]]))).sum::<u64>() + tail
}

/// A sum as 16 bits, carries included: 0 for 0 only.
#[inline(always)]
pub fn fold(sum: u64) -> u64 {
    // Adding a word to itself rotated by half leaves the folded sum, carries included, in its upper half.
    let half = (sum.wrapping_add(sum.rotate_left(32)) >> 32) as u32;
    u64::from(half.wrapping_add(half.rotate_left(16)) >> 16)
}

/// The checksum field for a sum, to be stored in native byte order.
pub fn finish(sum: u64) -> u16 {
    !(fold(sum) as u16)
}

/// What UDP sends for a checksum of zero, which would mean "no checksum" (RFC 768): the other zero.
pub const UDP_ZERO: u16 = 0xffff;

/// As [`finish`], for UDP.
pub fn finish_udp(sum: u64) -> u16 {
    match finish(sum) {
        0 => UDP_ZERO,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reference(bytes: &[u8]) -> u16 {
        let mut sum = 0u32;
        for w in bytes.chunks(2) {
            sum += u32::from(u16::from_be_bytes([w[0], *w.get(1).unwrap_or(&0)]));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    #[test]
    fn rfc_1071_example() {
        // §3: 00 01 f2 03 f4 f5 f6 f7 sums to ddf2.
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(finish(sum(&bytes)).to_ne_bytes(), (!0xddf2u16).to_be_bytes());
    }

    proptest! {
        #[test]
        fn equals_the_word_by_word_reference(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(finish(sum(&bytes)).to_ne_bytes(), reference(&bytes).to_be_bytes());
        }

        #[test]
        fn wide_words_may_be_added_whole(words in proptest::collection::vec(any::<u32>(), 1..100)) {
            let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_ne_bytes()).collect();
            let wide: u64 = words.iter().map(|w| u64::from(*w)).sum();
            prop_assert_eq!(finish(wide), finish(sum(&bytes)));
        }
    }
}
