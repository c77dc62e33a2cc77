//! What only real drivers have limits of: queues, descriptors, frame sizes, RSS.

use bench_tests::niclab::{ALL, profile};

use crate::exchange::Exchange;

/// A sender on `nic` with options; what it said in all.
fn tx(nic: &str, to: &str, frame_bytes: u16, options: &str) -> String {
    let said = ALL.up().try_run(&format!(
        "take {nic}\n{}dp tx {nic} -p /tmp/p.toml --rate 1kpps --count 100 {options} 2>&1",
        profile(nic, to, frame_bytes, "")
    ));
    said.stdout
}

#[test]
fn more_queues_than_it_has_are_refused_with_their_number() {
    let said = tx("igb0v0", "igb0v1", 64, "--lcores 0,0,0,0,0 --workers 4");
    let has = |line: &str| {
        line.contains(
            "its driver net_e1000_igb_vf has 2 at most: use at most 2 workers (--workers of dataplane; --tx-num-core",
        )
    };
    assert!(said.lines().any(has), "{said}");
}

#[test]
fn as_many_queues_as_it_has_work() {
    let two = Exchange {
        tx: "--lcores 0,0,0 --workers 2",
        rx: "--lcores 1,1 --tx-workers 2",
        ..Exchange::new("igb0v0", "igb0v1")
    };
    let [(ready, sent), _] = two.run(&ALL.up());
    assert_eq!(ready.queues[1], 2);
    assert!(sent.totals.cores.iter().all(|core| core.tx_packets > 0), "{:?}", sent.totals.cores);
}

#[test]
fn descriptors_are_fitted_and_the_drivers_limits_named() {
    let said = tx("igb0v0", "igb0v1", 64, "--lcores 0,0 --txd 8192");
    for direction in ["RX", "TX"] {
        let wanted = format!(
            "8192 {direction} descriptors were asked for, and the driver net_e1000_igb_vf takes 32 to 4096 in steps of 8: 4096 are used"
        );
        assert!(said.contains(&wanted), "{wanted}\n{said}");
    }
}

/// No power of two, and no multiple of 8.
#[test]
fn odd_descriptors_are_rounded() {
    let said = tx("igb0v0", "igb0v1", 64, "--lcores 0,0 --txd 1021");
    assert!(said.contains("in steps of 8: 1024 are used"), "{said}");
}

#[test]
fn larger_frames_than_the_driver_takes_are_refused_with_the_largest() {
    let said = tx("vmx0", "vmx1", 9600, "--lcores 0,0");
    assert!(
        said.contains("its driver net_vmxnet3 has 9000 at most") && said.contains("send frames of"),
        "{said}"
    );
}

#[test]
fn jumbo_frames_pass_where_the_driver_takes_them() {
    let jumbo = Exchange { count: 500, frame_bytes: 9000, ..Exchange::new("e1000e0", "e1000e1") };
    jumbo.run(&ALL.up());
}

#[test]
fn tagged_frames_pass() {
    let tagged = Exchange { frame_bytes: 72, stream: "vlan = [{ id = 7 }]", ..Exchange::new("igb0", "igb1") };
    tagged.run(&ALL.up());
}

/// Its switch lets in nothing tagged for a function until that has asked for the VLAN.
#[test]
fn tagged_frames_pass_between_virtual_functions() {
    let tagged =
        Exchange { frame_bytes: 72, stream: "vlan = [{ id = 7 }]", ..Exchange::new("igb0v0", "igb0v1") };
    tagged.run(&ALL.up());
}

#[test]
fn rss_spreads_over_igbs_queues() {
    let spread = Exchange { rx: "--lcores 1,1,1,1,1,1,1,1,1 --workers 8", ..Exchange::new("igb0", "igb1") };
    let [_, (ready, received)] = spread.run(&ALL.up());
    assert_eq!((ready.queues[0], received.rx_queues.len()), (8, 8));
    assert!(received.rx_queues.iter().all(|queue| queue.packets > 0), "{:?}", received.rx_queues);
    assert!(!ready.rss.is_empty());
}

/// What an administrator does to keep tenants apart: both are in it and know nothing of it.
#[test]
fn functions_in_one_vlan_of_their_parents_pass_untagged_frames() {
    let guest = ALL.up();
    guest.run("functions; for v in 0 1; do ip link set igb0 vf $v vlan 100; done");
    Exchange::new("igb0v0", "igb0v1").run(&guest);
    guest.run("for v in 0 1; do ip link set igb0 vf $v vlan 0; done");
}

/// Nor is promiscuous mode: an untrusted function receives what has its address.
#[test]
fn trust_is_not_needed_and_changes_no_count() {
    let guest = ALL.up();
    for trust in ["off", "on"] {
        guest.run(&format!("functions; for v in 0 1; do ip link set igb0 vf $v trust {trust}; done"));
        Exchange::new("igb0v0", "igb0v1").run(&guest);
    }
    guest.run("for v in 0 1; do ip link set igb0 vf $v trust off; done");
}
