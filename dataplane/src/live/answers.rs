//! Pktgen's tables, filled from the ports' counters. Names and nesting are those of Pktgen 23.10 and of today's.

use std::sync::atomic::Ordering;

use lua_compat::backend::{Answer, Mode, Network, Side, Transport};
use lua_compat::record::{At, Config};
use traffic::wire::Latency;

use super::backend::Live;
use super::state::{Count, Counts, PortState, lock};

/// Bytes of a frame on the wire that no driver counts: FCS, preamble, gap.
const WIRE_BYTES: u64 = 24;

type Fields = Vec<(String, Answer)>;

/// The answer of the function `name` for these ports.
pub fn of(live: &Live, name: &str, ports: &[u16]) -> Answer {
    let answers = ports.iter().filter_map(|port| {
        let state = live.ports.get(usize::from(*port))?;
        Some((*port, one(live, name, *port, state)))
    });
    Answer::Ports(answers.collect())
}

fn one(live: &Live, name: &str, port: u16, state: &PortState) -> Answer {
    match name {
        "isSending" => text(if state.is_sending() { "y" } else { "n" }),
        "linkState" => Answer::Text(link(state)),
        "portStats port" => Answer::Fields(driver(&state.counts())),
        "portStats rate" => Answer::Fields(rate(&lock(&state.rates).last)),
        "portSizes" => Answer::Fields(sizes(&state.counts())),
        "pktStats" => Answer::Fields(packets(live, state)),
        "portInfo" => Answer::Fields(info(live, port, state)),
        _ => Answer::Fields(nested(state)),
    }
}

fn text(text: &str) -> Answer {
    Answer::Text(text.to_owned())
}

fn integer(n: u64) -> Answer {
    Answer::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}

fn field(name: &str, answer: Answer) -> (String, Answer) {
    (name.to_owned(), answer)
}

fn numbers(counts: &Counts, names: &[(&str, Count)]) -> Fields {
    names.iter().map(|(name, count)| field(name, integer(counts.get(*count)))).collect()
}

/// As Pktgen writes it.
fn link(state: &PortState) -> String {
    match (state.link_up.load(Ordering::Relaxed), state.facts.link_mbps) {
        (false, _) => "<--Down-->".to_owned(),
        (true, mbps) => format!("<UP-{mbps}-FD>"),
    }
}

fn driver(counts: &Counts) -> Fields {
    let names = [
        ("ipackets", Count::Ipackets),
        ("opackets", Count::Opackets),
        ("ibytes", Count::Ibytes),
        ("obytes", Count::Obytes),
        ("ierrors", Count::Ierrors),
        ("oerrors", Count::Oerrors),
        ("rx_nombuf", Count::RxNombuf),
        ("imissed", Count::Imissed),
    ];
    numbers(counts, &names)
}

fn rate(counts: &Counts) -> Fields {
    let mbits = |packets: Count, bytes: Count| {
        integer((counts.get(bytes) + counts.get(packets) * WIRE_BYTES) * 8 / 1_000_000)
    };
    let mut fields = driver(counts);
    fields.push(field("pkts_rx", integer(counts.get(Count::Ipackets))));
    fields.push(field("pkts_tx", integer(counts.get(Count::Opackets))));
    fields.push(field("mbits_rx", mbits(Count::Ipackets, Count::Ibytes)));
    fields.push(field("mbits_tx", mbits(Count::Opackets, Count::Obytes)));
    fields
}

fn sizes(counts: &Counts) -> Fields {
    let names = [
        ("_64", Count::S64),
        ("_65_127", Count::S65To127),
        ("_128_255", Count::S128To255),
        ("_256_511", Count::S256To511),
        ("_512_1023", Count::S512To1023),
        ("_1024_1522", Count::S1024To1522),
        ("broadcast", Count::Broadcast),
        ("multicast", Count::Multicast),
        ("jumbo", Count::Jumbo),
        ("runt", Count::Runt),
        ("unknown", Count::Unknown),
    ];
    numbers(counts, &names)
}

/// Today's `portStats(ports)`.
fn nested(state: &PortState) -> Fields {
    let counts = state.counts();
    let queue = numbers(
        &counts,
        &[("ipackets", Count::Ipackets), ("opackets", Count::Opackets), ("errors", Count::Ierrors)],
    );
    vec![
        field("curr", Answer::Fields(driver(&counts))),
        field("rate", Answer::Fields(rate(&lock(&state.rates).last))),
        field("sizes", Answer::Fields(sizes(&counts))),
        field("qstats", Answer::Rows(vec![(0, Answer::Fields(queue))])),
    ]
}

/// `pktStats(ports)` of 23.10, with the latency's percentiles, which Pktgen does not have.
fn packets(live: &Live, state: &PortState) -> Fields {
    let counts = state.counts();
    let names = [
        ("arp_pkts", Count::Arp),
        ("echo_pkts", Count::Echo),
        ("ip_pkts", Count::Ip),
        ("ipv6_pkts", Count::Ipv6),
        ("vlan_pkts", Count::Vlan),
        ("dropped_pkts", Count::Imissed),
        ("unknown_pkts", Count::Unknown),
        ("tx_failed", Count::TxFailed),
    ];
    let mut fields = numbers(&counts, &names);
    fields.push(field("mac_addr", Answer::Text(state.facts.mac.to_string())));
    let report = lock(&state.latency).report("tsc", live.hz);
    fields.push(field("latency", Answer::Fields(latency(live, state, &counts, &report))));
    fields
}

fn latency(live: &Live, state: &PortState, counts: &Counts, l: &Latency) -> Fields {
    let us = |ns: f64| Answer::Number(ns / 1000.0);
    let cycles = |ns: f64| integer((ns * live.hz as f64 / 1e9) as u64);
    let jitter = state.jitter_ticks.load(Ordering::Relaxed);
    let threshold =
        if jitter == u64::MAX { 0 } else { (jitter as f64 * 1e6 / live.hz.max(1) as f64).round() as u64 };
    let mut fields = vec![
        field("rate_us", integer(0)),
        field("entropy", integer(0)),
        field("jitter_threshold", integer(threshold)),
        field("jitter_count", integer(counts.get(Count::Jitter))),
        field("num_pkts", integer(l.count)),
        field("num_skipped", integer(l.rejected)),
    ];
    let values = [
        ("min", l.min_ns as f64),
        ("avg", l.mean_ns),
        ("max", l.max_ns as f64),
        ("p50", l.p50_ns as f64),
        ("p90", l.p90_ns as f64),
        ("p99", l.p99_ns as f64),
        ("p99_9", l.p99_9_ns as f64),
        ("jitter", l.jitter_ns),
    ];
    for (name, ns) in values {
        fields.push((format!("{name}_cycles"), cycles(ns)));
        fields.push((format!("{name}_us"), us(ns)));
    }
    fields
}

fn info(live: &Live, port: u16, state: &PortState) -> Fields {
    let config = live.config(port);
    let (received, sent) = lock(&state.rates).most;
    let rates = lock(&state.rates).last;
    let totals = vec![
        field("max_ipackets", integer(received)),
        field("max_opackets", integer(sent)),
        field("cumm_rate_ipackets", integer(rates.get(Count::Ipackets))),
        field("cumm_rate_opackets", integer(rates.get(Count::Opackets))),
        field("cumm_rate_ibytes", integer(rates.get(Count::Ibytes))),
        field("cumm_rate_obytes", integer(rates.get(Count::Obytes))),
    ];
    vec![
        field("total_stats", Answer::Fields(totals)),
        field("info", Answer::Fields(settings(port, &config, state))),
    ]
}

fn settings(port: u16, config: &Config, state: &PortState) -> Fields {
    let default_ip = |net: u16| format!("192.168.{net}.1");
    let proto = match config.proto.map(|at| at.value) {
        Some(Transport::Udp) => "UDP",
        Some(Transport::Icmp) => "ICMP",
        _ => "TCP",
    };
    let kind = match config.network.map(|at| at.value) {
        Some(Network::Ipv6) => "IPv6",
        Some(Network::Arp) => "ARP",
        _ => "IPv4",
    };
    let of = |at: Option<At<u8>>| integer(at.map_or(0, |at| at.value.into()));
    let side = |side: Side| match side {
        Side::Src => (config.ports.src, config.ips.src, config.macs.src),
        Side::Dst => (config.ports.dst, config.ips.dst, config.macs.dst),
    };
    let (src, dst) = (side(Side::Src), side(Side::Dst));
    let l2_l3 = vec![
        field("src_port", integer(src.0.map_or(1234, |at| at.value.into()))),
        field("dst_port", integer(dst.0.map_or(5678, |at| at.value.into()))),
        field("ttl", integer(config.ttl.map_or(64, |at| at.value.into()))),
        field("src_ip", Answer::Text(src.1.map_or_else(|| default_ip(port), |at| at.value.to_string()))),
        field("dst_ip", Answer::Text(dst.1.map_or_else(|| default_ip(port ^ 1), |at| at.value.to_string()))),
        field("src_mac", Answer::Text(src.2.map_or(state.facts.mac, |at| at.value).to_string())),
        field("dst_mac", Answer::Text(dst.2.map(|at| at.value).unwrap_or_default().to_string())),
    ];
    let rates = lock(&state.rates).last;
    let tos = config.tos.map_or(0, |at| at.value);
    vec![
        field("pattern_type", text("abcd...")),
        field(
            "tx_count",
            config.count.filter(|at| at.value > 0).map_or(text("Forever"), |at| integer(at.value)),
        ),
        field("tx_rate", Answer::Text(format!("{}%", config.rate.map_or(100.0, |at| at.value)))),
        field("pkt_size", integer(config.size.map_or(64, |at| at.value))),
        field("tx_burst", integer(32)),
        field("rx_burst", integer(64)),
        field("eth_type", text(kind)),
        field("proto_type", text(proto)),
        field("vlanid", integer(config.vlan.map_or(1, |at| at.value.into()))),
        field("l2_l3_info", Answer::Fields(l2_l3)),
        field("pci_vendor", Answer::Text(state.facts.device.clone())),
        field(
            "tx_debug",
            Answer::Fields(vec![
                field("tx_pps", integer(rates.get(Count::Opackets))),
                field("tx_cycles", integer(0)),
            ]),
        ),
        field(
            "802.1p",
            Answer::Fields(vec![
                field("cos", of(config.cos)),
                field("dscp", integer((tos >> 2).into())),
                field("ipp", integer((tos >> 5).into())),
            ]),
        ),
        field(
            "VxLAN",
            Answer::Fields(vec![
                field("vni", integer(config.vni.map_or(0, |at| at.value.into()))),
                field("on", text(if config.has(Mode::Vxlan) { "y" } else { "n" })),
            ]),
        ),
        field("link_state", Answer::Text(link(state))),
        field("seq_count", integer(config.seq_count.map_or(0, |at| at.value))),
    ]
}
