//! What comes back to a sending port. Always taken and counted, so that its queue never fills and a memif peer
//! that reflects finds buffers; on demand also answered (ARP, ping) and booked (round trips).

use std::sync::atomic::{AtomicUsize, Ordering};

use dpdk::{RxBurst, RxQueue, TxQueue, tsc};
use traffic::account::Accountant;
use traffic::stamp::MASK_48;
use traffic::wire::CoreCounters;

use crate::counters::{CoreBlock, Gate};
use crate::respond::Replier;
use crate::rx::Books;

/// Frames a look at most.
const BURST: usize = 64;
/// Looks a second: enough for a reflected warm-up, far too few to disturb departures.
const LOOKS_PER_SECOND: u64 = 50_000;

/// A sender's RX queue, looked at now and then.
#[derive(Debug)]
pub struct Back<'a, 'e> {
    queue: Option<(RxQueue<'e>, RxBurst<'e, BURST>)>,
    counters: &'a CoreBlock,
    interval: u64,
    next: u64,
    round_trip: Option<RoundTrip<'a>>,
    drain: Option<&'a Drain>,
    replier: Option<Replier<'e>>,
}

/// A worker's part in booking what comes back.
#[derive(Debug)]
pub struct RoundTrip<'a> {
    /// Its books.
    pub accountant: Accountant,
    /// Where it shows them.
    pub books: &'a Books,
    shown: u64,
}

/// When those who book what comes back may end: when nobody sends any more and nothing comes any more.
#[derive(Debug)]
pub struct Drain {
    sending: AtomicUsize,
    quiet: u64,
    limit: u64,
}

impl Drain {
    /// For so many sending workers; ticks without a frame that mean the end, and the longest wait for them.
    pub fn new(workers: usize, quiet: u64, limit: u64) -> Drain {
        Drain { sending: AtomicUsize::new(workers), quiet, limit }
    }

    fn leave(&self) {
        self.sending.fetch_sub(1, Ordering::Release);
    }

    fn is_sending(&self) -> bool {
        self.sending.load(Ordering::Acquire) > 0
    }
}

impl<'a> RoundTrip<'a> {
    /// With empty books.
    pub fn new(accountant: Accountant, books: &'a Books) -> RoundTrip<'a> {
        RoundTrip { accountant, books, shown: 0 }
    }
}

impl<'a, 'e> Back<'a, 'e> {
    /// Of a worker with an RX queue; the others have none. `hz` is the clock's rate.
    pub fn new(queue: Option<RxQueue<'e>>, counters: &'a CoreBlock, hz: u64) -> Back<'a, 'e> {
        let next = if queue.is_some() { 0 } else { u64::MAX };
        let queue = queue.map(|queue| {
            let burst = queue.burst();
            (queue, burst)
        });
        let interval = hz / LOOKS_PER_SECOND;
        Back { queue, counters, interval, next, round_trip: None, drain: None, replier: None }
    }

    /// With a drain, what comes back to the port is booked: by this worker if it has books. It then looks as often
    /// as there is time, as a frame ages while it waits.
    #[must_use]
    pub fn booking(self, drain: Option<&'a Drain>, round_trip: Option<RoundTrip<'a>>) -> Back<'a, 'e> {
        let interval = if round_trip.is_some() { 0 } else { self.interval };
        Back { round_trip, drain, interval, ..self }
    }

    /// Answers what is asked.
    #[must_use]
    pub fn answering(self, replier: Option<Replier<'e>>) -> Back<'a, 'e> {
        Back { replier, ..self }
    }

    /// Looks if it is time; one comparison when not. Answers go out by `out`.
    #[inline(always)]
    pub fn look(&mut self, now: u64, out: &mut TxQueue<'e>, tally: &mut CoreCounters) {
        if now >= self.next {
            self.take(now, out, tally);
        }
    }

    #[inline(never)]
    fn take(&mut self, now: u64, out: &mut TxQueue<'e>, tally: &mut CoreCounters) {
        self.next = now + self.interval;
        let Some((queue, burst)) = &mut self.queue else { return };
        let count = queue.rx(burst);
        if let Some(RoundTrip { accountant, books, shown, .. }) = &mut self.round_trip {
            books.show_if_asked(accountant, tally, shown);
            if count > 0 {
                let came = tsc() & MASK_48;
                for frame in burst.frames() {
                    accountant.frame(frame, came);
                }
            }
        }
        if let Some(replier) = &mut self.replier {
            let before = tally.responded;
            replier.announce_once(out, &mut tally.responded);
            replier.answer(burst, out, &mut tally.responded);
            if tally.responded != before {
                self.counters.store_responded(&tally.responded);
            }
        }
        if count > 0 {
            tally.rx_packets += count as u64;
            tally.rx_bytes += burst.frames().map(|frame| frame.len() as u64).sum::<u64>();
            burst.free();
            self.counters.store_rx(tally);
        }
    }

    /// Books what still comes back once this worker has sent all: until the others have too and nothing comes any
    /// more, or the limit.
    pub fn finish(&mut self, gate: &Gate, out: &mut TxQueue<'e>, tally: &mut CoreCounters) {
        let Some(drain) = self.drain else { return };
        drain.leave();
        if self.round_trip.is_none() {
            return;
        }
        while drain.is_sending() && !gate.is_closed() {
            self.look(tsc(), out, tally);
        }
        let began = tsc();
        let (mut quiet_since, mut seen) = (began, tally.rx_packets);
        loop {
            let now = tsc();
            self.look(now, out, tally);
            if tally.rx_packets != seen {
                (quiet_since, seen) = (now, tally.rx_packets);
            }
            if now - quiet_since >= drain.quiet || now - began >= drain.limit {
                return;
            }
        }
    }

    /// The books, at the end.
    pub fn into_accountant(self) -> Option<Accountant> {
        self.round_trip.map(|trip| trip.accountant)
    }
}
