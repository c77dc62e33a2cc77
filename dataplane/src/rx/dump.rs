//! The first frames of a run that were not as they should be, kept for people to look at.

use traffic::account::Booked;
use traffic::wire::{Dump, DumpKind, DumpedFrame};

/// Bytes kept of a frame: headers, and marks of all but large frames.
pub const SNAP_BYTES: usize = 1024;

/// One worker's keep: all of its memory is there from the start.
#[derive(Debug, Default)]
pub struct Keep {
    left: Dump,
    frames: Vec<Kept>,
    bytes: Vec<u8>,
}

/// A frame in it.
#[derive(Clone, Copy, Debug)]
struct Kept {
    kind: DumpKind,
    ticks: u64,
    len: usize,
    /// Where its bytes end.
    end: usize,
}

impl Keep {
    /// Room for the frames that are wanted.
    pub fn new(wanted: Dump) -> Keep {
        let frames = usize::from(wanted.invalid) + usize::from(wanted.foreign);
        Keep {
            left: wanted,
            frames: Vec::with_capacity(frames),
            bytes: Vec::with_capacity(frames * SNAP_BYTES),
        }
    }

    /// Keeps a frame that came at `ticks` if its kind is still wanted.
    #[cold]
    pub fn take(&mut self, booked: Booked, frame: &[u8], ticks: u64) {
        let (kind, left) = match booked {
            Booked::Ours => return,
            Booked::Invalid => (DumpKind::Invalid, &mut self.left.invalid),
            Booked::Foreign => (DumpKind::Foreign, &mut self.left.foreign),
        };
        let Some(fewer) = left.checked_sub(1) else { return };
        *left = fewer;
        self.bytes.extend_from_slice(frame.get(..SNAP_BYTES).unwrap_or(frame));
        self.frames.push(Kept { kind, ticks, len: frame.len(), end: self.bytes.len() });
    }
}

/// What all workers kept, in order of time, no more of a kind than was wanted. `unix_ns` knows the wall clock.
pub fn dumped(keeps: &[&Keep], wanted: Dump, unix_ns: impl Fn(u64) -> u64) -> Vec<DumpedFrame> {
    let mut all: Vec<DumpedFrame> = Vec::new();
    for keep in keeps {
        let mut start = 0;
        for kept in &keep.frames {
            let bytes = keep.bytes.get(start..kept.end).unwrap_or_default();
            start = kept.end;
            all.push(DumpedFrame {
                unix_ns: unix_ns(kept.ticks),
                kind: kept.kind,
                len: u32::try_from(kept.len).unwrap_or(u32::MAX),
                hex: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            });
        }
    }
    all.sort_by_key(|frame| frame.unix_ns);
    let mut left = wanted;
    all.retain(|frame| {
        let left = match frame.kind {
            DumpKind::Invalid => &mut left.invalid,
            DumpKind::Foreign => &mut left.foreign,
        };
        let is_wanted = *left > 0;
        *left = left.saturating_sub(1);
        is_wanted
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_kind_are_kept_over_all_workers() {
        use DumpKind::{Foreign, Invalid};
        let wanted = Dump { invalid: 2, foreign: 1 };
        let (mut one, mut two) = (Keep::new(wanted), Keep::new(wanted));
        one.take(Booked::Ours, &[9], 1);
        one.take(Booked::Invalid, &[1, 2], 5);
        two.take(Booked::Foreign, &[3; SNAP_BYTES + 7], 4);
        two.take(Booked::Foreign, &[4], 5);
        two.take(Booked::Invalid, &[0xab], 3);
        one.take(Booked::Invalid, &[5], 7);
        one.take(Booked::Foreign, &[6], 8);
        let all = dumped(&[&one, &two], wanted, |ticks| ticks * 10);
        let seen: Vec<_> = all.iter().map(|f| (f.unix_ns, f.kind, f.len, &f.hex[..2])).collect();

        assert_eq!(seen, [(30, Invalid, 1, "ab"), (40, Foreign, 1031, "03"), (50, Invalid, 2, "01")]);
        assert_eq!(all[1].hex.len(), 2 * SNAP_BYTES);
    }

    #[test]
    fn nothing_is_allocated_after_the_start() {
        let mut keep = Keep::new(Dump { invalid: 3, foreign: 2 });
        let room = (keep.frames.capacity(), keep.bytes.capacity());
        for _ in 0..100 {
            keep.take(Booked::Invalid, &[0; 9000], 0);
            keep.take(Booked::Foreign, &[0; 9000], 0);
        }
        assert_eq!((keep.frames.capacity(), keep.bytes.capacity()), room);
        assert_eq!((keep.frames.len(), keep.bytes.len()), (5, 5 * SNAP_BYTES));
    }
}
