//! Queues: what a worker polls. Each is a value of its own, made once, used by one thread at a time.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

use dpdk_sys::{rte_mbuf, rte_mempool};

use crate::burst::{RxBurst, TxBurst};
use crate::errno::{Errno, check};
use crate::port::OpenPort;

/// Marks a queue: not `Sync`, and invariant in `'e`, so that what it is given to send outlives the port as
/// well.
type Exclusive<'e> = PhantomData<Cell<&'e ()>>;

/// A queue to send with. It keeps its port open.
#[derive(Debug)]
pub struct TxQueue<'e> {
    port: Arc<OpenPort<'e>>,
    port_id: u16,
    index: u16,
    fast_free: bool,
    guard: Guard,
    /// The only pool that a queue with fast free may be given mbufs of: that of its first burst.
    pool: PoolIdentity,
    _exclusive: Exclusive<'e>,
}

/// Whether bursts must survive a fault of the driver's own, and whether one happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Plain calls.
    Off,
    /// Guarded calls.
    On,
    /// The driver faulted: the queue is dead.
    Broken,
}

/// A pool's address, only ever compared.
#[derive(Debug)]
struct PoolIdentity(*mut rte_mempool);

// SAFETY: the address is never followed.
unsafe impl Send for PoolIdentity {}

impl<'e> TxQueue<'e> {
    pub(crate) fn new(port: Arc<OpenPort<'e>>, index: u16, fast_free: bool, guard: Guard) -> Self {
        let port_id = port.id.0;
        Self {
            port,
            port_id,
            index,
            fast_free,
            guard,
            pool: PoolIdentity(std::ptr::null_mut()),
            _exclusive: PhantomData,
        }
    }

    /// Its number in its port.
    pub fn index(&self) -> u16 {
        self.index
    }

    /// Sends from the front of the burst and says how many frames the driver took. The others stay, in order.
    ///
    /// With fast free on, a queue sends frames of one pool only, that of its first burst; of another it takes
    /// none.
    #[inline]
    pub fn tx<'p: 'e, const N: usize>(&mut self, burst: &mut TxBurst<'p, N>) -> usize {
        if self.fast_free && self.pool.0 != burst.pool().as_ptr() {
            if !self.pool.0.is_null() {
                return 0;
            }
            self.pool.0 = burst.pool().as_ptr();
        }
        // SAFETY: the burst's mbufs are alive and ours, and their pool outlives the port ('p: 'e).
        let (leave, sent) = unsafe { self.send(burst.pending()) };
        burst.sent(leave);
        sent
    }

    /// Offers mbufs to the driver: how many leave the burst, and how many of those were sent. The two differ
    /// after a fault of the driver only: nobody knows which mbufs it had freed, so all are given up.
    ///
    /// # Safety
    /// The mbufs are alive, ours, and of pools that outlive the port or are not freed while mbufs are away.
    #[inline(always)]
    unsafe fn send(&mut self, pending: &mut [*mut rte_mbuf]) -> (usize, usize) {
        let count = pending.len();
        if count == 0 || self.guard == Guard::Broken {
            return (0, 0); // net_memif looks at the first mbuf before it counts them
        }
        if self.guard == Guard::Off {
            // SAFETY: the port is started for as long as this queue lives, the queue exists, no other thread
            // uses it (`&mut self`, not `Clone`); of the mbufs the caller says the rest.
            let sent = unsafe {
                dpdk_sys::shim_tx_burst(self.port_id, self.index, pending.as_mut_ptr(), count as u16)
            };
            return (usize::from(sent), usize::from(sent));
        }
        // SAFETY: as above; the guard was installed when the port was started.
        let sent = unsafe {
            dpdk_sys::shim_tx_burst_guarded(self.port_id, self.index, pending.as_mut_ptr(), count as u16)
        };
        match usize::try_from(sent) {
            Ok(sent) => (sent, sent),
            Err(_) => {
                self.guard = Guard::Broken;
                (count, 0)
            }
        }
    }

    /// Whether the driver faulted under this queue, as net_memif does when its peer goes away in the middle
    /// of a burst: it sends nothing any more.
    pub fn is_broken(&self) -> bool {
        self.guard == Guard::Broken
    }

    /// Sends received frames back from the front of the burst and says how many the driver took. The others
    /// stay, in order. None with fast free on, as they may come from any pool: configure the port without it.
    #[inline]
    pub fn tx_received<const N: usize>(&mut self, burst: &mut RxBurst<'e, N>) -> usize {
        if self.fast_free {
            return 0;
        }
        // SAFETY: the burst's mbufs are alive and ours; a pool whose mbufs are still in a device when it is
        // dropped is not freed.
        let (leave, sent) = unsafe { self.send(burst.pending()) };
        burst.sent(leave);
        sent
    }

    /// Asks the driver to give back mbufs that it has sent, all of them where `limit` is 0, and says how many
    /// it gave. Drivers otherwise do so when they send. [`Errno::NOTSUP`] from those that cannot.
    pub fn reclaim(&mut self, limit: u32) -> Result<u32, Errno> {
        // SAFETY: the port is open, and no other thread uses the queue.
        check(unsafe { dpdk_sys::rte_eth_tx_done_cleanup(self.port_id, self.index, limit) })
    }

    /// The device, for messages.
    pub fn port_name(&self) -> &str {
        &self.port.name
    }
}

/// A queue to receive with. It keeps its port open.
#[derive(Debug)]
pub struct RxQueue<'e> {
    port: Arc<OpenPort<'e>>,
    port_id: u16,
    index: u16,
    guard: Guard,
    /// Faults of the driver that may still pass before the first frame; none once one has come.
    faults_left: u16,
    _exclusive: Exclusive<'e>,
}

/// While a peer connects, net_memif may follow the address that a ring will have, a moment before the ring is mapped
/// there: it looks the address up before it looks whether it is connected. Nothing is held then, and the next poll
/// finds the ring. So faults before the first frame pass, within this bound.
const FAULTS_BEFORE_FIRST_FRAME: u16 = 100;

impl<'e> RxQueue<'e> {
    pub(crate) fn new(port: Arc<OpenPort<'e>>, index: u16, guard: Guard) -> Self {
        let port_id = port.id.0;
        let faults_left = FAULTS_BEFORE_FIRST_FRAME;
        Self { port, port_id, index, guard, faults_left, _exclusive: PhantomData }
    }

    /// Its number in its port.
    pub fn index(&self) -> u16 {
        self.index
    }

    /// An empty burst to receive into. Keep it: making one writes `N` pointers.
    pub fn burst<const N: usize>(&self) -> RxBurst<'e, N> {
        RxBurst::new(self.port.eal)
    }

    /// Receives behind what the burst holds already, as much as fits, and says how many frames came.
    #[inline]
    pub fn rx<const N: usize>(&mut self, burst: &mut RxBurst<'e, N>) -> usize {
        let vacant = burst.vacant();
        if vacant.is_empty() {
            return 0;
        }
        if self.guard != Guard::Off {
            return self.rx_guarded(burst);
        }
        // SAFETY: the port is started for as long as this queue lives, the queue exists, no other thread uses
        // it (`&mut self`, not `Clone`); `vacant` has room for as many pointers.
        let count = unsafe {
            dpdk_sys::shim_rx_burst(self.port_id, self.index, vacant.as_mut_ptr(), vacant.len() as u16)
        };
        burst.received(usize::from(count));
        usize::from(count)
    }

    /// As [`RxQueue::rx`]; after a fault behind the first frame nothing comes any more.
    fn rx_guarded<const N: usize>(&mut self, burst: &mut RxBurst<'e, N>) -> usize {
        if self.guard == Guard::Broken {
            return 0;
        }
        let vacant = burst.vacant();
        // SAFETY: as in `rx`; the guard was installed when the port was started.
        let count = unsafe {
            dpdk_sys::shim_rx_burst_guarded(
                self.port_id,
                self.index,
                vacant.as_mut_ptr(),
                vacant.len() as u16,
            )
        };
        let Ok(count) = usize::try_from(count) else {
            match self.faults_left.checked_sub(1) {
                Some(left) => self.faults_left = left,
                None => self.guard = Guard::Broken,
            }
            return 0;
        };
        if count > 0 {
            self.faults_left = 0;
        }
        burst.received(count);
        count
    }

    /// Whether the driver faulted under this queue, as net_memif does when its peer goes away in the middle
    /// of a burst: it receives nothing any more.
    pub fn is_broken(&self) -> bool {
        self.guard == Guard::Broken
    }

    /// The device, for messages.
    pub fn port_name(&self) -> &str {
        &self.port.name
    }
}
