//! net_ring: what is sent comes back on the same queue, byte for byte, and a full ring refuses.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use dpdk::{Eal, FramePool, Mempool, MempoolConfig, Port, PortConfig, RxQueue, TxQueue, testing};

/// What a net_ring holds, in this DPDK: its ring's size less one.
const RING_MBUFS: usize = 1023;

fn pools(eal: &Eal) -> (FramePool<'_>, Mempool<'_>) {
    let frames = Mempool::create(eal.handle(), MempoolConfig::new("tx", 2047)).unwrap();
    let frames = frames.prefill(|index, frame| {
        frame.data()[..4].copy_from_slice(&u32::try_from(index).unwrap().to_be_bytes());
        frame.set_len(60);
    });
    (frames.unwrap(), Mempool::create(eal.handle(), MempoolConfig::new("rx", 511)).unwrap())
}

fn open<'e>(eal: &'e Eal, rx_pool: &'e Mempool<'e>) -> (Port<'e>, RxQueue<'e>, TxQueue<'e>) {
    let id = eal.port_by_device("net_ring0").unwrap();
    let config = PortConfig { rx_queues: 1, tx_queues: 1, ..PortConfig::default() };
    let mut builder = Port::configure(eal, id, &config).unwrap();
    builder.rx_queue(rx_pool).unwrap();
    builder.tx_queue().unwrap();
    let (port, mut rx, mut tx) = builder.start().unwrap();
    (port, rx.remove(0), tx.remove(0))
}

#[test]
fn bytes_and_lengths_arrive_as_they_were_sent() {
    let eal = testing::eal(&["net_ring0"]).unwrap();
    let (frames, rx_pool) = pools(&eal);
    let (_port, mut rx, mut tx) = open(&eal, &rx_pool);
    let (mut out, mut back) = (frames.burst::<32>(), rx.burst::<64>());
    for round in 0..100_u32 {
        let taken = out.take(32);
        for (index, mut frame) in out.frames_mut().enumerate() {
            let value = round * 32 + u32::try_from(index).unwrap();
            frame.head::<64>()[26..30].copy_from_slice(&value.to_be_bytes());
            frame.set_len(60 + u16::try_from(index).unwrap());
        }
        assert_eq!(tx.tx(&mut out), taken);
        assert_eq!(rx.rx(&mut back), taken);
        for (index, bytes) in back.frames().enumerate() {
            let value = round * 32 + u32::try_from(index).unwrap();
            assert_eq!(bytes.len(), 60 + index);
            assert_eq!(bytes[26..30], value.to_be_bytes());
            back.prefetch(index + 4);
            assert_eq!(back.segments(index), Some(1));
            assert_eq!(back.frame_len(index), Some(60 + u32::try_from(index).unwrap()));
        }
        back.free();
    }
    assert_eq!(back.frame(0), None);
    assert_eq!((frames.in_use(), rx_pool.in_use()), (0, 0));
}

#[test]
fn what_a_full_ring_refuses_stays_in_order_and_every_mbuf_comes_home() {
    let eal = testing::eal(&["net_ring0"]).unwrap();
    let (frames, rx_pool) = pools(&eal);
    let (_port, mut rx, mut tx) = open(&eal, &rx_pool);
    assert_eq!(frames.in_use(), 0);
    let mut out = frames.burst::<32>();
    let (mut next, mut accepted, mut refused) = (0_u32, 0, 0);
    while refused == 0 {
        let taken = out.take(32);
        for mut frame in out.frames_mut() {
            frame.head::<4>().copy_from_slice(&next.to_be_bytes());
            next += 1;
        }
        let sent = tx.tx(&mut out);
        accepted += sent;
        refused = taken - sent;
    }
    assert_eq!(accepted, RING_MBUFS);
    assert_eq!(out.len(), refused);
    let first = u32::try_from(accepted).unwrap();
    assert_eq!(*out.frame_mut(0).unwrap().head::<4>(), first.to_be_bytes());

    // Room for more: the refused ones go first, those taken since behind them.
    let mut back = rx.burst::<64>();
    assert_eq!(rx.rx(&mut back), 64);
    back.free();
    let taken = out.take(32);
    assert_eq!(taken, 32 - refused);
    for mut frame in out.frames_from(refused) {
        frame.head::<4>().copy_from_slice(&next.to_be_bytes());
        next += 1;
    }
    assert_eq!(tx.tx(&mut out), 32);
    let mut expected = 64;
    while rx.rx(&mut back) > 0 {
        for bytes in back.frames() {
            assert_eq!(bytes[..4], u32::to_be_bytes(expected));
            expected += 1;
        }
        back.free();
    }
    assert_eq!(expected, next);
    assert_eq!(frames.in_use(), 0);

    // A burst that was half sent gives the rest back when it is dropped.
    while tx.tx(&mut out) == out.take(32) {}
    drop(out);
    while rx.rx(&mut back) > 0 {
        back.free();
    }
    assert_eq!((frames.in_use(), rx_pool.in_use()), (0, 0));
}

#[test]
fn received_frames_can_be_changed_and_sent_back() {
    let eal = testing::eal(&["net_ring0"]).unwrap();
    let (frames, rx_pool) = pools(&eal);
    let (_port, mut rx, mut tx) = open(&eal, &rx_pool);
    let (mut out, mut back) = (frames.burst::<8>(), rx.burst::<8>());
    out.take(8);
    tx.tx(&mut out);
    assert_eq!(rx.rx(&mut back), 8);
    for index in 0..8 {
        back.frame_mut(index).unwrap()[0] = 0xAB;
    }
    assert_eq!(tx.tx_received(&mut back), 8);
    assert_eq!(rx.rx(&mut back), 8);
    assert!(back.frames().all(|bytes| bytes[0] == 0xAB));
    back.free();
    assert_eq!(frames.in_use(), 0);
}

#[test]
fn mbufs_left_in_a_device_do_not_bring_down_what_is_dropped_after_it() {
    let eal = testing::eal(&["net_ring0"]).unwrap();
    let (frames, rx_pool) = pools(&eal);
    let (port, rx, mut tx) = open(&eal, &rx_pool);
    let mut out = frames.burst::<32>();
    out.take(32);
    assert_eq!(tx.tx(&mut out), 32);
    // In another order than they were made.
    drop(port);
    drop(tx);
    drop(rx);
    drop(out);
    assert_eq!(frames.in_use(), 32, "a closed net_ring keeps what is in it: the pool must then stay");
    drop(frames);
    drop(rx_pool);
    drop(eal);
}
