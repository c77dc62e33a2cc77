//! One worker's frames of a capture: whole flows, in the capture's order, each with its time.

use super::capture::Frame;

/// Fractions of a tick in a round's length, so that rounds do not drift.
pub(super) const FRACTION_BITS: u32 = 32;

/// One worker's part of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Its frames of one round.
    pub(super) items: Box<[Item]>,
    /// A round's length in 2^-32 ticks; 0 where nothing is due.
    pub(super) round: u128,
    /// Frames to send over all rounds; `u64::MAX` without an end.
    pub(super) total: u64,
}

/// A frame to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Ticks after the round's beginning.
    pub due: u64,
    /// Its place in the capture's bytes.
    pub at: u32,
    /// Its bytes, without FCS.
    pub len: u16,
}

impl Part {
    /// Frames of one round.
    pub fn frames(&self) -> usize {
        self.items.len()
    }

    /// Frames to send over all rounds; `u64::MAX` without an end.
    pub fn total(&self) -> u64 {
        self.total
    }
}

/// Divides a capture's frames by flow; `due` and `round` are in ticks. Of `total` frames over all rounds each worker
/// gets those that are its own.
pub(super) fn divide(frames: &[Frame], due: &[u64], round: f64, total: u64, workers: u16) -> Vec<Part> {
    let workers = workers.max(1);
    let mut items: Vec<Vec<Item>> = vec![Vec::new(); workers.into()];
    // Of the last round, which may be begun only.
    let in_all = frames.len().max(1) as u64;
    let rest = (total % in_all) as usize;
    let mut begun = vec![0u64; workers.into()];
    for (n, (frame, due)) in frames.iter().zip(due).enumerate() {
        // The upper bits of a product: a remainder of a 32-bit hash without a division.
        let owner = ((u64::from(frame.flow) * u64::from(workers)) >> 32) as usize;
        items[owner].push(Item { due: *due, at: frame.at, len: frame.len });
        begun[owner] += u64::from(n < rest);
    }
    let round = (round * 2f64.powi(FRACTION_BITS as i32)) as u128;
    let part = |(items, begun): (Vec<Item>, u64)| {
        let whole = (total / in_all).saturating_mul(items.len() as u64);
        let total = match (items.is_empty(), total) {
            (true, _) => 0,
            (_, u64::MAX) => u64::MAX,
            _ => whole + begun,
        };
        Part { items: items.into(), round, total }
    };
    items.into_iter().zip(begun).map(part).collect()
}
