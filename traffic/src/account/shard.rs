//! The sequence numbers of one shard, as one queue saw them.

use crate::shard::Shard;

/// Numbers this far behind the highest are still told apart: 65,536, 8 KiB a queue and shard; fewer where there are so
/// many of both that this would be more than [`super::WINDOW_MEMORY_LIMIT_BYTES`].
pub const WINDOW: u64 = 1 << 16;
/// The least: a burst and more.
pub const WINDOW_MIN: u64 = 1 << 8;
/// A number this far beyond the highest is no loss but a broken mark: minutes of loss at 400 Gbit/s.
pub const JUMP_LIMIT: u64 = 1 << 37;

/// Why a number is not booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbooked {
    /// It can't be ours.
    Impossible,
    /// It came before: [`ShardAccount::copy`] books it, where it is one.
    Again,
}

/// What is kept of each flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Track {
    /// Nothing.
    #[default]
    Nothing,
    /// How many frames came: 8 bytes.
    Received,
    /// How many came, came late, and came again: 16 bytes.
    Books,
}

/// Frames of one flow that were not as they should be; they stop at their most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Odd {
    /// Came after a higher number of their shard.
    pub reordered: u32,
    /// Copies.
    pub duplicated: u32,
}

/// Books of one shard on one queue.
#[derive(Clone, Debug, Default)]
pub struct ShardAccount {
    /// Highest number + 1.
    next: u64,
    received: u64,
    reordered: u64,
    duplicated: u64,
    too_late: u64,
    /// Numbers from here on are impossible.
    limit: u64,
    /// Place of `next` within the shard's period.
    slot: u64,
    slots: u64,
    flows_seen: u64,
    tracked: bool,
    /// The window's length less one, a power of two less one.
    mask: u64,
    /// Bit `n & mask` tells whether number `n` of the window's came.
    window: Box<[u64]>,
    /// Frames of each place; empty when flows are not tracked.
    flows: Vec<u64>,
    /// Of each place; empty when it is not asked for. Out of the way of numbers that come in turn.
    odd: Vec<Odd>,
}

impl ShardAccount {
    /// For a shard of `limit` frames at most, with a window of so many numbers (a power of two, [`WINDOW_MIN`] to
    /// [`WINDOW`]) and, of each flow, what is asked for.
    pub fn new(shard: &Shard, limit: Option<u64>, window: u64, track: Track) -> ShardAccount {
        let slots = shard.slots() as usize;
        let window = window.clamp(WINDOW_MIN, WINDOW).next_power_of_two();
        ShardAccount {
            limit: limit.unwrap_or(u64::MAX),
            slots: shard.slots(),
            tracked: track != Track::Nothing,
            mask: window - 1,
            window: vec![0; (window / 64) as usize].into_boxed_slice(),
            flows: if track == Track::Nothing { Vec::new() } else { vec![0; slots] },
            odd: if track == Track::Books { vec![Odd::default(); slots] } else { Vec::new() },
            ..ShardAccount::default()
        }
    }

    /// Books number `seq`.
    #[inline(always)]
    pub fn number(&mut self, seq: u64) -> Result<(), Unbooked> {
        if seq == self.next && seq < self.limit {
            self.mark(seq);
            self.next += 1;
            self.received += 1;
            let slot = self.slot;
            self.slot = if slot + 1 == self.slots { 0 } else { slot + 1 };
            self.flow(slot);
            return Ok(());
        }
        self.out_of_turn(seq)
    }

    /// A number that is not the next one: rare on a queue that gets whole shards, every one where RSS spreads a
    /// shard over queues. No division and no loop over numbers, as long as they are near each other.
    #[inline(never)]
    fn out_of_turn(&mut self, seq: u64) -> Result<(), Unbooked> {
        if seq >= self.limit || seq > self.next.saturating_add(JUMP_LIMIT) {
            return Err(Unbooked::Impossible);
        }
        if seq >= self.next {
            let slot = wrapped(self.slot + (seq - self.next), self.slots);
            self.forget_until(seq);
            self.mark(seq);
            self.next = seq + 1;
            self.slot = wrapped(slot + 1, self.slots);
            self.received += 1;
            self.flow(slot);
            return Ok(());
        }
        let behind = self.next - seq;
        if behind > self.mask + 1 {
            self.too_late += 1;
        } else if self.is_marked(seq) {
            return Err(Unbooked::Again);
        } else {
            self.mark(seq);
            self.reordered += 1;
            self.received += 1;
            self.flow(self.slot_behind(behind));
            if !self.odd.is_empty() {
                self.odd_one(behind, |odd| &mut odd.reordered);
            }
        }
        Ok(())
    }

    /// Books a copy of number `seq`, which came before.
    #[cold]
    pub fn copy(&mut self, seq: u64) {
        self.duplicated += 1;
        if !self.odd.is_empty() {
            self.odd_one(self.next.saturating_sub(seq), |odd| &mut odd.duplicated);
        }
    }

    /// The place of a number so far behind `next`.
    #[inline(always)]
    fn slot_behind(&self, behind: u64) -> u64 {
        let back = wrapped(behind, self.slots);
        self.slot.checked_sub(back).unwrap_or_else(|| self.slot + (self.slots - back))
    }

    #[inline(never)]
    fn odd_one(&mut self, behind: u64, of: impl FnOnce(&mut Odd) -> &mut u32) {
        let slot = self.slot_behind(behind);
        if let Some(odd) = self.odd.get_mut(slot as usize) {
            let count = of(odd);
            *count = count.saturating_add(1);
        }
    }

    #[inline(always)]
    fn flow(&mut self, slot: u64) {
        if let Some(count) = self.flows.get_mut(slot as usize) {
            self.flows_seen += u64::from(*count == 0);
            *count += 1;
        }
    }

    #[inline(always)]
    fn mark(&mut self, seq: u64) {
        let bit = seq & self.mask;
        if let Some(word) = self.window.get_mut((bit / 64) as usize) {
            *word |= 1 << (bit % 64);
        }
    }

    fn is_marked(&self, seq: u64) -> bool {
        let bit = seq & self.mask;
        self.window.get((bit / 64) as usize).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    /// Forgets the marks of numbers whose places the ones before `seq` take, a word at a time.
    fn forget_until(&mut self, seq: u64) {
        if seq - self.next > self.mask {
            self.window.fill(0);
            return;
        }
        let mut at = self.next;
        while at < seq {
            let bit = at % 64;
            let count = (64 - bit).min(seq - at);
            if let Some(word) = self.window.get_mut(((at & self.mask) / 64) as usize) {
                *word &= !(u64::MAX >> (64 - count) << bit);
            }
            at += count;
        }
    }

    /// Everything but the window and the flow counters, which only their worker needs before the end.
    pub fn copy_counts_from(&mut self, other: &ShardAccount) {
        self.next = other.next;
        self.received = other.received;
        self.reordered = other.reordered;
        self.duplicated = other.duplicated;
        self.too_late = other.too_late;
        self.flows_seen = other.flows_seen;
        self.tracked = other.tracked;
    }

    /// Highest number + 1.
    pub fn next(&self) -> u64 {
        self.next
    }
    /// Distinct numbers.
    pub fn received(&self) -> u64 {
        self.received
    }
    /// Came after a higher number.
    pub fn reordered(&self) -> u64 {
        self.reordered
    }
    /// Copies.
    pub fn duplicated(&self) -> u64 {
        self.duplicated
    }
    /// Beyond the window: late or copies, nobody knows.
    pub fn too_late(&self) -> u64 {
        self.too_late
    }
    /// Places with at least one frame; none when not tracked.
    pub fn flows_seen(&self) -> Option<u64> {
        self.tracked.then_some(self.flows_seen)
    }
    /// Frames of each place; none when not tracked.
    pub fn flow_counts(&self) -> Option<&[u64]> {
        self.tracked.then_some(self.flows.as_slice())
    }
    /// What was not as it should be at place `slot`; nothing where that is not kept.
    pub fn odd(&self, slot: usize) -> Odd {
        self.odd.get(slot).copied().unwrap_or_default()
    }
}

/// `value % modulus`, without a division for values below twice the modulus.
#[inline(always)]
fn wrapped(value: u64, modulus: u64) -> u64 {
    let less = value.wrapping_sub(modulus);
    if value < modulus {
        value
    } else if less < modulus {
        less
    } else {
        value % modulus
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// A step to the next number: mostly near, now and then over a word or the whole window, forwards or back.
    fn step() -> impl Strategy<Value = i64> {
        prop_oneof![8 => -3i64..5, 4 => -200i64..300, 1 => -70_000i64..70_000]
    }

    proptest! {
        /// Numbers that leap about, a window and more at a time: the counts and each flow's are those of a
        /// reader that remembers every number.
        #[test]
        fn leaps_are_booked_as_by_a_perfect_memory(
            steps in proptest::collection::vec(step(), 1..300), flows in 1u64..2000, window in 8u32..17,
        ) {
            let window = 1 << window;
            let mut account = ShardAccount::new(&Shard::new(0, 1, flows), None, window, Track::Books);
            let (mut seen, mut counts) = (BTreeSet::new(), vec![0; flows as usize]);
            let mut odd = vec![Odd::default(); flows as usize];
            let (mut next, mut at) = (0, 0);
            let [mut reordered, mut duplicated, mut too_late] = [0; 3];
            for step in steps {
                at = (at as i64 + step).max(0) as u64;
                let booked = account.number(at);
                if booked == Err(Unbooked::Again) {
                    account.copy(at);
                }
                prop_assert_ne!(booked, Err(Unbooked::Impossible));
                if next > at + window {
                    too_late += 1;
                    continue;
                }
                if seen.insert(at) {
                    counts[(at % flows) as usize] += 1;
                    reordered += u64::from(at < next);
                    odd[(at % flows) as usize].reordered += u32::from(at < next);
                } else {
                    duplicated += 1;
                    odd[(at % flows) as usize].duplicated += 1;
                }
                next = next.max(at + 1);
            }
            prop_assert_eq!((account.next(), account.received()), (next, seen.len() as u64));
            prop_assert_eq!(
                [account.reordered(), account.duplicated(), account.too_late()], [reordered, duplicated, too_late]
            );
            prop_assert_eq!(account.flows_seen(), Some(counts.iter().filter(|n| **n > 0).count() as u64));
            prop_assert_eq!(account.flow_counts(), Some(counts.as_slice()));
            prop_assert_eq!((0..flows as usize).map(|slot| account.odd(slot)).collect::<Vec<_>>(), odd);
        }
    }
}
