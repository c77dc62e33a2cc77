//! `[replay]`: a capture that is sent again, in place of streams.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::mac::Mac;
use crate::replay::{MAX_FRAMES, MAX_LOOPS};

/// Factors outside of 10^-6…10^6 are mistakes.
const FACTOR: std::ops::RangeInclusive<f64> = 1e-6..=1e6;
/// The largest VLAN id; 4095 is reserved (IEEE 802.1Q).
pub const MAX_VLAN_ID: u16 = 4094;

/// A capture that is sent again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// A pcap or pcapng file; a relative path is taken from the profile's folder.
    #[schemars(with = "String", length(min = 1))]
    pub file: PathBuf,
    /// When frames leave.
    #[serde(default)]
    pub timing: Timing,
    /// How often the capture is sent; 0: until the stop rule ends it.
    #[serde(default = "Replay::default_loops")]
    #[schemars(range(max = 4_294_967_296_u64))]
    pub loops: u64,
    /// Only so many of its first frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64", range(min = 1, max = 1_000_000))]
    pub limit_frames: Option<u64>,
    /// What becomes of frames that were captured only in part.
    #[serde(default)]
    pub truncated: Truncated,
    /// What several workers divide the frames by.
    #[serde(default)]
    pub split: Split,
    /// Fields that get one value in all frames that have them.
    #[serde(default)]
    pub rewrite: Rewrite,
}

impl Replay {
    /// Once.
    pub fn default_loops() -> u64 {
        1
    }
}

/// When frames leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// As they were captured.
    #[default]
    Original,
    /// Evenly, at the profile's rate; `max` too.
    Rate,
    /// As they were captured, with all gaps multiplied: 2.0 is half as fast, 0.5 twice as fast.
    Factor(#[schemars(range(min = 1e-6, max = 1e6))] f64),
}

/// What becomes of frames that were captured only in part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Truncated {
    /// The capture is refused.
    #[default]
    Refuse,
    /// Zeros stand for what is missing; their checksums are wrong.
    Pad,
}

/// What several workers divide the frames by. A flow stays with one worker and keeps its order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Both directions of a conversation are one flow.
    #[default]
    Symmetric,
    /// Each direction is a flow of its own.
    FiveTuple,
}

/// Fields that get one value in all frames that have them; checksums follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rewrite {
    /// Source MAC address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Mac")]
    pub src_mac: Option<Mac>,
    /// Destination MAC address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Mac")]
    pub dst_mac: Option<Mac>,
    /// IPv4 source address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "super::schema::Ipv4Text")]
    pub src_ip: Option<Ipv4Addr>,
    /// IPv4 destination address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "super::schema::Ipv4Text")]
    pub dst_ip: Option<Ipv4Addr>,
    /// IPv6 source address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub src_ip6: Option<Ipv6Addr>,
    /// IPv6 destination address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub dst_ip6: Option<Ipv6Addr>,
    /// TCP or UDP source port.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u16")]
    pub src_port: Option<u16>,
    /// TCP or UDP destination port.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u16")]
    pub dst_port: Option<u16>,
    /// VLAN id of the outermost tag; untagged frames stay so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u16", range(min = 0, max = 4094))]
    pub vlan_id: Option<u16>,
}

/// Everything that is wrong with a replay, with paths and without lines.
pub fn check(replay: &Replay) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |key: &str, message: String| {
        faults.push(Fault { line: 0, path: format!("replay.{key}"), message });
    };
    if replay.file.as_os_str().is_empty() {
        fault("file", "is empty: name a pcap or pcapng file".to_owned());
    }
    if let Timing::Factor(factor) = replay.timing
        && !FACTOR.contains(&factor)
    {
        let (least, most) = (FACTOR.start(), FACTOR.end());
        let message = format!("{factor} is outside {least}…{most}: 2.0 is half as fast, 0.5 twice as fast");
        fault("timing.factor", message);
    }
    if replay.loops > MAX_LOOPS {
        let message = format!("{} is more than {MAX_LOOPS}: give 0 for no end", replay.loops);
        fault("loops", message);
    }
    if let Some(limit) = replay.limit_frames
        && !(1..=MAX_FRAMES as u64).contains(&limit)
    {
        fault(
            "limit_frames",
            format!("{limit} is outside 1…{MAX_FRAMES}: so many are kept in memory at most"),
        );
    }
    if let Some(id) = replay.rewrite.vlan_id.filter(|id| *id > MAX_VLAN_ID) {
        fault("rewrite.vlan_id", format!("{id} is more than {MAX_VLAN_ID}, the largest VLAN id"));
    }
    faults
}
