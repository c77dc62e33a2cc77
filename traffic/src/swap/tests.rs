use super::*;
use crate::frame::checksum;
use proptest::prelude::*;

/// Bytes that say where they stood.
fn numbered(len: usize) -> Vec<u8> {
    (0..len).map(|i| i as u8).collect()
}

/// Ethernet header with `tags`, then the packet.
fn frame(tags: &[u16], ether_type: u16, packet: &[u8]) -> Vec<u8> {
    let mut frame = numbered(12);
    for tag in tags {
        frame.extend(tag.to_be_bytes());
        frame.extend([0, 7]);
    }
    frame.extend(ether_type.to_be_bytes());
    frame.extend(packet);
    frame
}

fn ipv4_packet(first: u8, fragment: u16, protocol: u8) -> Vec<u8> {
    let mut packet = numbered(40);
    packet[0] = first;
    packet[6..8].copy_from_slice(&fragment.to_be_bytes());
    packet[9] = protocol;
    packet
}

fn ipv6_packet(next: u8) -> Vec<u8> {
    let mut packet = numbered(60);
    packet[0] = 0x60;
    packet[6] = next;
    packet
}

fn apply(swap: Swap, frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    match swap {
        Swap::Mac => mac(&mut frame),
        Swap::Ip => ip::<false>(&mut frame),
        Swap::Port => ip::<true>(&mut frame),
    }
    frame
}

/// `frame` with the `bytes` at `a` and those at `b` swapped.
fn exchange(mut frame: Vec<u8>, a: usize, b: usize, bytes: usize) -> Vec<u8> {
    for i in 0..bytes {
        frame.swap(a + i, b + i);
    }
    frame
}

fn swapped_macs(frame: &[u8]) -> Vec<u8> {
    exchange(frame.to_vec(), 0, 6, 6)
}

const TAGS: [&[u16]; 3] = [&[], &[0x8100], &[0x88a8, 0x8100]];

#[test]
fn macs_change_places_and_nothing_else_does() {
    for len in [14, 15, 60, 1514] {
        let frame = numbered(len);
        assert_eq!(apply(Swap::Mac, &frame), swapped_macs(&frame));
    }
    assert_eq!(apply(Swap::Mac, &numbered(13)), numbered(13), "too short to have an Ethernet header");
}

#[test]
fn ipv4_addresses_and_ports_change_places_behind_any_tags() {
    for (tags, protocol) in TAGS.into_iter().flat_map(|tags| [(tags, 6), (tags, 17)]) {
        let frame = frame(tags, 0x0800, &ipv4_packet(0x45, 0x4000, protocol));
        let at = 14 + 4 * tags.len();
        let ips = exchange(swapped_macs(&frame), at + 12, at + 16, 4);
        assert_eq!(apply(Swap::Ip, &frame), ips, "{tags:x?}");
        assert_eq!(apply(Swap::Port, &frame), exchange(ips, at + 20, at + 22, 2), "{tags:x?}");
    }
}

#[test]
fn ipv6_addresses_and_ports_change_places_behind_any_tags() {
    for (tags, next) in TAGS.into_iter().flat_map(|tags| [(tags, 6), (tags, 17)]) {
        let frame = frame(tags, 0x86dd, &ipv6_packet(next));
        let at = 14 + 4 * tags.len();
        let ips = exchange(swapped_macs(&frame), at + 8, at + 24, 16);
        assert_eq!(apply(Swap::Ip, &frame), ips, "{tags:x?}");
        assert_eq!(apply(Swap::Port, &frame), exchange(ips, at + 40, at + 42, 2), "{tags:x?}");
    }
}

#[test]
fn protocols_without_ports_and_later_fragments_keep_what_stands_there() {
    for (fragment, protocol) in [(0, 1), (0, 47), (0x2001, 17), (1, 6)] {
        let frame = frame(&[], 0x0800, &ipv4_packet(0x45, fragment, protocol));
        assert_eq!(apply(Swap::Port, &frame), apply(Swap::Ip, &frame), "{fragment:x} {protocol}");
    }
    let icmp6 = frame(&[], 0x86dd, &ipv6_packet(58));
    assert_eq!(apply(Swap::Port, &icmp6), apply(Swap::Ip, &icmp6));
}

#[test]
fn what_is_not_understood_gets_its_macs_swapped_only() {
    let arp = frame(&[], 0x0806, &numbered(40));
    let options = frame(&[], 0x0800, &ipv4_packet(0x46, 0, 17));
    let version = frame(&[], 0x86dd, &ipv4_packet(0x45, 0, 17));
    let routing = frame(&[0x8100], 0x86dd, &ipv6_packet(43));
    let short = frame(&[], 0x0800, &ipv4_packet(0x45, 0, 17)[..19]);
    for frame in [arp, options, version, routing, short] {
        assert_eq!(apply(Swap::Port, &frame), swapped_macs(&frame));
    }
}

#[test]
fn a_packet_that_ends_before_its_ports_gets_its_addresses_swapped() {
    let frame = frame(&[], 0x0800, &ipv4_packet(0x45, 0, 17)[..20]);
    assert_eq!(apply(Swap::Port, &frame), apply(Swap::Ip, &frame));
    assert_ne!(apply(Swap::Port, &frame), swapped_macs(&frame));
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop_oneof![Just(0x0800u16), Just(0x86dd), Just(0x0806), any::<u16>()];
    let packet = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..80),
        (any::<u16>(), any::<u8>()).prop_map(|(f, p)| ipv4_packet(0x45, f, p)),
        any::<u8>().prop_map(ipv6_packet),
    ];
    (0..3usize, kinds, packet).prop_map(|(tags, kind, packet)| frame(TAGS[tags], kind, &packet))
}

proptest! {
    #[test]
    fn twice_swapped_is_as_it_was(frame in any_frame()) {
        for swap in [Swap::Mac, Swap::Ip, Swap::Port] {
            prop_assert_eq!(&apply(swap, &apply(swap, &frame)), &frame);
        }
    }

    #[test]
    fn no_sum_changes(frame in any_frame()) {
        for swap in [Swap::Mac, Swap::Ip, Swap::Port] {
            let swapped = apply(swap, &frame);
            let sum = |frame: &[u8]| checksum::finish(checksum::sum(frame));
            prop_assert_eq!(sum(&swapped), sum(&frame));
        }
    }

    #[test]
    fn any_bytes_are_swapped_without_panic(frame in proptest::collection::vec(any::<u8>(), 0..100)) {
        for swap in [Swap::Mac, Swap::Ip, Swap::Port] {
            prop_assert_eq!(apply(swap, &frame).len(), frame.len());
        }
    }
}
