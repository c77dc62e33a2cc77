//! Frames for this crate's own tests.

use std::net::Ipv4Addr;

use crate::frame::{Template, checksum};
use crate::profile::{Ethernet, Ipv4, Ports, Stream};
use crate::units::FrameSize;

/// A UDP stream of frames of `size` bytes whose fields are all fixed.
pub fn udp_stream(size: u32) -> Stream {
    let mac = |text: &str| text.parse::<crate::mac::Mac>().unwrap().into();
    let ethernet = Ethernet { src: mac("02:00:00:00:00:01"), dst: mac("02:00:00:00:00:02") };
    let (src, dst) = (Ipv4Addr::new(192, 168, 1, 1), Ipv4Addr::new(192, 168, 2, 1));
    Stream {
        ipv4: Some(Ipv4::between(src.into(), dst.into())),
        udp: Some(Ports { src: 1024.into(), dst: 1024.into() }),
        ..Stream::new(FrameSize::new(size).unwrap(), ethernet)
    }
}

/// A marked frame of such a stream, of `mbuf_bytes`.
pub fn template(mbuf_bytes: u32) -> Template {
    let size = mbuf_bytes + 4;
    Template::new(&udp_stream(size), FrameSize::new(size).unwrap(), true).unwrap()
}

/// Whether the IPv4 and the UDP or TCP checksum hold: the sums over all of it are all ones.
pub fn valid_checksums(frame: &[u8]) -> bool {
    let pseudo = checksum::sum(&frame[26..34])
        + u64::from(u16::from(frame[23]).to_be())
        + u64::from((frame.len() as u16 - 34).to_be());
    checksum::finish(checksum::sum(&frame[14..34])) == 0
        && checksum::finish(pseudo + checksum::sum(&frame[34..])) == 0
}
