//! What a receiver makes of the frames: one accountant a queue, shared with nobody, merged when read.
//!
//! Loss needs no gap counting on the packet path. Every queue counts the *distinct* sequence numbers that it
//! saw of each shard; a flow stays on one queue, so a copy meets its original there. What is missing is then
//! the highest number + 1 (or, at the end, what the sender says it sent) minus the distinct ones over all
//! queues: right however RSS spreads a shard.

pub mod flows;
pub mod foreign;
pub mod latency;
mod quote;
pub mod shard;

use crate::shard::Shard;
use crate::stamp::{self, Stamp};
use crate::wire::{Account, FlowBook, RxShard, Sample, StreamCounters};
pub use flows::{distinct_flows, flow_books};
use foreign::Foreign;
use latency::LatencyHistogram;
use shard::{ShardAccount, Track, Unbooked, WINDOW, WINDOW_MIN};

/// What all accountants of a run share and none changes.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The mark's tag.
    pub tag: u32,
    /// The sender's shards, by id.
    pub shards: Vec<Shard>,
    /// Distinct flows of each stream.
    pub flows: Vec<u64>,
    /// Sequence numbers beyond these can't be: the shard's part of the plan's count.
    pub counts: Option<Vec<u64>>,
    /// Whether marks' times are of the receiver's clock.
    pub same_clock: bool,
    /// How far marks' times may lie in the future, in the clock's units, for the clocks' error.
    pub clock_slack: u64,
    /// RX queues, among which memory for flows is divided.
    pub queues: u16,
    /// Whether each flow has books of its own.
    pub per_flow: bool,
}

/// Flow counters take 8 bytes a flow and queue; books of each flow 16, and 48 a flow when they are made up. What is
/// beyond this in all is not kept.
pub const FLOW_MEMORY_LIMIT_BYTES: u64 = 256 << 20;

/// The windows of all shards (streams × sending workers) on all queues together are no larger.
pub const WINDOW_MEMORY_LIMIT_BYTES: u64 = 256 << 20;

/// Streams whose latency is told apart, 18 KB each a queue; of more, all are one.
pub const LATENCY_STREAMS_MAX: usize = 256;

impl Expectation {
    /// Distinct flows of all streams.
    pub fn all_flows(&self) -> u64 {
        self.flows.iter().copied().fold(0, u64::saturating_add)
    }

    /// What is kept of each flow, and the bytes that it takes over all queues.
    pub fn track(&self) -> (Track, u64) {
        let slots = self.shards.iter().map(Shard::slots).fold(0, u64::saturating_add);
        let queues = u64::from(self.queues);
        let counters = slots.saturating_mul(8 * queues);
        let books = slots.saturating_mul(16 * queues + size_of::<FlowBook>() as u64);
        let fits = |bytes| bytes <= FLOW_MEMORY_LIMIT_BYTES;
        match self.per_flow {
            true if fits(books) => (Track::Books, books),
            _ if fits(counters) => (Track::Received, counters),
            _ => (Track::Nothing, 0),
        }
    }

    /// How far back each shard's numbers are told apart on each queue: a power of two.
    pub fn window(&self) -> u64 {
        let windows = (self.shards.len() as u64).max(1) * u64::from(self.queues.max(1));
        let share = WINDOW_MEMORY_LIMIT_BYTES * 8 / windows;
        // The largest power of two within its share.
        (1 << share.max(1).ilog2()).clamp(WINDOW_MIN, WINDOW)
    }

    /// Bytes that the books of all queues take, to within what their structures take beside.
    pub fn memory_bytes(&self) -> u64 {
        let (_, flows) = self.track();
        let windows = self.shards.len() as u64 * self.window() / 8;
        let latency = (self.latency_streams() * size_of::<LatencyHistogram>()) as u64;
        // Each queue's shards and latency stand in a copy for the sampler too.
        let shards = 2 * (self.shards.len() * size_of::<ShardAccount>()) as u64;
        let copy = size_of::<LatencyHistogram>() as u64;
        flows + u64::from(self.queues) * (windows + latency + shards + copy)
    }

    /// How many streams' latency is told apart: 1 where they are too many.
    pub fn latency_streams(&self) -> usize {
        let streams = self.shards.iter().map(|shard| usize::from(shard.stream) + 1).max().unwrap_or(1);
        if streams > LATENCY_STREAMS_MAX { 1 } else { streams }
    }
}

/// What a frame was booked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Booked {
    /// Ours, be it a copy or late.
    Ours,
    /// Marked as ours but impossible.
    Invalid,
    /// Not ours.
    Foreign,
}

/// One queue's books.
#[derive(Clone, Debug)]
pub struct Accountant {
    tag: u32,
    same_clock: bool,
    shards: Vec<ShardAccount>,
    invalid: u64,
    foreign: Foreign,
    /// Of stream 0; of all streams in a copy.
    latency: LatencyHistogram,
    /// Of streams from 1 on.
    other_latencies: Vec<LatencyHistogram>,
    /// The stream of each shard, where there are several.
    stream_of: Box<[u16]>,
}

impl Accountant {
    /// Allocates everything that will be needed.
    pub fn new(expect: &Expectation) -> Accountant {
        let (window, (track, _)) = (expect.window(), expect.track());
        let limit = |i: usize| expect.counts.as_ref().and_then(|c| c.get(i)).copied();
        let shards = expect.shards.iter().enumerate();
        let streams = expect.latency_streams();
        Accountant {
            tag: expect.tag,
            same_clock: expect.same_clock,
            shards: shards.map(|(i, s)| ShardAccount::new(s, limit(i), window, track)).collect(),
            invalid: 0,
            foreign: Foreign::default(),
            latency: LatencyHistogram::with_slack(expect.clock_slack),
            other_latencies: (1..streams).map(|_| LatencyHistogram::with_slack(expect.clock_slack)).collect(),
            stream_of: expect.shards.iter().map(|shard| shard.stream).collect(),
        }
    }

    /// A place for [`Self::copy_from`]: without the tables, which copies do not hold.
    pub fn new_copy(expect: &Expectation) -> Accountant {
        Accountant {
            tag: expect.tag,
            same_clock: expect.same_clock,
            shards: expect.shards.iter().map(|_| ShardAccount::default()).collect(),
            invalid: 0,
            foreign: Foreign::default(),
            latency: LatencyHistogram::default(),
            other_latencies: Vec::new(),
            stream_of: Box::default(),
        }
    }

    /// Books one frame (without FCS) that came at `now` by the receiver's clock.
    // Always: receivers and senders have a loop each, and what is used twice is a call a frame otherwise.
    #[inline(always)]
    pub fn frame(&mut self, frame: &[u8], now: u64) -> Booked {
        let Some(mark) = stamp::read(frame, self.tag) else {
            self.foreign.count(frame);
            return Booked::Foreign;
        };
        let Some(shard) = self.shards.get_mut(usize::from(mark.shard)) else {
            self.invalid += 1;
            return Booked::Invalid;
        };
        match shard.number(mark.seq) {
            Ok(()) if self.same_clock => {
                let ticks = now.wrapping_sub(mark.time) & stamp::MASK_48;
                if self.other_latencies.is_empty() {
                    self.latency.record(ticks);
                } else {
                    self.record_stream(mark.shard, ticks);
                }
                Booked::Ours
            }
            Ok(()) => Booked::Ours,
            Err(why) => self.unbooked(why, mark, frame),
        }
    }

    /// A number that can't be, or that came before. A kernel's ICMP error quotes a frame, mark and all: that is no
    /// copy.
    #[cold]
    fn unbooked(&mut self, why: Unbooked, mark: Stamp, frame: &[u8]) -> Booked {
        match (why, self.shards.get_mut(usize::from(mark.shard))) {
            (Unbooked::Again, Some(shard)) if !quote::is_icmp_error(frame) => {
                shard.copy(mark.seq);
                Booked::Ours
            }
            (Unbooked::Again, _) => {
                self.foreign.count(frame);
                Booked::Foreign
            }
            (Unbooked::Impossible, _) => {
                self.invalid += 1;
                Booked::Invalid
            }
        }
    }

    /// Out of the way of runs with one stream.
    #[inline(never)]
    fn record_stream(&mut self, shard: u16, ticks: u64) {
        let stream = self.stream_of.get(usize::from(shard)).copied().map_or(0, usize::from);
        let other = stream.checked_sub(1).and_then(|other| self.other_latencies.get_mut(other));
        other.unwrap_or(&mut self.latency).record(ticks);
    }

    /// Copies `other`'s state into this one without allocating; both come from one [`Expectation`].
    pub fn copy_from(&mut self, other: &Accountant) {
        for (mine, theirs) in self.shards.iter_mut().zip(&other.shards) {
            mine.copy_counts_from(theirs);
        }
        self.invalid = other.invalid;
        self.foreign = other.foreign;
        self.latency.copy_from(&other.latency);
        other.other_latencies.iter().for_each(|latency| self.latency.add(latency));
    }

    /// Frames so far that are not ours.
    #[inline(always)]
    pub fn foreign(&self) -> u64 {
        self.foreign.total()
    }

    /// The latency of this queue, by stream; of all streams together in a copy.
    pub fn latency(&self) -> impl Iterator<Item = &LatencyHistogram> {
        std::iter::once(&self.latency).chain(&self.other_latencies)
    }
}

/// All queues' books as one: totals and shards.
pub fn merge(queues: &[&Accountant], expect: &Expectation) -> (Account, Vec<RxShard>) {
    let mut total = Account::default();
    let mut shards = Vec::with_capacity(expect.shards.len());
    for (i, shard) in expect.shards.iter().enumerate() {
        let mut sum = RxShard { shard: shard.id, stream: shard.stream, ..RxShard::default() };
        for q in queues.iter().filter_map(|q| q.shards.get(i)) {
            sum.expected = sum.expected.max(q.next());
            sum.received += q.received();
            sum.reordered += q.reordered();
            sum.duplicated += q.duplicated();
            sum.too_late += q.too_late();
        }
        total.received += sum.received;
        total.lost += sum.expected.saturating_sub(sum.received + sum.too_late);
        total.reordered += sum.reordered;
        total.duplicated += sum.duplicated;
        total.too_late += sum.too_late;
        shards.push(sum);
    }
    for q in queues {
        total.invalid += q.invalid;
        q.foreign.add_to(&mut total);
    }
    total.flows_seen = flows::live(queues, expect);
    (total, shards)
}

/// The shards of each stream as one, by the stream's number; nothing where a sample does not tell them apart.
pub fn by_stream(shards: &[RxShard]) -> Vec<StreamCounters> {
    let count = shards.iter().map(|shard| usize::from(shard.stream) + 1).max().unwrap_or(0);
    if !(2..=Sample::STREAMS_MAX).contains(&count) {
        return Vec::new();
    }
    let mut streams: Vec<StreamCounters> =
        (0..count as u16).map(|stream| StreamCounters { stream, ..StreamCounters::default() }).collect();
    for shard in shards {
        let Some(sum) = streams.get_mut(usize::from(shard.stream)) else { continue };
        sum.expected += shard.expected;
        sum.received += shard.received;
        sum.lost += shard.expected.saturating_sub(shard.received + shard.too_late);
        sum.reordered += shard.reordered;
        sum.duplicated += shard.duplicated;
    }
    streams
}

#[cfg(test)]
mod tests;
