//! VXLAN and GTP-U, byte for byte: headers by RFC 7348 and TS 29.281, and behind them Pktgen's fill pattern, which is
//! laid over the whole buffer from its start.

use traffic::frame::Template;
use traffic::profile::Stream;
use traffic::units::FrameSize;

use super::{import, notes};

/// Layer 4 of the frame that Pktgen sends between 10.0.0.1 and 10.0.0.2, behind Ethernet and IPv4.
const L4_AT: usize = 34;
const ADDRESSES: [u8; 8] = [10, 0, 0, 1, 10, 0, 0, 2];

fn stream(more: &str) -> Stream {
    let text = format!(
        "pktgen.set('0', 'size', 132)\npktgen.set('0', 'sport', 4321)\npktgen.set_ipaddr('0', 'src', '10.0.0.1/24')\n\
         pktgen.set_ipaddr('0', 'dst', '10.0.0.2')\npktgen.set_mac('0', 'src', '02:00:00:00:00:01')\n\
         pktgen.set_mac('0', 'dst', '02:00:00:00:00:02')\npktgen.set_proto('0', 'udp')\n{more}\npktgen.start(0)"
    );
    let import = import(&text).unwrap();
    assert!(!notes(&import).iter().any(|n| n.contains("warning")), "{:?}", notes(&import));
    import.profile.streams[0].clone()
}

fn ones_sum(bytes: impl IntoIterator<Item = u8>) -> u16 {
    let bytes: Vec<u8> = bytes.into_iter().collect();
    let words =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let sum = words.fold(0, |sum, word| ((sum + word) & 0xffff) + ((sum + word) >> 16));
    sum as u16
}

/// UDP of 94 bytes with a valid checksum, a tunnel's header, and the pattern from where the buffer's byte stands.
fn expected(dst: u16, tunnel: [u8; 8]) -> Vec<u8> {
    let mut l4 = Vec::new();
    for field in [4321, dst, 94, 0] {
        l4.extend(u16::to_be_bytes(field));
    }
    l4.extend(tunnel);
    // 50 bytes of headers: `a` is the buffer's first byte, its 51st is `s`.
    let letters = b"stuvwxyz012345abcdefghijklmnopqr".iter().copied().cycle();
    l4.extend(letters.take(128 - 50));
    let pseudo = ADDRESSES.into_iter().chain([0, 17, 0, 94]);
    let checksum = !ones_sum(pseudo.chain(l4.iter().copied()));
    l4[6..8].copy_from_slice(&checksum.to_be_bytes());
    l4
}

fn frame(stream: &Stream) -> Vec<u8> {
    Template::new(stream, FrameSize::new(132).unwrap(), false).unwrap().bytes
}

#[test]
fn vxlan_carries_the_fill_pattern() {
    let stream = stream("pktgen.vxlan_id('0', 0x8, 0, 4242)\npktgen.vxlan('0', 'on')");
    let frame = frame(&stream);
    assert_eq!(frame[26..34], ADDRESSES);
    assert_eq!(frame[L4_AT..], expected(4789, [8, 0, 0, 0, 0, 0x10, 0x92, 0]));
}

#[test]
fn gtp_u_carries_the_fill_pattern() {
    let stream = stream("pktgen.set('0', 'dport', 2152)\npktgen.gtpu_teid('0', 'start', 99)");
    let frame = frame(&stream);
    assert_eq!(frame[26..34], ADDRESSES);
    assert_eq!(frame[L4_AT..], expected(2152, [0x30, 0xff, 0, 78, 0, 0, 0, 99]));
}

#[test]
fn tunnels_of_other_protocols_are_over_udp_and_said() {
    for (more, said) in [
        ("pktgen.vxlan('0', 'on')", "VXLAN is over UDP: Pktgen sends packets of another protocol without it"),
        ("pktgen.set('0', 'dport', 2152)", "it is sent over UDP"),
    ] {
        let import = import(&format!("pktgen.set_proto('0', 'tcp')\n{more}\npktgen.start(0)")).unwrap();
        assert!(notes(&import).iter().any(|n| n.contains(said)), "{:?}", notes(&import));
        let stream = &import.profile.streams[0];
        assert!(stream.udp.is_some() && stream.tcp.is_none() && stream.inner.is_none());
    }
}
