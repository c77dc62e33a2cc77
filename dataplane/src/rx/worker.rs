//! The RX loop: poll → prefetch → book → free → count.

use dpdk::{RxQueue, tsc};
use traffic::account::Accountant;
use traffic::stamp::MASK_48;
use traffic::wire::CoreCounters;

use super::books::Books;
use crate::counters::{CoreBlock, Gate};

/// Frames a poll at most.
pub const MAX_BURST: usize = 64;
/// How many frames ahead memory is asked for.
const AHEAD: usize = 4;
/// Idle polls are published once in so many.
const IDLE_MASK: u64 = 1023;

/// Everything one receiving worker owns or looks at.
#[derive(Debug)]
pub struct RxWorker<'a, 'e> {
    /// Its queue.
    pub queue: RxQueue<'e>,
    /// Its books.
    pub accountant: Accountant,
    /// Where it shows them.
    pub books: &'a Books,
    /// Its counters.
    pub counters: &'a CoreBlock,
    /// Start and stop.
    pub gate: &'a Gate,
}

/// A worker's last word.
#[derive(Debug)]
pub struct RxOutcome {
    /// Its books.
    pub accountant: Accountant,
    /// Its counters.
    pub tally: CoreCounters,
    /// Clock of the first and the last frame, in ticks.
    pub first: Option<u64>,
    /// As `first`.
    pub last: u64,
    /// Whether the driver faulted because its peer went away: nothing came from there on.
    pub is_broken: bool,
}

impl RxWorker<'_, '_> {
    /// Empties the queue until the start, then books what comes until told to stop.
    pub fn run(mut self) -> RxOutcome {
        let mut burst = self.queue.burst::<MAX_BURST>();
        while self.gate.epoch().is_none() && !self.gate.is_closed() {
            // What comes before the start is of no run.
            self.queue.rx(&mut burst);
            burst.free();
        }
        let mut tally = CoreCounters::default();
        let (mut first, mut last, mut shown) = (None, 0, 0);
        while !self.gate.is_closed() {
            self.books.show_if_asked(&self.accountant, &mut shown);
            let count = self.queue.rx(&mut burst);
            if count == 0 {
                tally.idle_polls += 1;
                if tally.idle_polls & IDLE_MASK == 0 {
                    self.counters.store_idle(tally.idle_polls);
                }
                continue;
            }
            let now = tsc();
            for ahead in 0..AHEAD {
                burst.prefetch(ahead);
            }
            let mut bytes = 0;
            for (i, frame) in burst.frames().enumerate() {
                burst.prefetch(i + AHEAD);
                bytes += frame.len() as u64;
                self.accountant.frame(frame, now & MASK_48);
            }
            burst.free();
            tally.rx_packets += count as u64;
            tally.rx_bytes += bytes;
            tally.bursts += 1;
            self.counters.store_rx(&tally);
            first.get_or_insert(now);
            last = now;
        }
        self.counters.store_idle(tally.idle_polls);
        let is_broken = self.queue.is_broken();
        RxOutcome { accountant: self.accountant, tally, first, last, is_broken }
    }
}
