//! Rewriting: every field, every checksum, nothing else.

use proptest::prelude::*;

use super::{Kind, UDP, load, replay};
use crate::mac::Mac;
use crate::profile::replay::Rewrite;
use crate::replay::headers::layers;
use crate::replay::rewrite::{Touched, rewrite};

fn kinds() -> impl Strategy<Value = Kind> {
    let protocol = (any::<bool>(), 0usize..3).prop_map(|(v6, n)| (v6, [6, 17, if v6 { 58 } else { 1 }][n]));
    (protocol, 0usize..3, any::<[u8; 2]>(), any::<[u16; 2]>(), 0usize..90).prop_map(
        |((v6, protocol), tags, ends, ports, payload)| Kind { v6, protocol, tags, ends, ports, payload },
    )
}

fn apply(frame: &[u8], to: &Rewrite) -> (Vec<u8>, Touched) {
    let (mut frame, mut touched) = (frame.to_vec(), Touched::default());
    let layers = layers(&frame);
    rewrite(&mut frame, &layers, to, &mut touched);
    (frame, touched)
}

proptest! {
    #[test]
    fn every_field_is_set_and_checksums_stay_valid(
        kind in kinds(), macs: [[u8; 6]; 2], v4: [u32; 2], v6: [u128; 2], ports: [u16; 2], id in 0u16..4095,
    ) {
        let to = Rewrite {
            src_mac: Some(Mac(macs[0])),
            dst_mac: Some(Mac(macs[1])),
            src_ip: Some(v4[0].into()),
            dst_ip: Some(v4[1].into()),
            src_ip6: Some(v6[0].into()),
            dst_ip6: Some(v6[1].into()),
            src_port: Some(ports[0]),
            dst_port: Some(ports[1]),
            vlan_id: Some(id),
        };
        let old = kind.frame();
        prop_assert!(kind.is_valid(&old));
        let (new, touched) = apply(&old, &to);
        prop_assert!(kind.is_valid(&new), "{:?}", kind);
        prop_assert_eq!(&new[..12], &[macs[1], macs[0]].concat());
        let (ip, has_ports) = (kind.ip_at(), matches!(kind.protocol, 6 | 17));
        if kind.v6 {
            prop_assert_eq!(&new[ip + 8..ip + 40], &v6.map(u128::to_be_bytes).concat());
        } else {
            prop_assert_eq!(&new[ip + 12..ip + 20], &v4.map(u32::to_be_bytes).concat());
        }
        if has_ports {
            prop_assert_eq!(&new[kind.l4_at()..][..4], &ports.map(u16::to_be_bytes).concat());
        }
        if kind.tags > 0 {
            // Priority 5 stays; inner tags do.
            prop_assert_eq!(&new[14..16], &(0xa000 | id).to_be_bytes());
            prop_assert_eq!(&new[16..ip], &old[16..ip]);
        }
        let (four, six) = (u64::from(!kind.v6), u64::from(kind.v6));
        let (port, tag) = (u64::from(has_ports), u64::from(kind.tags > 0));
        prop_assert_eq!(touched, [1, 1, four, four, six, six, port, port, tag]);
        // The rest is as it was.
        let behind = kind.l4_at() + if kind.protocol == 6 { 18 } else { 8 };
        prop_assert_eq!(&new[behind..], &old[behind..]);
    }

    #[test]
    fn any_bytes_are_looked_through_without_panic(kind in kinds(), cut in 0usize..120, noise: [u8; 24]) {
        let mut frame = kind.frame();
        // Behind the addresses: types, lengths and next headers that contradict what follows.
        for (place, byte) in frame[12..].iter_mut().zip(noise) {
            *place ^= if byte > 200 { byte } else { 0 };
        }
        frame.truncate(cut);
        let to = Rewrite {
            src_ip: Some([1, 2, 3, 4].into()),
            dst_ip6: Some(7u128.into()),
            src_port: Some(9),
            vlan_id: Some(3),
            ..Rewrite::default()
        };
        prop_assert_eq!(apply(&frame, &to).0.len(), frame.len());
    }
}

#[test]
fn a_udp_checksum_of_zero_stays_none_and_is_never_made() {
    let to = |port| Rewrite { src_port: Some(port), ..Rewrite::default() };
    let mut none = UDP.frame();
    none[40..42].fill(0);
    assert_eq!(&apply(&none, &to(7)).0[40..42], &[0, 0]);
    // One of all ports makes the sum ffff, and the checksum zero.
    let sums = (0..=u16::MAX).map(|port| apply(&UDP.frame(), &to(port)).0);
    let mut zeros = 0;
    for frame in sums {
        assert!(UDP.is_valid(&frame));
        assert_ne!(&frame[40..42], &[0, 0]);
        zeros += u32::from(frame[40..42] == [0xff, 0xff]);
    }
    assert_eq!(zeros, 1);
}

#[test]
fn a_later_fragment_keeps_its_payload() {
    let to = Rewrite { src_ip: Some([9, 9, 9, 9].into()), src_port: Some(1), ..Rewrite::default() };
    let mut later = UDP.frame();
    // 8 bytes into the datagram.
    later[20..22].copy_from_slice(&[0, 1]);
    let (new, touched) = apply(&later, &to);
    assert_eq!(new[34..], later[34..]);
    assert_eq!((touched[2], touched[6]), (1, 0));
    assert_eq!(super::ones(&new[14..34]).wrapping_sub(super::ones(&later[14..34])), 0);
}

#[test]
fn a_datagram_in_two_parts_stays_valid_as_a_whole() {
    let whole = Kind { payload: 120, ..UDP }.frame();
    // 8 + 120 bytes behind the IPv4 header: 64 in each part.
    let part = |payload: &[u8], fragment: [u8; 2]| {
        let mut part = [&whole[..34], payload].concat();
        part[16..18].copy_from_slice(&84u16.to_be_bytes());
        part[20..22].copy_from_slice(&fragment);
        part
    };
    let to = Rewrite { src_ip: Some([9, 8, 7, 6].into()), dst_port: Some(99), ..Rewrite::default() };
    let [first, second] =
        [part(&whole[34..98], [0x20, 0]), part(&whole[98..], [0, 8])].map(|p| apply(&p, &to).0);
    let mut joined = [&first[..], &second[34..]].concat();
    assert_eq!(joined[26..30], [9, 8, 7, 6]);
    assert_eq!(joined[36..38], [0, 99]);
    // Only the IPv4 header's own checksum was for other lengths.
    joined[16..18].copy_from_slice(&whole[16..18]);
    joined[24..26].fill(0);
    let sum = !super::ones(&joined[14..34]);
    joined[24..26].copy_from_slice(&sum.to_be_bytes());
    assert!(Kind { payload: 120, ..UDP }.is_valid(&joined));
}

#[test]
fn behind_ipv6_extensions_layer_4_is_found() {
    let kind = Kind { v6: true, protocol: 17, ..UDP };
    let plain = kind.frame();
    let rewritten = |segments_left: u8| {
        // Hop-by-hop and routing of 8 bytes each, before UDP.
        let extensions = [43, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, segments_left, 0, 0, 0, 0];
        let mut frame = [&plain[..54], &extensions, &plain[54..]].concat();
        frame[20] = 0;
        let to = Rewrite { dst_ip6: Some(1u128.into()), dst_port: Some(5), ..Rewrite::default() };
        let new = apply(&frame, &to).0;
        // Without the extensions again: the pseudo header knows nothing of them.
        let mut back = [&new[..54], &new[70..]].concat();
        back[20] = 17;
        back
    };
    assert!(kind.is_valid(&rewritten(0)));
    // On a route that goes on, the destination's checksum is of its end, which was not changed.
    let mut on_route = rewritten(1);
    on_route[38..54].copy_from_slice(&plain[38..54]);
    assert!(kind.is_valid(&on_route));
}

#[test]
fn a_rewrite_that_no_frame_has_is_said() {
    let to = Rewrite { vlan_id: Some(5), src_mac: Some(Mac([2; 6])), ..Rewrite::default() };
    let capture =
        load(&super::file(&[(0, UDP.frame())]), &super::Replay { rewrite: to, ..replay() }).unwrap();
    assert!(capture.warnings.iter().any(|w| w.contains("rewrite.vlan_id")), "{:?}", capture.warnings);
    assert!(!capture.warnings.iter().any(|w| w.contains("src_mac")));
    assert_eq!(&capture.frame(&capture.frames()[0])[6..12], &[2; 6]);
}
