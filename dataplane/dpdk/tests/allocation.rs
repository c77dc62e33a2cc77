//! Nothing is allocated between start and stop: not by bursts, not by reading counters again.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use dpdk::{Mempool, MempoolConfig, Port, PortConfig, QueueStats, testing};

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: passes every call on to the system's allocator, unchanged.
#[allow(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_running_port_allocates_nothing() {
    let eal = testing::eal(&["net_null0"]).unwrap();
    let frames = Mempool::create(eal.handle(), MempoolConfig::new("tx", 1023)).unwrap();
    let frames = frames.prefill(|_, frame| frame.set_len(60)).unwrap();
    let rx_pool = Mempool::create(eal.handle(), MempoolConfig::new("rx", 1023)).unwrap();
    let config = PortConfig { rx_queues: 1, tx_queues: 1, ..PortConfig::default() };
    let mut builder = Port::configure(&eal, eal.ports()[0], &config).unwrap();
    builder.rx_queue(&rx_pool).unwrap();
    builder.tx_queue().unwrap();
    let (port, mut rx, mut tx) = builder.start().unwrap();
    let mut xstats = port.xstats().unwrap();
    let mut queues = [QueueStats::default(); 4];
    let (mut out, mut back) = (frames.burst::<32>(), rx[0].burst::<64>());

    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..100 {
        out.take(32);
        tx[0].tx(&mut out);
        rx[0].rx(&mut back);
        back.free();
        port.stats().unwrap();
        port.queue_stats(&mut queues).unwrap();
        port.link().unwrap();
        xstats.refresh(&port).unwrap();
    }
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0);
}
