//! The mark in a frame's payload that loss, order, duplicates and latency are measured by.
//!
//! 18 bytes at the frame's end (at an even place, so one byte before the end of odd frames), where no header
//! change on the way moves it: tag 4, shard 2, sequence 6, time 6; little-endian. It fits a 64-byte UDP/IPv4 frame
//! exactly. The tag is the trial's, so that another trial's frames are never mistaken for ours.

use crate::frame::checksum;

/// Bytes of the mark.
pub const STAMP_BYTES: usize = 18;
/// Sequence numbers and times are kept modulo 2^48: a day of ticks, twenty days of frames at 148 Mpps.
pub const MASK_48: u64 = (1 << 48) - 1;

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The trial's tag.
    pub tag: u32,
    /// The sender's shard.
    pub shard: u16,
    /// Number within the shard, from 0, modulo 2^48.
    pub seq: u64,
    /// The sender's clock in ticks, modulo 2^48.
    pub time: u64,
}

/// Where the mark of a frame of `mbuf_bytes` stands; `None` when there is no room behind `header_bytes`.
pub fn offset(mbuf_bytes: usize, header_bytes: usize) -> Option<usize> {
    let at = mbuf_bytes.checked_sub(STAMP_BYTES)? & !1;
    (at >= header_bytes).then_some(at)
}

/// Writes the marks of one shard and one time.
#[derive(Clone, Copy, Debug)]
pub struct Marker {
    /// The mark as it is stored, in 8, 8 and 2 bytes, with number 0.
    first: u64,
    second: u64,
    third: u16,
    /// Their part of the ones' complement sum.
    sum: u64,
}

impl Marker {
    /// For marks with this time.
    #[inline(always)]
    pub fn new(tag: u32, shard: u16, time: u64) -> Marker {
        let first = u64::from(tag) | u64::from(shard) << 32;
        let (second, third) = (time << 32, (time >> 32) as u16);
        let (a, b) = (first.to_le(), second.to_le());
        let sum = (a & 0xffff_ffff) + (a >> 32) + (b & 0xffff_ffff) + (b >> 32) + u64::from(third.to_le());
        Marker { first, second, third, sum: checksum::fold(sum) }
    }

    /// The marks of frames `first`, `first + 1`, …
    #[inline(always)]
    pub fn marks(self, first: u64) -> impl Iterator<Item = Mark> {
        // A number's three words add up to the number itself, as 2^16 ≡ 1; with bytes swapped they count 2^8 times.
        let swap = if cfg!(target_endian = "big") { 8 } else { 0 };
        let first_sum = checksum::fold(first & MASK_48);
        (0..).map(move |i| Mark {
            marker: self,
            seq: (first + i) & MASK_48,
            sum: self.sum + ((first_sum + i) << swap),
        })
    }
}

/// One frame's mark, to be written.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    marker: Marker,
    seq: u64,
    sum: u64,
}

impl Mark {
    /// Writes it into its own 18 bytes and returns their part of the ones' complement sum in native byte order
    /// (RFC 1071), which is less than 2^25.
    #[inline(always)]
    pub fn write(self, window: &mut [u8; STAMP_BYTES]) -> u64 {
        let Mark { marker: Marker { first, second, third, .. }, seq, sum } = self;
        window[0..8].copy_from_slice(&(first | seq << 48).to_le_bytes());
        window[8..16].copy_from_slice(&(second | seq >> 16).to_le_bytes());
        window[16..18].copy_from_slice(&third.to_le_bytes());
        sum
    }
}

/// Writes one mark; see [`Marker`].
pub fn write(window: &mut [u8; STAMP_BYTES], tag: u32, shard: u16, seq: u64, time: u64) -> u64 {
    Marker::new(tag, shard, time).marks(seq).next().map_or(0, |mark| mark.write(window))
}

/// Reads a mark from a frame's end; `None` when the frame is too short or the tag is not `tag`.
#[inline(always)]
pub fn read(frame: &[u8], tag: u32) -> Option<Stamp> {
    let at = frame.len().checked_sub(STAMP_BYTES)? & !1;
    let window: &[u8; STAMP_BYTES] = frame.get(at..at + STAMP_BYTES)?.try_into().ok()?;
    let first = u64::from_le_bytes(*window.first_chunk()?);
    if first as u32 != tag {
        return None;
    }
    let second = u64::from_le_bytes(window[8..16].try_into().ok()?);
    let third = u64::from(u16::from_le_bytes([window[16], window[17]]));
    Some(Stamp {
        tag,
        shard: (first >> 32) as u16,
        seq: first >> 48 | (second & 0xffff_ffff) << 16,
        time: second >> 32 | third << 32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_what_was_written(len in 60usize..200, tag: u32, shard: u16, seq in 0..=MASK_48, time in 0..=MASK_48) {
            let mut frame = vec![0xa5; len];
            let at = offset(len, 42).unwrap();
            prop_assert_eq!(at % 2, 0);
            let window: &mut [u8; 18] = (&mut frame[at..at + 18]).try_into().unwrap();
            let sum = write(window, tag, shard, seq, time);
            let words = window.chunks(2).map(|w| u64::from(u16::from_ne_bytes([w[0], w[1]]))).sum::<u64>();
            prop_assert_eq!(sum % 0xffff, words % 0xffff);
            prop_assert_eq!(read(&frame, tag), Some(Stamp { tag, shard, seq, time }));
            prop_assert_eq!(read(&frame, tag ^ 1), None);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), tag: u32) {
            let _ = read(&bytes, tag);
        }
    }

    #[test]
    fn room_is_told_exactly() {
        assert_eq!(offset(60, 42), Some(42));
        assert_eq!(offset(60, 54), None);
        assert_eq!(offset(72, 54), Some(54));
        assert_eq!(offset(10, 0), None);
    }
}
