//! Pktgen's tables, filled from the ports' counters. Names and nesting are those of Pktgen 23.10 and of today's.

use traffic::mac::Mac;
use traffic::wire::Latency;

use crate::backend::{Answer, Mode, Network, Side, Transport};
use crate::counts::{Count, Counts, Rates};
use crate::record::{At, Config};

/// Bytes of a frame on the wire that no driver counts: FCS, preamble, gap.
const WIRE_BYTES: u64 = 24;

type Fields = Vec<(String, Answer)>;

/// All that is known of a running port.
#[derive(Debug)]
pub struct PortView {
    /// Its number.
    pub port: u16,
    /// What is set on it.
    pub config: Config,
    /// As the user named it.
    pub device: String,
    /// Its address.
    pub mac: Mac,
    /// Whether its link is up.
    pub link_up: bool,
    /// Speed of its link; 0 where the driver does not say.
    pub link_mbps: u32,
    /// Whether it sends.
    pub is_sending: bool,
    /// Since the last `clear`.
    pub counts: Counts,
    /// Of the last second.
    pub rates: Rates,
    /// Of the frames that came in.
    pub latency: Latency,
    /// Microseconds above which a frame's latency counts as jitter; 0: none.
    pub jitter_us: u64,
    /// Ticks a second, for Pktgen's figures in cycles.
    pub hz: u64,
}

/// The answer of the function `name` for one port.
pub fn of(name: &str, view: &PortView) -> Answer {
    match name {
        "isSending" => text(if view.is_sending { "y" } else { "n" }),
        "linkState" => Answer::Text(link(view)),
        "portStats port" => Answer::Fields(driver(&view.counts)),
        "portStats rate" => Answer::Fields(rate(&view.rates.last)),
        "portSizes" => Answer::Fields(sizes(&view.counts)),
        "pktStats" => Answer::Fields(packets(view)),
        "portInfo" => Answer::Fields(info(view)),
        _ => Answer::Fields(nested(view)),
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
fn link(view: &PortView) -> String {
    match (view.link_up, view.link_mbps) {
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
fn nested(view: &PortView) -> Fields {
    let counts = &view.counts;
    let queue = numbers(
        counts,
        &[("ipackets", Count::Ipackets), ("opackets", Count::Opackets), ("errors", Count::Ierrors)],
    );
    vec![
        field("curr", Answer::Fields(driver(counts))),
        field("rate", Answer::Fields(rate(&view.rates.last))),
        field("sizes", Answer::Fields(sizes(counts))),
        field("qstats", Answer::Rows(vec![(0, Answer::Fields(queue))])),
    ]
}

/// `pktStats(ports)` of 23.10, with the latency's percentiles, which Pktgen does not have.
fn packets(view: &PortView) -> Fields {
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
    let mut fields = numbers(&view.counts, &names);
    fields.push(field("mac_addr", Answer::Text(view.mac.to_string())));
    fields.push(field("latency", Answer::Fields(latency(view))));
    fields
}

fn latency(view: &PortView) -> Fields {
    let l = &view.latency;
    let us = |ns: f64| Answer::Number(ns / 1000.0);
    let cycles = |ns: f64| integer((ns * view.hz as f64 / 1e9) as u64);
    let mut fields = vec![
        field("rate_us", integer(0)),
        field("entropy", integer(0)),
        field("jitter_threshold", integer(view.jitter_us)),
        field("jitter_count", integer(view.counts.get(Count::Jitter))),
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

fn info(view: &PortView) -> Fields {
    let (received, sent) = view.rates.most;
    let rates = view.rates.last;
    let totals = vec![
        field("max_ipackets", integer(received)),
        field("max_opackets", integer(sent)),
        field("cumm_rate_ipackets", integer(rates.get(Count::Ipackets))),
        field("cumm_rate_opackets", integer(rates.get(Count::Opackets))),
        field("cumm_rate_ibytes", integer(rates.get(Count::Ibytes))),
        field("cumm_rate_obytes", integer(rates.get(Count::Obytes))),
    ];
    vec![field("total_stats", Answer::Fields(totals)), field("info", Answer::Fields(settings(view)))]
}

fn settings(view: &PortView) -> Fields {
    let PortView { port, config, .. } = view;
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
        field("src_ip", Answer::Text(src.1.map_or_else(|| default_ip(*port), |at| at.value.to_string()))),
        field("dst_ip", Answer::Text(dst.1.map_or_else(|| default_ip(port ^ 1), |at| at.value.to_string()))),
        field("src_mac", Answer::Text(src.2.map_or(view.mac, |at| at.value).to_string())),
        field("dst_mac", Answer::Text(dst.2.map(|at| at.value).unwrap_or_default().to_string())),
    ];
    let rates = view.rates.last;
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
        field("pci_vendor", Answer::Text(view.device.clone())),
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
        field("link_state", Answer::Text(link(view))),
        field("seq_count", integer(config.seq_count.map_or(0, |at| at.value))),
    ]
}
