//! The TX loop: grant → take → patch → send → count.

use dpdk::{FramePool, TxQueue, tsc};
use traffic::account::Accountant;
pub use traffic::cursor::MAX_BURST;
use traffic::pacer::Departures;
use traffic::wire::CoreCounters;

use super::back::Back;
use super::source::{Burst, Source};
use crate::clock::RunClock;
use crate::counters::{CoreBlock, Gate};

/// Calls of a driver that takes nothing before the frames count as unsent: a few microseconds.
const SEND_ATTEMPTS: u32 = 64;

/// Bursts for which the clock is read once, where only the end depends on it: reading takes as long as a frame or two.
const UNTIMED_BURSTS: u32 = 4;

/// Everything one sending worker owns or looks at.
#[derive(Debug)]
pub struct TxWorker<'a, 'e, S> {
    /// Its queue.
    pub queue: TxQueue<'e>,
    /// What comes back to the port.
    pub back: Back<'a, 'e>,
    /// Its frames.
    pub pool: &'e FramePool<'e>,
    /// What it sends, and when.
    pub source: S,
    /// Whether there is a rate: without one nothing is due, so nothing is unsent.
    pub paced: bool,
    /// How late its frames leave; only where something has a rate.
    pub departures: Option<Departures>,
    /// The clock of its marks.
    pub clock: &'a RunClock,
    /// Its counters.
    pub counters: &'a CoreBlock,
    /// Start and stop.
    pub gate: &'a Gate,
    /// Frames a burst at most, 1…[`MAX_BURST`].
    pub burst: u64,
    /// Ticks from the start to the end.
    pub duration: Option<u64>,
}

/// A worker's last word.
#[derive(Debug, Default)]
pub struct TxOutcome {
    /// What it sent of each shard: (number in the mark, frames).
    pub shards: Vec<(u16, u64)>,
    /// Its counters.
    pub tally: CoreCounters,
    /// Frames that were due and given up after stalls; part of unsent.
    pub given_up: u64,
    /// How late its frames left.
    pub departures: Option<Departures>,
    /// Ticks from the start to the end of sending: the duration, or one interval behind the last frame of a
    /// count.
    pub active_ticks: u64,
    /// The longest time, in ticks, that the driver took nothing though frames were due.
    pub stalled_ticks: u64,
    /// Whether it reached its count or duration.
    pub complete: bool,
    /// Whether the driver faulted because its peer went away: nothing was sent from there on.
    pub is_broken: bool,
    /// The books of what came back, where it was asked for them.
    pub accountant: Option<Accountant>,
}

impl<S: Source> TxWorker<'_, '_, S> {
    /// Waits for the start and sends until done or told to stop.
    pub fn run(mut self) -> TxOutcome {
        let Some(epoch) = self.gate.wait() else { return TxOutcome::default() };
        self.gate.enter();
        let mut outcome = send_loop(&mut self, epoch);
        self.back.finish(self.gate, &mut self.queue, &mut outcome.tally);
        self.pool.flush_cache();
        outcome.shards = self.source.sent();
        outcome.departures = self.departures;
        outcome.accountant = self.back.into_accountant();
        outcome
    }
}

/// What is decided, is decided once a burst; so is the clock read.
fn send_loop<S: Source>(w: &mut TxWorker<'_, '_, S>, epoch: u64) -> TxOutcome {
    let mut burst: Burst<'_> = w.pool.burst::<MAX_BURST>();
    let mut tally = CoreCounters::default();
    let (mut refused, mut stalls) = (0, Stalls::default());
    let deadline = w.duration.map_or(u64::MAX, |ticks| epoch.saturating_add(ticks));
    let (mut last, mut ended) = (epoch, None);
    w.source.start(epoch);
    let bursts = if w.source.is_timed() { 1 } else { UNTIMED_BURSTS };
    let (mut now, mut untimed) = (epoch, 0);
    let mut pace = Gate::AS_ASKED;
    loop {
        let told = w.gate.pace();
        if told != pace {
            if told == Gate::CLOSED {
                break;
            }
            (pace, now, untimed) = (told, tsc(), bursts);
            w.source.rescale(now, pace);
        }
        if untimed == 0 {
            (now, untimed) = (tsc(), bursts);
        }
        untimed -= 1;
        if now >= deadline || w.source.left() == 0 {
            ended = Some(if w.source.left() == 0 { last + w.source.interval() } else { deadline });
            break;
        }
        w.back.look(now, &mut w.queue, &mut tally);
        let granted = w.source.grant(now, w.burst);
        if granted == 0 {
            untimed = 0;
            std::hint::spin_loop();
            continue;
        }
        let taken = burst.take(granted as usize) as u64;
        w.source.write(&mut burst, w.clock.time(now));
        let handed = if w.departures.is_some() { tsc() } else { now };
        let sent = send(&mut w.queue, &mut burst);
        if let Some(departures) = &mut w.departures {
            w.source.book(departures, sent, handed);
        }
        tally.tx_bytes += w.source.settle(granted, taken, sent);
        tally.tx_packets += sent;
        tally.bursts += u64::from(sent > 0);
        if sent < taken {
            burst.recycle();
            if w.queue.is_broken() {
                break;
            }
            refused += if w.paced { taken - sent } else { 0 };
        }
        tally.unsent_packets = refused + w.source.given_up();
        w.counters.store_tx(&tally);
        if sent > 0 {
            last = now;
        } else {
            stalls.refused(last, now);
            untimed = 0;
        }
    }
    w.counters.store_tx(&tally);
    let is_broken = w.queue.is_broken();
    let until = ended.unwrap_or_else(|| if is_broken { last } else { tsc() });
    TxOutcome {
        shards: Vec::new(),
        tally,
        given_up: w.source.given_up(),
        stalled_ticks: stalls.longest,
        departures: None,
        active_ticks: until - epoch,
        complete: ended.is_some(),
        is_broken,
        accountant: None,
    }
}

/// Times in which the driver took nothing: from the first refusal to the last one before a frame went again.
#[derive(Clone, Copy, Debug, Default)]
struct Stalls {
    /// The last departure before the present one.
    behind: Option<u64>,
    since: u64,
    longest: u64,
}

impl Stalls {
    /// Nothing went at `now`; the last frame went at `last`. Off the way of frames that do go.
    #[cold]
    fn refused(&mut self, last: u64, now: u64) {
        if self.behind != Some(last) {
            (self.behind, self.since) = (Some(last), now);
        }
        self.longest = self.longest.max(now - self.since);
    }
}

/// Offers the burst until the driver has taken all of it, or nothing for [`SEND_ATTEMPTS`] calls.
#[inline(always)]
fn send<'e>(queue: &mut TxQueue<'e>, burst: &mut Burst<'e>) -> u64 {
    let mut sent = queue.tx(burst) as u64;
    let mut attempts = 0;
    while !burst.is_empty() && attempts < SEND_ATTEMPTS {
        let more = queue.tx(burst) as u64;
        attempts = if more == 0 { attempts + 1 } else { 0 };
        sent += more;
    }
    sent
}
