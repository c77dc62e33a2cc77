//! The drivers that the data plane stands on are found in this program, and numbers are read from them.

use dpdk::{Mempool, MempoolConfig, Port, PortConfig, QueueStats, Rss, testing};

#[test]
fn the_drivers_load_and_describe_their_devices() {
    let memif = format!("net_memif0,role=server,socket=@test-{},socket-abstract=yes", std::process::id());
    let eal = testing::eal(&["net_null0", "net_ring0", &memif, "net_af_packet0,iface=lo"]).unwrap();
    assert_eq!(eal.ports().len(), 4);
    for (device, driver) in [
        ("net_null0", "net_null"),
        ("net_ring0", "net_ring"),
        ("net_memif0", "net_memif"),
        ("net_af_packet0", "af_packet"),
    ] {
        let id = eal.port_by_device(device).unwrap();
        let info = eal.device_info(id).unwrap();
        assert_eq!(info.name, device);
        assert!(info.driver.contains(driver), "{info:?}");
        assert!(info.max_tx_queues > 0 && info.max_rx_queues > 0, "{info:?}");
    }
    assert_eq!(eal.port_by_device("net_null1"), None);
}

#[test]
fn link_counters_and_xstats_are_read() {
    let eal = testing::eal(&["net_null0"]).unwrap();
    let rx_pool = Mempool::create(eal.handle(), MempoolConfig::new("rx", 1023)).unwrap();
    let id = eal.ports()[0];
    let config = PortConfig { rx_queues: 2, tx_queues: 1, promiscuous: true, ..PortConfig::default() };
    let mut builder = Port::configure(&eal, id, &config).unwrap();
    builder.rx_queue(&rx_pool).unwrap();
    builder.rx_queue(&rx_pool).unwrap();
    builder.tx_queue().unwrap();
    let (port, mut rx, _tx) = builder.start().unwrap();
    assert!(port.chosen().rss != 0, "net_null can spread: {:?}", port.chosen());
    assert_eq!(port.chosen().promiscuous, port.is_promiscuous());
    assert!(port.link().unwrap().up);
    assert_eq!(port.mtu().unwrap(), 1500);

    let mut burst = rx[1].burst::<64>();
    assert_eq!(rx[1].rx(&mut burst), 64, "net_null always has something");
    assert_eq!(burst.len(), 64);
    assert_eq!(rx[1].rx(&mut burst), 0, "a full burst receives nothing");
    burst.free();
    assert_eq!(port.stats().unwrap().rx_packets, 64);
    let mut queues = [QueueStats::default(); 2];
    if port.queue_stats(&mut queues).unwrap() == 2 {
        assert_eq!((queues[0].rx_packets, queues[1].rx_packets), (0, 64));
    }
    let mut xstats = port.xstats().unwrap();
    assert_eq!(xstats.get("rx_good_packets"), Some(64));
    rx[0].rx(&mut burst);
    xstats.refresh(&port).unwrap();
    assert_eq!(xstats.get("rx_good_packets"), Some(128));
    port.reset_stats().unwrap();
    assert_eq!(port.stats().unwrap().rx_packets, 0);
    drop(burst);
    assert_eq!(rx_pool.in_use(), 0);
}

#[test]
fn rss_can_be_left_off() {
    let eal = testing::eal(&["net_null0"]).unwrap();
    let config = PortConfig { rx_queues: 2, rss: Rss::Off, ..PortConfig::default() };
    let builder = Port::configure(&eal, eal.ports()[0], &config).unwrap();
    assert_eq!(builder.chosen().rss, 0);
}
