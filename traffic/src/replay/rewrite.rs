//! Fields of a captured frame set to one value, with checksums that stay as right as they were (RFC 1624).

use super::headers::{Ip, Layers};
use crate::frame::checksum::{UDP_ZERO, fold};
use crate::profile::replay::Rewrite;

/// How many frames had each of the fields, in the order of [`NAMES`].
pub type Touched = [u64; NAMES.len()];
/// The fields as a profile names them.
pub const NAMES: [&str; 9] =
    ["src_mac", "dst_mac", "src_ip", "dst_ip", "src_ip6", "dst_ip6", "src_port", "dst_port", "vlan_id"];

const VLAN_ID: u16 = 0x0fff;

/// Sets all fields that `frame` has, and counts them.
pub fn rewrite(frame: &mut [u8], layers: &Layers, to: &Rewrite, touched: &mut Touched) {
    if let Some(mac) = to.src_mac {
        touched[0] += u64::from(put(frame, 6, &mac.0));
    }
    if let Some(mac) = to.dst_mac {
        touched[1] += u64::from(put(frame, 0, &mac.0));
    }
    if let Some(ip) = &layers.ip {
        let (src, dst, _) = ip.addresses();
        let [src4, dst4] = [to.src_ip, to.dst_ip].map(|a| a.filter(|_| !ip.is_v6).map(|a| a.octets()));
        let [src6, dst6] = [to.src_ip6, to.dst_ip6].map(|a| a.filter(|_| ip.is_v6).map(|a| a.octets()));
        let covered = [true, ip.is_last_stop];
        touched[2] += u64::from(src4.is_some_and(|a| address(frame, ip, src, &a, covered[0])));
        touched[3] += u64::from(dst4.is_some_and(|a| address(frame, ip, dst, &a, covered[1])));
        touched[4] += u64::from(src6.is_some_and(|a| address(frame, ip, src, &a, covered[0])));
        touched[5] += u64::from(dst6.is_some_and(|a| address(frame, ip, dst, &a, covered[1])));
        if let Some(ports) = ip.ports() {
            touched[6] += u64::from(to.src_port.is_some_and(|p| port(frame, ip, ports, p)));
            touched[7] += u64::from(to.dst_port.is_some_and(|p| port(frame, ip, ports + 2, p)));
        }
    }
    if let (Some(id), Some(at)) = (to.vlan_id, layers.tag)
        && let Some([a, b]) = frame.get(at..at + 2)
    {
        // Priority and drop eligibility stay.
        let tag = u16::from_be_bytes([*a, *b]) & !VLAN_ID | id & VLAN_ID;
        touched[8] += u64::from(put(frame, at, &tag.to_be_bytes()));
    }
}

/// Sets an address; IPv4's checksum covers it, and layer 4's through the pseudo header unless a route goes on.
fn address(frame: &mut [u8], ip: &Ip, at: usize, new: &[u8], is_covered: bool) -> bool {
    let Some(change) = set(frame, at, new) else { return false };
    if let Some(place) = ip.checksum() {
        adjust(frame, place, change, false);
    }
    if let Some(place) = ip.l4_checksum().filter(|_| is_covered) {
        adjust(frame, place, change, ip.has_udp_zero());
    }
    true
}

fn port(frame: &mut [u8], ip: &Ip, at: usize, new: u16) -> bool {
    let Some(change) = set(frame, at, &new.to_be_bytes()) else { return false };
    if let Some(place) = ip.l4_checksum() {
        adjust(frame, place, change, ip.has_udp_zero());
    }
    true
}

/// Writes words and says what they add to a sum: ~m + m' of RFC 1624 §3, in native order.
fn set(frame: &mut [u8], at: usize, new: &[u8]) -> Option<u64> {
    let place = frame.get_mut(at..at + new.len())?;
    let mut change = 0;
    for (old, new) in place.as_chunks_mut::<2>().0.iter_mut().zip(new.as_chunks::<2>().0) {
        change += u64::from(!u16::from_ne_bytes(*old)) + u64::from(u16::from_ne_bytes(*new));
        *old = *new;
    }
    Some(change)
}

/// HC' = ~(~HC + ~m + m').
fn adjust(frame: &mut [u8], at: usize, change: u64, has_udp_zero: bool) {
    let Some(place) = frame.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<2>()) else { return };
    let old = u16::from_ne_bytes(*place);
    if has_udp_zero && old == 0 {
        return;
    }
    let new = !(fold(u64::from(!old) + change) as u16);
    *place = if has_udp_zero && new == 0 { UDP_ZERO } else { new }.to_ne_bytes();
}

fn put(frame: &mut [u8], at: usize, bytes: &[u8]) -> bool {
    frame.get_mut(at..at + bytes.len()).is_some_and(|place| {
        place.copy_from_slice(bytes);
        true
    })
}
