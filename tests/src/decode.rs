//! A small decoder of Ethernet, IPv4, UDP and TCP: a second opinion, so it shares no code with the generator.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The fields of a frame by name, in words.
pub type Fields = BTreeMap<&'static str, String>;

/// Fields that differ between two frames of one flow, as Pktgen and we count them differently: see the golden tests.
pub const PER_PACKET: [&str; 2] = ["ip.id", "ip.checksum"];

/// All fields of an Ethernet frame without FCS; what is not IPv4 with UDP or TCP ends in `payload`.
pub fn decode(frame: &[u8]) -> Fields {
    let mut fields = Fields::new();
    fields.insert("frame.len", frame.len().to_string());
    let rest = ethernet(frame, &mut fields).and_then(|packet| ipv4(packet, &mut fields));
    if rest.is_none() {
        fields.insert("payload", hex(frame.get(14..).unwrap_or_default()));
    }
    fields
}

fn ethernet<'a>(frame: &'a [u8], fields: &mut Fields) -> Option<&'a [u8]> {
    let colons = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":");
    fields.insert("eth.dst", colons(frame.get(0..6)?));
    fields.insert("eth.src", colons(frame.get(6..12)?));
    let kind = word(frame, 12)?;
    fields.insert("eth.type", format!("{kind:04x}"));
    (kind == 0x0800).then(|| &frame[14..])
}

/// `packet` runs to the frame's end, which padding may follow behind the datagram's.
fn ipv4<'a>(packet: &'a [u8], fields: &mut Fields) -> Option<&'a [u8]> {
    let first = *packet.first()?;
    let header_bytes = usize::from(first & 15) * 4;
    let header = packet.get(..header_bytes)?;
    let dots = |at: usize| header[at..at + 4].iter().map(u8::to_string).collect::<Vec<_>>().join(".");
    let total = usize::from(word(header, 2)?);
    let flags = word(header, 6)?;
    fields.insert("ip.version", (first >> 4).to_string());
    fields.insert("ip.header_bytes", header_bytes.to_string());
    fields.insert("ip.tos", header.get(1)?.to_string());
    fields.insert("ip.total_length", total.to_string());
    fields.insert("ip.id", word(header, 4)?.to_string());
    fields.insert("ip.df", (flags >> 14 & 1).to_string());
    fields.insert("ip.mf", (flags >> 13 & 1).to_string());
    fields.insert("ip.fragment_offset", (flags & 0x1fff).to_string());
    fields.insert("ip.ttl", header.get(8)?.to_string());
    fields.insert("ip.protocol", header.get(9)?.to_string());
    fields.insert("ip.checksum", format!("{:04x}", word(header, 10)?));
    fields.insert("ip.checksum_valid", (ones_sum(&[header]) == 0xffff).to_string());
    fields.insert("ip.src", dots(12));
    fields.insert("ip.dst", dots(16));
    fields.insert("ip.options", hex(&header[20..]));
    let datagram = packet.get(header_bytes..total)?;
    fields.insert("frame.padding", hex(&packet[total..]));
    let pseudo =
        [&header[12..20], &[0, header[9]], &u16::try_from(datagram.len()).ok()?.to_be_bytes()].concat();
    match header[9] {
        17 => udp(datagram, &pseudo, fields),
        6 => tcp(datagram, &pseudo, fields),
        _ => None,
    }
}

fn udp<'a>(datagram: &'a [u8], pseudo: &[u8], fields: &mut Fields) -> Option<&'a [u8]> {
    fields.insert("udp.src", word(datagram, 0)?.to_string());
    fields.insert("udp.dst", word(datagram, 2)?.to_string());
    fields.insert("udp.length", word(datagram, 4)?.to_string());
    let checksum = word(datagram, 6)?;
    fields.insert("udp.checksum", format!("{checksum:04x}"));
    // Zero means none (RFC 768), which is not what is promised.
    let valid = checksum != 0 && ones_sum(&[pseudo, datagram]) == 0xffff;
    fields.insert("udp.checksum_valid", valid.to_string());
    let payload = datagram.get(8..)?;
    fields.insert("payload", hex(payload));
    Some(payload)
}

fn tcp<'a>(segment: &'a [u8], pseudo: &[u8], fields: &mut Fields) -> Option<&'a [u8]> {
    let long = |at: usize| Some(u32::from(word(segment, at)?) << 16 | u32::from(word(segment, at + 2)?));
    fields.insert("tcp.src", word(segment, 0)?.to_string());
    fields.insert("tcp.dst", word(segment, 2)?.to_string());
    fields.insert("tcp.seq", long(4)?.to_string());
    fields.insert("tcp.ack", long(8)?.to_string());
    let header_bytes = usize::from(segment.get(12)? >> 4) * 4;
    fields.insert("tcp.header_bytes", header_bytes.to_string());
    fields.insert("tcp.flags", format!("{:02x}", segment.get(13)?));
    fields.insert("tcp.window", word(segment, 14)?.to_string());
    fields.insert("tcp.checksum", format!("{:04x}", word(segment, 16)?));
    fields.insert("tcp.checksum_valid", (ones_sum(&[pseudo, segment]) == 0xffff).to_string());
    fields.insert("tcp.urgent", word(segment, 18)?.to_string());
    fields.insert("tcp.options", hex(segment.get(20..header_bytes)?));
    let payload = segment.get(header_bytes..)?;
    fields.insert("payload", hex(payload));
    Some(payload)
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// RFC 1071's sum over parts of even length but the last, without the final complement.
fn ones_sum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
            sum = (sum & 0xffff) + (sum >> 16);
        }
    }
    u16::try_from(sum).expect("carries are folded in")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DNS's port, a payload of three bytes and one of padding; tcpdump accepts both checksums.
    const UDP: [u8; 46] = [
        2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, // Ethernet
        0x45, 0, 0, 31, 0, 7, 0x40, 0, 64, 17, 0x26, 0xc5, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
        4, 0, 0, 53, 0, 11, 0x23, 0x3e, b'a', b'b', b'c', 0xee, // UDP
    ];

    #[test]
    fn udp_is_taken_apart() {
        let fields = decode(&UDP);
        let expected = [
            ("eth.src", "02:00:00:00:00:01"),
            ("ip.df", "1"),
            ("ip.id", "7"),
            ("ip.ttl", "64"),
            ("ip.checksum_valid", "true"),
            ("udp.dst", "53"),
            ("udp.checksum_valid", "true"),
            ("payload", "616263"),
            ("frame.padding", "ee"),
        ];
        for (name, value) in expected {
            assert_eq!(fields[name], value, "{name} of {fields:?}");
        }
    }

    #[test]
    fn one_wrong_bit_breaks_a_checksum() {
        for (at, field) in [(22, "ip.checksum_valid"), (42, "udp.checksum_valid")] {
            let mut frame = UDP;
            frame[at] ^= 1;
            assert_eq!(decode(&frame)[field], "false", "byte {at}");
        }
    }

    #[test]
    fn cut_off_frames_do_not_panic() {
        for len in 0..UDP.len() {
            decode(&UDP[..len]);
        }
    }
}
