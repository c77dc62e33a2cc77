//! One writer a header. Checksums are left zero: the template sums over what is there.

use std::net::Ipv4Addr;

use crate::mac::Mac;

/// Ethernet II, 14 bytes.
pub fn ethernet(out: &mut Vec<u8>, dst: Mac, src: Mac, ether_type: u16) {
    out.extend(dst.0);
    out.extend(src.0);
    out.extend(ether_type.to_be_bytes());
}

/// IPv4 without options, 20 bytes (RFC 791): id 0, no flags, so that a frame differs only where it is meant to.
pub fn ipv4(out: &mut Vec<u8>, src: Ipv4Addr, dst: Ipv4Addr, ttl: u8, protocol: u8, total_bytes: u16) {
    out.extend([0x45, 0]);
    out.extend(total_bytes.to_be_bytes());
    out.extend([0, 0, 0, 0, ttl, protocol, 0, 0]);
    out.extend(src.octets());
    out.extend(dst.octets());
}

/// UDP, 8 bytes (RFC 768); `bytes` counts header and payload.
pub fn udp(out: &mut Vec<u8>, src: u16, dst: u16, bytes: u16) {
    for word in [src, dst, bytes, 0] {
        out.extend(word.to_be_bytes());
    }
}

/// TCP without options, 20 bytes (RFC 9293): a bare ACK with the numbers that Pktgen sends.
pub fn tcp(out: &mut Vec<u8>, src: u16, dst: u16) {
    out.extend(src.to_be_bytes());
    out.extend(dst.to_be_bytes());
    out.extend(TCP_SEQ.to_be_bytes());
    out.extend(TCP_ACK.to_be_bytes());
    // Data offset 5, flag ACK.
    out.extend([0x50, 0x10]);
    out.extend(TCP_WINDOW.to_be_bytes());
    out.extend([0, 0, 0, 0]);
}

/// The sequence number of every TCP segment: Pktgen's.
const TCP_SEQ: u32 = 0x1234_5678;
/// The acknowledgement number: Pktgen's.
const TCP_ACK: u32 = 0x1234_5690;
/// The window: Pktgen's.
const TCP_WINDOW: u16 = 8192;
