//! ARP (RFC 826): who has this address, and the answer; gratuitous ARP (RFC 5227 §2.3).

use std::net::Ipv4Addr;

use super::{Request, Responder, header, pad};
use crate::ether;

/// Ethernet and IPv4, with addresses of 6 and 4 bytes.
const ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];
const REQUEST: [u8; 2] = [0, 1];
const REPLY: [u8; 2] = [0, 2];
const ARP_BYTES: usize = 28;
const EVERYBODY: [u8; 6] = [0xff; 6];

impl Responder {
    pub(super) fn arp(&self, request: &Request<'_>, out: &mut [u8]) -> Option<usize> {
        let arp: &[u8; ARP_BYTES] = request.packet.first_chunk()?;
        let (kind, rest) = arp.split_first_chunk::<8>()?;
        if kind[..6] != ETHERNET_IPV4 || kind[6..] != REQUEST {
            return None;
        }
        let (asker_mac, rest) = rest.split_first_chunk::<6>()?;
        let (asker_ip, rest) = rest.split_first_chunk::<4>()?;
        let target = Ipv4Addr::from(*rest.last_chunk::<4>()?);
        // Somebody else who says that this is his address is in conflict with us: no answer would help.
        let is_ours = self.v4.contains(&target) && target.octets() != *asker_ip && asker_mac[0] & 1 == 0;
        if !is_ours {
            return None;
        }
        let (bytes, room) = request.header(out, *asker_mac, self.mac)?;
        write(room, REPLY, (self.mac, target.octets()), (*asker_mac, *asker_ip))?;
        pad(out, bytes + ARP_BYTES)
    }

    /// An ARP request by us, for our own address: all who know it by another MAC learn ours.
    pub(super) fn gratuitous_arp(&self, ip: Ipv4Addr, out: &mut [u8]) -> Option<usize> {
        let (bytes, room) = header(out, EVERYBODY, self.mac, &ether::ARP.to_be_bytes())?;
        write(room, REQUEST, (self.mac, ip.octets()), ([0; 6], ip.octets()))?;
        pad(out, bytes + ARP_BYTES)
    }
}

type Party = ([u8; 6], [u8; 4]);

fn write(room: &mut [u8], operation: [u8; 2], sender: Party, target: Party) -> Option<()> {
    let parts: [&[u8]; 6] = [&ETHERNET_IPV4, &operation, &sender.0, &sender.1, &target.0, &target.1];
    let mut at = 0;
    for part in parts {
        room.get_mut(at..at + part.len())?.copy_from_slice(part);
        at += part.len();
    }
    Some(())
}
