//! One tick of a run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::summary::Latency;
use crate::respond::Responded;

/// Cumulative counters at one moment, read in one go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// Number of the sample in its run, from 0, without holes.
    pub n: u64,
    /// Wall clock, nanoseconds since 1970 (UTC).
    pub unix_ns: u64,
    /// Nanoseconds since the run's start by the monotonic clock.
    pub elapsed_ns: u64,
    /// Our own software counters, one entry a worker.
    pub cores: Vec<CoreCounters>,
    /// The NIC's, as the cross-check.
    pub port: PortStats,
    /// The NIC's too: its driver's extended statistics under the driver's names, since the start of the run, those that
    /// are not zero.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub xstats: BTreeMap<String, u64>,
    /// What the receiver made of the marks; receivers, and senders that book what comes back to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// Latency since the start; receivers on the sender's clock, and senders that book what comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// What the receiver made of each stream's marks, by the stream's number; empty with one stream, where it is the
    /// account, and with more than [`Sample::STREAMS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<StreamCounters>,
}

impl Sample {
    /// Streams that a sample tells apart: it is written to disk and sent once a tick.
    pub const STREAMS_MAX: usize = 64;
}

/// One stream as its receiver sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamCounters {
    /// Its number in the profile.
    pub stream: u16,
    /// Numbers that have come or must have been sent before one that came.
    pub expected: u64,
    /// Each counted once.
    pub received: u64,
    /// As in [`Account`].
    pub lost: u64,
    /// As in [`Account`].
    pub reordered: u64,
    /// As in [`Account`].
    pub duplicated: u64,
}

/// One worker's counters: written by it alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoreCounters {
    /// The CPU it runs on.
    pub cpu: u32,
    /// Frames that the NIC took.
    pub tx_packets: u64,
    /// Their bytes, without FCS.
    pub tx_bytes: u64,
    /// Frames that were due and that the NIC did not take: offered = sent + unsent.
    pub unsent_packets: u64,
    /// Calls of the driver that sent or brought at least one frame.
    pub bursts: u64,
    /// Calls of the driver that took or brought nothing.
    pub idle_polls: u64,
    /// Frames received.
    pub rx_packets: u64,
    /// Their bytes, without FCS.
    pub rx_bytes: u64,
    /// Answers for the port's own addresses; in no other counter here.
    #[serde(default, skip_serializing_if = "Responded::is_none")]
    pub responded: Responded,
}

/// `rte_eth_stats` of the port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names are DPDK's; its guide defines them")]
pub struct PortStats {
    pub ipackets: u64,
    pub opackets: u64,
    pub ibytes: u64,
    pub obytes: u64,
    pub imissed: u64,
    pub ierrors: u64,
    pub oerrors: u64,
    pub rx_nombuf: u64,
}

/// What a receiver made of the frames, over all its queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Marked frames of this run, each counted once.
    pub received: u64,
    /// Sequence numbers up to the highest seen that have not come (yet).
    pub lost: u64,
    /// Came after a higher number of their shard (RFC 4737 §3.3), duplicates aside.
    pub reordered: u64,
    /// Came more than once: the copies, not the first.
    pub duplicated: u64,
    /// Marked as ours but impossible: an unknown shard, a number beyond the plan, a broken length.
    pub invalid: u64,
    /// So late that the window can't tell a late frame from a copy: counted here, not in `received`.
    pub too_late: u64,
    /// Distinct flows seen; none where the flows are too many to track or frames carry no mark.
    pub flows_seen: Option<u64>,
    /// Not ours: ARP. Of tagged frames the type behind the tags counts, here and below.
    pub foreign_arp: u64,
    /// Not ours: IPv4.
    pub foreign_ipv4: u64,
    /// Not ours: IPv6.
    pub foreign_ipv6: u64,
    /// Not ours: LLDP.
    #[serde(default)]
    pub foreign_lldp: u64,
    /// Not ours: anything else.
    pub foreign_other: u64,
    /// Of all foreign frames, whatever their type: those with VLAN tags.
    #[serde(default)]
    pub foreign_tagged: u64,
    /// Of all foreign frames: those to the broadcast address.
    #[serde(default)]
    pub foreign_broadcast: u64,
    /// Of all foreign frames: those to a group's address, broadcast aside.
    #[serde(default)]
    pub foreign_multicast: u64,
}

impl Account {
    /// All frames that were not ours.
    pub fn foreign(&self) -> u64 {
        self.foreign_arp + self.foreign_ipv4 + self.foreign_ipv6 + self.foreign_lldp + self.foreign_other
    }
}
