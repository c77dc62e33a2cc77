//! RSS on drivers that have it: net_null keeps a table and a hash, net_tap has several real queues.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use dpdk::{Eal, FlowControl, Mempool, MempoolConfig, Port, PortConfig, Rss, testing};

/// A started port with as many queues in each direction.
fn open<'e>(eal: &'e Eal, device: &str, pool: &'e Mempool<'e>, queues: u16, rss: Rss) -> Port<'e> {
    let id = eal.port_by_device(device).unwrap();
    let config = PortConfig { rx_queues: queues, tx_queues: queues, rss, ..PortConfig::default() };
    let mut builder = Port::configure(eal, id, &config).unwrap();
    for _ in 0..queues {
        builder.rx_queue(pool).unwrap();
        builder.tx_queue().unwrap();
    }
    builder.start().unwrap().0
}

fn pool(eal: &Eal) -> Mempool<'_> {
    Mempool::create(eal.handle(), MempoolConfig::new("rx", 8191)).unwrap()
}

#[test]
fn several_queues_are_spread_over_by_addresses_and_ports() {
    let eal = testing::eal(&["net_null0"]).unwrap();
    let pool = pool(&eal);
    let port = open(&eal, "net_null0", &pool, 4, Rss::Auto);
    assert_eq!(port.rss_fields(), ["ipv4", "ipv6", "udp ports", "tcp ports"]);
    // net_null's table is all zeroes before: queue 0 alone.
    assert_eq!(port.spread_over_queues().unwrap(), Some(true));
    assert_eq!(port.spread_over_queues().unwrap(), Some(true));
    assert_eq!(port.flow_control(), None, "net_null has no flow control");
}

#[test]
fn one_queue_and_rss_off_have_none() {
    let eal = testing::eal(&["net_null0", "net_null1"]).unwrap();
    let pool = pool(&eal);
    for (device, queues, rss) in [("net_null0", 1, Rss::Auto), ("net_null1", 4, Rss::Off)] {
        let port = open(&eal, device, &pool, queues, rss);
        assert_eq!((port.chosen().rss, port.rss_fields().len()), (0, 0));
        assert_eq!(port.spread_over_queues().unwrap(), None);
    }
}

#[test]
fn a_taps_flow_control_is_off_and_its_hash_is_masked_by_what_it_offers() {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
    if !is_root || !std::path::Path::new("/dev/net/tun").exists() {
        assert!(std::env::var_os("BENCH_NO_SKIP").is_none(), "needs root and /dev/net/tun");
        eprintln!("SKIPPED: needs root and /dev/net/tun");
        return;
    }
    let name = format!("bt{}", std::process::id());
    let eal = testing::eal(&[&format!("net_tap0,iface={name}")]).unwrap();
    let pool = pool(&eal);
    let port = open(&eal, "net_tap0", &pool, 2, Rss::Auto);
    let offered = port.device_info().unwrap().rss_capability;
    assert_eq!(port.chosen().rss & !offered, 0);
    assert!(port.rss_fields().contains(&"ipv4") && port.rss_fields().contains(&"udp ports"));
    assert_eq!(port.flow_control(), Some(FlowControl { rx: false, tx: false }));
}
