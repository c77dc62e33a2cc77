//! IPv6 neighbour discovery (RFC 4861): who has this address, the answer, and telling unasked.

use std::net::Ipv6Addr;

use super::address::is_host_v6;
use super::echo::{self, ICMPV6, IPV6_BYTES, Icmpv6, ipv6_header, pseudo_header};
use super::{Request, Responder, header, pad};
use crate::ether;

const SOLICITATION: [u8; 2] = [135, 0];
const ADVERTISEMENT: u8 = 136;
/// Proof that no router was in between (RFC 4861 §7.1).
const HOP_LIMIT: u8 = 255;
/// Type, code, checksum, flags, target.
const MESSAGE_BYTES: usize = 24;
/// With our MAC as an option.
const ADVERTISEMENT_BYTES: usize = MESSAGE_BYTES + 8;
/// Target link-layer address, one unit of eight bytes.
const TARGET_MAC: [u8; 2] = [2, 1];
const SOLICITED: u8 = 0x40;
/// What was known of us is to be forgotten.
const OVERRIDE: u8 = 0x20;
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES_MAC: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];

impl Responder {
    pub(super) fn neighbour(&self, request: &Request<'_>, out: &mut [u8]) -> Option<usize> {
        if request.packet.get(6) != Some(&ICMPV6) {
            return None;
        }
        let asked = Icmpv6::parse(request.packet)?;
        let body: &[u8; MESSAGE_BYTES] = asked.message.first_chunk()?;
        let target = Ipv6Addr::from(*body.last_chunk::<16>()?);
        let is_asked_of_us =
            self.v6.contains(&target) && [target, solicited_node(target)].contains(&asked.dst);
        if !(body.starts_with(&SOLICITATION) && asked.hop_limit == HOP_LIMIT && is_asked_of_us) {
            return None;
        }
        if asked.src.is_unspecified() {
            // Somebody who is about to take our address: everybody is told that it is ours.
            return advertise(out, self.mac, target, (ALL_NODES, ALL_NODES_MAC), OVERRIDE, request.tags);
        }
        let to = is_host_v6(asked.src).then_some((asked.src, request.src))?;
        advertise(out, self.mac, target, to, SOLICITED | OVERRIDE, request.tags)
    }

    pub(super) fn unsolicited(&self, ip: Ipv6Addr, out: &mut [u8]) -> Option<usize> {
        let tags = ether::IPV6.to_be_bytes();
        advertise(out, self.mac, ip, (ALL_NODES, ALL_NODES_MAC), OVERRIDE, &tags)
    }
}

fn advertise(
    out: &mut [u8],
    mac: [u8; 6],
    target: Ipv6Addr,
    (dst, dst_mac): (Ipv6Addr, [u8; 6]),
    flags: u8,
    tags: &[u8],
) -> Option<usize> {
    let (bytes, room) = header(out, dst_mac, mac, tags)?;
    let (ip, rest) = room.split_first_chunk_mut()?;
    let message: &mut [u8; ADVERTISEMENT_BYTES] = rest.first_chunk_mut()?;
    *ip = ipv6_header(target, dst, ADVERTISEMENT_BYTES, HOP_LIMIT)?;
    message.fill(0);
    message[4] = flags;
    message[8..24].copy_from_slice(&target.octets());
    message[24..26].copy_from_slice(&TARGET_MAC);
    message[26..].copy_from_slice(&mac);
    echo::finish(message, ADVERTISEMENT, pseudo_header(target, dst, ADVERTISEMENT_BYTES))?;
    pad(out, bytes + IPV6_BYTES + ADVERTISEMENT_BYTES)
}

/// The group that all who may have `ip` listen to (RFC 4291 §2.7.1).
fn solicited_node(ip: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b] = ip.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | a & 0xff, b)
}
