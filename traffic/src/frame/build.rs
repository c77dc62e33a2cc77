//! A stream's headers as bytes, layer by layer, with the places where frames differ.

use super::headers as write;
use super::patch::{Covered, Patch, Width, whole};
use crate::profile::{Arp, Echo, Ethernet, Field, Icmp, Inner, Ipv4, Ipv6, Ports, Stream, Tcp, Value};
use crate::values::Values;

pub(super) const IPV4_BYTES: usize = 20;
pub(super) const IPV6_BYTES: usize = 40;
pub(super) const UDP_BYTES: usize = 8;
pub(super) const TCP_BYTES: usize = 20;
pub(super) const ICMP_BYTES: usize = 8;
pub(super) const ARP_BYTES: usize = 28;
pub(super) const ETHERNET_BYTES: usize = 14;
/// VLAN tags, MPLS labels, a GRE key.
pub(super) const WORD_BYTES: usize = 4;
pub(super) const TUNNEL_BYTES: usize = 8;

const TYPE_IPV4: u16 = 0x0800;
const TYPE_ARP: u16 = 0x0806;
const TYPE_TEB: u16 = 0x6558;
const TYPE_VLAN: u16 = 0x8100;
const TYPE_IPV6: u16 = 0x86dd;
const TYPE_MPLS: u16 = 0x8847;
const TYPE_QINQ: u16 = 0x88a8;

const PROTOCOL_ICMP: u8 = 1;
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_UDP: u8 = 17;
const PROTOCOL_GRE: u8 = 47;
const PROTOCOL_ICMPV6: u8 = 58;

const PORT_VXLAN: u16 = 4789;
const PORT_GTPU: u16 = 2152;
/// The first dynamic port (RFC 6335): VXLAN's source where the profile gives none.
const PORT_DYNAMIC: u16 = 49152;

/// A layer-4 checksum to be: where it stands, and what its pseudo header adds.
#[derive(Clone, Copy, Debug)]
pub struct L4Place {
    pub at: usize,
    /// Where layer 4 begins.
    pub from: usize,
    /// Addresses that the pseudo header covers; empty for ICMP.
    pub addresses: (usize, usize),
    pub protocol: u8,
    pub udp: bool,
}

/// Headers so far.
#[derive(Debug)]
pub struct Builder {
    pub bytes: Vec<u8>,
    /// With the nest of each.
    pub patches: Vec<(u8, Patch)>,
    /// Where IPv4 headers begin, the outer one first.
    pub ipv4_at: Vec<usize>,
    pub l4: Option<L4Place>,
    /// Bytes of the whole frame, without FCS.
    total: usize,
}

impl Builder {
    /// All headers of a frame of `total` bytes. `None` for a stream that the check refuses.
    pub fn headers(stream: &Stream, total: usize) -> Option<Builder> {
        let mut b = Builder {
            bytes: Vec::with_capacity(total),
            patches: Vec::new(),
            ipv4_at: Vec::new(),
            l4: None,
            total,
        };
        b.link(stream)?;
        if let Some(arp) = &stream.arp {
            b.arp(arp);
            return Some(b);
        }
        let Some(inner) = &stream.inner else {
            let usual = tunnel_ports(stream);
            let udp = stream.udp.as_ref().or(usual.as_ref());
            b.packet(
                (stream.ipv4.as_ref(), stream.ipv6.as_ref()),
                (udp, stream.tcp.as_ref(), stream.icmp.as_ref()),
            )?;
            // The tunnel carries the payload: it is a UDP packet as others, with a checksum of all of it.
            b.tunnel_header(stream, Covered { l4: true, ..Covered::default() });
            return Some(b);
        };
        b.tunnel(stream, inner)?;
        b.packet(
            (inner.ipv4.as_ref(), inner.ipv6.as_ref()),
            (inner.udp.as_ref(), inner.tcp.as_ref(), inner.icmp.as_ref()),
        )?;
        Some(b)
    }

    /// Bytes of the frame from `at` on, as a length field counts them.
    fn rest(&self, at: usize) -> u16 {
        (self.total.saturating_sub(at)) as u16
    }

    /// A field whose place is written already, with zeros: puts its first value there and notes how it goes on.
    fn field<T: Value>(
        &mut self,
        at: usize,
        width: Width,
        shift: u32,
        bits: u32,
        field: &Field<T>,
        covered: Covered,
    ) {
        let values = Values::low(field, at as u64);
        self.values(at, width, (shift, bits), values, nest(field), covered);
    }

    fn values(
        &mut self,
        at: usize,
        width: Width,
        (shift, bits): (u32, u32),
        values: Values,
        nest: u8,
        covered: Covered,
    ) {
        let mask = if bits == 64 { u64::MAX } else { ((1 << bits) - 1) << shift };
        let patch = Patch { at: at as u8, width, shift, low: 0, mask: mask & whole(width), covered, values };
        patch.write(&mut self.bytes, patch.stored(patch.values.at(0)));
        if patch.values.varies() {
            self.patches.push((nest, patch));
        }
    }

    fn ethernet(&mut self, ethernet: &Ethernet, ether_type: u16) {
        let at = self.bytes.len();
        write::ethernet(&mut self.bytes, ether_type);
        self.field(at, Width::Six, 0, 48, &ethernet.dst, Covered::default());
        self.field(at + 6, Width::Six, 0, 48, &ethernet.src, Covered::default());
    }

    /// Ethernet, VLAN tags and MPLS labels.
    fn link(&mut self, s: &Stream) -> Option<()> {
        let network = match (&s.arp, &s.ipv4, &s.ipv6) {
            (Some(_), ..) => TYPE_ARP,
            (None, Some(_), _) => TYPE_IPV4,
            (None, None, Some(_)) => TYPE_IPV6,
            _ => return None,
        };
        let behind_tags = if s.mpls.is_empty() { network } else { TYPE_MPLS };
        let tags = s.vlan.len();
        let tag_type = |i: usize| match s.vlan.get(i) {
            Some(tag) => tag.tpid.unwrap_or(if i + 1 < tags { TYPE_QINQ } else { TYPE_VLAN }),
            None => behind_tags,
        };
        self.ethernet(&s.ethernet, tag_type(0));
        for (i, tag) in s.vlan.iter().enumerate() {
            let at = self.bytes.len();
            self.bytes.extend((u16::from(tag.dei) << 12).to_be_bytes());
            self.bytes.extend(tag_type(i + 1).to_be_bytes());
            self.field(at, Width::Two, 0, 12, &tag.id, Covered::default());
            self.field(at, Width::Two, 13, 3, &tag.priority, Covered::default());
        }
        for (i, label) in s.mpls.iter().enumerate() {
            let at = self.bytes.len();
            let bottom = u32::from(i + 1 == s.mpls.len());
            self.bytes.extend((bottom << 8).to_be_bytes());
            self.field(at, Width::Four, 12, 20, &label.label, Covered::default());
            self.field(at, Width::Four, 9, 3, &label.tc, Covered::default());
            self.field(at, Width::Four, 0, 8, &label.ttl, Covered::default());
        }
        Some(())
    }

    fn arp(&mut self, arp: &Arp) {
        let at = self.bytes.len();
        write::arp(&mut self.bytes);
        let none = Covered::default();
        self.field(at + 6, Width::Two, 0, 16, &arp.op, none);
        self.field(at + 8, Width::Six, 0, 48, &arp.sender_mac, none);
        self.field(at + 14, Width::Four, 0, 32, &arp.sender_ip, none);
        self.field(at + 18, Width::Six, 0, 48, &arp.target_mac, none);
        self.field(at + 24, Width::Four, 0, 32, &arp.target_ip, none);
    }

    /// The tunnel's own headers, and the inner Ethernet header.
    fn tunnel(&mut self, s: &Stream, inner: &Inner) -> Option<()> {
        let network = (s.ipv4.as_ref(), s.ipv6.as_ref());
        let outer = Covered { outer_ip: true, ..Covered::default() };
        let carried = match (&inner.ethernet, &inner.ipv4) {
            (Some(_), _) => TYPE_TEB,
            (None, Some(_)) => TYPE_IPV4,
            (None, None) => TYPE_IPV6,
        };
        let none = Covered::default();
        if let Some(gre) = &s.gre {
            self.network(network, PROTOCOL_GRE, outer)?;
            let at = self.bytes.len();
            let flags: u16 = if gre.key.is_some() { 0x2000 } else { 0 };
            self.bytes.extend(flags.to_be_bytes());
            self.bytes.extend(carried.to_be_bytes());
            if let Some(key) = &gre.key {
                self.bytes.extend([0; 4]);
                self.field(at + 4, Width::Four, 0, 32, key, none);
            }
        } else {
            self.network(network, PROTOCOL_UDP, outer)?;
            let usual = tunnel_ports(s);
            // Without a checksum, as RFC 7348 §5 and TS 29.281 §4.4.2 have it (over IPv6: RFC 6935).
            self.udp(s.udp.as_ref().or(usual.as_ref())?, none);
            self.tunnel_header(s, none);
        }
        if let Some(ethernet) = &inner.ethernet {
            let behind = if inner.ipv4.is_some() { TYPE_IPV4 } else { TYPE_IPV6 };
            self.ethernet(ethernet, behind);
        }
        Some(())
    }

    /// VXLAN's or GTP-U's own header.
    fn tunnel_header(&mut self, s: &Stream, covered: Covered) {
        let at = self.bytes.len();
        if let Some(vxlan) = &s.vxlan {
            self.bytes.extend([8, 0, 0, 0, 0, 0, 0, 0]);
            self.field(at + 4, Width::Four, 8, 24, &vxlan.vni, covered);
        }
        if let Some(gtpu) = &s.gtpu {
            // Version 1, GTP, no options; a G-PDU.
            self.bytes.extend([0x30, 0xff]);
            self.bytes.extend(self.rest(at + TUNNEL_BYTES).to_be_bytes());
            self.bytes.extend([0; 4]);
            self.field(at + 4, Width::Four, 0, 32, &gtpu.teid, covered);
        }
    }

    /// An IP packet down to its layer 4.
    fn packet(
        &mut self,
        network: (Option<&Ipv4>, Option<&Ipv6>),
        (udp, tcp, icmp): (Option<&Ports>, Option<&Tcp>, Option<&Icmp>),
    ) -> Option<()> {
        let v6 = network.0.is_none();
        let icmp_protocol = if v6 { PROTOCOL_ICMPV6 } else { PROTOCOL_ICMP };
        let protocol = match (udp, tcp, icmp) {
            (Some(_), None, None) => PROTOCOL_UDP,
            (None, Some(_), None) => PROTOCOL_TCP,
            (None, None, Some(_)) => icmp_protocol,
            _ => return None,
        };
        // ICMP has no pseudo header, ICMPv6 has one.
        let pseudo = protocol != PROTOCOL_ICMP;
        let at = self.bytes.len();
        self.network(network, protocol, Covered { ip: true, l4: pseudo, outer_ip: false })?;
        let from = self.bytes.len();
        let l4 = Covered { l4: true, ..Covered::default() };
        let field_at = match (udp, tcp, icmp) {
            (Some(ports), ..) => {
                self.udp(ports, l4);
                6
            }
            (_, Some(tcp), _) => {
                self.tcp(tcp, l4);
                16
            }
            (.., icmp) => {
                self.icmp(icmp?, v6, l4);
                2
            }
        };
        let addresses = match (pseudo, v6) {
            (false, _) => (at, at),
            (true, false) => (at + 12, at + 20),
            (true, true) => (at + 8, at + 40),
        };
        self.l4 =
            Some(L4Place { at: from + field_at, from, addresses, protocol, udp: protocol == PROTOCOL_UDP });
        Some(())
    }

    /// An IP header. `covered` holds for addresses; the others are in no pseudo header.
    fn network(
        &mut self,
        network: (Option<&Ipv4>, Option<&Ipv6>),
        protocol: u8,
        covered: Covered,
    ) -> Option<()> {
        let at = self.bytes.len();
        let alone = Covered { l4: false, ..covered };
        match network {
            (Some(ip), None) => {
                self.ipv4_at.push(at);
                let bytes = self.rest(at);
                write::ipv4(&mut self.bytes, ip.df, protocol, bytes);
                self.field(at, Width::Two, 0, 8, &ip.tos, alone);
                self.field(at + 4, Width::Two, 0, 16, &ip.id, alone);
                self.field(at + 8, Width::Two, 8, 8, &ip.ttl, alone);
                self.field(at + 12, Width::Four, 0, 32, &ip.src, covered);
                self.field(at + 16, Width::Four, 0, 32, &ip.dst, covered);
            }
            (None, Some(ip)) => {
                // No checksum of its own.
                let covered = Covered { ip: false, outer_ip: false, ..covered };
                let none = Covered::default();
                let bytes = self.rest(at + IPV6_BYTES);
                write::ipv6(&mut self.bytes, protocol, bytes);
                self.field(at, Width::Four, 0, 20, &ip.flow_label, none);
                self.field(at, Width::Four, 20, 8, &ip.traffic_class, none);
                self.field(at + 6, Width::Two, 0, 8, &ip.hop_limit, none);
                for (place, address) in [(at + 8, &ip.src), (at + 24, &ip.dst)] {
                    let salt = place as u64;
                    let high = Values::high(address, salt + 8);
                    self.values(place, Width::Eight, (0, 64), high, nest(address), covered);
                    self.values(
                        place + 8,
                        Width::Eight,
                        (0, 64),
                        Values::low(address, salt),
                        nest(address),
                        covered,
                    );
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn udp(&mut self, ports: &Ports, covered: Covered) {
        let at = self.bytes.len();
        let bytes = self.rest(at);
        write::udp(&mut self.bytes, bytes);
        self.field(at, Width::Two, 0, 16, &ports.src, covered);
        self.field(at + 2, Width::Two, 0, 16, &ports.dst, covered);
    }

    fn tcp(&mut self, tcp: &Tcp, covered: Covered) {
        let at = self.bytes.len();
        write::tcp(&mut self.bytes);
        self.field(at, Width::Two, 0, 16, &tcp.src, covered);
        self.field(at + 2, Width::Two, 0, 16, &tcp.dst, covered);
        self.field(at + 4, Width::Four, 0, 32, &tcp.seq, covered);
        self.field(at + 8, Width::Four, 0, 32, &tcp.ack, covered);
        self.field(at + 12, Width::Two, 0, 8, &tcp.flags, covered);
        self.field(at + 14, Width::Two, 0, 16, &tcp.window, covered);
    }

    fn icmp(&mut self, icmp: &Icmp, v6: bool, covered: Covered) {
        let at = self.bytes.len();
        let kind = match (v6, icmp.echo) {
            (false, Echo::Request) => 8,
            (false, Echo::Reply) => 0,
            (true, Echo::Request) => 128,
            (true, Echo::Reply) => 129,
        };
        self.bytes.extend([kind, 0, 0, 0, 0, 0, 0, 0]);
        self.field(at + 4, Width::Two, 0, 16, &icmp.id, covered);
        self.field(at + 6, Width::Two, 0, 16, &icmp.seq, covered);
    }
}

/// The ports of VXLAN or GTP-U where the profile gives none.
fn tunnel_ports(s: &Stream) -> Option<Ports> {
    let ports = |src: u16, dst: u16| Ports { src: src.into(), dst: dst.into() };
    match (&s.vxlan, &s.gtpu) {
        (Some(_), _) => Some(ports(PORT_DYNAMIC, PORT_VXLAN)),
        (None, Some(_)) => Some(ports(PORT_GTPU, PORT_GTPU)),
        (None, None) => None,
    }
}

/// Which nest a field steps in.
fn nest<T>(field: &Field<T>) -> u8 {
    match field {
        Field::Range(range) => range.nest,
        Field::List(list) => list.nest,
        _ => 0,
    }
}
