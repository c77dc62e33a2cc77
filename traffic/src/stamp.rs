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

/// The part of marks that says whose they are.
#[derive(Clone, Copy, Debug)]
pub struct Origin(u64);

impl Origin {
    /// Of one trial's shard.
    pub fn new(tag: u32, shard: u16) -> Origin {
        Origin(u64::from(tag) | u64::from(shard) << 32)
    }

    /// Its part of the ones' complement sum in native byte order, folded.
    pub fn sum(self) -> u64 {
        checksum::fold(self.0.to_le())
    }
}

/// The part of marks that says when they were made.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    second: u64,
    third: u16,
}

impl Moment {
    /// By the sender's clock.
    #[inline(always)]
    pub fn new(time: u64) -> Moment {
        Moment { second: time << 32, third: (time >> 32) as u16 }
    }

    /// As [`Origin::sum`].
    #[inline(always)]
    pub fn sum(self) -> u64 {
        checksum::fold(
            (self.second.to_le() >> 32) + (self.second.to_le() & 0xffff_ffff) + u64::from(self.third.to_le()),
        )
    }
}

/// Writes the mark of frame `seq` into its own 18 bytes. The number's part of the sum is that of a field of this value
/// modulo 2^48, in bytes that are swapped.
#[inline(always)]
pub fn put(window: &mut [u8; STAMP_BYTES], origin: Origin, seq: u64, moment: Moment) {
    let high = u64::from((seq >> 16) as u32);
    window[0..8].copy_from_slice(&(origin.0 | seq << 48).to_le_bytes());
    window[8..16].copy_from_slice(&(moment.second | high).to_le_bytes());
    window[16..18].copy_from_slice(&moment.third.to_le_bytes());
}

/// The number's part of the ones' complement sum in native byte order, folded: its three words add up to the number
/// itself, as 2^16 ≡ 1.
pub fn seq_sum(seq: u64) -> u64 {
    u64::from((checksum::fold(seq & MASK_48) as u16).to_le())
}

/// Writes one mark, and returns its part of the ones' complement sum in native byte order (RFC 1071).
pub fn write(window: &mut [u8; STAMP_BYTES], tag: u32, shard: u16, seq: u64, time: u64) -> u64 {
    let (origin, moment) = (Origin::new(tag, shard), Moment::new(time));
    put(window, origin, seq, moment);
    origin.sum() + seq_sum(seq) + moment.sum()
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
