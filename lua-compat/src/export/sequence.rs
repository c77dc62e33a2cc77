//! Several streams, as a sequence.

use traffic::profile::value::{TcpFlags, Uint};
use traffic::profile::{Field, FrameSizes, Ports, Stream, Tcp, Vlan};

use super::stream::plain;
use super::{ExportError, Script, refuse};

/// Slots that a script may fill.
const MAX_SLOTS: usize = 256;

pub(super) fn sequence(script: &mut Script, streams: &[Stream]) -> Result<(), ExportError> {
    if streams.is_empty() || streams.len() > MAX_SLOTS {
        return refuse(format!("{} streams", streams.len()), "a sequence has 1 to 256 slots");
    }
    let tagged = streams.iter().filter(|s| !s.vlan.is_empty()).count();
    if tagged != 0 && tagged != streams.len() {
        return refuse("streams with and without a tag", "a port's packets all have one, or none");
    }
    if streams.windows(2).any(|pair| matches!(pair, [a, b] if a.payload != b.payload)) {
        return refuse("streams with different payloads", "a port has one pattern");
    }
    if tagged > 0 {
        script.call("vlan", &["\"on\""]);
    }
    for (slot, stream) in streams.iter().enumerate() {
        let packet = packet(script, stream)?;
        script.line(&format!("pktgen.seqTable({slot}, \"{}\", {{ {packet} }})", script.port));
    }
    script.call("set", &["\"seq_cnt\"", &streams.len().to_string()]);
    Ok(())
}

/// The fields of a slot's table.
fn packet(script: &Script, s: &Stream) -> Result<String, ExportError> {
    plain(s)?;
    let tunnelled = s.inner.is_some() || s.vxlan.is_some() || s.gtpu.is_some();
    if tunnelled || !s.mpls.is_empty() || s.arp.is_some() {
        return refuse("a sequence with tunnels, labels or ARP", "its slots are IPv4 and IPv6 packets");
    }
    let FrameSizes::One(size) = s.frame_size else {
        return refuse("a sequence with several sizes a slot", "a slot has one size");
    };
    let (dst_mac, src_mac) =
        (script.fixed("a slot's MAC", &s.ethernet.dst)?, script.fixed("a slot's MAC", &s.ethernet.src)?);
    let mut text =
        format!("eth_dst_addr = \"{dst_mac}\", eth_src_addr = \"{src_mac}\", pktSize = {}", size.bytes());
    if let Some(ip) = &s.ipv4 {
        let (src, dst) =
            (script.fixed("a slot's address", &ip.src)?, script.fixed("a slot's address", &ip.dst)?);
        let tos = script.fixed("a slot's TOS", &ip.tos)?;
        script.only("a slot's TTL", &ip.ttl, 64)?;
        script.only("a slot's IPv4 identification", &ip.id, 0)?;
        if ip.df {
            return refuse("the DF bit", "no call sets it");
        }
        text +=
            &format!(", ethType = \"ipv4\", ip_src_addr = \"{src}\", ip_dst_addr = \"{dst}\", tos = {tos}");
    }
    if let Some(ip) = &s.ipv6 {
        let (src, dst) =
            (script.fixed("a slot's address", &ip.src)?, script.fixed("a slot's address", &ip.dst)?);
        let class = script.fixed("a slot's traffic class", &ip.traffic_class)?;
        script.only("a slot's hop limit", &ip.hop_limit, 64)?;
        script.only("a slot's flow label", &ip.flow_label, Uint::default())?;
        text +=
            &format!(", ethType = \"ipv6\", ip_src_addr = \"{src}\", ip_dst_addr = \"{dst}\", tos = {class}");
    }
    text += &transport(script, s)?;
    match s.vlan.as_slice() {
        [] => {}
        [Vlan { id, priority, dei: false, tpid: None }] => {
            let (id, cos) =
                (script.fixed("a slot's VLAN", id)?, script.fixed("a slot's priority", priority)?);
            text += &format!(", vlanid = {id}, cos = {cos}");
        }
        _ => return refuse("these VLAN tags of a slot", "it has one of 0x8100"),
    }
    Ok(text)
}

fn transport(script: &Script, s: &Stream) -> Result<String, ExportError> {
    let ports = |proto: &str, src: &Field<u16>, dst: &Field<u16>| -> Result<String, ExportError> {
        let (src, dst) = (script.fixed("a slot's port", src)?, script.fixed("a slot's port", dst)?);
        if dst == 2152 {
            return refuse("destination port 2152", "Pktgen makes a GTP-U packet of it");
        }
        Ok(format!(", ipProto = \"{proto}\", sport = {src}, dport = {dst}"))
    };
    match (&s.udp, &s.tcp, &s.icmp) {
        (Some(udp), ..) => ports("udp", &udp.src, &udp.dst),
        (_, Some(tcp), _) => {
            let standard = Tcp::from(Ports { src: tcp.src.clone(), dst: tcp.dst.clone() });
            if *tcp != (Tcp { flags: tcp.flags.clone(), ..standard }) {
                return refuse("a TCP sequence, acknowledgement or window", "no call sets them");
            }
            let flags = script.fixed("a slot's TCP flags", &tcp.flags)?;
            let flags =
                if flags == TcpFlags::ACK { String::new() } else { format!(", tcp_flags = {}", flags.0) };
            Ok(ports("tcp", &tcp.src, &tcp.dst)? + &flags)
        }
        _ => refuse("a slot without UDP or TCP", "its ports are what tells slots apart"),
    }
}
