//! UDP sockets that nobody reads, for frames that the kernel gets a copy of.
//!
//! On `iface:` the kernel's own stack sees every frame too. Where a frame is addressed to this pod (a routed network
//! brings no others), the stack answers each with an ICMP error that quotes it, mark and all: work for the CPU under
//! measurement, and copies that a receiver would count. A bound socket with the smallest buffer swallows them.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use rustix::net::sockopt::set_socket_recv_buffer_size;
use traffic::profile::{Field, Profile};
use traffic::wire::{Role, RunSpec};

/// Ports at most; a profile that varies the destination port over more is answered as before.
const PORTS_MAX: usize = 256;

/// Open for as long as the run.
#[derive(Debug, Default)]
pub struct Sink {
    _sockets: Vec<UdpSocket>,
}

impl Sink {
    /// One socket for each local address and port that comes to the port of such a run: where its profile's frames go,
    /// or, for a sender of round trips, where they come from. None for a sender that awaits nothing.
    ///
    /// An address that is not this host's can't be bound, and what is not bound is none of the kernel's business; a
    /// port that somebody has bound answers for itself.
    pub fn open(spec: &RunSpec) -> Option<Sink> {
        let way = match spec.role {
            Role::Rx | Role::Reflect => Way::There,
            Role::Tx if spec.round_trip => Way::Back,
            Role::Tx => return None,
        };
        Some(Sink::at(places(&spec.profile, way)))
    }

    fn at(places: Vec<SocketAddr>) -> Sink {
        let sockets = places.into_iter().filter_map(|place| UdpSocket::bind(place).ok());
        let sockets = sockets.inspect(|socket| {
            // Only a smaller buffer: the kernel has a least one, and a larger one does no harm.
            let _ = set_socket_recv_buffer_size(socket, 1);
        });
        Sink { _sockets: sockets.collect() }
    }
}

/// Whither frames go.
#[derive(Clone, Copy, Debug)]
enum Way {
    There,
    /// With addresses and ports swapped.
    Back,
}

/// Where a profile's UDP frames go, as far as that is one address and few ports.
fn places(profile: &Profile, way: Way) -> Vec<SocketAddr> {
    let mut places = Vec::new();
    for stream in &profile.streams {
        let Some(udp) = &stream.udp else { continue };
        let ip = match (&stream.ipv4, &stream.ipv6, way) {
            (Some(ip), _, Way::There) => fixed(&ip.dst),
            (Some(ip), _, Way::Back) => fixed(&ip.src),
            (None, Some(ip), Way::There) => fixed(&ip.dst),
            (None, Some(ip), Way::Back) => fixed(&ip.src),
            (None, None, _) => None,
        };
        let Some(ip) = ip else { continue };
        let ports: Vec<u16> = match if let Way::There = way { &udp.dst } else { &udp.src } {
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

fn fixed<T: Copy + Into<IpAddr>>(field: &Field<T>) -> Option<IpAddr> {
    match field {
        Field::Fixed(ip) => Some((*ip).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use traffic::mac::Mac;
    use traffic::profile::{Ethernet, Ipv4, Ports, Stream};
    use traffic::units::FrameSize;

    fn to(ip: Ipv4Addr, dst: Field<u16>) -> Vec<SocketAddr> {
        let mac = Mac::from_u64(2);
        let stream = Stream {
            ipv4: Some(Ipv4::between(Ipv4Addr::LOCALHOST.into(), ip.into())),
            udp: Some(Ports { src: 1.into(), dst }),
            ..Stream::new(FrameSize::MIN, Ethernet { src: mac.into(), dst: mac.into() })
        };
        let profile = Profile::of(vec![stream]);
        assert_eq!(places(&profile, Way::Back), [SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 1)]);
        places(&profile, Way::There)
    }

    #[test]
    fn what_is_addressed_to_this_host_is_swallowed_and_nothing_else_is_bound() {
        let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let sink = Sink::at(to(Ipv4Addr::LOCALHOST, free.into()));
        assert_eq!(sink._sockets.len(), 1);
        assert!(UdpSocket::bind((Ipv4Addr::LOCALHOST, free)).is_err());
        drop(sink);
        // TEST-NET-1: nobody's.
        assert!(Sink::at(to(Ipv4Addr::new(192, 0, 2, 1), free.into()))._sockets.is_empty());
    }

    #[test]
    fn ports_are_bounded() {
        let many = Field::range(1024, 1024, 60_000, 1);
        assert_eq!((to(Ipv4Addr::LOCALHOST, many)).len(), PORTS_MAX);
        assert_eq!((to(Ipv4Addr::LOCALHOST, Field::range(7, 7, 9, 1))).len(), 3);
    }
}
