//! The end of a run: the engine's last word.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sample::Sample;

/// Why a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The profile's count or duration was reached.
    Complete,
    /// Told to.
    #[default]
    Stopped,
    /// The run's own limit, since nobody told it to.
    Limit,
}

/// The engine's last word.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Why it ended.
    pub ended: Ended,
    /// The counters when every worker had stopped.
    pub totals: Sample,
    /// Nanoseconds that rates are over. A sender's: from the start to the end of its sending (its duration;
    /// one interval behind the last frame of a count). A receiver's: from the first frame to the last, and
    /// one mean gap.
    pub effective_ns: u64,
    /// A sender's shards.
    #[serde(default)]
    pub tx_shards: Vec<TxShard>,
    /// What a receiver saw of each shard.
    #[serde(default)]
    pub rx_shards: Vec<RxShard>,
    /// What each of a receiver's queues brought: the self-check of RSS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rx_queues: Vec<RxQueueShare>,
    /// Latency of each stream, by its number; empty with one stream, where it is that of the totals, and where streams
    /// are too many to be told apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stream_latency: Vec<Latency>,
    /// How latency is spread, over all streams: upper edges in nanoseconds, from the smallest, with the frames in each
    /// step, 8 steps an octave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latency_steps: Vec<(u64, u64)>,
    /// Distinct flows that a receiver saw of each stream; empty where they are too many to track.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stream_flows: Vec<u64>,
    /// Streams whose frames carry no mark, where others' do: nothing is known of their loss, and a receiver counts them
    /// as foreign.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmarked_streams: Vec<u16>,
    /// Each flow's own books, the worst first, as many as were asked for; empty where flows are too many to track.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flow_books: Vec<FlowBook>,
    /// Frames that a receiver was asked to keep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dumped: Vec<DumpedFrame>,
    /// A paced sender's departures.
    #[serde(default)]
    pub pacing: Option<Pacing>,
    /// Mbufs not back in their pools at the end; anything but 0 is a leak.
    pub mbufs_missing: u32,
    /// The driver's extended statistics that are not zero.
    #[serde(default)]
    pub xstats: BTreeMap<String, u64>,
    /// For the user's eyes.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// What one worker sent: numbers 0 to `sent` − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TxShard {
    /// As in the mark.
    pub shard: u16,
    /// The stream it is a part of.
    #[serde(default)]
    pub stream: u16,
    /// Frames that the NIC took.
    pub sent: u64,
}

/// What all queues together saw of one shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RxShard {
    /// As in the mark.
    pub shard: u16,
    /// The stream it is a part of.
    #[serde(default)]
    pub stream: u16,
    /// Highest sequence number + 1.
    pub expected: u64,
    /// Distinct numbers received.
    pub received: u64,
    /// As in [`super::Account`].
    pub reordered: u64,
    /// As in [`super::Account`].
    pub duplicated: u64,
    /// As in [`super::Account`].
    pub too_late: u64,
}

/// Latency, nanoseconds, from the mark's time to the burst that brought it: one-way at a receiver, there and back at a
/// sender.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "percentiles name themselves")]
pub struct Latency {
    /// The clock that both times are of, e.g. `tsc of one host`.
    pub clock: String,
    /// How much the clocks of the two ends may differ, as stated by the user; none where both read one clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_error_ns: Option<u64>,
    /// Frames measured.
    pub count: u64,
    /// Frames whose time was impossible (in the future, or minutes old): in no figure below.
    pub rejected: u64,
    pub min_ns: u64,
    pub mean_ns: f64,
    pub p50_ns: u64,
    pub p90_ns: u64,
    pub p99_ns: u64,
    pub p99_9_ns: u64,
    pub p99_99_ns: u64,
    pub max_ns: u64,
    /// RFC 3550 §6.4.1 interarrival jitter, at the end.
    pub jitter_ns: f64,
}

/// How a sender kept its rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pacing {
    /// Packets a second asked of the port.
    pub requested_pps: f64,
    /// (Sent + unsent) over the effective duration.
    pub offered_pps: f64,
    /// Sent over the effective duration.
    pub achieved_pps: f64,
    /// Frames given up after stalls of more than 10 ms (part of unsent).
    pub given_up: u64,
    /// How late frames were handed to the driver.
    #[serde(default)]
    pub departures: Option<Departures>,
}

/// Lateness: the time at which a frame was handed to the driver less the time at which it was due. Never negative, as
/// no frame leaves before it is due.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Departures {
    /// Frames that the driver took.
    pub frames: u64,
    /// Share of them that were at most so late.
    pub within_64_ns: f64,
    /// As `within_64_ns`.
    pub within_128_ns: f64,
    /// As `within_64_ns`.
    pub within_256_ns: f64,
    /// As `within_64_ns`.
    pub within_512_ns: f64,
    /// As `within_64_ns`.
    pub within_1000_ns: f64,
    /// Half of them were no later.
    pub p50_ns: u64,
    /// 99 of 100 were no later.
    pub p99_ns: u64,
    /// The latest.
    pub max_ns: u64,
    /// Frames by lateness: element 0 counts those of 0 ns, element `i` those from 2^(i−1) to below 2^i ns.
    pub log2_ns: Vec<u64>,
}

/// What became of one flow. Written as a list of its six numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "(u16, u64, u64, u64, u64, u64)", into = "(u16, u64, u64, u64, u64, u64)")]
#[schemars(with = "(u16, u64, u64, u64, u64, u64)")]
pub struct FlowBook {
    /// The stream it is of.
    pub stream: u16,
    /// Frame number modulo flows.
    pub flow: u64,
    /// Distinct frames received.
    pub received: u64,
    /// Sent − received, where the booking end knows what was sent. Else the gaps up to the highest number received.
    pub lost: u64,
    /// Came after a higher number of their shard.
    pub reordered: u64,
    /// Copies, beyond the first.
    pub duplicated: u64,
}

impl FlowBook {
    /// Above the lines that its `Display` makes.
    pub const CSV_HEADER: &'static str = "stream,flow,received,lost,reordered,duplicated";
    /// Rows that may be asked of an agent: its engine's last word is bounded.
    pub const ROWS_MAX: u32 = 1 << 15;
    /// Rows that fit in the memory that flows may take.
    pub const ALL_ROWS: u32 = 1 << 23;
}

impl fmt::Display for FlowBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FlowBook { stream, flow, received, lost, reordered, duplicated } = self;
        write!(f, "{stream},{flow},{received},{lost},{reordered},{duplicated}")
    }
}

impl From<(u16, u64, u64, u64, u64, u64)> for FlowBook {
    fn from(
        (stream, flow, received, lost, reordered, duplicated): (u16, u64, u64, u64, u64, u64),
    ) -> FlowBook {
        FlowBook { stream, flow, received, lost, reordered, duplicated }
    }
}

impl From<FlowBook> for (u16, u64, u64, u64, u64, u64) {
    fn from(book: FlowBook) -> Self {
        (book.stream, book.flow, book.received, book.lost, book.reordered, book.duplicated)
    }
}

/// One RX queue's part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RxQueueShare {
    /// DPDK's number.
    pub queue: u16,
    /// The CPU of the worker that polls it.
    pub cpu: u32,
    /// Frames that it brought, by our own count.
    pub packets: u64,
}

/// A frame that was kept for people to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DumpedFrame {
    /// Wall clock, nanoseconds since 1970 (UTC), when its burst came.
    pub unix_ns: u64,
    /// Why.
    pub kind: DumpKind,
    /// Bytes that it had, without FCS.
    pub len: u32,
    /// Its first bytes, in hex.
    pub hex: String,
}

impl DumpedFrame {
    /// Its first bytes; those up to the first that are none, where somebody changed the hex.
    pub fn bytes(&self) -> Vec<u8> {
        let digits = self.hex.as_bytes().chunks_exact(2).map(std::str::from_utf8);
        digits.map_while(|pair| u8::from_str_radix(pair.ok()?, 16).ok()).collect()
    }
}

/// Why a frame was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DumpKind {
    /// Marked as ours but impossible.
    #[default]
    Invalid,
    /// Not ours.
    Foreign,
}
