//! The room that headers take.

use super::build::{
    ARP_BYTES, ETHERNET_BYTES, ICMP_BYTES, IPV4_BYTES, IPV6_BYTES, TCP_BYTES, TUNNEL_BYTES, UDP_BYTES,
    WORD_BYTES,
};
use crate::profile::Stream;

/// What a stream's headers take.
#[derive(Debug)]
pub struct Layout;

impl Layout {
    /// More than any sensible stack of headers, and still within the first bytes that are patched.
    pub const MAX_HEADER_BYTES: usize = 240;

    /// Bytes of all headers.
    pub fn header_bytes(s: &Stream) -> usize {
        let link = ETHERNET_BYTES + WORD_BYTES * (s.vlan.len() + s.mpls.len());
        if s.arp.is_some() {
            return link + ARP_BYTES;
        }
        let network = |v6: bool| if v6 { IPV6_BYTES } else { IPV4_BYTES };
        let transport = |udp: bool, tcp: bool, icmp: bool| {
            UDP_BYTES * usize::from(udp) + TCP_BYTES * usize::from(tcp) + ICMP_BYTES * usize::from(icmp)
        };
        let outer = link + network(s.ipv6.is_some());
        let Some(inner) = &s.inner else {
            if s.vxlan.is_some() || s.gtpu.is_some() {
                return outer + UDP_BYTES + TUNNEL_BYTES;
            }
            return outer + transport(s.udp.is_some(), s.tcp.is_some(), s.icmp.is_some());
        };
        let tunnel = match &s.gre {
            Some(gre) => WORD_BYTES + WORD_BYTES * usize::from(gre.key.is_some()),
            None => UDP_BYTES + TUNNEL_BYTES,
        };
        let ethernet = ETHERNET_BYTES * usize::from(inner.ethernet.is_some());
        let l4 = transport(inner.udp.is_some(), inner.tcp.is_some(), inner.icmp.is_some());
        outer + tunnel + ethernet + network(inner.ipv6.is_some()) + l4
    }
}
