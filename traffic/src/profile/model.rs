//! The profile as data. What it may hold is said here; whether it makes sense is [`super::check`]'s business.

use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::field::Field;
use crate::mac::Mac;
use crate::units::{FrameSize, Rate};

/// What one TX port sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Shown in tables and results; the file's stem where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 100))]
    pub name: Option<String>,
    /// Of the whole port, divided over its workers.
    #[serde(default = "Profile::default_rate")]
    pub rate: Rate,
    /// When sending ends by itself.
    #[serde(default)]
    pub stop: Stop,
    /// Whether each frame carries the 18-byte mark that loss, order and latency are measured by.
    #[serde(default = "Profile::default_stamp")]
    pub stamp: bool,
    /// The packet templates. This version sends one stream.
    #[schemars(length(min = 1, max = 1))]
    pub streams: Vec<Stream>,
}

impl Profile {
    /// All of the link, as Pktgen starts with.
    pub fn default_rate() -> Rate {
        Rate::Percent(100.0)
    }

    /// Frames are marked unless the profile says otherwise.
    pub fn default_stamp() -> bool {
        true
    }
}

/// When a port stops by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Stop {
    /// Goes on until told.
    #[default]
    Never,
    /// After so many frames, over all workers.
    Count(#[schemars(range(min = 1))] u64),
    /// After so many seconds.
    DurationS(#[schemars(range(max = 604_800), extend("exclusiveMinimum" = 0))] f64),
}

/// One packet template with its varying fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["udp"] }, { "required": ["tcp"] }]))]
pub struct Stream {
    /// Shown in tables and results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 100))]
    pub name: Option<String>,
    /// Bytes with the FCS.
    pub frame_size: FrameSize,
    /// Layer 2.
    pub ethernet: Ethernet,
    /// Layer 3.
    pub ipv4: Ipv4,
    /// Layer 4: this or `tcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ports")]
    pub udp: Option<Ports>,
    /// Layer 4: this or `udp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ports")]
    pub tcp: Option<Ports>,
    /// What fills the frame behind its headers.
    #[serde(default)]
    pub payload: Payload,
}

impl Stream {
    /// The layer-4 protocol with its ports; `None` while neither or both are given, which the check refuses.
    pub fn transport(&self) -> Option<(Transport, &Ports)> {
        match (&self.udp, &self.tcp) {
            (Some(ports), None) => Some((Transport::Udp, ports)),
            (None, Some(ports)) => Some((Transport::Tcp, ports)),
            _ => None,
        }
    }
}

/// The Ethernet header's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ethernet {
    /// Source address.
    pub src: Field<Mac>,
    /// Destination address.
    pub dst: Field<Mac>,
}

/// The IPv4 header's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
}

impl Ipv4 {
    /// 64, as Pktgen and Linux send it.
    pub fn default_ttl() -> Field<u8> {
        Field::Fixed(64)
    }
}

/// The ports of UDP or TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ports {
    /// Source port.
    pub src: Field<u16>,
    /// Destination port.
    pub dst: Field<u16>,
}

/// The layer-4 protocols that a stream can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// RFC 768.
    Udp,
    /// RFC 9293; sent as bare segments with the ACK flag, as Pktgen does.
    Tcp,
}

/// The bytes behind the headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Pktgen's `abc` pattern: a…z0…5, again and again.
    #[default]
    Letters,
    /// Zero bytes.
    Zero,
}
