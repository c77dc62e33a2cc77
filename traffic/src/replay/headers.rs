//! Where a captured frame has what: as far as rewriting fields and telling flows apart needs it.

const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Tags that are looked through; more are no network's.
const MAX_TAGS: usize = 8;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const IPV6_BYTES: usize = 40;
/// IPv6's own extension headers that are looked through; more are an attack.
const MAX_EXTENSIONS: usize = 16;

const TCP: u8 = 6;
const UDP: u8 = 17;
const DCCP: u8 = 33;
const ICMPV6: u8 = 58;
const UDP_LITE: u8 = 136;

/// The layers of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// Place of the outermost tag's 16 bits with the VLAN id.
    pub tag: Option<usize>,
    /// IPv4 or IPv6 behind the tags.
    pub ip: Option<Ip>,
}

/// A frame's outermost IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ip {
    /// Its place.
    pub at: usize,
    /// IPv6, not IPv4.
    pub is_v6: bool,
    /// What is in it, behind IPv6's extension headers.
    pub protocol: u8,
    /// Place of layer 4; none in a fragment but the first, and where the frame ends before it.
    pub l4: Option<usize>,
    /// Whether it is a part of a larger datagram.
    pub is_fragment: bool,
    /// Whether layer 4's checksum covers this destination: not before the last stop of a source route.
    pub is_last_stop: bool,
}

impl Ip {
    /// Places of the source and of the destination address, and their bytes.
    pub fn addresses(&self) -> (usize, usize, usize) {
        if self.is_v6 { (self.at + 8, self.at + 24, 16) } else { (self.at + 12, self.at + 16, 4) }
    }

    /// Place of the source port, with the destination's behind it.
    pub fn ports(&self) -> Option<usize> {
        self.l4.filter(|_| matches!(self.protocol, TCP | UDP))
    }

    /// Place of IPv4's own checksum.
    pub fn checksum(&self) -> Option<usize> {
        (!self.is_v6).then_some(self.at + 10)
    }

    /// Place of layer 4's checksum, if it covers the addresses.
    pub fn l4_checksum(&self) -> Option<usize> {
        let behind = match self.protocol {
            TCP => 16,
            UDP | UDP_LITE | DCCP => 6,
            ICMPV6 if self.is_v6 => 2,
            _ => return None,
        };
        Some(self.l4? + behind)
    }

    /// Whether a checksum of zero means that there is none, and zero itself is sent as ffff.
    pub fn has_udp_zero(&self) -> bool {
        matches!(self.protocol, UDP | UDP_LITE)
    }
}

/// Looks through a frame. What does not hold together ends the look there.
pub fn layers(frame: &[u8]) -> Layers {
    let mut at = 12;
    let mut tag = None;
    for _ in 0..=MAX_TAGS {
        let Some(kind) = word(frame, at) else { break };
        at += 2;
        if TAGS.contains(&kind) {
            if word(frame, at).is_some() {
                tag = tag.or(Some(at));
            }
            at += 2;
            continue;
        }
        let ip = match kind {
            IPV4 => ipv4(frame, at),
            IPV6 => ipv6(frame, at),
            _ => None,
        };
        return Layers { tag, ip };
    }
    Layers { tag, ip: None }
}

fn ipv4(frame: &[u8], at: usize) -> Option<Ip> {
    let header = frame.get(at..at + 20)?;
    let header_bytes = usize::from(header[0] & 15) * 4;
    if header[0] >> 4 != 4 || header_bytes < 20 || frame.len() < at + header_bytes {
        return None;
    }
    let fragment = u16::from_be_bytes([header[6], header[7]]);
    let (is_first, is_fragment) = (fragment & 0x1fff == 0, fragment & 0x3fff != 0);
    let l4 = (is_first && has_l4(frame, at + header_bytes, header[9])).then_some(at + header_bytes);
    Some(Ip { at, is_v6: false, protocol: header[9], l4, is_fragment, is_last_stop: true })
}

fn ipv6(frame: &[u8], at: usize) -> Option<Ip> {
    let header = frame.get(at..at + IPV6_BYTES)?;
    if header[0] >> 4 != 6 {
        return None;
    }
    let mut ip =
        Ip { at, is_v6: true, protocol: header[6], l4: None, is_fragment: false, is_last_stop: true };
    let mut next = at + IPV6_BYTES;
    for _ in 0..MAX_EXTENSIONS {
        let extension = |bytes: usize| frame.get(next..next + bytes);
        let bytes = match ip.protocol {
            // Hop-by-hop and destination options.
            0 | 60 => 8 + usize::from(extension(8)?[1]) * 8,
            // Routing.
            43 => {
                let routing = extension(8)?;
                ip.is_last_stop &= routing[3] == 0;
                8 + usize::from(routing[1]) * 8
            }
            44 => {
                let part = extension(8)?;
                let bits = u16::from_be_bytes([part[2], part[3]]);
                ip.is_fragment = bits & 0xfff9 != 0;
                if bits & 0xfff8 != 0 {
                    ip.protocol = part[0];
                    return Some(ip);
                }
                8
            }
            _ => {
                ip.l4 = has_l4(frame, next, ip.protocol).then_some(next);
                return Some(ip);
            }
        };
        ip.protocol = extension(1)?[0];
        next += bytes;
    }
    Some(ip)
}

/// Whether the frame reaches as far as a protocol's ports and checksum.
fn has_l4(frame: &[u8], at: usize, protocol: u8) -> bool {
    let bytes = match protocol {
        TCP => 20,
        UDP | UDP_LITE | DCCP => 8,
        _ => 4,
    };
    frame.len() >= at + bytes
}

fn word(frame: &[u8], at: usize) -> Option<u16> {
    let bytes = frame.get(at..at + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}
