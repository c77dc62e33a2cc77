//! UDP sockets that nobody reads, for frames that the kernel gets a copy of.
//!
//! On `iface:` the kernel's own stack sees every frame too. Where a frame is addressed to this pod (a routed network
//! brings no others), the stack answers each with an ICMP error that quotes it, mark and all: work for the CPU under
//! measurement, and copies that a receiver would count. A bound socket with the smallest buffer swallows them.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use rustix::net::sockopt::set_socket_recv_buffer_size;
use traffic::profile::{Field, Profile};

/// Ports at most; a profile that varies the destination port over more is answered as before.
const PORTS_MAX: usize = 64;

/// Open for as long as the run.
#[derive(Debug, Default)]
pub struct Sink {
    _sockets: Vec<UdpSocket>,
}

impl Sink {
    /// One socket for each local address and port that `profile` is addressed to. An address that is not this host's
    /// can't be bound, and what is not bound is none of the kernel's business; a port that somebody has bound answers
    /// for itself.
    pub fn open(profile: &Profile) -> Sink {
        let sockets = destinations(profile).into_iter().filter_map(|place| UdpSocket::bind(place).ok());
        let sockets = sockets.inspect(|socket| {
            // Only a smaller buffer: the kernel has a least one, and a larger one does no harm.
            let _ = set_socket_recv_buffer_size(socket, 1);
        });
        Sink { _sockets: sockets.collect() }
    }
}

/// Where a profile's UDP frames go, as far as that is one address and few ports.
fn destinations(profile: &Profile) -> Vec<SocketAddr> {
    let mut places = Vec::new();
    for stream in &profile.streams {
        let Some(udp) = &stream.udp else { continue };
        let ip: IpAddr = match (&stream.ipv4, &stream.ipv6) {
            (Some(ip), _) => match ip.dst {
                Field::Fixed(ip) => ip.into(),
                _ => continue,
            },
            (None, Some(ip)) => match ip.dst {
                Field::Fixed(ip) => ip.into(),
                _ => continue,
            },
            (None, None) => continue,
        };
        let ports: Vec<u16> = match &udp.dst {
            Field::Fixed(port) => vec![*port],
            Field::Range(range) => (range.min.min(range.start)..=range.max.max(range.start)).collect(),
            Field::List(list) => list.list.clone(),
            Field::Random(_) | Field::Bits(_) => continue,
        };
        places.extend(ports.into_iter().map(|port| SocketAddr::new(ip, port)));
        places.sort_unstable();
        places.dedup();
        if places.len() > PORTS_MAX {
            places.truncate(PORTS_MAX);
            break;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use traffic::mac::Mac;
    use traffic::profile::{Ethernet, Ipv4, Ports, Stream};
    use traffic::units::FrameSize;

    fn to(ip: Ipv4Addr, dst: Field<u16>) -> Profile {
        let mac = Mac::from_u64(2);
        let stream = Stream {
            ipv4: Some(Ipv4::between(Ipv4Addr::LOCALHOST.into(), ip.into())),
            udp: Some(Ports { src: 1.into(), dst }),
            ..Stream::new(FrameSize::MIN, Ethernet { src: mac.into(), dst: mac.into() })
        };
        Profile::of(vec![stream])
    }

    #[test]
    fn what_is_addressed_to_this_host_is_swallowed_and_nothing_else_is_bound() {
        let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let sink = Sink::open(&to(Ipv4Addr::LOCALHOST, free.into()));
        assert_eq!(sink._sockets.len(), 1);
        assert!(UdpSocket::bind((Ipv4Addr::LOCALHOST, free)).is_err());
        drop(sink);
        // TEST-NET-1: nobody's.
        assert!(Sink::open(&to(Ipv4Addr::new(192, 0, 2, 1), free.into()))._sockets.is_empty());
    }

    #[test]
    fn ports_are_bounded() {
        let many = Field::range(1024, 1024, 60_000, 1);
        assert_eq!(destinations(&to(Ipv4Addr::LOCALHOST, many)).len(), PORTS_MAX);
        assert_eq!(destinations(&to(Ipv4Addr::LOCALHOST, Field::range(7, 7, 9, 1))).len(), 3);
    }
}
