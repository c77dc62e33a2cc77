//! The RX loop: poll → prefetch → book → free → count.

use dpdk::{RxBurst, RxQueue, tsc};
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
    /// Its queues: one, unless the port has more than there are workers.
    pub queues: Vec<RxQueue<'e>>,
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

impl<'e> RxWorker<'_, 'e> {
    /// Empties the queues until the start, then books what comes until told to stop.
    pub fn run(mut self) -> RxOutcome {
        let mut queues = std::mem::take(&mut self.queues);
        if let Some(queue) = queues.first() {
            let mut burst = queue.burst::<MAX_BURST>();
            self.discard(&mut queues, &mut burst);
            return self.receive(&mut queues, &mut burst);
        }
        RxOutcome {
            accountant: self.accountant,
            tally: CoreCounters::default(),
            first: None,
            last: 0,
            is_broken: false,
        }
    }

    /// What comes before the start is of no run.
    fn discard(&self, queues: &mut [RxQueue<'e>], burst: &mut RxBurst<'e, MAX_BURST>) {
        while self.gate.epoch().is_none() && !self.gate.is_closed() {
            for queue in &mut *queues {
                queue.rx(burst);
                burst.free();
            }
        }
    }

    /// One poll of each queue a round.
    fn receive(mut self, queues: &mut [RxQueue<'e>], burst: &mut RxBurst<'e, MAX_BURST>) -> RxOutcome {
        let mut tally = CoreCounters::default();
        let (mut first, mut last, mut shown) = (None, 0, 0);
        self.gate.enter();
        while !self.gate.is_closed() {
            self.books.show_if_asked(&self.accountant, &tally, &mut shown);
            for queue in &mut *queues {
                let count = queue.rx(burst);
                if count == 0 {
                    tally.idle_polls += 1;
                    if tally.idle_polls & IDLE_MASK == 0 {
                        self.counters.store_idle(tally.idle_polls);
                    }
                    continue;
                }
                let now = tsc();
                tally.rx_bytes += book(&mut self.accountant, burst, now);
                tally.rx_packets += count as u64;
                tally.bursts += 1;
                self.counters.store_rx(&tally);
                first.get_or_insert(now);
                last = now;
            }
        }
        self.counters.store_idle(tally.idle_polls);
        let is_broken = queues.iter().any(RxQueue::is_broken);
        RxOutcome { accountant: self.accountant, tally, first, last, is_broken }
    }
}

/// Books a burst, frees it, and returns its bytes.
#[inline(always)]
fn book(accountant: &mut Accountant, burst: &mut RxBurst<'_, MAX_BURST>, now: u64) -> u64 {
    for ahead in 0..AHEAD {
        burst.prefetch(ahead);
    }
    let mut bytes = 0;
    for (i, frame) in burst.frames().enumerate() {
        burst.prefetch(i + AHEAD);
        bytes += frame.len() as u64;
        accountant.frame(frame, now & MASK_48);
    }
    burst.free();
    bytes
}
