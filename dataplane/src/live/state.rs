//! What a port's worker and the scripts share: orders one way, counters the other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
pub use lua_compat::counts::{COUNTS, Count, Counts, Rates};
use traffic::account::latency::LatencyHistogram;
use traffic::mac::Mac;

use super::job::Job;

/// How long a worker may take to obey; one that shares its CPU needs its turn.
const OBEY_LIMIT: Duration = Duration::from_secs(2);
const OBEY_STEP: Duration = Duration::from_micros(50);

/// How many kinds the worker counts, the first ones: the others are the driver's.
const OWN_COUNTS: usize = 22;

/// What a worker is told.
#[derive(Debug)]
pub enum Order {
    /// Send this, in place of what it sends.
    Send(Box<Job>),
    /// Send nothing.
    Stop,
    /// Take latency samples: (ticks between two, how many).
    Sample(u64, usize),
    /// The end.
    Close,
}

/// What never changes about a port.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// As the user named it.
    pub device: String,
    /// Its driver.
    pub driver: String,
    /// Its address.
    pub mac: Mac,
    /// Speed of its link; 0 where the driver does not say.
    pub link_mbps: u32,
}

/// One port.
#[derive(Debug)]
pub struct PortState {
    /// What it is.
    pub facts: Facts,
    cells: CachePadded<[AtomicU64; COUNTS]>,
    orders: Mutex<Vec<Order>>,
    posted: CachePadded<AtomicU64>,
    taken: CachePadded<AtomicU64>,
    sending: AtomicBool,
    /// Whether the link is up.
    pub link_up: AtomicBool,
    /// Ticks above which a frame's latency counts as jitter.
    pub jitter_ticks: AtomicU64,
    /// Latency of received frames that carry the time.
    pub latency: Mutex<LatencyHistogram>,
    /// Latency samples, in ticks.
    pub samples: Mutex<Vec<u64>>,
    /// Counters as they were at the last `clear`.
    pub cleared: Mutex<Counts>,
    /// Rates.
    pub rates: Mutex<Rates>,
}

/// Takes a lock whatever happened to its last holder: the data are plain numbers.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PortState {
    /// A port that sends nothing.
    pub fn new(facts: Facts) -> PortState {
        PortState {
            facts,
            cells: CachePadded::new(std::array::from_fn(|_| AtomicU64::new(0))),
            orders: Mutex::default(),
            posted: CachePadded::default(),
            taken: CachePadded::default(),
            sending: AtomicBool::new(false),
            link_up: AtomicBool::new(true),
            jitter_ticks: AtomicU64::new(u64::MAX),
            latency: Mutex::default(),
            samples: Mutex::default(),
            cleared: Mutex::default(),
            rates: Mutex::default(),
        }
    }

    /// Tells the worker, and waits until it has obeyed; false if it did not in time.
    pub fn order(&self, order: Order) -> bool {
        // At once, so that a question right behind a start gets the right answer.
        if matches!(order, Order::Send(_)) {
            self.set_sending(true);
        }
        let number = {
            let mut orders = lock(&self.orders);
            orders.push(order);
            self.posted.fetch_add(1, Ordering::Release) + 1
        };
        let limit = Instant::now() + OBEY_LIMIT;
        while self.taken.load(Ordering::Acquire) < number {
            if Instant::now() > limit {
                return false;
            }
            std::thread::park_timeout(OBEY_STEP);
        }
        true
    }

    /// The worker's look: one load when there is nothing.
    #[inline(always)]
    pub fn has_orders(&self, taken: u64) -> bool {
        self.posted.load(Ordering::Relaxed) != taken
    }

    /// The worker takes what there is, and its new count of orders.
    pub fn take_orders(&self) -> (Vec<Order>, u64) {
        let mut orders = lock(&self.orders);
        (std::mem::take(&mut *orders), self.posted.load(Ordering::Acquire))
    }

    /// The worker has obeyed so many.
    pub fn obeyed(&self, taken: u64) {
        self.taken.store(taken, Ordering::Release);
    }

    /// Whether it sends.
    pub fn is_sending(&self) -> bool {
        self.sending.load(Ordering::Acquire)
    }

    /// The worker began or ended.
    pub fn set_sending(&self, on: bool) {
        self.sending.store(on, Ordering::Release);
    }

    /// Publishes what the worker counts.
    #[inline]
    pub fn store(&self, counts: &Counts) {
        for (cell, value) in self.cells.iter().zip(&counts.0).take(OWN_COUNTS) {
            cell.store(*value, Ordering::Relaxed);
        }
    }

    /// Publishes what the worker sent alone.
    #[inline]
    pub fn store_sent(&self, counts: &Counts) {
        for count in [Count::Opackets, Count::Obytes, Count::TxFailed] {
            self.cells[count as usize].store(counts.get(count), Ordering::Relaxed);
        }
    }

    /// Publishes one of the driver's counters.
    pub fn store_one(&self, count: Count, value: u64) {
        self.cells[count as usize].store(value, Ordering::Relaxed);
    }

    /// All counters since the process began.
    pub fn all(&self) -> Counts {
        Counts(std::array::from_fn(|i| self.cells[i].load(Ordering::Relaxed)))
    }

    /// All counters since the last `clear`.
    pub fn counts(&self) -> Counts {
        self.all().since(&lock(&self.cleared))
    }

    /// Sets the counters to zero, for those who look.
    pub fn clear(&self) {
        *lock(&self.cleared) = self.all();
        *lock(&self.latency) = LatencyHistogram::default();
        *lock(&self.rates) = Rates::default();
    }
}

/// The end of everything, for all threads to see.
#[derive(Debug, Default)]
pub struct Stopper {
    stopped: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Stopper {
    /// Ends everything.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        drop(lock(&self.lock));
        self.changed.notify_all();
    }

    /// Whether it is the end.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Waits so long, or until the end: whether it came.
    pub fn wait(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        let mut guard = lock(&self.lock);
        while !self.is_stopped() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(guard, left);
            guard = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
