//! A sequence: one stream a slot, sent in turn.

use std::net::IpAddr;

use traffic::profile::value::Uint;
use traffic::profile::{Ethernet, Field, FrameSizes, Ipv4, Ipv6, Ports, Stream};

use super::assemble::{Net, Parts};
use super::{LowerFault, Lowering};
use crate::backend::{Network, SeqPacket};
use crate::record::At;

impl Lowering<'_> {
    /// The streams of the first `count` slots. A slot that was never filled is Pktgen's default packet.
    pub(super) fn sequence(&mut self, count: u64) -> Result<Vec<Stream>, LowerFault> {
        let mut streams = Vec::new();
        for slot in 0..u16::try_from(count).unwrap_or(u16::MAX) {
            let parts = match self.config.sequence.get(&slot) {
                Some(At { value, line }) => self.slot(slot, value, *line)?,
                None => {
                    self.report.warn(
                        0,
                        format!("slot {slot} of the sequence is sent and was never set: the single packet"),
                    );
                    self.single_parts()
                }
            };
            streams.push(self.assemble(parts)?);
        }
        Ok(streams)
    }

    fn slot(&mut self, slot: u16, packet: &SeqPacket, line: u32) -> Result<Parts, LowerFault> {
        let mixed = || LowerFault {
            line,
            message: format!(
                "slot {slot} of the sequence: {} and {} are not addresses of its type",
                packet.src, packet.dst
            ),
        };
        let net = match (packet.network, packet.src, packet.dst) {
            (Network::Ipv4, IpAddr::V4(src), IpAddr::V4(dst)) => {
                Net::V4(Ipv4 { tos: packet.tos.into(), ..Ipv4::between(src.into(), dst.into()) })
            }
            (Network::Arp, IpAddr::V4(src), IpAddr::V4(dst)) => {
                Net::Arp(Ipv4::between(src.into(), dst.into()))
            }
            (Network::Ipv6, IpAddr::V6(src), IpAddr::V6(dst)) => Net::V6(Ipv6 {
                src: src.into(),
                dst: dst.into(),
                hop_limit: Ipv4::default_ttl(),
                traffic_class: packet.tos.into(),
                flow_label: Field::zero(),
            }),
            _ => return Err(mixed()),
        };
        let size: FrameSizes = self.size("pktSize", Some(At { value: packet.size, line })).into();
        Ok(Parts {
            ethernet: Ethernet { src: packet.src_mac.into(), dst: packet.dst_mac.into() },
            net,
            ports: Ports { src: packet.sport.into(), dst: packet.dport.into() },
            vlan: Uint::new(packet.vlan.into()).unwrap_or_default().into(),
            cos: Uint::new(packet.cos.into()).unwrap_or_default().into(),
            teid: packet.teid.into(),
            size,
            transport: packet.proto,
            flags: packet.flags,
        })
    }
}
