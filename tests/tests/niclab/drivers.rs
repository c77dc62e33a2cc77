//! Every NIC that the lab has, as a whole device: one to the other over a wire.

use bench_tests::niclab::{ALL, profile};

use crate::exchange::{Exchange, RATE};

/// Both ways of asking, and a run that is counted exactly.
fn passes(from: &str, to: &str, driver: &str) {
    let [(tx, _), (rx, _)] = Exchange::new(from, to).run(&ALL.up());
    assert_eq!((&*tx.driver, &*rx.driver), (driver, driver));
    assert!(tx.link_up && rx.link_up);
}

/// What `probe --device` says of one, by keys.
fn says(nic: &str, expected: &[(&str, serde_json::Value)]) {
    let said = ALL.up().run(&format!("take {nic}; dp probe {nic} --output json"));
    let port: serde_json::Value = serde_json::from_str(said.stdout.trim()).unwrap();
    for (key, value) in expected {
        assert_eq!(&port[*key], value, "{key} of {port}");
    }
}

#[test]
fn igb_passes_frames() {
    passes("igb0", "igb1", "net_e1000_igb");
}

#[test]
fn e1000e_passes_frames() {
    passes("e1000e0", "e1000e1", "net_e1000_em");
}

#[test]
fn vmxnet3_passes_frames() {
    passes("vmx0", "vmx1", "net_vmxnet3");
}

#[test]
fn virtio_passes_frames() {
    passes("virtio0", "virtio1", "net_virtio");
}

#[test]
fn probe_shows_what_igb_has() {
    says(
        "igb0",
        &[
            ("driver", "net_e1000_igb".into()),
            ("is_vf", false.into()),
            ("link_mbps", 1000.into()),
            ("queues", serde_json::json!([16, 16])),
            ("rss", serde_json::json!(["ipv4", "ipv6", "udp ports", "tcp ports"])),
            ("rx_descriptors", serde_json::json!([32, 4096, 8])),
        ],
    );
}

#[test]
fn probe_shows_what_e1000e_has() {
    says(
        "e1000e0",
        &[("driver", "net_e1000_em".into()), ("link_mbps", 1000.into()), ("rss", serde_json::json!([]))],
    );
}

#[test]
fn probe_shows_what_vmxnet3_has() {
    says(
        "vmx0",
        &[
            ("driver", "net_vmxnet3".into()),
            ("link_mbps", 10000.into()),
            ("queues", serde_json::json!([16, 8])),
        ],
    );
}

#[test]
fn probe_shows_what_virtio_has() {
    says(
        "virtio0",
        &[("driver", "net_virtio".into()), ("link_up", true.into()), ("queues", serde_json::json!([1, 1]))],
    );
}

/// A sender that books what comes back, and a reflector behind the wire.
fn comes_back(from: &str, to: &str) {
    let said = ALL.up().run(&format!(
        "take {from} {to} || exit\n{}\
         behind echo reflect {to} --lcores 1,1 --duration 60 || {{ end echo; exit 1; }}\n\
         dp tx {from} --lcores 0,0 -p /tmp/p.toml --rate {RATE} --count 2000 --round-trip --output json >/tmp/tx.json 2>/tmp/tx.err\n\
         show tx /tmp/tx.json; show tx.err /tmp/tx.err; end echo",
        profile(from, to, 64, "")
    ));
    let (sent, echoed) = (said.outcome("tx").1, said.outcome("echo").1);
    let books = sent.totals.account.as_ref().unwrap();
    assert_eq!(
        (sent.totals.port.opackets, books.received, books.lost, books.duplicated),
        (2000, 2000, 0, 0),
        "{books:?}"
    );
    assert_eq!(echoed.totals.port.opackets, echoed.totals.cores.iter().map(|c| c.tx_packets).sum::<u64>());
}

#[test]
fn a_virtual_function_reflects() {
    comes_back("igb0v0", "igb0v1");
}

#[test]
fn igb_reflects() {
    comes_back("igb0", "igb1");
}

#[test]
fn vmxnet3_reflects() {
    comes_back("vmx0", "vmx1");
}

#[test]
fn e1000e_reflects() {
    comes_back("e1000e0", "e1000e1");
}

#[test]
fn virtio_reflects() {
    comes_back("virtio0", "virtio1");
}
