//! A stream's frame as bytes, with the places where frames differ and the sums of everything that does not.

use super::{checksum, headers};
use crate::profile::field::{Field, Value};
use crate::profile::{Payload, Stream, Transport};
use crate::sequence::Sequence;
use crate::stamp;

const ETHERNET_BYTES: usize = 14;
const IPV4_BYTES: usize = 20;
/// Offsets of the IPv4 header and of layer 4.
const IP: u8 = ETHERNET_BYTES as u8;
const L4: u8 = (ETHERNET_BYTES + IPV4_BYTES) as u8;
const UDP_BYTES: usize = 8;
const TCP_BYTES: usize = 20;
const ETHER_TYPE_IPV4: u16 = 0x0800;
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_UDP: u8 = 17;

/// Bytes of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// A port, or the TTL with the protocol number behind it.
    Two,
    /// An IPv4 address.
    Four,
    /// A MAC address.
    Six,
}

/// A place where frames differ: `value << shift | low`, big-endian, at `at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Offset from the frame's first byte; even.
    pub at: u8,
    /// Bytes written.
    pub width: Width,
    /// Bits that the value is moved up.
    pub shift: u32,
    /// Constant bits below it.
    pub low: u64,
    /// Whether the IPv4 header checksum covers it.
    pub in_ip: bool,
    /// Whether the UDP/TCP checksum covers it, the pseudo header included.
    pub in_l4: bool,
    /// The values.
    pub values: Sequence,
}

impl Patch {
    /// Its place in the frame.
    pub fn bytes(&self) -> std::ops::Range<usize> {
        let at = usize::from(self.at);
        at..at + self.width.bytes()
    }

    /// A value with the constant bits below it, as it stands in the frame.
    pub fn stored(&self, value: u64) -> u64 {
        value << self.shift | self.low
    }
}

/// A stream's frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The first frame, checksums valid, mark zero. Without FCS.
    pub bytes: Vec<u8>,
    /// Varying fields.
    pub patches: Vec<Patch>,
    /// Offset of the IPv4 header checksum.
    pub ip_checksum_at: u8,
    /// Offset of the UDP or TCP checksum.
    pub l4_checksum_at: u8,
    /// Sum of the IPv4 header without varying fields and checksum.
    pub ip_sum: u64,
    /// Sum of pseudo header, layer 4 and payload without varying fields, mark and checksum.
    pub l4_sum: u64,
    /// Whether a layer-4 checksum of zero is sent as ffff.
    pub udp: bool,
    /// Offset of the mark; none when frames carry none.
    pub stamp_at: Option<usize>,
}

/// Bytes of all headers of a stream with this layer 4.
pub fn header_bytes(transport: Transport) -> usize {
    let l4 = match transport {
        Transport::Udp => UDP_BYTES,
        Transport::Tcp => TCP_BYTES,
    };
    ETHERNET_BYTES + IPV4_BYTES + l4
}

impl Template {
    /// Writes a stream's frame. `None` for a stream without a layer 4 or with a frame smaller than its headers, which
    /// the profile's check refuses.
    pub fn new(stream: &Stream, stamped: bool) -> Option<Template> {
        let (transport, ports) = stream.transport()?;
        let len = usize::from(stream.frame_size.mbuf_bytes());
        let header = header_bytes(transport);
        let ip_bytes = u16::try_from(len.checked_sub(ETHERNET_BYTES)?).ok()?;
        len.checked_sub(header)?;

        let mut bytes = Vec::with_capacity(len);
        let protocol = if transport == Transport::Udp { PROTOCOL_UDP } else { PROTOCOL_TCP };
        headers::ethernet(
            &mut bytes,
            stream.ethernet.dst.start(),
            stream.ethernet.src.start(),
            ETHER_TYPE_IPV4,
        );
        let (src, dst) = (stream.ipv4.src.start(), stream.ipv4.dst.start());
        headers::ipv4(&mut bytes, src, dst, stream.ipv4.ttl.start(), protocol, ip_bytes);
        match transport {
            Transport::Udp => {
                headers::udp(&mut bytes, ports.src.start(), ports.dst.start(), ip_bytes - IPV4_BYTES as u16);
            }
            Transport::Tcp => headers::tcp(&mut bytes, ports.src.start(), ports.dst.start()),
        }
        bytes.extend((header..len).map(|at| fill(stream.payload, at)));

        let stamp_at = if stamped { stamp::offset(len, header) } else { None };
        if let Some(at) = stamp_at {
            bytes[at..at + stamp::STAMP_BYTES].fill(0);
        }
        let mut template = Template {
            ip_checksum_at: IP + 10,
            l4_checksum_at: L4 + if transport == Transport::Udp { 6 } else { 16 },
            patches: patches(stream, ports, protocol),
            ip_sum: 0,
            l4_sum: 0,
            udp: transport == Transport::Udp,
            stamp_at,
            bytes,
        };
        template.take_sums(protocol);
        Some(template)
    }

    /// Sums what never changes, and makes the first frame's checksums valid.
    fn take_sums(&mut self, protocol: u8) {
        let mut still = self.bytes.clone();
        for p in &self.patches {
            still[p.bytes()].fill(0);
        }
        let ip = &still[ETHERNET_BYTES..ETHERNET_BYTES + IPV4_BYTES];
        let l4 = &still[ETHERNET_BYTES + IPV4_BYTES..];
        self.ip_sum = checksum::sum(ip);
        let l4_len = l4.len() as u16;
        // Pseudo header (RFC 768, RFC 9293 §3.1): addresses, zero and protocol, layer-4 length.
        let pseudo =
            checksum::sum(&ip[12..20]) + u64::from(u16::from(protocol).to_be()) + u64::from(l4_len.to_be());
        self.l4_sum = pseudo + checksum::sum(l4);

        let (mut ip_sum, mut l4_sum) = (self.ip_sum, self.l4_sum);
        for p in &self.patches {
            let word = checksum::sum(&self.bytes[p.bytes()]);
            ip_sum += if p.in_ip { word } else { 0 };
            l4_sum += if p.in_l4 { word } else { 0 };
        }
        let l4_checksum = if self.udp { checksum::finish_udp(l4_sum) } else { checksum::finish(l4_sum) };
        self.bytes[usize::from(self.ip_checksum_at)..][..2]
            .copy_from_slice(&checksum::finish(ip_sum).to_ne_bytes());
        self.bytes[usize::from(self.l4_checksum_at)..][..2].copy_from_slice(&l4_checksum.to_ne_bytes());
    }

    /// Frames before the fields repeat: the least common multiple of their periods. `None` beyond 2^64.
    pub fn flows(&self) -> Option<u64> {
        self.patches.iter().try_fold(1u64, |n, p| {
            let period = p.values.period();
            (n / gcd(n, period)).checked_mul(period)
        })
    }

    /// Frames before every field is on its cycle.
    pub fn lead_in(&self) -> u64 {
        self.patches.iter().map(|p| p.values.lead_in()).max().unwrap_or(0)
    }
}

impl Width {
    /// As a number.
    pub fn bytes(self) -> usize {
        match self {
            Width::Two => 2,
            Width::Four => 4,
            Width::Six => 6,
        }
    }
}

/// The varying fields of a stream, in frame order.
fn patches(stream: &Stream, ports: &crate::profile::Ports, protocol: u8) -> Vec<Patch> {
    let patch = |at, width, in_ip, in_l4, values| Patch { at, width, shift: 0, low: 0, in_ip, in_l4, values };
    let ttl = |values| Patch {
        shift: 8,
        low: u64::from(protocol),
        ..patch(IP + 8, Width::Two, true, false, values)
    };
    [
        varying(&stream.ethernet.dst).map(|v| patch(0, Width::Six, false, false, v)),
        varying(&stream.ethernet.src).map(|v| patch(6, Width::Six, false, false, v)),
        varying(&stream.ipv4.ttl).map(ttl),
        varying(&stream.ipv4.src).map(|v| patch(IP + 12, Width::Four, true, true, v)),
        varying(&stream.ipv4.dst).map(|v| patch(IP + 16, Width::Four, true, true, v)),
        varying(&ports.src).map(|v| patch(L4, Width::Two, false, true, v)),
        varying(&ports.dst).map(|v| patch(L4 + 2, Width::Two, false, true, v)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A field's values when they differ from frame to frame.
fn varying<T: Value>(field: &Field<T>) -> Option<Sequence> {
    let values = Sequence::of(field);
    (values.period() > 1 || values.lead_in() > 0).then_some(values)
}

/// Pktgen's `abc` pattern is laid over the whole buffer from its start, so a payload begins in the middle of it:
/// 32 letters and digits, a…z0…5.
fn fill(payload: Payload, at: usize) -> u8 {
    match payload {
        Payload::Letters => b"abcdefghijklmnopqrstuvwxyz012345"[at % 32],
        Payload::Zero => 0,
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{stream_with, valid_checksums};

    impl Template {
        /// For tests that put patches of their own in.
        pub fn retake_sums(&mut self) {
            self.bytes[usize::from(self.ip_checksum_at)..][..2].fill(0);
            self.bytes[usize::from(self.l4_checksum_at)..][..2].fill(0);
            self.take_sums(PROTOCOL_UDP);
        }
    }

    #[test]
    fn the_first_frame_is_valid() {
        for len in [60, 61, 100, 1496, 9596] {
            let t = stream_with(len);
            assert_eq!(t.bytes.len(), len as usize);
            assert!(valid_checksums(&t.bytes), "{len}");
        }
    }
}
