//! What a stream must be: which headers go together, and whether its frames have room for them.

use super::check::{Checker, MAX_FLOWS};
use super::header::{Icmp, Inner, Ipv4, Ipv6, Ports, Tcp};
use super::keys::Header;
use super::sizes::FrameSizes;
use super::stream::{Payload, Stream};
use crate::frame::{Layout, flows};
use crate::units::Rate;

/// The most VLAN tags and MPLS labels.
const MAX_TAGS: usize = 4;
const MAX_LABELS: usize = 8;
/// Bytes of hex payload.
const MAX_HEX_CHARS: usize = 2 * 9600;

pub(super) fn check(c: &mut Checker, path: &str, stream: &Stream) {
    let before = c.count();
    c.name(&format!("{path}.name"), stream.name.as_deref());
    if !(1..=1000).contains(&stream.weight) {
        c.fault(format!("{path}.weight"), format!("{} is not from 1 to 1000", stream.weight));
    }
    own_rate(c, path, stream);
    sizes(c, &format!("{path}.frame_size"), &stream.frame_size);
    payload(c, &format!("{path}.payload"), &stream.payload);
    fields(c, path, stream);
    layers(c, path, stream);
    // Room and flows can be counted only where the rest makes sense.
    if c.count() > before {
        return;
    }
    let (least, _) = stream.frame_size.bounds();
    let room = usize::from(least.mbuf_bytes());
    match Layout::header_bytes(stream) {
        needed if needed > room => {
            let frame = needed + 4;
            c.fault(
                format!("{path}.frame_size"),
                format!("frames of {least} have no room for {needed} bytes of headers and the FCS: use {frame} B at least"),
            );
        }
        needed if needed > Layout::MAX_HEADER_BYTES => {
            let most = Layout::MAX_HEADER_BYTES;
            c.fault(
                path,
                format!("its headers have {needed} bytes, more than {most}: use fewer tags or labels"),
            );
        }
        _ => {}
    }
    if flows(stream).is_none_or(|n| n > MAX_FLOWS) {
        let most = "its ranges together give more than 2^40 distinct flows";
        c.fault(path, format!("{most}: make their lengths equal, or multiples of one another"));
    }
}

fn own_rate(c: &mut Checker, path: &str, stream: &Stream) {
    match stream.rate {
        Some(Rate::Max) => {
            c.fault(format!("{path}.rate"), "is max: only the whole profile's rate can be that")
        }
        Some(rate) => c.rate(&format!("{path}.rate"), rate),
        None => {
            if stream.gap.is_some() {
                let hint = "stands without `rate`: give the stream a rate of its own, or the profile a `gap`";
                c.fault(format!("{path}.gap"), hint);
            }
            if stream.start_delay_s != 0.0 {
                let hint = "stands without `rate`: give the stream a rate of its own";
                c.fault(format!("{path}.start_delay_s"), hint);
            }
        }
    }
    if let Some(gap) = stream.gap {
        c.gap(&format!("{path}.gap"), gap);
    }
    if !(0.0..=604_800.0).contains(&stream.start_delay_s) {
        c.fault(format!("{path}.start_delay_s"), format!("{} is not from 0 to 604800", stream.start_delay_s));
    }
}

fn sizes(c: &mut Checker, path: &str, sizes: &FrameSizes) {
    match sizes {
        FrameSizes::Range(r) if r.min > r.max => {
            c.fault(format!("{path}.min"), format!("{} is above max, {}: swap them", r.min, r.max));
        }
        FrameSizes::Mix(mix) if mix.is_empty() || mix.len() > 64 => {
            c.fault(path, format!("has {} sizes: give 1 to 64", mix.len()));
        }
        FrameSizes::Mix(mix) => {
            for (i, size) in mix.iter().enumerate() {
                if !(1..=1000).contains(&size.weight) {
                    c.fault(format!("{path}[{i}].weight"), format!("{} is not from 1 to 1000", size.weight));
                }
            }
        }
        _ => {}
    }
}

fn payload(c: &mut Checker, path: &str, payload: &Payload) {
    let Payload::Hex(digits) = payload else { return };
    let sound = !digits.is_empty()
        && digits.len().is_multiple_of(2)
        && digits.len() <= MAX_HEX_CHARS
        && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if !sound {
        c.fault(
            format!("{path}.hex"),
            "must be pairs of hexadecimal digits, such as deadbeef, 9600 bytes at most",
        );
    }
}

/// Every field of every header.
fn fields(c: &mut Checker, path: &str, s: &Stream) {
    s.ethernet.check(&format!("{path}.ethernet"), c);
    for (i, tag) in s.vlan.iter().enumerate() {
        tag.check(&format!("{path}.vlan[{i}]"), c);
    }
    for (i, label) in s.mpls.iter().enumerate() {
        label.check(&format!("{path}.mpls[{i}]"), c);
    }
    let some = |header: Option<&dyn Fields>, key: &str, c: &mut Checker| {
        if let Some(header) = header {
            header.fields(&format!("{path}.{key}"), c);
        }
    };
    some(s.ipv4.as_ref().map(|h| h as _), "ipv4", c);
    some(s.ipv6.as_ref().map(|h| h as _), "ipv6", c);
    some(s.arp.as_ref().map(|h| h as _), "arp", c);
    some(s.udp.as_ref().map(|h| h as _), "udp", c);
    some(s.tcp.as_ref().map(|h| h as _), "tcp", c);
    some(s.icmp.as_ref().map(|h| h as _), "icmp", c);
    some(s.gre.as_ref().map(|h| h as _), "gre", c);
    some(s.vxlan.as_ref().map(|h| h as _), "vxlan", c);
    some(s.gtpu.as_ref().map(|h| h as _), "gtpu", c);
    if let Some(inner) = &s.inner {
        some(inner.ethernet.as_ref().map(|h| h as _), "inner.ethernet", c);
        some(inner.ipv4.as_ref().map(|h| h as _), "inner.ipv4", c);
        some(inner.ipv6.as_ref().map(|h| h as _), "inner.ipv6", c);
        some(inner.udp.as_ref().map(|h| h as _), "inner.udp", c);
        some(inner.tcp.as_ref().map(|h| h as _), "inner.tcp", c);
        some(inner.icmp.as_ref().map(|h| h as _), "inner.icmp", c);
    }
}

/// [`Header::check`], for any header.
trait Fields {
    fn fields(&self, path: &str, c: &mut Checker);
}

impl<H: Header> Fields for H {
    fn fields(&self, path: &str, c: &mut Checker) {
        self.check(path, c);
    }
}

/// Which headers stand beside each other.
fn layers(c: &mut Checker, path: &str, s: &Stream) {
    if s.vlan.len() > MAX_TAGS {
        c.fault(format!("{path}.vlan"), format!("has {} tags, more than {MAX_TAGS}", s.vlan.len()));
    }
    if s.mpls.len() > MAX_LABELS {
        c.fault(format!("{path}.mpls"), format!("has {} labels, more than {MAX_LABELS}", s.mpls.len()));
    }
    let tunnels: Vec<&str> =
        [("gre", s.gre.is_some()), ("vxlan", s.vxlan.is_some()), ("gtpu", s.gtpu.is_some())]
            .into_iter()
            .filter_map(|(name, there)| there.then_some(name))
            .collect();
    if s.arp.is_some() {
        let more = [
            ("ipv4", s.ipv4.is_some()),
            ("ipv6", s.ipv6.is_some()),
            ("udp", s.udp.is_some()),
            ("tcp", s.tcp.is_some()),
            ("icmp", s.icmp.is_some()),
            ("inner", s.inner.is_some()),
            ("mpls", !s.mpls.is_empty()),
            ("gre", s.gre.is_some()),
            ("vxlan", s.vxlan.is_some()),
            ("gtpu", s.gtpu.is_some()),
        ];
        for (name, _) in more.into_iter().filter(|(_, there)| *there) {
            c.fault(format!("{path}.{name}"), "stands beside `arp`, which has nothing behind it: remove one");
        }
        return;
    }
    let network = Network { ipv4: s.ipv4.as_ref(), ipv6: s.ipv6.as_ref() };
    let transport = Transports { udp: s.udp.as_ref(), tcp: s.tcp.as_ref(), icmp: s.icmp.as_ref() };
    one_network(c, path, network);
    match tunnels.as_slice() {
        [] => {
            one_transport(c, path, transport);
            if s.inner.is_some() {
                c.fault(
                    format!("{path}.inner"),
                    "stands without a tunnel: give gre, vxlan or gtpu, or remove it",
                );
            }
        }
        [tunnel] => tunnelled(c, path, s, tunnel),
        [first, second, ..] => {
            c.fault(
                format!("{path}.{second}"),
                format!("stands beside `{first}`: a stream has one tunnel, remove the other"),
            );
        }
    }
}

#[derive(Clone, Copy)]
struct Network<'a> {
    ipv4: Option<&'a Ipv4>,
    ipv6: Option<&'a Ipv6>,
}

#[derive(Clone, Copy)]
struct Transports<'a> {
    udp: Option<&'a Ports>,
    tcp: Option<&'a Tcp>,
    icmp: Option<&'a Icmp>,
}

fn one_network(c: &mut Checker, path: &str, n: Network<'_>) {
    match (n.ipv4, n.ipv6) {
        (None, None) => c.fault(format!("{path}.ipv4"), "is missing: give `ipv4`, `ipv6` or `arp`"),
        (Some(_), Some(_)) => {
            c.fault(
                format!("{path}.ipv6"),
                "stands beside `ipv4`: a stream has one of them, remove the other",
            );
        }
        _ => {}
    }
}

fn one_transport(c: &mut Checker, path: &str, t: Transports<'_>) {
    let there: Vec<&str> = [("udp", t.udp.is_some()), ("tcp", t.tcp.is_some()), ("icmp", t.icmp.is_some())]
        .into_iter()
        .filter_map(|(name, there)| there.then_some(name))
        .collect();
    match there.as_slice() {
        [] => c.fault(
            format!("{path}.udp"),
            "is missing: give `udp` or `tcp` with src and dst ports, `icmp`, or a tunnel",
        ),
        [_] => {}
        [first, second, ..] => {
            let message = format!("stands beside `{first}`: a stream has one of them, remove the other");
            c.fault(format!("{path}.{second}"), message);
        }
    }
}

fn tunnelled(c: &mut Checker, path: &str, s: &Stream, tunnel: &str) {
    for (name, there) in
        [("tcp", s.tcp.is_some()), ("icmp", s.icmp.is_some()), ("udp", s.udp.is_some() && tunnel == "gre")]
    {
        if there {
            c.fault(
                format!("{path}.{name}"),
                format!("stands beside `{tunnel}`: what the tunnel carries goes into `inner`"),
            );
        }
    }
    let Some(inner) = &s.inner else {
        // VXLAN and GTP-U carry the payload then, as Pktgen's do.
        if tunnel == "gre" {
            c.fault(format!("{path}.inner"), "is missing: `gre` carries a packet, describe it there");
        }
        return;
    };
    let Inner { ethernet, ipv4, ipv6, udp, tcp, icmp } = &**inner;
    let path = format!("{path}.inner");
    match (tunnel, ethernet) {
        ("vxlan", None) => c.fault(format!("{path}.ethernet"), "is missing: VXLAN carries Ethernet frames"),
        ("gtpu", Some(_)) => {
            c.fault(format!("{path}.ethernet"), "can't be: GTP-U carries IP packets, remove it")
        }
        _ => {}
    }
    one_network(c, &path, Network { ipv4: ipv4.as_ref(), ipv6: ipv6.as_ref() });
    one_transport(c, &path, Transports { udp: udp.as_ref(), tcp: tcp.as_ref(), icmp: icmp.as_ref() });
}
