//! What comes back to a sending port: taken, counted and thrown away, so that its queue never fills and a
//! memif peer that reflects finds buffers.

use dpdk::{RxBurst, RxQueue};
use traffic::wire::CoreCounters;

/// Frames a look at most.
const BURST: usize = 64;
/// Looks a second: enough for a reflected warm-up, far too few to disturb departures.
const LOOKS_PER_SECOND: u64 = 50_000;

/// A sender's RX queue, looked at now and then.
#[derive(Debug)]
pub struct Back<'e> {
    queue: Option<(RxQueue<'e>, RxBurst<'e, BURST>)>,
    interval: u64,
    next: u64,
}

impl<'e> Back<'e> {
    /// Of one worker a port; the others have none. `hz` is the clock's rate.
    pub fn new(queue: Option<RxQueue<'e>>, hz: u64) -> Back<'e> {
        let next = if queue.is_some() { 0 } else { u64::MAX };
        let queue = queue.map(|queue| {
            let burst = queue.burst();
            (queue, burst)
        });
        Back { queue, interval: hz / LOOKS_PER_SECOND, next }
    }

    /// Looks if it is time; one comparison when not. True when frames were counted.
    #[inline(always)]
    pub fn look(&mut self, now: u64, tally: &mut CoreCounters) -> bool {
        now >= self.next && self.take(now, tally)
    }

    #[cold]
    fn take(&mut self, now: u64, tally: &mut CoreCounters) -> bool {
        self.next = now + self.interval;
        let Some((queue, burst)) = &mut self.queue else { return false };
        let count = queue.rx(burst);
        tally.rx_packets += count as u64;
        tally.rx_bytes += burst.frames().map(|frame| frame.len() as u64).sum::<u64>();
        burst.free();
        count > 0
    }
}
