//! What a port says when it is asked who it is: ARP, ICMP and ICMPv6 echo, IPv6 neighbour discovery.
//!
//! Pure: bytes of a request in, bytes of a reply out. A request that is not for one of the port's addresses, or
//! not sound to the last checksum, gets none. Replies carry the request's VLAN tags.

mod address;
mod arp;
mod echo;
mod neighbour;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use address::{Address, AddressError};

use crate::ether::{self, HEADER_BYTES};
use crate::mac::Mac;

/// An Ethernet frame has so many bytes at least, without FCS.
const FRAME_BYTES_MIN: usize = 60;

/// Answers for one port.
#[derive(Clone, Debug)]
pub struct Responder {
    mac: [u8; 6],
    v4: Vec<Ipv4Addr>,
    v6: Vec<Ipv6Addr>,
}

/// What was said, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ARP reply.
    Arp,
    /// An echo reply, ICMP or ICMPv6.
    Echo,
    /// A neighbour advertisement.
    Neighbour,
    /// Of its own accord: a gratuitous ARP or an unsolicited advertisement.
    Announcement,
}

/// Frames that a responder has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Responded {
    /// ARP replies.
    pub arp: u64,
    /// ICMP and ICMPv6 echo replies.
    pub icmp: u64,
    /// Neighbour advertisements that were asked for.
    pub ndp: u64,
    /// Gratuitous ARPs and unsolicited neighbour advertisements.
    pub announced: u64,
}

impl Responded {
    /// Counts one.
    pub fn count(&mut self, kind: Kind) {
        match kind {
            Kind::Arp => self.arp += 1,
            Kind::Echo => self.icmp += 1,
            Kind::Neighbour => self.ndp += 1,
            Kind::Announcement => self.announced += 1,
        }
    }

    /// All frames.
    pub fn total(&self) -> u64 {
        self.arp + self.icmp + self.ndp + self.announced
    }

    /// Whether nothing was sent, for `skip_serializing_if`.
    pub fn is_none(&self) -> bool {
        self.total() == 0
    }
}

impl Responder {
    /// For a port with this MAC and these addresses.
    pub fn new(mac: Mac, addresses: &[Address]) -> Responder {
        let ips = || addresses.iter().map(Address::ip);
        let v4 = ips().filter_map(|ip| if let IpAddr::V4(ip) = ip { Some(ip) } else { None });
        let v6 = ips().filter_map(|ip| if let IpAddr::V6(ip) = ip { Some(ip) } else { None });
        Responder { mac: mac.0, v4: v4.collect(), v6: v6.collect() }
    }

    /// Writes the reply to `request` into `out`: its kind and its bytes, without FCS. None when there is nothing
    /// to say, or no room to say it.
    pub fn reply(&self, request: &[u8], out: &mut [u8]) -> Option<(Kind, usize)> {
        let request = Request::parse(request)?;
        match request.ether_type {
            ether::ARP => Some((Kind::Arp, self.arp(&request, out)?)),
            ether::IPV4 => Some((Kind::Echo, self.echo_v4(&request, out)?)),
            ether::IPV6 => {
                let solicited = self.neighbour(&request, out).map(|bytes| (Kind::Neighbour, bytes));
                solicited.or_else(|| Some((Kind::Echo, self.echo_v6(&request, out)?)))
            }
            _ => None,
        }
    }

    /// How many announcements there are: one an address.
    pub fn announcements(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Writes announcement `n`: who has this address, told to everybody. Its bytes.
    pub fn announce(&self, n: usize, out: &mut [u8]) -> Option<usize> {
        match self.v4.get(n) {
            Some(ip) => self.gratuitous_arp(*ip, out),
            None => self.unsolicited(*self.v6.get(n - self.v4.len())?, out),
        }
    }
}

/// A frame that may ask something.
#[derive(Clone, Copy, Debug)]
struct Request<'f> {
    dst: [u8; 6],
    src: [u8; 6],
    /// The tags, and the EtherType behind them.
    tags: &'f [u8],
    ether_type: u16,
    packet: &'f [u8],
}

impl<'f> Request<'f> {
    /// None for frames that are too short or from a group, which nobody is.
    fn parse(frame: &'f [u8]) -> Option<Request<'f>> {
        let (ether_type, at) = ether::network(frame)?;
        let (dst, rest) = frame.split_first_chunk()?;
        let (src, _) = rest.split_first_chunk()?;
        let is_group = src[0] & 1 == 1;
        let (tags, packet) = (frame.get(HEADER_BYTES - 2..at)?, frame.get(at..)?);
        (!is_group).then_some(Request { dst: *dst, src: *src, tags, ether_type, packet })
    }

    /// Writes the Ethernet header of an answer, tags included, and gives the room behind it.
    fn header<'o>(&self, out: &'o mut [u8], dst: [u8; 6], src: [u8; 6]) -> Option<(usize, &'o mut [u8])> {
        header(out, dst, src, self.tags)
    }
}

/// Writes an Ethernet header; `tags` ends with the EtherType. Its bytes, and the room behind it.
fn header<'o>(out: &'o mut [u8], dst: [u8; 6], src: [u8; 6], tags: &[u8]) -> Option<(usize, &'o mut [u8])> {
    let bytes = HEADER_BYTES - 2 + tags.len();
    let (head, room) = out.split_at_mut_checked(bytes)?;
    head.get_mut(..6)?.copy_from_slice(&dst);
    head.get_mut(6..12)?.copy_from_slice(&src);
    head.get_mut(12..)?.copy_from_slice(tags);
    Some((bytes, room))
}

/// Fills a frame up to the least that Ethernet allows. Its bytes; none when there is no room.
fn pad(out: &mut [u8], bytes: usize) -> Option<usize> {
    let padded = bytes.max(FRAME_BYTES_MIN);
    out.get_mut(bytes..padded)?.fill(0);
    Some(padded)
}

#[cfg(test)]
mod tests;
