//! Where a frame's network header begins: behind its VLAN tags.

/// EtherType of IPv4.
pub const IPV4: u16 = 0x0800;
/// EtherType of ARP.
pub const ARP: u16 = 0x0806;
/// EtherType of IPv6.
pub const IPV6: u16 = 0x86dd;
/// Bytes of two addresses and an EtherType.
pub const HEADER_BYTES: usize = 14;

/// Tag protocol identifiers: 802.1Q, 802.1ad, and what switches used for QinQ before.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// VLAN and QinQ.
const TAGS_MAX: usize = 2;

/// The EtherType behind up to two tags and the place of what follows it; none when the frame ends before.
#[inline]
pub fn network(frame: &[u8]) -> Option<(u16, usize)> {
    let mut at = HEADER_BYTES;
    for _ in 0..TAGS_MAX {
        let ether_type = be16(frame, at - 2)?;
        if !TAGS.contains(&ether_type) {
            return Some((ether_type, at));
        }
        at += 4;
    }
    Some((be16(frame, at - 2)?, at))
}

/// The word at `at`.
#[inline(always)]
pub fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|word| u16::from_be_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_to_two_tags_are_skipped() {
        let frame = |types: &[u16]| {
            let mut frame = vec![0; 12];
            types.iter().for_each(|t| frame.extend(t.to_be_bytes()));
            frame
        };
        assert_eq!(network(&frame(&[IPV4])), Some((IPV4, 14)));
        assert_eq!(network(&frame(&[0x8100, 5, IPV6])), Some((IPV6, 18)));
        assert_eq!(network(&frame(&[0x88a8, 5, 0x8100, 6, ARP])), Some((ARP, 22)));
        assert_eq!(network(&frame(&[0x8100, 5, 0x8100, 5, 0x8100, 5, ARP])), Some((0x8100, 22)));
        assert_eq!(network(&frame(&[0x8100, 5])), None);
        assert_eq!(network(&[0; 13]), None);
    }
}
