//! The headers that a stream can have, one struct each. Every setting that a header has on the wire is a [`Field`].

use std::net::{Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::field::{Field, is_zero};
use super::value::{TcpFlags, Uint, Value};
use crate::mac::Mac;

fn zero<T: Value>() -> Field<T> {
    Field::zero()
}

fn is_zero_field<T: Value>(field: &Field<T>) -> bool {
    field.is(T::zero())
}

/// The Ethernet header's addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ethernet {
    /// Source address.
    pub src: Field<Mac>,
    /// Destination address.
    pub dst: Field<Mac>,
}

/// A VLAN tag, IEEE 802.1Q.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vlan {
    /// VLAN id.
    pub id: Field<Uint<12>>,
    /// Priority code point.
    #[serde(default = "zero::<Uint<3>>", skip_serializing_if = "is_zero_field")]
    pub priority: Field<Uint<3>>,
    /// Drop eligible.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dei: bool,
    /// The tag's EtherType. Not given: 0x88a8 for a tag with another one behind it (802.1ad), else 0x8100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u16")]
    pub tpid: Option<u16>,
}

/// An MPLS label stack entry, RFC 3032; the bottom of the stack is marked by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mpls {
    /// Label.
    pub label: Field<Uint<20>>,
    /// Traffic class, RFC 5462.
    #[serde(default = "zero::<Uint<3>>", skip_serializing_if = "is_zero_field")]
    pub tc: Field<Uint<3>>,
    /// Time to live.
    #[serde(default = "Ipv4::default_ttl")]
    pub ttl: Field<u8>,
}

/// The IPv4 header, RFC 791; without options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ipv4 {
    /// Source address.
    #[schemars(with = "Field<super::schema::Ipv4Text>")]
    pub src: Field<Ipv4Addr>,
    /// Destination address.
    #[schemars(with = "Field<super::schema::Ipv4Text>")]
    pub dst: Field<Ipv4Addr>,
    /// Time to live.
    #[serde(default = "Ipv4::default_ttl")]
    pub ttl: Field<u8>,
    /// Type of service: DSCP × 4 + ECN.
    #[serde(default = "zero::<u8>", skip_serializing_if = "is_zero_field")]
    pub tos: Field<u8>,
    /// Identification.
    #[serde(default = "zero::<u16>", skip_serializing_if = "is_zero_field")]
    pub id: Field<u16>,
    /// Don't fragment.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub df: bool,
}

impl Ipv4 {
    /// 64, as Pktgen and Linux send it.
    pub fn default_ttl() -> Field<u8> {
        Field::Fixed(64)
    }

    /// Between two addresses, the rest as Pktgen sends it.
    pub fn between(src: Field<Ipv4Addr>, dst: Field<Ipv4Addr>) -> Ipv4 {
        Ipv4 { src, dst, ttl: Ipv4::default_ttl(), tos: zero(), id: zero(), df: false }
    }
}

/// The IPv6 header, RFC 8200; without extension headers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ipv6 {
    /// Source address; a range steps in its lower 64 bits.
    #[schemars(with = "Field<super::schema::Ipv6Text>")]
    pub src: Field<Ipv6Addr>,
    /// Destination address; as `src`.
    #[schemars(with = "Field<super::schema::Ipv6Text>")]
    pub dst: Field<Ipv6Addr>,
    /// Hop limit.
    #[serde(default = "Ipv4::default_ttl")]
    pub hop_limit: Field<u8>,
    /// Traffic class: DSCP × 4 + ECN.
    #[serde(default = "zero::<u8>", skip_serializing_if = "is_zero_field")]
    pub traffic_class: Field<u8>,
    /// Flow label.
    #[serde(default = "zero::<Uint<20>>", skip_serializing_if = "is_zero_field")]
    pub flow_label: Field<Uint<20>>,
}

impl Ipv6 {
    /// Between two addresses, everything else as usual.
    pub fn between(src: Field<Ipv6Addr>, dst: Field<Ipv6Addr>) -> Ipv6 {
        Ipv6 { src, dst, hop_limit: Ipv4::default_ttl(), traffic_class: zero(), flow_label: zero() }
    }
}

/// The ports of UDP, RFC 768.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ports {
    /// Source port.
    pub src: Field<u16>,
    /// Destination port.
    pub dst: Field<u16>,
}

/// The TCP header, RFC 9293; without options: bare segments, no connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tcp {
    /// Source port.
    pub src: Field<u16>,
    /// Destination port.
    pub dst: Field<u16>,
    /// Sequence number.
    #[serde(default = "Tcp::default_seq")]
    pub seq: Field<u32>,
    /// Acknowledgement number.
    #[serde(default = "Tcp::default_ack")]
    pub ack: Field<u32>,
    /// Flags.
    #[serde(default = "Tcp::default_flags")]
    pub flags: Field<TcpFlags>,
    /// Window.
    #[serde(default = "Tcp::default_window")]
    pub window: Field<u16>,
}

impl Tcp {
    /// Pktgen's.
    pub fn default_seq() -> Field<u32> {
        Field::Fixed(0x1234_5678)
    }
    /// Pktgen's.
    pub fn default_ack() -> Field<u32> {
        Field::Fixed(0x1234_5690)
    }
    /// ACK, as Pktgen.
    pub fn default_flags() -> Field<TcpFlags> {
        Field::Fixed(TcpFlags::ACK)
    }
    /// Pktgen's.
    pub fn default_window() -> Field<u16> {
        Field::Fixed(8192)
    }
}

impl From<Ports> for Tcp {
    fn from(ports: Ports) -> Tcp {
        Tcp {
            src: ports.src,
            dst: ports.dst,
            seq: Tcp::default_seq(),
            ack: Tcp::default_ack(),
            flags: Tcp::default_flags(),
            window: Tcp::default_window(),
        }
    }
}

/// An echo message of ICMP (RFC 792) or, behind IPv6, ICMPv6 (RFC 4443).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Icmp {
    /// Request or reply.
    #[serde(default)]
    pub echo: Echo,
    /// Identifier.
    #[serde(default = "zero::<u16>", skip_serializing_if = "is_zero_field")]
    pub id: Field<u16>,
    /// Sequence number.
    #[serde(default = "zero::<u16>", skip_serializing_if = "is_zero_field")]
    pub seq: Field<u16>,
}

/// Which echo message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Echo {
    /// Asks.
    #[default]
    Request,
    /// Answers.
    Reply,
}

/// An ARP packet for IPv4 over Ethernet, RFC 826.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arp {
    /// 1 asks, 2 answers.
    #[serde(default = "Arp::default_op")]
    pub op: Field<u16>,
    /// Sender hardware address.
    pub sender_mac: Field<Mac>,
    /// Sender protocol address.
    #[schemars(with = "Field<super::schema::Ipv4Text>")]
    pub sender_ip: Field<Ipv4Addr>,
    /// Target hardware address.
    #[serde(default = "zero::<Mac>", skip_serializing_if = "is_zero_field")]
    pub target_mac: Field<Mac>,
    /// Target protocol address.
    #[schemars(with = "Field<super::schema::Ipv4Text>")]
    pub target_ip: Field<Ipv4Addr>,
}

impl Arp {
    /// Asks.
    pub fn default_op() -> Field<u16> {
        Field::Fixed(1)
    }
}

/// GRE, RFC 2784 and, with a key, RFC 2890.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gre {
    /// The key, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Field<u32>")]
    pub key: Option<Field<u32>>,
}

/// VXLAN, RFC 7348: over the stream's `udp`, or ports 49152 → 4789; outer UDP checksum 0 with `inner`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vxlan {
    /// Network identifier.
    pub vni: Field<Uint<24>>,
}

/// GTP-U G-PDU, 3GPP TS 29.281: over the stream's `udp`, or ports 2152 → 2152; outer UDP checksum 0 with `inner`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gtpu {
    /// Tunnel endpoint identifier.
    pub teid: Field<u32>,
}

/// What a tunnel carries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inner {
    /// VXLAN needs it, GTP-U can't have it, GRE may (as transparent Ethernet bridging).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ethernet")]
    pub ethernet: Option<Ethernet>,
    /// This or `ipv6`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ipv4")]
    pub ipv4: Option<Ipv4>,
    /// This or `ipv4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ipv6")]
    pub ipv6: Option<Ipv6>,
    /// Layer 4: this, `tcp` or `icmp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ports")]
    pub udp: Option<Ports>,
    /// Layer 4: this, `udp` or `icmp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Tcp")]
    pub tcp: Option<Tcp>,
    /// Layer 4: this, `udp` or `tcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Icmp")]
    pub icmp: Option<Icmp>,
}
