//! A received frame, turned round in place: its addresses change sides, so that it goes back where it came from.
//!
//! All checksums stay valid, as a sum does not care about the order of its words. Fields are moved as whole
//! words, and the mark at the frame's end is left alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ether;

/// What a reflector swaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Swap {
    /// Ethernet addresses.
    #[default]
    Mac,
    /// IPv4 and IPv6 addresses too.
    Ip,
    /// UDP and TCP ports too.
    Port,
}

impl Swap {
    /// Whether it is this one, for `skip_serializing_if`.
    pub fn is_mac(&self) -> bool {
        *self == Swap::Mac
    }
}

const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_UDP: u8 = 17;
/// IPv6 headers behind which another destination than the header's may be what checksums are over: hop-by-hop
/// options, routing, destination options.
const BEFORE_ROUTING: [u8; 3] = [0, 43, 60];
const IPV4_BYTES: usize = 20;
const IPV6_BYTES: usize = 40;
/// Version 4, no options.
const IPV4_PLAIN: u8 = 0x45;

/// Swaps the Ethernet addresses; a frame too short for an Ethernet header stays as it is.
#[inline(always)]
pub fn mac(frame: &mut [u8]) {
    const SIX_BYTES: u64 = (1 << 48) - 1;
    let Some(header) = frame.first_chunk_mut::<{ ether::HEADER_BYTES }>() else { return };
    // [dst 0-5, src 0-5] becomes [src 0-5, dst 0-1] and [dst 2-5]: two stores. Turning both words as one number would
    // take AMD's CPUs longer, as would a store for each part.
    let [d0, d1, d2, d3, d4, d5, rest @ ..] = *header;
    let src = u64::from_le_bytes(rest) & SIX_BYTES;
    let dst_start = u64::from(u16::from_le_bytes([d0, d1]));
    header[..8].copy_from_slice(&(src | dst_start << 48).to_le_bytes());
    header[8..12].copy_from_slice(&[d2, d3, d4, d5]);
}

/// Swaps Ethernet and IP addresses, and with `PORTS` UDP and TCP ports. Of what it does not understand (other
/// protocols, IP options, IPv6 routing) it swaps the Ethernet addresses only.
#[inline(always)]
pub fn ip<const PORTS: bool>(frame: &mut [u8]) {
    mac(frame);
    // IPv4 without tags and options, which nearly all frames are: one check of the length, one of the kind.
    const HEADERS: usize = ether::HEADER_BYTES + IPV4_BYTES + 4;
    const KIND: u32 = u32::from_be_bytes([0x08, 0x00, IPV4_PLAIN, 0]);
    if let Some([_, _, _, _, _, _, _, _, _, _, _, _, rest @ ..]) = frame.first_chunk_mut::<HEADERS>()
        && let Some((kind, _)) = rest.split_first_chunk()
        && u32::from_be_bytes(*kind) & 0xffff_ff00 == KIND
        && let Some(header) = rest.last_chunk_mut()
    {
        return ipv4::<PORTS>(header);
    }
    other(frame, PORTS);
}

/// An IPv4 header without options, and the four bytes behind it.
#[inline(always)]
fn ipv4<const PORTS: bool>(header: &mut [u8; IPV4_BYTES + 4]) {
    turn(header, 12);
    let is_first_fragment = u16::from_be_bytes([header[6], header[7]]) & 0x1fff == 0;
    if PORTS && is_first_fragment && matches!(header[9], PROTOCOL_TCP | PROTOCOL_UDP) {
        let ports = [header[20], header[21], header[22], header[23]];
        header[20..].copy_from_slice(&u32::from_ne_bytes(ports).rotate_left(16).to_ne_bytes());
    }
}

/// Swaps the two 4-byte words at `at`.
#[inline(always)]
fn turn(bytes: &mut [u8], at: usize) {
    if let Some(both) = bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<8>) {
        *both = u64::from_ne_bytes(*both).rotate_left(32).to_ne_bytes();
    }
}

/// Tagged frames, IPv6, and short frames.
fn other(frame: &mut [u8], ports: bool) {
    let Some((ether_type, at)) = ether::network(frame) else { return };
    let Some(packet) = frame.get_mut(at..) else { return };
    match ether_type {
        ether::IPV4 => short_ipv4(packet, ports),
        ether::IPV6 => ipv6(packet, ports),
        _ => {}
    }
}

/// An IPv4 packet of any length.
fn short_ipv4(packet: &mut [u8], ports: bool) {
    if packet.first() != Some(&IPV4_PLAIN) {
        return;
    }
    if ports && let Some(header) = packet.first_chunk_mut() {
        return ipv4::<true>(header);
    }
    turn(packet, 12);
}

fn ipv6(packet: &mut [u8], ports: bool) {
    let Some((header, payload)) = packet.split_first_chunk_mut::<IPV6_BYTES>() else { return };
    let next = header[6];
    if header[0] >> 4 != 6 || BEFORE_ROUTING.contains(&next) {
        return;
    }
    let both = header.split_at_mut(24);
    both.0[8..].swap_with_slice(both.1);
    if ports
        && matches!(next, PROTOCOL_TCP | PROTOCOL_UDP)
        && let Some(word) = payload.first_chunk_mut::<4>()
    {
        *word = u32::from_ne_bytes(*word).rotate_left(16).to_ne_bytes();
    }
}

#[cfg(test)]
mod tests;
