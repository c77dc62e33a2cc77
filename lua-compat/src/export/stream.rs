//! One stream, as range packets.

use std::net::Ipv4Addr;

use traffic::profile::value::{TcpFlags, Uint};
use traffic::profile::{
    Arp, Echo, Ethernet, FrameSizes, Icmp, Ipv4, Ipv6, Payload, Ports, Stream, Tcp, Value as _,
};

use super::fields::At;
use super::{ExportError, Script, refuse};

/// Everything that a stream may have beside its headers, at its default.
pub(super) fn plain(s: &Stream) -> Result<(), ExportError> {
    if s.weight != 1 || s.rate.is_some() || s.gap.is_some() || s.start_delay_s != 0.0 {
        return refuse(
            "a stream's own weight, rate, gap or delay",
            "Pktgen's packets take turns at the port's rate",
        );
    }
    Ok(())
}

/// What a stream's packet is behind tags and tunnels.
struct Packet<'a> {
    ipv4: Option<&'a Ipv4>,
    ipv6: Option<&'a Ipv6>,
    udp: Option<&'a Ports>,
    tcp: Option<&'a Tcp>,
    icmp: Option<&'a Icmp>,
}

pub(super) fn range(script: &mut Script, s: &Stream) -> Result<(), ExportError> {
    plain(s)?;
    if let Some(arp) = &s.arp {
        return single_arp(script, s, arp);
    }
    script.call("set_range", &["\"on\""]);
    sizes(script, &s.frame_size)?;
    script.field("range.src_mac", &s.ethernet.src, "\"", None)?;
    script.field("range.dst_mac", &s.ethernet.dst, "\"", None)?;
    tags(script, s)?;
    let l3 = 14 + 4 * s.vlan.len() + 4 * s.mpls.len();
    let packet = tunnel(script, s)?;
    if let Some(ip) = packet.ipv4 {
        ipv4(script, ip, l3, s.gre.is_none())?;
    }
    if let Some(ip) = packet.ipv6 {
        script.call("range.set_type", &["\"ipv6\""]);
        script.field("range.src_ip", &ip.src, "\"", None)?;
        script.field("range.dst_ip", &ip.dst, "\"", None)?;
        script.field("range.hop_limits", &ip.hop_limit, "", None)?;
        script.field("range.traffic_class", &ip.traffic_class, "", None)?;
        script.only("an IPv6 flow label", &ip.flow_label, Uint::zero())?;
    }
    transport(script, &packet, l3, packet.ipv4.is_some() && s.gre.is_none())
}

fn sizes(script: &mut Script, sizes: &FrameSizes) -> Result<(), ExportError> {
    match sizes {
        FrameSizes::One(size) => script.call("range.pkt_size", &["\"start\"", &size.bytes().to_string()]),
        FrameSizes::Range(r) if r.min < r.max && r.step > 0 => {
            let values =
                [("start", r.min.bytes()), ("inc", r.step), ("min", r.min.bytes()), ("max", r.max.bytes())];
            for (what, value) in values {
                script.call("range.pkt_size", &[&format!("\"{what}\""), &value.to_string()]);
            }
        }
        _ => {
            return refuse(
                "a mix of frame sizes",
                "Pktgen has one size or a range; several packets are a sequence",
            );
        }
    }
    Ok(())
}

pub(super) fn tags(script: &mut Script, s: &Stream) -> Result<(), ExportError> {
    match s.vlan.as_slice() {
        [] => {}
        [tag] if !tag.dei && tag.tpid.is_none() => {
            script.call("vlan", &["\"on\""]);
            script.field("range.vlan_id", &tag.id, "", None)?;
            script.field("range.cos", &tag.priority, "", None)?;
        }
        [outer, inner]
            if (outer.tpid, inner.tpid) == (Some(0x88a8), Some(0x8100)) && !outer.dei && !inner.dei =>
        {
            script.only("a priority of QinQ tags", &outer.priority, Uint::zero())?;
            script.only("a priority of QinQ tags", &inner.priority, Uint::zero())?;
            let (outer, inner) =
                (script.fixed("a QinQ tag", &outer.id)?, script.fixed("a QinQ tag", &inner.id)?);
            script.call("qinq", &["\"on\""]);
            script.call("range.qinqids", &[&outer.to_string(), &inner.to_string()]);
        }
        _ => return refuse("these VLAN tags", "Pktgen has one of 0x8100, or 0x88a8 and 0x8100"),
    }
    match (s.mpls.as_slice(), s.vlan.is_empty()) {
        ([], _) => {}
        ([label], true) => {
            let (l, tc) =
                (script.fixed("an MPLS label", &label.label)?, script.fixed("an MPLS class", &label.tc)?);
            let ttl = script.fixed("an MPLS TTL", &label.ttl)?;
            let entry = u64::from(u32::from(l)) << 12 | u64::from(u32::from(tc)) << 9 | u64::from(ttl);
            script.call("mpls", &["\"on\""]);
            script.call("range.mpls_entry", &[&format!("\"{entry:08x}\"")]);
        }
        _ => {
            return refuse(
                "several MPLS labels, or labels behind tags",
                "Pktgen has one label and no tag with it",
            );
        }
    }
    Ok(())
}

/// Switches the tunnel on, and says which packet the calls that follow are about.
fn tunnel<'a>(script: &mut Script, s: &'a Stream) -> Result<Packet<'a>, ExportError> {
    let own = Packet {
        ipv4: s.ipv4.as_ref(),
        ipv6: s.ipv6.as_ref(),
        udp: s.udp.as_ref(),
        tcp: s.tcp.as_ref(),
        icmp: s.icmp.as_ref(),
    };
    let Some(inner) = &s.inner else { return without_packet(script, s, own) };
    let carried = Packet {
        ipv4: inner.ipv4.as_ref(),
        ipv6: inner.ipv6.as_ref(),
        udp: inner.udp.as_ref(),
        tcp: inner.tcp.as_ref(),
        icmp: inner.icmp.as_ref(),
    };
    if let Some(gre) = &s.gre {
        let ends = Ipv4::between(Ipv4Addr::new(10, 10, 1, 1).into(), Ipv4Addr::new(10, 10, 1, 2).into());
        let ethernet: Option<&Ethernet> = inner.ethernet.as_ref();
        if s.ipv4.as_ref() != Some(&ends) || ethernet.is_some_and(|e| *e != s.ethernet) {
            return refuse(
                "these ends of a GRE tunnel",
                "Pktgen's are 10.10.1.1 and 10.10.1.2, with the frame's own MACs inside",
            );
        }
        let Some(key) = &gre.key else { return refuse("GRE without a key", "Pktgen always has one") };
        let key = script.fixed("a GRE key", key)?;
        script.call(if ethernet.is_some() { "gre_eth" } else { "gre" }, &["\"on\""]);
        script.call("range.gre_key", &[&key.to_string()]);
        return Ok(carried);
    }
    refuse("a packet in VXLAN or GTP-U", "Pktgen's carry its fill pattern: leave `inner` out")
}

/// Packets of one IP header: plain ones, and tunnels that carry the payload.
fn without_packet<'a>(
    script: &mut Script,
    s: &'a Stream,
    own: Packet<'a>,
) -> Result<Packet<'a>, ExportError> {
    let goes_to = |port| own.udp.is_some_and(|p| p.dst.is(port)) || own.tcp.is_some_and(|p| p.dst.is(port));
    match (&s.vxlan, &s.gtpu) {
        (None, None) if goes_to(2152) => refuse("destination port 2152", "Pktgen makes a GTP-U packet of it"),
        (None, None) => Ok(own),
        (Some(vxlan), _) if goes_to(4789) => {
            let vni = script.fixed("a VNI", &vxlan.vni)?;
            script.call("vxlan", &["\"on\""]);
            script.call("vxlan_id", &["0x8", "0", &vni.to_string()]);
            Ok(own)
        }
        (None, Some(gtpu)) if goes_to(2152) => {
            script.field("gtpu_teid", &gtpu.teid, "", None)?;
            Ok(own)
        }
        _ => refuse("these ports of a tunnel", "Pktgen's VXLAN is at port 4789, its GTP-U at 2152"),
    }
}

fn ipv4(script: &mut Script, ip: &Ipv4, l3: usize, is_outer: bool) -> Result<(), ExportError> {
    let at = |byte| is_outer.then_some(At { byte: l3 + byte, bits: 32 });
    script.field("range.src_ip", &ip.src, "\"", at(12))?;
    script.field("range.dst_ip", &ip.dst, "\"", at(16))?;
    script.field("range.ttl", &ip.ttl, "", None)?;
    script.field("range.tos", &ip.tos, "", None)?;
    script.only("an IPv4 identification", &ip.id, 0)?;
    if ip.df { refuse("the DF bit", "no call sets it") } else { Ok(()) }
}

fn transport(script: &mut Script, p: &Packet<'_>, l3: usize, is_outer: bool) -> Result<(), ExportError> {
    let (proto, src, dst) = match (p.udp, p.tcp, p.icmp) {
        (Some(udp), ..) => ("udp", &udp.src, &udp.dst),
        (_, Some(tcp), _) => {
            let standard = Tcp {
                flags: tcp.flags.clone(),
                ..Tcp::from(Ports { src: tcp.src.clone(), dst: tcp.dst.clone() })
            };
            if *tcp != standard {
                return refuse("a TCP sequence, acknowledgement or window", "no call sets them");
            }
            let flags = script.fixed("TCP flags", &tcp.flags)?;
            if flags != TcpFlags::ACK {
                script.call("set_tcp_flags", &[&flags.0.to_string()]);
            }
            ("tcp", &tcp.src, &tcp.dst)
        }
        (.., Some(icmp)) => {
            if icmp.echo != Echo::Request {
                return refuse("an echo reply", "Pktgen sends requests");
            }
            script.only("an ICMP identifier", &icmp.id, 0)?;
            script.only("an ICMP sequence", &icmp.seq, 0)?;
            script.call("range.ip_proto", &["\"icmp\""]);
            return Ok(());
        }
        _ => return refuse("a packet without UDP, TCP or ICMP", "Pktgen's packets have one of them"),
    };
    script.call("range.ip_proto", &[&format!("\"{proto}\"")]);
    let at = |byte| is_outer.then_some(At { byte: l3 + byte, bits: 16 });
    script.field("range.src_port", src, "", at(20))?;
    script.field("range.dst_port", dst, "", at(22))
}

/// ARP is a type of the single packet.
fn single_arp(script: &mut Script, s: &Stream, arp: &Arp) -> Result<(), ExportError> {
    let FrameSizes::One(size) = s.frame_size else {
        return refuse("ARP frames of several sizes", "they have one");
    };
    script.call("set", &["\"size\"", &size.bytes().to_string()]);
    script.call("set_type", &["\"arp\""]);
    let (src, dst) = (
        script.fixed("an ARP frame's MAC", &s.ethernet.src)?,
        script.fixed("an ARP frame's MAC", &s.ethernet.dst)?,
    );
    script.call("set_mac", &["\"src\"", &format!("\"{src}\"")]);
    script.call("set_mac", &["\"dst\"", &format!("\"{dst}\"")]);
    script.only("an ARP operation", &arp.op, 1)?;
    script.only("an ARP sender", &arp.sender_mac, src)?;
    script.only("an ARP target", &arp.target_mac, Default::default())?;
    let (from, to) =
        (script.fixed("an ARP address", &arp.sender_ip)?, script.fixed("an ARP address", &arp.target_ip)?);
    script.call("set_ipaddr", &["\"src\"", &format!("\"{from}\"")]);
    script.call("set_ipaddr", &["\"dst\"", &format!("\"{to}\"")]);
    if !s.vlan.is_empty() || s.payload != Payload::Letters {
        return refuse("tags or a payload of ARP frames", "they are not exported");
    }
    Ok(())
}
