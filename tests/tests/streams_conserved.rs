//! Several streams between two processes joined by net_memif: each arrives whole, and is told apart.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use bench_tests::memif::run_pair;
use traffic::profile::{Format, load_str};

/// Three kinds of frames in eight sizes: by weight two streams, one with a rate of its own, one with fewer flows than
/// there are workers.
const PROFILE: &str = r#"
rate = "60kpps"
stop = { count = 70000 }

[[streams]]
frame_size = "imix"
weight = 5
ethernet = { src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02" }
ipv4 = { src = { start = "10.0.0.1", min = "10.0.0.1", max = "10.0.0.100", inc = "0.0.0.1" }, dst = "10.0.1.1" }
udp = { src = 1000, dst = { list = [1, 2, 3], nest = 1 } }

[[streams]]
frame_size = [{ size = 100, weight = 2 }, { size = 1400 }, { size = 101 }]
ethernet = { src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02" }
vlan = { id = 5 }
ipv6 = { src = "2001:db8::1", dst = { random = { min = "2001:db8::", max = "2001:db8::ffff" } } }
tcp = { src = 5, dst = 80 }

[[streams]]
rate = "10kpps"
start_delay_s = 0.2
frame_size = 200
ethernet = { src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02" }
ipv4 = { src = "192.0.2.1", dst = "192.0.2.2" }
vxlan = { vni = 7 }
[streams.inner]
ethernet = { src = "02:00:00:00:01:01", dst = "02:00:00:00:01:02" }
ipv4 = { src = "10.0.0.1", dst = { start = "10.0.1.1", min = "10.0.1.1", max = "10.0.1.7", inc = "0.0.0.1" } }
icmp = { seq = { list = [1, 2] } }
"#;

#[test]
fn several_streams_arrive_whole_and_apart() {
    let profile = load_str(PROFILE, Format::Toml, "streams").unwrap();
    let (tx, rx) = run_pair(&profile, 3);
    let sent: BTreeMap<u16, (u16, u64)> =
        tx.summary.tx_shards.iter().map(|s| (s.shard, (s.stream, s.sent))).collect();
    let seen: BTreeMap<u16, (u16, u64)> =
        rx.summary.rx_shards.iter().map(|s| (s.shard, (s.stream, s.received))).collect();
    assert_eq!(sent, seen, "shard by shard");
    // Three workers have a part each of the first and the last stream; the middle one's only flow is one worker's.
    let streams: Vec<u16> = sent.values().map(|(stream, _)| *stream).collect();
    assert_eq!(streams, [0, 0, 0, 1, 2, 2, 2]);
    assert_eq!(rx.summary.stream_flows, [300, 1, 14], "flows of each");
    let of_stream = |wanted: u16| -> u64 {
        sent.values().filter(|(stream, _)| *stream == wanted).map(|(_, frames)| frames).sum()
    };
    let (imix, tagged, tunnelled) = (of_stream(0), of_stream(1), of_stream(2));
    assert_eq!(
        (imix, tagged, tunnelled),
        (50_000, 10_000, 10_000),
        "a count is shared out by weight, to the frame"
    );
    let account = rx.summary.totals.account.unwrap();
    assert_eq!((account.lost, account.reordered, account.duplicated, account.invalid), (0, 0, 0, 0));
    assert_eq!(account.received, imix + tagged + tunnelled);
    assert_eq!((tx.summary.mbufs_missing, rx.summary.mbufs_missing), (0, 0));
    let bytes = |cores: &[traffic::wire::CoreCounters]| -> (u64, u64) {
        (cores.iter().map(|c| c.tx_bytes).sum(), cores.iter().map(|c| c.rx_bytes).sum())
    };
    assert_eq!(
        bytes(&tx.summary.totals.cores).0,
        bytes(&rx.summary.totals.cores).1,
        "bytes of frames of all sizes"
    );
}
