//! net_null: everything that is sent is counted and comes home.

use dpdk::{CpuId, LcoreError, Mempool, MempoolConfig, Port, PortConfig, register_worker, testing};

#[test]
fn sent_frames_are_counted_by_the_port_and_come_home() {
    let eal = testing::eal(&["net_null0"]).unwrap();
    let pool = Mempool::create(eal.handle(), MempoolConfig::new("tx", 1023))
        .unwrap()
        .prefill(|_, f| f.set_len(60))
        .unwrap();
    assert_eq!(pool.in_use(), 0);
    let id = eal.port_by_device("net_null0").unwrap();
    let config = PortConfig { tx_queues: 1, ..PortConfig::default() };
    let mut builder = Port::configure(&eal, id, &config).unwrap();
    builder.tx_queue().unwrap();
    let (port, _, mut tx) = builder.start().unwrap();
    let mut burst = pool.burst::<32>();
    let mut sent = 0;
    for _ in 0..1000 {
        assert_eq!(burst.take(32), 32);
        sent += tx[0].tx(&mut burst);
        assert!(burst.is_empty());
    }
    assert_eq!(sent, 32_000);
    assert_eq!(port.stats().unwrap().tx_packets, 32_000);
    assert_eq!(pool.in_use(), 0);
    assert_eq!(pool.avail(), 1023);
}

#[test]
fn a_worker_thread_sends_and_the_port_closes_after_the_last_queue() {
    let eal = testing::eal(&["net_null0"]).unwrap();
    let pool = Mempool::create(eal.handle(), MempoolConfig::new("tx", 255))
        .unwrap()
        .prefill(|_, f| f.set_len(60))
        .unwrap();
    let id = eal.ports()[0];
    let mut builder =
        Port::configure(&eal, id, &PortConfig { tx_queues: 1, ..PortConfig::default() }).unwrap();
    builder.tx_queue().unwrap();
    let (port, _, mut tx) = builder.start().unwrap();
    let mut queue = tx.remove(0);
    let handle = eal.handle();
    drop(port);
    let sent = std::thread::scope(|scope| {
        let pool = &pool;
        let worker = scope.spawn(move || {
            let _guard = register_worker(handle, CpuId(0)).unwrap();
            assert!(matches!(register_worker(handle, CpuId(0)), Err(LcoreError::Already { .. })));
            let mut burst = pool.burst::<32>();
            burst.take(32);
            let sent = queue.tx(&mut burst);
            pool.flush_cache();
            sent
        });
        worker.join().unwrap()
    });
    assert_eq!(sent, 32);
    assert_eq!(pool.in_use(), 0);
    assert!(eal.ports().is_empty(), "the last queue closes the port");
}

#[test]
fn a_burst_takes_what_there_is() {
    let eal = testing::eal(&[]).unwrap();
    let config = MempoolConfig { cache: 0, ..MempoolConfig::new("few", 31) };
    let pool = Mempool::create(eal.handle(), config).unwrap().prefill(|_, f| f.set_len(60)).unwrap();
    let mut burst = pool.burst::<64>();
    assert_eq!(burst.take(8), 8);
    assert_eq!(burst.take(40), 23);
    assert_eq!(burst.take(1), 0);
    assert_eq!(burst.len(), 31);
    assert_eq!(pool.in_use(), 31);
    burst.recycle();
    assert!(burst.is_empty());
    assert_eq!(pool.in_use(), 0);
    burst.take(5);
    drop(burst);
    assert_eq!(pool.in_use(), 0);
}
