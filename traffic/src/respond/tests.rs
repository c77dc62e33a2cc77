use super::*;
use proptest::prelude::*;

const OURS: [u8; 6] = [2, 0, 0, 0, 0, 1];
const THEIRS: [u8; 6] = [2, 0, 0, 0, 0, 9];
const EVERYBODY: [u8; 6] = [0xff; 6];
const V4: [u8; 4] = [10, 0, 0, 1];
const THEIR_V4: [u8; 4] = [10, 0, 0, 2];

fn v6(last: u16) -> [u8; 16] {
    Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0x3456, last).octets()
}

fn responder() -> Responder {
    let v6 = Ipv6Addr::from(v6(1)).to_string();
    let addresses = ["10.0.0.1/24", "10.9.9.9", v6.as_str()].map(|a| a.parse().unwrap());
    Responder::new(Mac(OURS), &addresses)
}

fn reply(request: &[u8]) -> Option<(Kind, Vec<u8>)> {
    // What stood there before must not show.
    let mut out = vec![0xee; 2000];
    let (kind, bytes) = responder().reply(request, &mut out)?;
    Some((kind, out[..bytes].to_vec()))
}

/// RFC 1071, word by word, with none of the library's own code.
fn checksum(parts: &[&[u8]]) -> [u8; 2] {
    let mut sum = 0u32;
    for word in parts.concat().chunks(2) {
        sum += u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

fn ethernet(dst: [u8; 6], tags: &[u8], ether_type: u16, packet: &[u8]) -> Vec<u8> {
    let mut frame = [&dst[..], &THEIRS, tags, &ether_type.to_be_bytes(), packet].concat();
    frame.resize(frame.len().max(60), 0);
    frame
}

fn arp_request(operation: u8, target: [u8; 4]) -> Vec<u8> {
    let head = [0, 1, 8, 0, 6, 4, 0, operation];
    [&head[..], &THEIRS, &THEIR_V4, &[0; 6], &target].concat()
}

fn ipv4(protocol: u8, src: [u8; 4], dst: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len() as u16).to_be_bytes();
    let mut header = [&[0x45, 0][..], &total, &[0x12, 0x34, 0x40, 0, 3, protocol, 0, 0], &src, &dst].concat();
    let sum = checksum(&[&header]);
    header[10..12].copy_from_slice(&sum);
    [header, payload.to_vec()].concat()
}

fn echo_v4(payload: &[u8]) -> Vec<u8> {
    let mut icmp = [&[8, 0, 0, 0, 0xab, 0xcd, 0, 7], payload].concat();
    let sum = checksum(&[&icmp]);
    icmp[2..4].copy_from_slice(&sum);
    icmp
}

fn icmpv6(src: [u8; 16], dst: [u8; 16], hop_limit: u8, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    let length = (message.len() as u16).to_be_bytes();
    let sum = checksum(&[&src, &dst, &length, &[0, 58], &message]);
    message[2..4].copy_from_slice(&sum);
    [&[0x60, 0, 0, 0], &length[..], &[58, hop_limit], &src, &dst, &message].concat()
}

fn solicitation(target: [u8; 16]) -> Vec<u8> {
    [&[135, 0, 0, 0, 0, 0, 0, 0], &target[..], &[1, 1], &THEIRS].concat()
}

fn solicited_node() -> [u8; 16] {
    let mut group = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0];
    group[13..].copy_from_slice(&v6(1)[13..]);
    group
}

/// An ICMPv6 packet's fields, its checksum proved: source, destination, hop limit, message.
fn open_v6(packet: &[u8]) -> (&[u8], &[u8], u8, &[u8]) {
    let length = usize::from(u16::from_be_bytes([packet[4], packet[5]]));
    let (src, dst, message) = (&packet[8..24], &packet[24..40], &packet[40..40 + length]);
    assert_eq!((packet[0] >> 4, packet[6]), (6, 58));
    assert_eq!(checksum(&[src, dst, &packet[4..6], &[0, 58], message]), [0, 0], "ICMPv6 checksum");
    (src, dst, packet[7], message)
}

#[test]
fn who_asks_by_arp_learns_our_mac() {
    for tags in [&[][..], &[0x81, 0, 0, 5], &[0x88, 0xa8, 0, 5, 0x81, 0, 0x60, 6]] {
        let (kind, frame) = reply(&ethernet(EVERYBODY, tags, 0x0806, &arp_request(1, V4))).unwrap();
        let at = 14 + tags.len();
        assert_eq!((kind, frame.len()), (Kind::Arp, 60.max(at + 28)));
        assert_eq!((&frame[..6], &frame[6..12], &frame[12..at - 2]), (&THEIRS[..], &OURS[..], tags));
        let want = [&[8, 6, 0, 1, 8, 0, 6, 4, 0, 2][..], &OURS, &V4, &THEIRS, &THEIR_V4].concat();
        assert_eq!(frame[at - 2..at + 28], want);
        assert!(frame[at + 28..].iter().all(|b| *b == 0), "padding is zero");
    }
    assert!(reply(&ethernet(OURS, &[], 0x0806, &arp_request(1, [10, 9, 9, 9]))).is_some(), "every address");
}

#[test]
fn arp_that_is_not_for_us_gets_no_answer() {
    for packet in [arp_request(1, [10, 0, 0, 3]), arp_request(2, V4), arp_request(1, V4)[..27].to_vec()] {
        let mut frame = ethernet(EVERYBODY, &[], 0x0806, &packet);
        frame.truncate(14 + packet.len());
        assert_eq!(reply(&frame), None);
    }
    let mut conflict = arp_request(1, V4);
    conflict[14..18].copy_from_slice(&V4);
    assert_eq!(reply(&ethernet(EVERYBODY, &[], 0x0806, &conflict)), None, "it says that it has our address");
}

#[test]
fn ping_comes_back_with_its_payload_and_valid_checksums() {
    for (payload, tags) in [(0, &[][..]), (1, &[]), (56, &[0x81, 0, 0, 5]), (1400, &[])] {
        let payload: Vec<u8> = (0..payload).map(|i| i as u8).collect();
        let packet = ipv4(1, THEIR_V4, V4, &echo_v4(&payload));
        let (kind, frame) = reply(&ethernet(OURS, tags, 0x0800, &packet)).unwrap();
        assert_eq!(kind, Kind::Echo);
        assert_eq!((&frame[..6], &frame[6..12]), (&THEIRS[..], &OURS[..]));
        let at = 14 + tags.len();
        assert_eq!(frame.len(), 60.max(at + packet.len()));
        let (header, icmp) = (&frame[at..at + 20], &frame[at + 20..at + packet.len()]);
        assert_eq!((&header[12..16], &header[16..20], header[8]), (&V4[..], &THEIR_V4[..], 64));
        assert_eq!(checksum(&[header]), [0, 0], "IPv4 checksum");
        assert_eq!(checksum(&[icmp]), [0, 0], "ICMP checksum");
        assert_eq!((&icmp[..2], &icmp[4..8]), (&[0, 0][..], &[0xab, 0xcd, 0, 7][..]));
        assert_eq!(icmp[8..], payload);
    }
}

#[test]
fn ping_6_comes_back_with_its_payload_and_a_valid_checksum() {
    let message = [&[128, 0, 0, 0, 0xab, 0xcd, 0, 7][..], b"payload"].concat();
    let packet = icmpv6(v6(2), v6(1), 3, &message);
    let (kind, frame) = reply(&ethernet(OURS, &[], 0x86dd, &packet)).unwrap();
    assert_eq!((kind, frame.len()), (Kind::Echo, 14 + packet.len()));
    let (src, dst, hop_limit, message) = open_v6(&frame[14..]);
    assert_eq!((src, dst, hop_limit), (&v6(1)[..], &v6(2)[..], 64));
    assert_eq!(message[..2], [129, 0]);
    assert_eq!(message[4..], [&[0xab, 0xcd, 0, 7][..], b"payload"].concat());
}

#[test]
fn who_solicits_a_neighbour_learns_our_mac() {
    let advert = |flags| [&[flags, 0, 0, 0], &v6(1)[..], &[2, 1], &OURS].concat();
    for dst in [solicited_node(), v6(1)] {
        let packet = icmpv6(v6(2), dst, 255, &solicitation(v6(1)));
        let (kind, frame) = reply(&ethernet(OURS, &[], 0x86dd, &packet)).unwrap();
        assert_eq!((kind, &frame[..6]), (Kind::Neighbour, &THEIRS[..]));
        let (src, dst, hop_limit, message) = open_v6(&frame[14..]);
        assert_eq!((src, dst, hop_limit), (&v6(1)[..], &v6(2)[..], 255));
        assert_eq!((&message[..2], &message[4..]), (&[136, 0][..], &advert(0x60)[..]));
    }
    // Somebody who wants the address for himself is told in front of everybody.
    let packet = icmpv6([0; 16], solicited_node(), 255, &solicitation(v6(1)));
    let (_, frame) = reply(&ethernet(OURS, &[], 0x86dd, &packet)).unwrap();
    assert_eq!(frame[..6], [0x33, 0x33, 0, 0, 0, 1]);
    let (_, dst, _, message) = open_v6(&frame[14..]);
    assert_eq!(dst, [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(message[4..], advert(0x20));
}

#[test]
fn what_is_not_asked_of_us_or_not_sound_gets_no_answer() {
    let ping = |dst_mac, src, dst| ethernet(dst_mac, &[], 0x0800, &ipv4(1, src, dst, &echo_v4(b"x")));
    assert!(reply(&ping(OURS, THEIR_V4, V4)).is_some());
    assert_eq!(reply(&ping(EVERYBODY, THEIR_V4, V4)), None, "another MAC");
    assert_eq!(reply(&ping(OURS, THEIR_V4, [10, 0, 0, 3])), None, "another address");
    assert_eq!(reply(&ping(OURS, [255; 4], V4)), None, "from everybody");
    assert_eq!(reply(&ping(OURS, [0; 4], V4)), None, "from nobody");
    assert_eq!(reply(&ethernet(OURS, &[], 0x0800, &ipv4(17, THEIR_V4, V4, &echo_v4(b"x")))), None, "UDP");
    let mut from_group = ping(OURS, THEIR_V4, V4);
    from_group[6] |= 1;
    assert_eq!(reply(&from_group), None, "from a group's MAC");
    let mut fragment = ipv4(1, THEIR_V4, V4, &echo_v4(b"x"));
    (fragment[6], fragment[10]) = (0x60, fragment[10].wrapping_sub(0x20));
    assert_eq!(reply(&ethernet(OURS, &[], 0x0800, &fragment)), None, "a first fragment");

    let ndp = |hop_limit, target: [u8; 16], dst| icmpv6(v6(2), dst, hop_limit, &solicitation(target));
    let ask = |packet: Vec<u8>| reply(&ethernet(OURS, &[], 0x86dd, &packet));
    assert!(ask(ndp(255, v6(1), solicited_node())).is_some());
    assert_eq!(ask(ndp(254, v6(1), solicited_node())), None, "it came over a router");
    assert_eq!(ask(ndp(255, v6(3), solicited_node())), None, "another target");
    assert_eq!(ask(ndp(255, v6(1), v6(3))), None, "another destination");
    let echo = [128, 0, 0, 0, 0, 0, 0, 0];
    assert!(ask(icmpv6(v6(2), v6(1), 64, &echo)).is_some());
    assert_eq!(ask(icmpv6(v6(2), solicited_node(), 64, &echo)), None, "a group's ping");
    assert_eq!(ask(icmpv6([0; 16], v6(1), 64, &echo)), None, "from nobody");
}

#[test]
fn everybody_is_told_of_every_address() {
    let ours = responder();
    assert_eq!(ours.announcements(), 3);
    let mut out = [0xee; 100];
    for (n, ip) in [V4, [10, 9, 9, 9]].iter().enumerate() {
        assert_eq!(ours.announce(n, &mut out), Some(60));
        let head = [&EVERYBODY[..], &OURS, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1]].concat();
        assert_eq!(out[..42], [&head[..], &OURS, ip, &[0; 6], ip].concat());
        assert!(out[42..60].iter().all(|b| *b == 0));
    }
    assert_eq!(ours.announce(2, &mut out), Some(86));
    assert_eq!((&out[..6], &out[12..14]), (&[0x33, 0x33, 0, 0, 0, 1][..], &[0x86, 0xdd][..]));
    let (src, _, hop_limit, message) = open_v6(&out[14..]);
    assert_eq!((src, hop_limit, &message[..2], message[4]), (&v6(1)[..], 255, &[136, 0][..], 0x20));
    assert_eq!(ours.announce(3, &mut out), None);
    assert_eq!(ours.announce(0, &mut out[..59]), None, "no room");
}

#[test]
fn without_addresses_nothing_is_said() {
    let nobody = Responder::new(Mac(OURS), &[]);
    let mut out = [0; 2000];
    assert_eq!(nobody.reply(&ethernet(EVERYBODY, &[], 0x0806, &arp_request(1, V4)), &mut out), None);
    assert_eq!(nobody.announcements(), 0);
}

/// Requests that get an answer.
fn sound() -> Vec<Vec<u8>> {
    let echo_v6 = [&[128, 0, 0, 0, 0xab, 0xcd, 0, 7][..], b"payload"].concat();
    vec![
        ethernet(OURS, &[], 0x0800, &ipv4(1, THEIR_V4, V4, &echo_v4(b"payload"))),
        ethernet(OURS, &[], 0x86dd, &icmpv6(v6(2), v6(1), 64, &echo_v6)),
        ethernet(OURS, &[], 0x86dd, &icmpv6(v6(2), solicited_node(), 255, &solicitation(v6(1)))),
        ethernet(EVERYBODY, &[], 0x0806, &arp_request(1, V4)),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_answered_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
        room in 0usize..120,
    ) {
        let mut out = vec![0; room];
        if let Some((_, written)) = responder().reply(&bytes, &mut out) {
            prop_assert!(written <= room);
        }
    }

    #[test]
    fn a_sound_request_cut_or_changed_anywhere_does_no_harm(
        which in 0usize..4, at in 0usize..90, byte: u8, len in 0usize..90, room in 0usize..120,
    ) {
        let mut frame = sound()[which].clone();
        let at = at % frame.len();
        frame[at] = byte;
        frame.truncate(len);
        let mut out = vec![0; room];
        if let Some((_, written)) = responder().reply(&frame, &mut out) {
            prop_assert!(written <= room);
        }
    }

    #[test]
    fn a_flipped_bit_in_a_checked_request_is_seen(which in 0usize..2, bit in 0usize..60 * 8) {
        let mut frame = sound()[which].clone();
        let packet = if which == 0 { 14..14 + 20 + 15 } else { 14..14 + 40 + 15 };
        let at = packet.start + bit / 8 % packet.len();
        // ICMPv6 does not cover traffic class, flow label and hop limit.
        prop_assume!(which == 0 || !(14..18).contains(&at) && at != 21);
        frame[at] ^= 1 << (bit % 8);
        prop_assert_eq!(reply(&frame), None);
    }
}
