//! `pktgen.set` and the functions of the single-packet template.

use super::call::Call;
use super::function::{Reply, Table};
use super::suggest;
use crate::backend::{Network, PortOp, Setting, Side};
use crate::report::Severity;

/// What `pktgen.set` takes, in lower case: Pktgen compares without case.
const WHAT: [&str; 14] = [
    "count", "size", "rate", "burst", "txburst", "rxburst", "cycles", "sport", "dport", "ttl", "seq_cnt",
    "seqcnt", "prime", "dump",
];
/// Frames that may be asked for: what a JSON number holds exactly.
const MAX_COUNT: u64 = 1 << 53;
/// Frames of a `prime`.
const MAX_PRIME: u64 = 1 << 16;

/// `set(ports, what, value)`.
pub(super) fn set(call: &mut Call<'_>) -> Reply {
    let ports = call.ports()?;
    let what = call.text(1)?;
    let setting = match what.to_ascii_lowercase().as_str() {
        "count" => Setting::Count(call.whole(2, "a number of packets", 0..=MAX_COUNT)?),
        "size" => Setting::Size(call.whole(2, "a frame size", 0..=65535)?),
        "rate" => Setting::Rate(rate(call)?),
        "sport" => Setting::Port(Side::Src, call.whole(2, "a port", 0..=65535)? as u16),
        "dport" => Setting::Port(Side::Dst, call.whole(2, "a port", 0..=65535)? as u16),
        "ttl" => Setting::Ttl(call.whole(2, "a time to live", 0..=255)? as u8),
        "seq_cnt" | "seqcnt" => {
            Setting::SeqCount(call.whole(2, "a number of packets", 0..=u64::from(super::seq::MAX_SLOTS))?)
        }
        "prime" => Setting::Prime(call.whole(2, "a number of packets", 0..=MAX_PRIME)?),
        "burst" | "txburst" | "rxburst" | "cycles" | "dump" => {
            call.whole(2, "a number", 0..=u64::from(u32::MAX))?;
            call.note(
                Severity::Info,
                format!("pktgen.set {what} has no effect: bursts and pacing are the sender's own"),
            );
            return Ok(None);
        }
        other => {
            let near = suggest::nearest(other, WHAT.iter().copied());
            let near = near.map_or_else(String::new, |n| format!(" (did you mean {n}?)"));
            return Err(format!("pktgen.set does not know `{what}`{near}: it takes {}", WHAT.join(", ")));
        }
    };
    call.apply(ports, PortOp::Set(setting)).map(|()| None)
}

fn rate(call: &Call<'_>) -> Result<f64, String> {
    let wanted = "a rate in % of the link, such as 10 or \"12.5\"";
    let percent = call.number(2).map_err(|_| call.wrong(2, wanted))?;
    if percent < 0.0 { Err(call.wrong(2, wanted)) } else { Ok(percent) }
}

/// Pktgen looks at the first letter only.
fn side(call: &Call<'_>) -> Result<Side, String> {
    match call.text(1)?.as_bytes().first() {
        Some(b's') => Ok(Side::Src),
        Some(b'd') => Ok(Side::Dst),
        _ => Err(call.wrong(1, "\"src\" or \"dst\"")),
    }
}

/// `set_mac(ports, side, mac)`.
pub(super) fn set_mac(call: &mut Call<'_>) -> Reply {
    let (ports, side, mac) = (call.ports()?, side(call)?, call.mac(2)?);
    call.apply(ports, PortOp::Set(Setting::Mac(side, mac))).map(|()| None)
}

/// `set_ipaddr(ports, side, address)`.
pub(super) fn set_ipaddr(call: &mut Call<'_>) -> Reply {
    let (ports, side, ip) = (call.ports()?, side(call)?, call.any_ip(2)?);
    call.apply(ports, PortOp::Set(Setting::Ip(side, ip))).map(|()| None)
}

/// `set_proto(ports, protocol)`.
pub(super) fn set_proto(call: &mut Call<'_>) -> Reply {
    let (ports, proto) = (call.ports()?, call.proto(1)?);
    call.apply(ports, PortOp::Set(Setting::Proto(proto))).map(|()| None)
}

/// `set_type(ports, type)` and `range.set_type(ports, type)`.
pub(super) fn set_type(call: &mut Call<'_>) -> Reply {
    let (ports, network) = (call.ports()?, network(call, 1)?);
    let op = match (call.function.table(), network) {
        (Table::Range, Network::Arp) => return Err(call.wrong(1, "\"ipv4\" or \"ipv6\"")),
        (Table::Range, network) => PortOp::RangeNetwork(network),
        (_, network) => PortOp::Set(Setting::Network(network)),
    };
    call.apply(ports, op).map(|()| None)
}

/// What stands behind Ethernet; `"vlan"` is an old word for IPv4 behind a tag.
pub(super) fn network(call: &Call<'_>, index: usize) -> Result<Network, String> {
    match call.text(index)?.to_ascii_lowercase().as_str() {
        "ipv4" | "ip" | "vlan" | "udp" => Ok(Network::Ipv4),
        "ipv6" => Ok(Network::Ipv6),
        "arp" => Ok(Network::Arp),
        _ => Err(call.wrong(index, "\"ipv4\", \"ipv6\" or \"arp\"")),
    }
}

/// `set_range(ports, on)`.
pub(super) fn set_range(call: &mut Call<'_>) -> Reply {
    let (ports, on) = (call.ports()?, call.on(1)?);
    call.apply(ports, PortOp::RangeMode(on)).map(|()| None)
}
