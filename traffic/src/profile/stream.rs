//! One stream: a packet template with its varying fields, its share of the traffic, and its sizes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::field::is_zero;
use super::header::{Arp, Ethernet, Gre, Gtpu, Icmp, Inner, Ipv4, Ipv6, Mpls, Ports, Tcp, Vlan, Vxlan};
use super::sizes::FrameSizes;
use crate::pacer::Gap;
use crate::units::Rate;

/// One packet template with its varying fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["ipv4"] }, { "required": ["ipv6"] }, { "required": ["arp"] }]))]
pub struct Stream {
    /// Shown in tables and results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 100))]
    pub name: Option<String>,
    /// Its share of the profile's rate, beside the weights of the other streams without a rate of their own.
    #[serde(default = "Stream::default_weight", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 1000))]
    pub weight: u32,
    /// A rate of its own; it is then no part of the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Rate")]
    pub rate: Option<Rate>,
    /// Its gaps, where it has a rate of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Gap")]
    pub gap: Option<Gap>,
    /// Seconds from the start of the run to its first frame, where it has a rate of its own.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0, max = 604_800))]
    pub start_delay_s: f64,
    /// Bytes with the FCS: one size, several, or a range.
    pub frame_size: FrameSizes,
    /// Layer 2.
    pub ethernet: Ethernet,
    /// VLAN tags, the outer one first: two are QinQ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub vlan: Vec<Vlan>,
    /// MPLS labels, the outer one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub mpls: Vec<Mpls>,
    /// Layer 3: this, `ipv6` or `arp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ipv4")]
    pub ipv4: Option<Ipv4>,
    /// Layer 3: this, `ipv4` or `arp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ipv6")]
    pub ipv6: Option<Ipv6>,
    /// Layer 3: this, `ipv4` or `ipv6`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Arp")]
    pub arp: Option<Arp>,
    /// Layer 4: this, `tcp`, `icmp` or a tunnel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ports")]
    pub udp: Option<Ports>,
    /// Layer 4: this, `udp`, `icmp` or a tunnel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Tcp")]
    pub tcp: Option<Tcp>,
    /// Layer 4: this, `udp`, `tcp` or a tunnel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Icmp")]
    pub icmp: Option<Icmp>,
    /// A tunnel with `inner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Gre")]
    pub gre: Option<Gre>,
    /// A tunnel with `inner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vxlan")]
    pub vxlan: Option<Vxlan>,
    /// A tunnel with `inner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Gtpu")]
    pub gtpu: Option<Gtpu>,
    /// What the tunnel carries; VXLAN and GTP-U without it carry the payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Inner")]
    pub inner: Option<Box<Inner>>,
    /// What fills the frame behind its headers.
    #[serde(default)]
    pub payload: Payload,
}

fn is_one(n: &u32) -> bool {
    *n == 1
}

impl Stream {
    /// 1: all streams alike.
    pub fn default_weight() -> u32 {
        1
    }

    /// A frame with nothing behind its Ethernet header yet.
    pub fn new(frame_size: impl Into<FrameSizes>, ethernet: Ethernet) -> Stream {
        Stream {
            name: None,
            weight: 1,
            rate: None,
            gap: None,
            start_delay_s: 0.0,
            frame_size: frame_size.into(),
            ethernet,
            vlan: Vec::new(),
            mpls: Vec::new(),
            ipv4: None,
            ipv6: None,
            arp: None,
            udp: None,
            tcp: None,
            icmp: None,
            gre: None,
            vxlan: None,
            gtpu: None,
            inner: None,
            payload: Payload::default(),
        }
    }
}

/// The bytes behind the headers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Pktgen's `abc` pattern: a…z0…5, again and again.
    #[default]
    Letters,
    /// Zero bytes.
    Zero,
    /// Bytes of the user's, again and again, from the end of the headers on: hexadecimal digits, such as `deadbeef`.
    Hex(#[schemars(length(min = 2), regex(pattern = "^([0-9A-Fa-f]{2})+$"))] String),
    /// Bytes by chance, from this seed: the same in every frame of the stream.
    Random(u64),
}
