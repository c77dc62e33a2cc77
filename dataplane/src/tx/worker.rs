//! The TX loop: grant → take → patch → send → count.

use dpdk::{FramePool, TxBurst, TxQueue, tsc};
use traffic::cursor::Cursor;
use traffic::pacer::Pacer;
use traffic::wire::CoreCounters;

use crate::counters::{CoreBlock, Gate};

/// Frames a burst at most.
pub const MAX_BURST: usize = 64;
/// Calls of a driver that takes nothing before the frames count as unsent: a few microseconds.
const SEND_ATTEMPTS: u32 = 64;

/// Everything one sending worker owns or looks at.
#[derive(Debug)]
pub struct TxWorker<'a, 'e> {
    /// Its queue.
    pub queue: TxQueue<'e>,
    /// Its frames.
    pub pool: &'e FramePool<'e>,
    /// Its place in its shard.
    pub cursor: Cursor,
    /// Its part of the port's rate.
    pub pacer: Pacer,
    /// Whether there is a rate: without one nothing is due, so nothing is unsent.
    pub paced: bool,
    /// Its counters.
    pub counters: &'a CoreBlock,
    /// Start and stop.
    pub gate: &'a Gate,
    /// Frames a burst at most, 1…[`MAX_BURST`].
    pub burst: u64,
    /// Frames to send in all.
    pub limit: u64,
    /// Ticks from the start to the end.
    pub duration: Option<u64>,
    /// Bytes of a frame, without FCS.
    pub frame_bytes: u64,
}

/// A worker's last word.
#[derive(Clone, Copy, Debug, Default)]
pub struct TxOutcome {
    /// Its shard.
    pub shard: u16,
    /// Its counters.
    pub tally: CoreCounters,
    /// Frames that were due and given up after stalls; part of unsent.
    pub given_up: u64,
    /// Ticks from the first burst to the last.
    pub active_ticks: u64,
    /// Whether it reached its count or duration.
    pub complete: bool,
    /// Whether the driver faulted because its peer went away: nothing was sent from there on.
    pub is_broken: bool,
}

impl TxWorker<'_, '_> {
    /// Waits for the start and sends until done or told to stop.
    pub fn run(mut self, shard: u16) -> TxOutcome {
        let Some(epoch) = self.gate.wait() else { return TxOutcome { shard, ..TxOutcome::default() } };
        self.gate.enter();
        macro_rules! dispatch {
            ($($fields:literal)*) => {
                match (self.cursor.fields(), self.cursor.stamped()) {
                    $(($fields, true) => send_loop::<$fields, true>(&mut self, epoch),
                      ($fields, false) => send_loop::<$fields, false>(&mut self, epoch),)*
                    _ => TxOutcome::default(),
                }
            };
        }
        let mut outcome = dispatch!(0 1 2 3 4 5 6 7);
        self.pool.flush_cache();
        outcome.shard = shard;
        outcome
    }
}

/// Specialised by what varies, so that a frame costs no decision. The clock is read once a burst.
fn send_loop<const FIELDS: usize, const STAMPED: bool>(w: &mut TxWorker<'_, '_>, epoch: u64) -> TxOutcome {
    let mut burst = w.pool.burst::<MAX_BURST>();
    let mut tally = CoreCounters::default();
    let mut refused = 0;
    let deadline = w.duration.map_or(u64::MAX, |ticks| epoch.saturating_add(ticks));
    let (mut first, mut last, mut complete) = (None, 0, false);
    w.pacer.start(epoch);
    while !w.gate.is_closed() {
        let now = tsc();
        let left = w.limit - tally.tx_packets;
        if now >= deadline || left == 0 {
            complete = true;
            break;
        }
        let granted = w.pacer.grant(now, w.burst.min(left));
        if granted == 0 {
            std::hint::spin_loop();
            continue;
        }
        let taken = burst.take(granted as usize) as u64;
        for mut frame in burst.frames_mut() {
            w.cursor.write_next::<FIELDS, STAMPED>(frame.data(), now);
        }
        let sent = send(&mut w.queue, &mut burst);
        if sent < taken {
            burst.recycle();
            w.cursor.rewind(taken - sent);
            if w.queue.is_broken() {
                break;
            }
            refused += if w.paced { taken - sent } else { 0 };
        }
        if taken < granted {
            w.pacer.return_grant(granted - taken);
        }
        tally.tx_packets += sent;
        tally.tx_bytes += sent * w.frame_bytes;
        tally.bursts += u64::from(sent > 0);
        tally.unsent_packets = refused + w.pacer.given_up();
        w.counters.store_tx(&tally);
        if sent > 0 {
            first.get_or_insert(now);
            last = now;
        }
    }
    let active_ticks = first.map_or(0, |first| last - first);
    let is_broken = w.queue.is_broken();
    TxOutcome { shard: 0, tally, given_up: w.pacer.given_up(), active_ticks, complete, is_broken }
}

/// Offers the burst until the driver has taken all of it, or nothing for [`SEND_ATTEMPTS`] calls.
#[inline(always)]
fn send<'e>(queue: &mut TxQueue<'e>, burst: &mut TxBurst<'e, MAX_BURST>) -> u64 {
    let mut sent = queue.tx(burst) as u64;
    let mut attempts = 0;
    while !burst.is_empty() && attempts < SEND_ATTEMPTS {
        let more = queue.tx(burst) as u64;
        attempts = if more == 0 { attempts + 1 } else { 0 };
        sent += more;
    }
    sent
}
