//! The TX loop: grant → take → patch → send → count.

use dpdk::{FrameMut, FramePool, TxBurst, TxQueue, tsc};
pub use traffic::cursor::MAX_BURST;
use traffic::cursor::{Cursor, Frames};
use traffic::frame::step::Head;
use traffic::pacer::Pacer;
use traffic::wire::CoreCounters;

use super::back::Back;
use crate::counters::{CoreBlock, Gate};

/// Calls of a driver that takes nothing before the frames count as unsent: a few microseconds.
const SEND_ATTEMPTS: u32 = 64;

/// Everything one sending worker owns or looks at.
#[derive(Debug)]
pub struct TxWorker<'a, 'e> {
    /// Its queue.
    pub queue: TxQueue<'e>,
    /// What comes back to the port.
    pub back: Back<'e>,
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
    /// Ticks from the start to the end of sending: the duration, or one interval behind the last frame of a
    /// count.
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
        let mut outcome = send_loop(&mut self, epoch);
        self.pool.flush_cache();
        outcome.shard = shard;
        outcome
    }
}

/// What is decided, is decided once a burst; so is the clock read.
fn send_loop(w: &mut TxWorker<'_, '_>, epoch: u64) -> TxOutcome {
    let mut burst = w.pool.burst::<MAX_BURST>();
    let mut tally = CoreCounters::default();
    let mut refused = 0;
    let deadline = w.duration.map_or(u64::MAX, |ticks| epoch.saturating_add(ticks));
    let (mut last, mut ended) = (epoch, None);
    w.pacer.start(epoch);
    while !w.gate.is_closed() {
        let now = tsc();
        let left = w.limit - tally.tx_packets;
        if now >= deadline || left == 0 {
            ended = Some(if left == 0 { last + w.pacer.interval() } else { deadline });
            break;
        }
        if w.back.look(now, &mut tally) {
            w.counters.store_rx(&tally);
        }
        let granted = w.pacer.grant(now, w.burst.min(left));
        if granted == 0 {
            std::hint::spin_loop();
            continue;
        }
        let taken = burst.take(granted as usize) as u64;
        w.cursor.write(&mut Taken(&mut burst), now);
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
            last = now;
        }
    }
    let is_broken = w.queue.is_broken();
    let until = ended.unwrap_or_else(|| if is_broken { last } else { tsc() });
    let active_ticks = until - epoch;
    TxOutcome {
        shard: 0,
        tally,
        given_up: w.pacer.given_up(),
        active_ticks,
        complete: ended.is_some(),
        is_broken,
    }
}

/// A burst as the cursor wants it.
struct Taken<'b, 'e>(&'b mut TxBurst<'e, MAX_BURST>);

impl Frames for Taken<'_, '_> {
    #[inline(always)]
    fn count(&self) -> usize {
        self.0.len()
    }
    #[inline(always)]
    fn heads(&mut self, from: usize) -> impl Iterator<Item = &mut Head> {
        self.0.frames_from(from).map(FrameMut::into_head)
    }
    #[inline(always)]
    fn frames(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.0.frames_mut().map(FrameMut::into_data)
    }
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
