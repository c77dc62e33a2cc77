//! ICMP (RFC 792) and ICMPv6 (RFC 4443) echo: what `ping` asks.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::address::{is_host_v4, is_host_v6};
use super::{Request, Responder, pad};
use crate::ether::be16;
use crate::frame::checksum;

const IPV4_BYTES: usize = 20;
pub(super) const IPV6_BYTES: usize = 40;
const ICMP_BYTES: usize = 8;
const ICMP: u8 = 1;
pub(super) const ICMPV6: u8 = 58;
/// What the reply may be routed over.
const HOP_LIMIT: u8 = 64;

impl Responder {
    /// Whole IPv4 packets without options only.
    pub(super) fn echo_v4(&self, request: &Request<'_>, out: &mut [u8]) -> Option<usize> {
        const ECHO: [u8; 2] = [8, 0];
        const IS_FRAGMENT: u16 = 0x3fff;
        let total = usize::from(be16(request.packet, 2)?);
        let packet = request.packet.get(..total)?;
        let (header, icmp) = packet.split_first_chunk::<IPV4_BYTES>()?;
        let address =
            |at: usize| header.get(at..)?.first_chunk().map(|bytes: &[u8; 4]| Ipv4Addr::from(*bytes));
        let (src, dst) = (address(12)?, address(16)?);
        let is_whole =
            header[0] == 0x45 && be16(header, 6)? & IS_FRAGMENT == 0 && is_valid(checksum::sum(header));
        let is_echo = header[9] == ICMP && icmp.len() >= ICMP_BYTES && icmp.starts_with(&ECHO);
        let is_for_us = request.dst == self.mac && self.v4.contains(&dst) && is_host_v4(src);
        if !(is_whole && is_echo && is_for_us && is_valid(checksum::sum(icmp))) {
            return None;
        }
        let (bytes, room) = request.header(out, request.src, self.mac)?;
        let (reply, _) = room.split_at_mut_checked(total)?;
        reply.copy_from_slice(packet);
        let (header, icmp) = reply.split_first_chunk_mut::<IPV4_BYTES>()?;
        header[8] = HOP_LIMIT;
        header[12..16].copy_from_slice(&dst.octets());
        header[16..20].copy_from_slice(&src.octets());
        header[10..12].fill(0);
        let sum = checksum::finish(checksum::sum(header));
        header[10..12].copy_from_slice(&sum.to_ne_bytes());
        finish(icmp, 0, 0)?;
        pad(out, bytes + total)
    }

    pub(super) fn echo_v6(&self, request: &Request<'_>, out: &mut [u8]) -> Option<usize> {
        const ECHO: [u8; 2] = [128, 0];
        const ECHO_REPLY: u8 = 129;
        let asked = Icmpv6::parse(request.packet)?;
        let is_for_us = request.dst == self.mac && self.v6.contains(&asked.dst) && is_host_v6(asked.src);
        if !(is_for_us && asked.message.len() >= ICMP_BYTES && asked.message.starts_with(&ECHO)) {
            return None;
        }
        let (bytes, room) = request.header(out, request.src, self.mac)?;
        let (header, rest) = room.split_first_chunk_mut()?;
        let (message, _) = rest.split_at_mut_checked(asked.message.len())?;
        message.copy_from_slice(asked.message);
        *header = ipv6_header(asked.dst, asked.src, message.len(), HOP_LIMIT)?;
        finish(message, ECHO_REPLY, pseudo_header(asked.dst, asked.src, message.len()))?;
        pad(out, bytes + IPV6_BYTES + asked.message.len())
    }
}

/// A sound ICMPv6 message right behind its IPv6 header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Icmpv6<'f> {
    pub(super) src: Ipv6Addr,
    pub(super) dst: Ipv6Addr,
    pub(super) hop_limit: u8,
    pub(super) message: &'f [u8],
}

impl<'f> Icmpv6<'f> {
    pub(super) fn parse(packet: &'f [u8]) -> Option<Icmpv6<'f>> {
        let (header, rest) = packet.split_first_chunk::<IPV6_BYTES>()?;
        let message = rest.get(..usize::from(be16(header, 4)?))?;
        let address =
            |at: usize| header.get(at..)?.first_chunk().map(|bytes: &[u8; 16]| Ipv6Addr::from(*bytes));
        let (src, dst) = (address(8)?, address(24)?);
        let sum = pseudo_header(src, dst, message.len()) + checksum::sum(message);
        let is_sound = header[0] >> 4 == 6 && header[6] == ICMPV6 && is_valid(sum);
        is_sound.then_some(Icmpv6 { src, dst, hop_limit: header[7], message })
    }
}

/// An IPv6 header in front of `message_bytes` of ICMPv6.
pub(super) fn ipv6_header(
    src: Ipv6Addr,
    dst: Ipv6Addr,
    message_bytes: usize,
    hop_limit: u8,
) -> Option<[u8; IPV6_BYTES]> {
    let mut header = [0; IPV6_BYTES];
    header[0] = 0x60;
    header[4..6].copy_from_slice(&u16::try_from(message_bytes).ok()?.to_be_bytes());
    (header[6], header[7]) = (ICMPV6, hop_limit);
    header[8..24].copy_from_slice(&src.octets());
    header[24..].copy_from_slice(&dst.octets());
    Some(header)
}

/// The sum of ICMPv6's pseudo header (RFC 8200 §8.1).
pub(super) fn pseudo_header(src: Ipv6Addr, dst: Ipv6Addr, message_bytes: usize) -> u64 {
    let bytes = (message_bytes as u32).to_be_bytes();
    checksum::sum(&src.octets())
        + checksum::sum(&dst.octets())
        + checksum::sum(&bytes)
        + checksum::sum(&[0, ICMPV6])
}

/// Sets a message's type and its checksum over `pseudo` and itself.
pub(super) fn finish(message: &mut [u8], kind: u8, pseudo: u64) -> Option<()> {
    *message.first_mut()? = kind;
    message.get_mut(2..4)?.fill(0);
    let sum = checksum::finish(pseudo + checksum::sum(message));
    message.get_mut(2..4)?.copy_from_slice(&sum.to_ne_bytes());
    Some(())
}

/// Whether a sum over data and its own checksum is that of sound data.
fn is_valid(sum: u64) -> bool {
    checksum::finish(sum) == 0
}
