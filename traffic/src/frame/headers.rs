//! One writer a header, with zeros where fields and checksums stand.

/// Ethernet II, 14 bytes.
pub fn ethernet(out: &mut Vec<u8>, ether_type: u16) {
    out.extend([0; 12]);
    out.extend(ether_type.to_be_bytes());
}

/// IPv4 without options, 20 bytes (RFC 791).
pub fn ipv4(out: &mut Vec<u8>, df: bool, protocol: u8, total_bytes: u16) {
    out.extend([0x45, 0]);
    out.extend(total_bytes.to_be_bytes());
    out.extend([0, 0, if df { 0x40 } else { 0 }, 0, 0, protocol]);
    out.extend([0; 10]);
}

/// IPv6 without extension headers, 40 bytes (RFC 8200); `bytes` counts what is behind it.
pub fn ipv6(out: &mut Vec<u8>, next_header: u8, bytes: u16) {
    out.extend([0x60, 0, 0, 0]);
    out.extend(bytes.to_be_bytes());
    out.extend([next_header, 0]);
    out.extend([0; 32]);
}

/// UDP, 8 bytes (RFC 768); `bytes` counts header and payload.
pub fn udp(out: &mut Vec<u8>, bytes: u16) {
    for word in [0, 0, bytes, 0] {
        out.extend(word.to_be_bytes());
    }
}

/// TCP without options, 20 bytes (RFC 9293).
pub fn tcp(out: &mut Vec<u8>) {
    out.extend([0; 12]);
    // Data offset 5.
    out.extend([0x50, 0]);
    out.extend([0; 6]);
}

/// ARP for IPv4 over Ethernet, 28 bytes (RFC 826).
pub fn arp(out: &mut Vec<u8>) {
    out.extend([0, 1, 8, 0, 6, 4]);
    out.extend([0; 22]);
}
