//! A template whose checksums the NIC fills in: it leaves what drivers want to find there.

use super::checksum;
use super::patch::Covered;
use super::template::{Check, Template};

const ETHERNET_BYTES: usize = 14;
const VLAN_BYTES: usize = 4;
const IPV4_BYTES: usize = 20;
const TYPE_IPV4: u16 = 0x0800;
/// Bytes of layer 2 that an mbuf has bits for.
const L2_MAX: usize = 127;

/// What NICs fill in behind an IPv4 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP's checksum.
    Udp,
    /// TCP's checksum.
    Tcp,
}

/// A stream's frame for a NIC that fills in both checksums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NicFrame {
    /// The frame: the IPv4 checksum is zero, and in layer 4's place stands the folded sum of the pseudo header, as
    /// drivers want it (`rte_ipv4_phdr_cksum`). Its [`Template::l4`] is of that sum alone.
    pub template: Template,
    /// Bytes of Ethernet and its VLAN tags.
    pub l2_bytes: u8,
    /// Bytes of the IPv4 header.
    pub l3_bytes: u8,
    /// Bytes of layer 4's own header.
    pub l4_bytes: u8,
    /// Which one that is.
    pub transport: Transport,
}

impl NicFrame {
    /// `None` for what not every NIC takes for a simple packet: all but Ethernet (with VLAN tags or not), IPv4, and UDP
    /// or TCP.
    pub fn new(template: &Template) -> Option<NicFrame> {
        let (ip, l4) = (template.ip?, template.l4?);
        let at = usize::from(ip.at).checked_sub(10)?;
        if at > L2_MAX || at != ipv4_at(&template.bytes)? {
            return None;
        }
        let from = at + IPV4_BYTES;
        let protocol = *template.bytes.get(at + 9)?;
        let (transport, check_at, l4_bytes) = match protocol {
            17 => (Transport::Udp, from + 6, 8),
            6 => (Transport::Tcp, from + 16, 20),
            _ => return None,
        };
        if usize::from(l4.at) != check_at {
            return None;
        }
        let mut template = template.clone();
        let l4_length = (template.bytes.len() - from) as u16;
        let mut sum = u64::from(u16::from(protocol).to_be()) + u64::from(l4_length.to_be());
        let mut still = template.bytes.clone();
        for patch in &mut template.patches {
            patch.write(&mut still, 0);
            // Addresses are what both checksums cover.
            let is_address = patch.covered.ip && patch.covered.l4;
            patch.covered = Covered { l4: is_address, ..Covered::default() };
        }
        sum += checksum::sum(&still[at + 12..from]);
        template.ip = Some(Check { sum: 0, ..ip });
        template.l4 = Some(Check { sum, zero: 0, ..l4 });
        template.bytes[usize::from(ip.at)..][..2].fill(0);
        let first =
            template.patches.iter().filter(|p| p.covered.l4).map(|p| p.summed(p.stored(p.values.at(0))));
        let pseudo = checksum::fold(sum + first.sum::<u64>()) as u16;
        template.bytes[check_at..][..2].copy_from_slice(&pseudo.to_ne_bytes());
        let l3_bytes = IPV4_BYTES as u8;
        Some(NicFrame { template, l2_bytes: at as u8, l3_bytes, l4_bytes, transport })
    }
}

/// Where the IPv4 header of a frame begins that has nothing but VLAN tags before it.
fn ipv4_at(frame: &[u8]) -> Option<usize> {
    let mut at = ETHERNET_BYTES;
    loop {
        let [high, low] = frame.get(at - 2..at)? else { return None };
        match u16::from_be_bytes([*high, *low]) {
            TYPE_IPV4 => return Some(at),
            0x8100 | 0x88a8 | 0x9100 => at += VLAN_BYTES,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::Cursor;
    use crate::profile::value::Uint;
    use crate::profile::{Field, Format, Ipv4, Ports, Profile, Stream, Tcp, Vlan, load_str};
    use crate::shard::Shard;
    use crate::testing::udp_stream;
    use crate::units::FrameSize;
    use proptest::prelude::*;

    fn plain(stream: &Stream, stamped: bool) -> Template {
        let size = stream.frame_size.bounds().0;
        Template::new(stream, FrameSize::new(size.bytes().into()).unwrap(), stamped).unwrap()
    }

    /// What a NIC does: both sums over what it finds, layer 4's with the pseudo header's sum in its place.
    fn fill_in(nic: &NicFrame, frame: &mut [u8]) {
        let (at, from) = (usize::from(nic.l2_bytes), usize::from(nic.l2_bytes + nic.l3_bytes));
        let ip = checksum::finish(checksum::sum(&frame[at..from]));
        frame[at + 10..at + 12].copy_from_slice(&ip.to_ne_bytes());
        let (place, l4) = match nic.transport {
            Transport::Udp => (from + 6, checksum::finish_udp(checksum::sum(&frame[from..]))),
            Transport::Tcp => (from + 16, checksum::finish(checksum::sum(&frame[from..]))),
        };
        frame[place..place + 2].copy_from_slice(&l4.to_ne_bytes());
    }

    fn stream(tcp: bool, tags: usize, size: u32, (src, port, ttl): (u32, u16, u8)) -> Stream {
        let udp = udp_stream(size);
        let address = |n: u32| std::net::Ipv4Addr::from(n);
        let range = Field::range(address(src), address(src), address(src + 6), address(3));
        let ip = Ipv4 { src: range, ttl: Field::range(ttl, ttl, ttl + 4, 1), ..udp.ipv4.clone().unwrap() };
        let ports = Ports { src: Field::range(port, port, port + 9, 2), dst: 53.into() };
        let (udp_part, tcp_part) = match tcp {
            true => (None, Some(Tcp::from(ports))),
            false => (Some(ports), None),
        };
        let tag = |id: u32| Vlan {
            id: Field::Fixed(Uint::new(id).unwrap()),
            priority: Field::Fixed(Uint::new(0).unwrap()),
            dei: false,
            tpid: None,
        };
        let vlan = (0..tags).map(|n| tag(n as u32 + 5)).collect();
        Stream { ipv4: Some(ip), udp: udp_part, tcp: tcp_part, vlan, ..udp }
    }

    proptest! {
        /// Whatever varies, marked or not, a NIC makes of these frames what software sends.
        #[test]
        fn a_nic_makes_softwares_bytes_of_them(
            tcp: bool, stamped: bool, tags in 0usize..3, size in 90u32..130,
            fields in (1u32..u32::MAX - 9, 1u16..u16::MAX - 9, 1u8..200), workers in 1u16..4,
        ) {
            let template = plain(&stream(tcp, tags, size, fields), stamped);
            let nic = NicFrame::new(&template).unwrap();
            prop_assert_eq!(usize::from(nic.l2_bytes), 14 + 4 * tags);
            for shard in Shard::all(workers, template.flows().unwrap()) {
                let mut software = Cursor::new(&template, shard, 7);
                let mut left = Cursor::for_nic(&nic, shard, 7);
                let (mut ours, mut theirs) = (template.bytes.clone(), nic.template.bytes.clone());
                for n in 0..40 {
                    if n == 30 {
                        software.rewind(11);
                        left.rewind(11);
                    }
                    software.write_one(&mut ours, 99);
                    // What the NIC left in the frame before doesn't matter.
                    left.write_one(&mut theirs, 99);
                    fill_in(&nic, &mut theirs);
                    prop_assert_eq!(&ours, &theirs, "frame {}", n);
                }
            }
        }
    }

    #[test]
    fn what_drivers_find_is_zero_and_the_sum_of_the_pseudo_header() {
        let nic = NicFrame::new(&plain(&udp_stream(64), false)).unwrap();
        let bytes = &nic.template.bytes;
        assert_eq!(bytes[24..26], [0, 0]);
        // 192.168.1.1, 192.168.2.1, protocol 17, 26 bytes: c0a8 + 0101 + c0a8 + 0201 + 0011 + 001a.
        assert_eq!(bytes[40..42], [0x84, 0x7e]);
        // The frame as the pool holds it is the first one that the NIC is to fill in.
        let mut first = bytes.clone();
        fill_in(&nic, &mut first);
        assert_eq!(first, plain(&udp_stream(64), false).bytes);
    }

    #[test]
    fn tunnels_and_other_protocols_stay_with_software() {
        let text = r#"{"streams": [{"frame_size": 128,
            "ethernet": {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"},
            "ipv4": {"src": "10.0.0.1", "dst": "10.0.0.2"}, HEADERS}]}"#;
        for headers in [
            r#""icmp": {"echo": "request"}"#,
            r#""udp": {"src": 1, "dst": 2}, "mpls": [{"label": 7}]"#,
            r#""gre": {}, "inner": {"ipv4": {"src": "10.1.0.1", "dst": "10.1.0.2"}, "udp": {"src": 1, "dst": 2}}"#,
        ] {
            let text = text.replace("HEADERS", headers);
            let profile: Profile = load_str(&text, Format::Json, "x").unwrap();
            assert_eq!(NicFrame::new(&plain(&profile.streams[0], false)), None, "{headers}");
        }
    }
}
