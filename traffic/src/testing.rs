//! Frames for this crate's own tests.

use crate::frame::{Template, checksum};
use crate::profile::{Ethernet, Ipv4, Payload, Ports, Stream};
use crate::units::FrameSize;

/// A marked UDP frame of `mbuf_bytes` whose fields are all fixed.
pub fn stream_with(mbuf_bytes: u32) -> Template {
    let stream = Stream {
        name: None,
        frame_size: FrameSize::new(mbuf_bytes + 4).unwrap(),
        ethernet: Ethernet {
            src: "02:00:00:00:00:01".parse::<crate::mac::Mac>().unwrap().into(),
            dst: "02:00:00:00:00:02".parse::<crate::mac::Mac>().unwrap().into(),
        },
        ipv4: Ipv4 {
            src: std::net::Ipv4Addr::new(192, 168, 1, 1).into(),
            dst: std::net::Ipv4Addr::new(192, 168, 2, 1).into(),
            ttl: Ipv4::default_ttl(),
        },
        udp: Some(Ports { src: 1024.into(), dst: 1024.into() }),
        tcp: None,
        payload: Payload::Letters,
    };
    Template::new(&stream, true).unwrap()
}

/// Whether the IPv4 and the UDP or TCP checksum hold: the sums over all of it are all ones.
pub fn valid_checksums(frame: &[u8]) -> bool {
    let pseudo = checksum::sum(&frame[26..34])
        + u64::from(u16::from(frame[23]).to_be())
        + u64::from((frame.len() as u16 - 34).to_be());
    checksum::finish(checksum::sum(&frame[14..34])) == 0
        && checksum::finish(pseudo + checksum::sum(&frame[34..])) == 0
}
