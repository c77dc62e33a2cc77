//! The RX loop: poll → prefetch → book → free → count.

use std::sync::Mutex;

use dpdk::{RxBurst, RxQueue, tsc};
use traffic::account::{Accountant, Booked};
use traffic::respond::Responded;
use traffic::stamp::MASK_48;
use traffic::wire::CoreCounters;

use super::books::Books;
use super::dump::Keep;
use crate::clock::RunClock;
use crate::counters::{CoreBlock, Gate};
use crate::respond::Desk;

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
    /// Where all workers of the port answer, if it has addresses.
    pub desk: Option<&'a Mutex<Desk<'e>>>,
    /// The clock that marks are compared with.
    pub clock: &'a RunClock,
    /// What it keeps for people to look at; none where nobody wants to.
    pub keep: Option<Keep>,
}

/// A worker's last word.
#[derive(Debug)]
pub struct RxOutcome {
    /// Its books.
    pub accountant: Accountant,
    /// Its counters.
    pub tally: CoreCounters,
    /// Frames of each of its queues, by number.
    pub queues: Vec<(u16, u64)>,
    /// What it kept.
    pub keep: Option<Keep>,
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
            return match self.desk {
                None => self.receive::<false>(&mut queues, &mut burst),
                Some(_) => self.receive::<true>(&mut queues, &mut burst),
            };
        }
        RxOutcome {
            accountant: self.accountant,
            tally: CoreCounters::default(),
            queues: Vec::new(),
            keep: None,
            first: None,
            last: 0,
            is_broken: false,
        }
    }

    /// What comes before the start is of no run and not counted, but may be a question.
    fn discard(&self, queues: &mut [RxQueue<'e>], burst: &mut RxBurst<'e, MAX_BURST>) {
        while self.gate.epoch().is_none() && !self.gate.is_closed() {
            for queue in &mut *queues {
                if queue.rx(burst) > 0 {
                    self.at_desk(|desk| desk.answer(burst, &mut Responded::default()));
                }
                burst.free();
            }
        }
    }

    /// Does something at the desk, if there is one and nobody is at it: who asked and got no answer asks again, but
    /// a worker that waits loses frames.
    #[cold]
    fn at_desk(&self, work: impl FnOnce(&mut Desk<'e>)) {
        if let Some(Ok(mut desk)) = self.desk.map(Mutex::try_lock) {
            work(&mut desk);
        }
    }

    /// As [`Self::at_desk`], counted.
    #[cold]
    fn counted(&self, tally: &mut CoreCounters, work: impl FnOnce(&mut Desk<'e>, &mut Responded)) {
        let before = tally.responded;
        self.at_desk(|desk| work(desk, &mut tally.responded));
        if tally.responded != before {
            self.counters.store_responded(&tally.responded);
        }
    }

    /// One poll of each queue a round. Who does not answer has a loop without it.
    #[inline(always)]
    fn receive<const ANSWERS: bool>(
        mut self,
        queues: &mut [RxQueue<'e>],
        burst: &mut RxBurst<'e, MAX_BURST>,
    ) -> RxOutcome {
        let mut tally = CoreCounters::default();
        let (mut first, mut last, mut shown, mut foreign) = (None, 0, 0, 0);
        let mut brought: Vec<(u16, u64)> = queues.iter().map(|queue| (queue.index(), 0)).collect();
        self.gate.enter();
        if ANSWERS {
            self.counted(&mut tally, |desk, responded| desk.announce_once(responded));
        }
        while !self.gate.is_closed() {
            self.books.show_if_asked(&self.accountant, &tally, &mut shown);
            for (queue, (_, brought)) in queues.iter_mut().zip(&mut brought) {
                let count = queue.rx(burst);
                if count == 0 {
                    tally.idle_polls += 1;
                    if tally.idle_polls & IDLE_MASK == 0 {
                        self.counters.store_idle(tally.idle_polls);
                    }
                    continue;
                }
                let now = tsc();
                let time = self.clock.time(now);
                tally.rx_bytes += match &mut self.keep {
                    None => book(&mut self.accountant, burst, time, |_, _| ()),
                    Some(keep) => {
                        book(&mut self.accountant, burst, time, |booked, frame| keep.take(booked, frame, now))
                    }
                };
                // Traffic asks nothing.
                if ANSWERS && self.accountant.foreign() != foreign {
                    foreign = self.accountant.foreign();
                    self.counted(&mut tally, |desk, responded| desk.answer(burst, responded));
                }
                burst.free();
                tally.rx_packets += count as u64;
                *brought += count as u64;
                tally.bursts += 1;
                self.counters.store_rx(&tally);
                first.get_or_insert(now);
                last = now;
            }
        }
        self.counters.store_idle(tally.idle_polls);
        let is_broken = queues.iter().any(RxQueue::is_broken);
        let RxWorker { accountant, keep, .. } = self;
        RxOutcome { accountant, tally, queues: brought, keep, first, last, is_broken }
    }
}

/// Books a burst that came at `time`, shows `see` what is not ours as it should be, and returns its bytes.
#[inline(always)]
fn book(
    accountant: &mut Accountant,
    burst: &RxBurst<'_, MAX_BURST>,
    time: u64,
    mut see: impl FnMut(Booked, &[u8]),
) -> u64 {
    for ahead in 0..AHEAD {
        burst.prefetch(ahead);
    }
    let mut bytes = 0;
    for (i, frame) in burst.frames().enumerate() {
        burst.prefetch(i + AHEAD);
        bytes += frame.len() as u64;
        let booked = accountant.frame(frame, time & MASK_48);
        if booked != Booked::Ours {
            see(booked, frame);
        }
    }
    bytes
}
