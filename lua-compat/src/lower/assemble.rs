//! Headers put together as Pktgen puts them: tags or a label, one tunnel, and the packet.

use std::net::Ipv4Addr;

use traffic::profile::value::{TcpFlags, Uint};
use traffic::profile::{
    Arp, Ethernet, Field, FrameSizes, Gre, Gtpu, Icmp, Inner, Ipv4, Ipv6, Mpls, Payload, Ports, Stream, Tcp,
    Vlan, Vxlan,
};
use traffic::units::FrameSize;

use super::{LowerFault, Lowering};
use crate::backend::{Mode, Pattern, Transport};

/// The tunnel's ends, which Pktgen has hard-coded.
const GRE_SRC: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 1);
const GRE_DST: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 2);
/// UDP port of GTP-U: in Pktgen it is what makes a packet one.
const GTPU_PORT: u16 = 2152;
const VXLAN_PORT: u16 = 4789;

/// What stands behind Ethernet.
#[derive(Clone, Debug)]
pub(super) enum Net {
    V4(Ipv4),
    V6(Ipv6),
    /// A request from its source for its destination.
    Arp(Ipv4),
}

/// What a packet is made of, before tags and tunnels.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) ethernet: Ethernet,
    pub(super) net: Net,
    pub(super) ports: Ports,
    pub(super) vlan: Field<Uint<12>>,
    pub(super) cos: Field<Uint<3>>,
    pub(super) teid: Field<u32>,
    pub(super) size: FrameSizes,
    pub(super) transport: Transport,
    pub(super) flags: Option<u8>,
}

impl Lowering<'_> {
    pub(super) fn assemble(&mut self, parts: Parts) -> Result<Stream, LowerFault> {
        let mut stream = Stream::new(parts.size.clone(), parts.ethernet.clone());
        self.tags(&parts, &mut stream);
        if let Net::Arp(ip) = &parts.net {
            stream.arp = Some(Arp {
                op: Arp::default_op(),
                sender_mac: parts.ethernet.src.clone(),
                sender_ip: ip.src.clone(),
                target_mac: Field::zero(),
                target_ip: ip.dst.clone(),
            });
        } else if self.config.has(Mode::Gre) || self.config.has(Mode::GreEth) {
            self.gre(parts, &mut stream);
        } else if self.config.has(Mode::Vxlan) {
            self.vxlan(parts, &mut stream);
        } else if parts.ports.dst.is(GTPU_PORT) && parts.transport != Transport::Icmp {
            self.gtpu(parts, &mut stream);
        } else {
            (stream.ipv4, stream.ipv6) = networks(parts.net);
            (stream.udp, stream.tcp, stream.icmp) = transports(parts.transport, parts.ports, parts.flags);
        }
        self.random_bits(&mut stream);
        stream.payload = self.payload();
        self.fit(&mut stream);
        Ok(stream)
    }

    fn tags(&self, parts: &Parts, stream: &mut Stream) {
        let tag = |id: Field<Uint<12>>, priority, tpid| Vlan { id, priority, dei: false, tpid };
        if self.config.has(Mode::Vlan) {
            stream.vlan = vec![tag(parts.vlan.clone(), parts.cos.clone(), None)];
        } else if self.config.has(Mode::Qinq) {
            let (outer, inner) = self.config.qinq.map_or((0, 0), |at| at.value);
            let id = |n: u16| Field::Fixed(Uint::new(n.into()).unwrap_or_default());
            stream.vlan = vec![
                tag(id(outer), Field::zero(), Some(0x88a8)),
                tag(id(inner), Field::zero(), Some(0x8100)),
            ];
        } else if self.config.has(Mode::Mpls) {
            let entry = self.config.mpls.map_or(0, |at| at.value);
            stream.mpls = vec![Mpls {
                label: Uint::new(entry >> 12).unwrap_or_default().into(),
                tc: Uint::new(entry >> 9 & 7).unwrap_or_default().into(),
                ttl: Field::Fixed((entry & 0xff) as u8),
            }];
        }
    }

    /// Pktgen's outer addresses are fixed; the packet is what the tunnel carries.
    fn gre(&mut self, parts: Parts, stream: &mut Stream) {
        stream.ipv4 = Some(Ipv4::between(GRE_SRC.into(), GRE_DST.into()));
        let key = self.config.gre_key.map_or(0, |at| at.value);
        stream.gre = Some(Gre { key: Some(key.into()) });
        let ethernet = self.config.has(Mode::GreEth).then(|| parts.ethernet.clone());
        stream.inner = Some(Box::new(inner(ethernet, parts)));
    }

    /// Behind the tunnel's header Pktgen has its fill pattern, and the UDP checksum is of all of it: so it is here.
    fn vxlan(&mut self, parts: Parts, stream: &mut Stream) {
        if parts.transport != Transport::Udp {
            self.report.warn(0, "VXLAN is over UDP: Pktgen sends packets of another protocol without it");
        }
        let vni = self.config.vni.map_or(0, |at| at.value);
        stream.vxlan = Some(Vxlan { vni: Uint::new(vni & 0xff_ffff).unwrap_or_default().into() });
        stream.udp = Some(Ports { src: parts.ports.src, dst: VXLAN_PORT.into() });
        (stream.ipv4, stream.ipv6) = networks(parts.net);
    }

    fn gtpu(&mut self, parts: Parts, stream: &mut Stream) {
        if parts.transport == Transport::Tcp {
            self.report.warn(
                0,
                "GTP-U over TCP, as Pktgen would send it to port 2152, is no GTP-U: it is sent over UDP",
            );
        }
        stream.gtpu = Some(Gtpu { teid: parts.teid });
        stream.udp = Some(parts.ports);
        (stream.ipv4, stream.ipv6) = networks(parts.net);
    }

    fn payload(&mut self) -> Payload {
        match self.config.pattern.map(|at| at.value) {
            None | Some(Pattern::Letters) => Payload::Letters,
            Some(Pattern::Zero) => Payload::Zero,
            Some(Pattern::User) => match &self.config.user_pattern {
                Some(text) => Payload::Hex(text.value.bytes().map(|b| format!("{b:02x}")).collect()),
                None => {
                    self.report.warn(0, "pattern \"user\" without userPattern: letters are sent");
                    Payload::Letters
                }
            },
        }
    }

    /// Pktgen's 64 bytes hold no tunnel's headers: it writes them past the frame's end. Frames get the room.
    fn fit(&mut self, stream: &mut Stream) {
        let needed = traffic::frame::Layout::header_bytes(stream) + usize::from(traffic::units::FCS_BYTES);
        let (least, _) = stream.frame_size.bounds();
        if needed <= usize::from(least.bytes()) {
            return;
        }
        let Some(size) = u32::try_from(needed).ok().and_then(|n| FrameSize::new(n).ok()) else { return };
        self.report.warn(0, format!("frames of {least} have no room for their headers: they have {size}"));
        stream.frame_size = size.into();
    }
}

fn networks(net: Net) -> (Option<Ipv4>, Option<Ipv6>) {
    match net {
        Net::V4(ip) | Net::Arp(ip) => (Some(ip), None),
        Net::V6(ip) => (None, Some(ip)),
    }
}

fn transports(
    transport: Transport,
    ports: Ports,
    flags: Option<u8>,
) -> (Option<Ports>, Option<Tcp>, Option<Icmp>) {
    match transport {
        Transport::Udp => (Some(ports), None, None),
        Transport::Tcp => {
            let mut tcp = Tcp::from(ports);
            if let Some(flags) = flags {
                tcp.flags = Field::Fixed(TcpFlags(flags));
            }
            (None, Some(tcp), None)
        }
        Transport::Icmp => {
            let echo = Icmp { echo: Default::default(), id: Field::zero(), seq: Field::zero() };
            (None, None, Some(echo))
        }
    }
}

fn inner(ethernet: Option<Ethernet>, parts: Parts) -> Inner {
    let (ipv4, ipv6) = networks(parts.net);
    let (udp, tcp, icmp) = transports(parts.transport, parts.ports, parts.flags);
    Inner { ethernet, ipv4, ipv6, udp, tcp, icmp }
}
