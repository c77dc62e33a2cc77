//! A worker's way through its part, round after round.

use super::part::{FRACTION_BITS, Item, Part};

/// A place in a part.
#[derive(Clone, Debug)]
pub struct Cursor<'c> {
    bytes: &'c [u8],
    items: &'c [Item],
    round: u128,
    spot: Spot,
    /// Frames to go.
    left: u64,
}

/// Where the next frame is.
#[derive(Clone, Copy, Debug)]
struct Spot {
    place: usize,
    /// The round's beginning in 2^-32 ticks.
    began: u128,
}

impl Spot {
    #[inline(always)]
    fn step(&mut self, frames: usize, round: u128) {
        self.place += 1;
        if self.place == frames {
            self.place = 0;
            self.began += round;
        }
    }

    #[inline(always)]
    fn due(&self, item: &Item) -> u64 {
        (self.began >> FRACTION_BITS) as u64 + item.due
    }
}

impl<'c> Cursor<'c> {
    /// At the beginning of `part` of the capture with these bytes.
    pub fn new(part: &'c Part, bytes: &'c [u8]) -> Cursor<'c> {
        let spot = Spot { place: 0, began: 0 };
        Cursor { bytes, items: &part.items, round: part.round, spot, left: part.total }
    }

    /// Frames to go; `u64::MAX` without an end.
    #[inline(always)]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// When the next frame is due, in ticks; `u64::MAX` behind the last.
    #[inline(always)]
    pub fn next_due(&self) -> u64 {
        match self.items.get(self.spot.place) {
            Some(item) if self.left > 0 => self.spot.due(item),
            _ => u64::MAX,
        }
    }

    /// How many frames are due by `until`, `most` at most, and when the last of them is.
    #[inline]
    pub fn due(&self, until: u64, most: u64) -> (u64, u64) {
        let (mut spot, mut last) = (self.spot, 0);
        let most = most.min(self.left);
        for count in 0..most {
            let due = self.items.get(spot.place).map_or(u64::MAX, |item| spot.due(item));
            if due > until {
                return (count, last);
            }
            last = due;
            spot.step(self.items.len(), self.round);
        }
        (most, last)
    }

    /// How many of the frames to go are due before `end`. Not for every burst.
    #[cold]
    pub fn due_before(&self, end: u64) -> u64 {
        if self.next_due() >= end {
            return 0;
        }
        if self.round == 0 {
            return self.left;
        }
        let frames = self.items.len() as u64;
        let ahead = (u128::from(end) << FRACTION_BITS).saturating_sub(self.spot.began);
        let rounds = ahead / self.round;
        let rest = ((ahead % self.round) >> FRACTION_BITS) as u64;
        let in_round = self.items.partition_point(|item| item.due < rest) as u64;
        let rounds = u64::try_from(rounds).unwrap_or(u64::MAX);
        let all = rounds.saturating_mul(frames).saturating_add(in_round);
        all.saturating_sub(self.spot.place as u64).min(self.left)
    }

    /// Ticks from one frame to the next, in the mean.
    pub fn mean_gap(&self) -> u64 {
        ((self.round / self.items.len().max(1) as u128) >> FRACTION_BITS) as u64
    }

    /// The next frames, without end: the place does not move.
    #[inline(always)]
    pub fn ahead(&self) -> impl Iterator<Item = &'c [u8]> + use<'c> {
        let (bytes, items, mut place) = (self.bytes, self.items, self.spot.place);
        std::iter::from_fn(move || {
            let item = items.get(place)?;
            place = if place + 1 == items.len() { 0 } else { place + 1 };
            bytes.get(item.at as usize..item.at as usize + usize::from(item.len))
        })
    }

    /// Goes on by `frames` and says how many bytes they have.
    #[inline]
    pub fn advance(&mut self, frames: u64) -> u64 {
        let mut bytes = 0;
        for _ in 0..frames {
            bytes += self.items.get(self.spot.place).map_or(0, |item| u64::from(item.len));
            self.spot.step(self.items.len(), self.round);
        }
        self.left -= if self.left == u64::MAX { 0 } else { frames };
        bytes
    }
}
