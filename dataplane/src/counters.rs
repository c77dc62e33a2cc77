//! One block of counters a worker: written by it alone, read by the sampler, in cache lines of its own.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use crossbeam_utils::CachePadded;
use traffic::respond::Responded;
use traffic::wire::CoreCounters;

/// A worker's counters. Stores are relaxed and happen once a burst: a reader sees each number a burst late at
/// most.
#[derive(Debug)]
pub struct CoreBlock(CachePadded<Cells>);

#[derive(Debug)]
struct Cells {
    cpu: u32,
    tx_packets: AtomicU64,
    tx_bytes: AtomicU64,
    unsent_packets: AtomicU64,
    bursts: AtomicU64,
    idle_polls: AtomicU64,
    rx_packets: AtomicU64,
    rx_bytes: AtomicU64,
    /// ARP, echo, neighbour discovery, announcements.
    responded: [AtomicU64; 4],
}

impl CoreBlock {
    /// All zero, for the worker on `cpu`.
    pub fn new(cpu: u32) -> CoreBlock {
        CoreBlock(CachePadded::new(Cells {
            cpu,
            tx_packets: AtomicU64::new(0),
            tx_bytes: AtomicU64::new(0),
            unsent_packets: AtomicU64::new(0),
            bursts: AtomicU64::new(0),
            idle_polls: AtomicU64::new(0),
            rx_packets: AtomicU64::new(0),
            rx_bytes: AtomicU64::new(0),
            responded: Default::default(),
        }))
    }

    /// Publishes a sender's tally; only its own worker calls this.
    #[inline(always)]
    pub fn store_tx(&self, tally: &CoreCounters) {
        self.0.tx_packets.store(tally.tx_packets, Ordering::Relaxed);
        self.0.tx_bytes.store(tally.tx_bytes, Ordering::Relaxed);
        self.0.unsent_packets.store(tally.unsent_packets, Ordering::Relaxed);
        self.0.bursts.store(tally.bursts, Ordering::Relaxed);
    }

    /// Publishes a receiver's tally; only its own worker calls this.
    #[inline(always)]
    pub fn store_rx(&self, tally: &CoreCounters) {
        self.0.rx_packets.store(tally.rx_packets, Ordering::Relaxed);
        self.0.rx_bytes.store(tally.rx_bytes, Ordering::Relaxed);
        self.0.bursts.store(tally.bursts, Ordering::Relaxed);
    }

    /// Publishes the polls that brought nothing; only its own worker calls this.
    #[inline(always)]
    pub fn store_idle(&self, idle_polls: u64) {
        self.0.idle_polls.store(idle_polls, Ordering::Relaxed);
    }

    /// Publishes what was answered; only its own worker calls this, when it has answered.
    pub fn store_responded(&self, responded: &Responded) {
        let Responded { arp, icmp, ndp, announced } = *responded;
        for (cell, value) in self.0.responded.iter().zip([arp, icmp, ndp, announced]) {
            cell.store(value, Ordering::Relaxed);
        }
    }

    /// What the worker published last. Reading changes nothing.
    pub fn read(&self) -> CoreCounters {
        let load = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        let c = &self.0;
        let [arp, icmp, ndp, announced] = [0, 1, 2, 3].map(|i| load(&c.responded[i]));
        CoreCounters {
            cpu: c.cpu,
            tx_packets: load(&c.tx_packets),
            tx_bytes: load(&c.tx_bytes),
            unsent_packets: load(&c.unsent_packets),
            bursts: load(&c.bursts),
            idle_polls: load(&c.idle_polls),
            rx_packets: load(&c.rx_packets),
            rx_bytes: load(&c.rx_bytes),
            responded: Responded { arp, icmp, ndp, announced },
        }
    }
}

/// Where workers wait for the start, and learn of the stop.
#[derive(Debug)]
pub struct Gate {
    /// What workers look at once a burst: [`Gate::CLOSED`], or thousandths of the rate that was asked.
    pace: CachePadded<AtomicU32>,
    changes: AtomicU32,
    /// The start's clock; workers that poll while they wait look here. 0 is "not yet".
    epoch: CachePadded<AtomicU64>,
    /// Workers that are at work: what comes or goes from there on counts.
    entered: CachePadded<AtomicUsize>,
    opened: Mutex<bool>,
    changed: Condvar,
}

impl Default for Gate {
    fn default() -> Gate {
        Gate {
            pace: CachePadded::new(AtomicU32::new(Gate::AS_ASKED)),
            changes: AtomicU32::new(0),
            epoch: CachePadded::default(),
            entered: CachePadded::default(),
            opened: Mutex::default(),
            changed: Condvar::default(),
        }
    }
}

impl Gate {
    /// The pace of a gate that is closed.
    pub const CLOSED: u32 = 0;
    /// The pace at the start.
    pub const AS_ASKED: u32 = 1000;

    /// Lets the workers go; `epoch` is the run's time zero in ticks.
    pub fn open(&self, epoch: u64) {
        self.epoch.store(epoch.max(1), Ordering::Release);
        self.notify();
    }

    /// Tells the workers to end, whether they began or not.
    pub fn close(&self) {
        self.pace.store(Gate::CLOSED, Ordering::Release);
        self.notify();
    }

    /// Senders go on at so many thousandths of their rate; a gate that is closed stays so.
    pub fn set_pace(&self, per_mille: u32) {
        let changed = self.pace.fetch_update(Ordering::Release, Ordering::Relaxed, |pace| {
            (pace != Gate::CLOSED).then_some(per_mille.max(1))
        });
        self.changes.fetch_add(u32::from(changed.is_ok()), Ordering::Relaxed);
    }

    /// How often the pace was changed.
    pub fn changes(&self) -> u32 {
        self.changes.load(Ordering::Relaxed)
    }

    /// [`Gate::CLOSED`], or thousandths of the rate that was asked.
    #[inline(always)]
    pub fn pace(&self) -> u32 {
        self.pace.load(Ordering::Relaxed)
    }

    /// Closes the gate when dropped, in a panic of the main core too: workers in a scope are waited for
    /// before it unwinds.
    pub fn closing(&self) -> impl Drop {
        Closing(self)
    }

    fn notify(&self) {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Sleeps until the gate opens and returns time zero; `None` when it was closed instead.
    pub fn wait(&self) -> Option<u64> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        while !*opened {
            opened = self.changed.wait(opened).unwrap_or_else(PoisonError::into_inner);
        }
        if self.is_closed() { None } else { self.epoch() }
    }

    /// Time zero, once open.
    #[inline(always)]
    pub fn epoch(&self) -> Option<u64> {
        let epoch = self.epoch.load(Ordering::Acquire);
        (epoch > 0).then_some(epoch)
    }

    /// A worker goes through.
    pub fn enter(&self) {
        self.entered.fetch_add(1, Ordering::Release);
    }

    /// How many workers have gone through.
    pub fn entered(&self) -> usize {
        self.entered.load(Ordering::Acquire)
    }

    /// Whether to end.
    #[inline(always)]
    pub fn is_closed(&self) -> bool {
        self.pace() == Gate::CLOSED
    }
}

struct Closing<'a>(&'a Gate);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_two_workers_share_no_cache_line() {
        assert!(
            align_of::<CoreBlock>() >= 64 && size_of::<CoreBlock>().is_multiple_of(align_of::<CoreBlock>())
        );
    }

    #[test]
    fn a_panic_of_the_main_core_ends_its_workers() {
        let gate = Gate::default();
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            std::thread::scope(|s| {
                s.spawn(|| while !gate.is_closed() {});
                let _closing = gate.closing();
                panic!("on purpose");
            })
        }));
        assert!(unwound.is_err());
    }

    #[test]
    fn a_closed_gate_is_not_opened_by_a_new_pace() {
        let gate = Gate::default();
        gate.set_pace(0);
        assert_eq!((gate.pace(), gate.is_closed()), (1, false));
        gate.close();
        gate.set_pace(2000);
        assert_eq!((gate.is_closed(), gate.changes()), (true, 1));
    }

    #[test]
    fn a_gate_that_closes_lets_nobody_begin() {
        let gate = Gate::default();
        std::thread::scope(|s| {
            let waiting = s.spawn(|| gate.wait());
            gate.close();
            assert_eq!(waiting.join().unwrap(), None);
        });
        let gate = Gate::default();
        gate.open(5);
        assert_eq!(gate.wait(), Some(5));
    }
}
