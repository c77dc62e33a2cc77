//! The mark in a frame's payload that loss, order, duplicates and latency are measured by.
//!
//! 18 bytes at the frame's end (at an even place, so one byte before the end of odd frames), where no header
//! change on the way moves it: tag 4, shard 2, sequence 6, time 6; little-endian. It fits a 64-byte UDP/IPv4 frame
//! exactly. The tag is the trial's, so that another trial's frames are never mistaken for ours.

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

/// The mark as the three words that are stored, first to last: 8, 8 and 2 bytes.
#[inline(always)]
pub fn words(tag: u32, shard: u16, seq: u64, time: u64) -> (u64, u64, u16) {
    let first = u64::from(tag) | u64::from(shard) << 32 | seq << 48;
    let second = (seq >> 16) & 0xffff_ffff | time << 32;
    (first, second, (time >> 32) as u16)
}

/// Writes the mark and returns its part of the ones' complement sum in native byte order (RFC 1071).
///
/// `window` is the mark's own 18 bytes.
#[inline(always)]
pub fn write(window: &mut [u8; STAMP_BYTES], tag: u32, shard: u16, seq: u64, time: u64) -> u64 {
    let (first, second, third) = words(tag, shard, seq, time);
    window[0..8].copy_from_slice(&first.to_le_bytes());
    window[8..16].copy_from_slice(&second.to_le_bytes());
    window[16..18].copy_from_slice(&third.to_le_bytes());
    let (a, b) = (first.to_le(), second.to_le());
    (a & 0xffff_ffff) + (a >> 32) + (b & 0xffff_ffff) + (b >> 32) + u64::from(third.to_le())
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
