//! Wrong wishes get an error that names the thing, the value and the next step.

use dpdk::{Mempool, MempoolConfig, MempoolError, Port, PortConfig, PortError, testing};

fn config(rx_queues: u16, tx_queues: u16) -> PortConfig {
    PortConfig { rx_queues, tx_queues, ..PortConfig::default() }
}

#[test]
fn queues_beyond_the_device_are_refused_by_number() {
    let eal = testing::eal(&["net_null0"]).unwrap();
    let id = eal.ports()[0];
    let max = eal.device_info(id).unwrap().max_tx_queues;
    let error = Port::configure(&eal, id, &config(0, max + 1)).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, PortError::Queues { .. }), "{text}");
    for part in ["port 0 (net_null0)", "TX", &max.to_string(), &(max + 1).to_string(), "ask for"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    assert!(matches!(Port::configure(&eal, id, &config(0, 0)), Err(PortError::NoQueues { .. })));
    // What was refused before it was touched can still be configured, and then no more.
    let builder = Port::configure(&eal, id, &config(0, 1)).unwrap();
    assert!(matches!(builder.start(), Err(PortError::Incomplete { direction: "TX", done: 0, asked: 1, .. })));
    assert!(Port::configure(&eal, id, &config(0, 1)).is_err());
}

#[test]
fn a_port_is_configured_once_at_a_time() {
    let eal = testing::eal(&["net_null0"]).unwrap();
    let id = eal.ports()[0];
    let _builder = Port::configure(&eal, id, &config(0, 1)).unwrap();
    assert!(matches!(Port::configure(&eal, id, &config(0, 1)), Err(PortError::Taken { .. })));
}

#[test]
fn descriptors_are_fitted_to_the_device() {
    let eal = testing::eal(&["net_null0"]).unwrap();
    let id = eal.ports()[0];
    let limits = eal.device_info(id).unwrap().tx_descriptors;
    let wish = PortConfig { tx_descriptors: Some(1000), ..config(0, 1) };
    let builder = Port::configure(&eal, id, &wish).unwrap();
    let got = builder.chosen().tx_descriptors;
    assert!(
        (limits.min..=limits.max).contains(&got) && got % limits.align.max(1) == 0,
        "{got} of {limits:?}"
    );
}

#[test]
fn an_impossible_mtu_and_a_pool_too_small_for_it_are_named() {
    let eal = testing::eal(&["net_null0", "net_null1"]).unwrap();
    let pool = Mempool::create(eal.handle(), MempoolConfig::new("rx", 255)).unwrap();
    let ports = eal.ports();
    let wish = PortConfig { mtu: Some(10), ..config(1, 0) };
    let text = Port::configure(&eal, ports[0], &wish).unwrap_err().to_string();
    assert!(text.contains("MTU of 10 bytes") && text.contains("net_null0"), "{text}");
    let wish = PortConfig { mtu: Some(9000), ..config(1, 0) };
    let mut builder = Port::configure(&eal, ports[1], &wish).unwrap();
    let text = builder.rx_queue(&pool).unwrap_err().to_string();
    assert!(text.contains("9022 bytes") && text.contains("2048") && text.contains("mempool rx"), "{text}");
}

#[test]
fn pools_say_what_they_lack() {
    let eal = testing::eal(&[]).unwrap();
    let text = Mempool::create(eal.handle(), MempoolConfig::new("huge", 1_000_000)).unwrap_err().to_string();
    assert!(text.contains("mempool huge of 1000000 mbufs") && text.contains("MiB"), "{text}");
    let config = MempoolConfig { cache: 500, ..MempoolConfig::new("c", 511) };
    assert!(matches!(Mempool::create(eal.handle(), config), Err(MempoolError::Cache { max: 340, .. })));
    let pool = Mempool::create(eal.handle(), MempoolConfig::new("empty", 31)).unwrap();
    assert!(matches!(pool.prefill(|_, _| {}), Err(MempoolError::Empty { index: 0, .. })));
    let twice = Mempool::create(eal.handle(), MempoolConfig::new("twice", 31)).unwrap();
    assert!(Mempool::create(eal.handle(), MempoolConfig::new("twice", 31)).is_err());
    drop(twice);
    assert!(
        Mempool::create(eal.handle(), MempoolConfig::new("twice", 31)).is_ok(),
        "a dropped pool frees its name"
    );
}
