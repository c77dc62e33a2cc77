//! A checked profile, compiled: templates, flows, and what the port's rate and stop rule mean in frames.

use crate::fault::Faults;
use crate::frame::Template;
use crate::order::even_order;
use crate::pacer::Gap;
use crate::profile::{FrameSizes, Payload, Profile, Stop, Stream, check};
use crate::shard::Shard;
use crate::units::{FCS_BYTES, FrameSize, Rate};

/// A profile that can be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// As the profile's, or `profile`.
    pub name: String,
    /// Of the streams without a rate of their own, together.
    pub rate: Rate,
    /// Their gaps.
    pub gap: Gap,
    /// When the port stops by itself.
    pub stop: Stop,
    /// What is sent.
    pub streams: Vec<StreamPlan>,
    /// What the user should know though it is no fault.
    pub warnings: Vec<String>,
}

/// One stream, compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamPlan {
    /// As the stream's, or its number from 0.
    pub name: String,
    /// Its share of the plan's rate.
    pub weight: u32,
    /// A rate of its own.
    pub rate: Option<Rate>,
    /// The gaps of that.
    pub gap: Gap,
    /// Seconds before its first frame.
    pub start_delay_s: f64,
    /// Bytes with FCS.
    pub sizes: FrameSizes,
    /// The frame and its varying fields, for each size.
    pub templates: Vec<Template>,
    /// Which template a frame has, in turn.
    pub size_order: Vec<u16>,
    /// What fills its frames.
    pub payload: Payload,
    /// Distinct flows: frames before all fields repeat.
    pub flows: u64,
    /// Frames before every field is on its cycle; 0 for ranges that start on it.
    pub lead_in: u64,
}

impl StreamPlan {
    /// Compiles one stream. `None` for one that the check refuses.
    pub fn new(index: usize, stream: &Stream, stamped: bool) -> Option<StreamPlan> {
        let sizes = stream.frame_size.weighted();
        let weights: Vec<u32> = sizes.iter().map(|s| s.weight).collect();
        let templates = |stamped| -> Option<Vec<Template>> {
            sizes.iter().map(|s| Template::new(stream, s.size, stamped)).collect()
        };
        // A stream's numbers run through frames of all its sizes: where one has no room for the mark, none has it.
        let templates = match templates(stamped)? {
            all if all.iter().all(|t| t.stamp_at.is_some()) => all,
            _ => templates(false)?,
        };
        let first = templates.first()?;
        Some(StreamPlan {
            name: stream.name.clone().unwrap_or_else(|| index.to_string()),
            weight: stream.weight,
            rate: stream.rate,
            gap: stream.gap.unwrap_or_default(),
            start_delay_s: stream.start_delay_s,
            sizes: stream.frame_size.clone(),
            size_order: even_order(&weights),
            payload: stream.payload.clone(),
            flows: first.flows()?,
            lead_in: first.lead_in(),
            templates,
        })
    }

    /// Whether all frames carry the mark.
    pub fn stamped(&self) -> bool {
        self.templates.iter().all(|t| t.stamp_at.is_some())
    }

    /// Frames a second at `rate` on a link of `link_bps`; `None` for `max`.
    fn pps(&self, rate: Rate, link_bps: f64) -> Option<f64> {
        rate.mean_pps(self.sizes.mean_mbuf_bytes() + f64::from(FCS_BYTES), link_bps)
    }
}

impl Plan {
    /// Checks and compiles; all faults at once. Of a replay only the notation is checked: see [`Plan::unmarked`].
    pub fn compile(profile: &Profile) -> Result<Plan, Faults> {
        let name = profile.name.clone().unwrap_or_else(|| "profile".to_owned());
        let faults = check::check(profile);
        if faults.is_empty() && profile.replay.is_some() {
            return Ok(Plan::unmarked(&name, FrameSize::MAX.mbuf_bytes(), 1));
        }
        let streams = profile.streams.iter().enumerate();
        let streams: Option<Vec<StreamPlan>> = match faults.is_empty() {
            true => streams.map(|(i, stream)| StreamPlan::new(i, stream, profile.stamp)).collect(),
            false => None,
        };
        let Some(streams) = streams else {
            return Err(Faults { source_name: name, faults });
        };
        let warnings = warnings(profile, &streams);
        Ok(Plan { name, rate: profile.rate, gap: profile.gap, stop: profile.stop, streams, warnings })
    }

    /// Stands for frames of which the longest one's size is known, and how many flows they are: what a port, its memory
    /// and a receiver need to know of a replay.
    pub fn unmarked(name: &str, longest: u16, flows: u64) -> Plan {
        let size = FrameSize::of_mbuf(longest);
        let stream = StreamPlan {
            name: "replay".to_owned(),
            weight: 1,
            rate: None,
            gap: Gap::Constant,
            start_delay_s: 0.0,
            sizes: FrameSizes::One(size),
            templates: vec![Template::unmarked(size)],
            size_order: vec![0],
            payload: Payload::default(),
            flows,
            lead_in: 0,
        };
        let (name, warnings) = (name.to_owned(), Vec::new());
        Plan { name, rate: Rate::Max, gap: Gap::Constant, stop: Stop::Never, streams: vec![stream], warnings }
    }

    /// Whether all frames carry the mark.
    pub fn stamped(&self) -> bool {
        self.streams.iter().all(StreamPlan::stamped)
    }

    /// Whether some frames carry the mark: those of whole streams.
    pub fn is_marked(&self) -> bool {
        self.streams.iter().any(StreamPlan::stamped)
    }

    /// Streams whose frames carry no mark, where others' do: a receiver finds them foreign.
    pub fn unmarked_streams(&self) -> Vec<u16> {
        let streams = (0..).zip(&self.streams).filter(|(_, s)| self.is_marked() && !s.stamped());
        streams.map(|(index, _)| index).collect()
    }

    /// Distinct flows of all streams: of those that a receiver can tell apart, where some frames carry the mark.
    pub fn flows(&self) -> u64 {
        let told_apart = self.streams.iter().filter(|s| s.stamped() || !self.is_marked());
        told_apart.map(|s| s.flows).fold(0, u64::saturating_add)
    }

    /// The largest frame.
    pub fn largest_frame(&self) -> FrameSize {
        self.streams.iter().map(|s| s.sizes.bounds().1).max().unwrap_or(FrameSize::MIN)
    }

    /// The only template, of a plan that needs no other ([`Plan::is_plain`]).
    pub fn plain_template(&self) -> Option<&Template> {
        self.streams.first().and_then(|s| s.templates.first()).filter(|_| self.is_plain())
    }

    /// Whether one template serves all frames, in steps that need no lookup: the fastest way to send.
    pub fn is_plain(&self) -> bool {
        let [stream] = self.streams.as_slice() else { return false };
        let [template] = stream.templates.as_slice() else { return false };
        let outer = template.patches.iter().any(|p| p.covered.outer_ip);
        let stepped = template.patches.iter().all(|p| p.is_alone() && p.values.sequence().is_some());
        stream.rate.is_none() && stepped && !outer && template.ip.is_some() && template.l4.is_some()
    }

    /// Every part of every stream, by the number that its marks carry: the same on both sides.
    ///
    /// Each stream is divided over all workers, whole flows at a time; of several streams, one that has fewer flows
    /// than there are workers belongs to one of them.
    pub fn shards(&self, workers: u16) -> Vec<Shard> {
        let workers = workers.max(1);
        let several = self.streams.len() > 1;
        let mut shards = Vec::new();
        for (index, stream) in self.streams.iter().enumerate() {
            if several && stream.flows < u64::from(workers) {
                let owner = (index % usize::from(workers)) as u16;
                shards.push(Shard::new(0, 1, stream.flows).of_stream(index as u16).sent_by(owner));
            } else {
                shards
                    .extend(Shard::all(workers, stream.flows).into_iter().map(|s| s.of_stream(index as u16)));
            }
        }
        for (id, shard) in shards.iter_mut().enumerate() {
            shard.id = id as u16;
        }
        shards
    }

    /// Frames that each shard has in the first `count` frames of the port.
    pub fn count_shares(&self, count: u64, shards: &[Shard]) -> Vec<u64> {
        let weights: Vec<u32> = self.streams.iter().map(|s| s.weight).collect();
        let order = even_order(&weights);
        let cycle = order.len().max(1) as u64;
        let mut rest = vec![0u64; weights.len()];
        for stream in order.iter().take((count % cycle) as usize) {
            rest[usize::from(*stream)] += 1;
        }
        let mut per_cycle = vec![0u64; weights.len()];
        order.iter().for_each(|stream| per_cycle[usize::from(*stream)] += 1);
        let share = |shard: &Shard| {
            let stream = usize::from(shard.stream);
            shard.count_share(count / cycle * per_cycle[stream] + rest[stream])
        };
        shards.iter().map(share).collect()
    }

    /// Packets a second of the whole port on a link of `link_mbps` (0 = unknown: 10 Gbit/s is assumed, as DPDK's
    /// virtual devices report); `None` for `max`.
    pub fn requested_pps(&self, link_mbps: u32) -> Option<f64> {
        let own: f64 = self.streams.iter().filter_map(|s| self.own_pps(s, link_mbps)).sum();
        if self.shared().next().is_none() {
            Some(own)
        } else {
            self.shared_pps(link_mbps).map(|pps| pps + own)
        }
    }

    /// Packets a second of all streams without a rate of their own; `None` for `max`.
    pub fn shared_pps(&self, link_mbps: u32) -> Option<f64> {
        let weight: f64 = self.shared().map(|s| f64::from(s.weight)).sum();
        let bytes: f64 = self.shared().map(|s| f64::from(s.weight) * s.sizes.mean_mbuf_bytes()).sum();
        let pps = self.rate.mean_pps(bytes / weight.max(1.0) + f64::from(FCS_BYTES), link_bps(link_mbps));
        self.gap.mean_pps(pps)
    }

    /// Packets a second of a stream with a rate of its own.
    pub fn own_pps(&self, stream: &StreamPlan, link_mbps: u32) -> Option<f64> {
        let pps = stream.pps(stream.rate?, link_bps(link_mbps));
        stream.gap.mean_pps(pps)
    }

    /// The part of the workers before `worker` in the rate of `stream`, or of all that share the plan's rate.
    pub fn share_before(&self, shards: &[Shard], worker: u16, stream: Option<u16>) -> f64 {
        let total: f64 = self.shared().map(|s| f64::from(s.weight)).sum();
        let part = |shard: &Shard| match (stream, self.streams.get(usize::from(shard.stream))) {
            (Some(own), _) if own == shard.stream => shard.rate_share(),
            (None, Some(plan)) if plan.rate.is_none() => f64::from(plan.weight) * shard.rate_share() / total,
            _ => 0.0,
        };
        shards.iter().filter(|shard| shard.worker < worker).map(part).sum()
    }

    /// The streams that share the plan's rate.
    pub fn shared(&self) -> impl Iterator<Item = &StreamPlan> {
        self.streams.iter().filter(|s| s.rate.is_none())
    }
}

fn link_bps(link_mbps: u32) -> f64 {
    f64::from(if link_mbps == 0 { 10_000 } else { link_mbps }) * 1e6
}

fn warnings(profile: &Profile, streams: &[StreamPlan]) -> Vec<String> {
    let mut warnings = Vec::new();
    let unmarked: Vec<&StreamPlan> = streams.iter().filter(|s| profile.stamp && !s.stamped()).collect();
    if let [first, others @ ..] = unmarked.as_slice() {
        let size = first.sizes.bounds().0;
        let more =
            if others.is_empty() { String::new() } else { format!(" (nor those of {} more)", others.len()) };
        let rest = if unmarked.len() == streams.len() {
            ""
        } else {
            " of them, and at the receiver they are foreign"
        };
        warnings.push(format!(
            "frames of stream {}{more} carry no mark, as those of {size} have no room for its 18 bytes behind their headers: \
             loss, order and latency are not measured{rest}; use larger frames (UDP needs 64 B, TCP 76 B)",
            first.name
        ));
    }
    let random = streams.iter().filter(|s| s.templates.iter().any(Template::is_random)).count();
    if random > 0 {
        warnings.push(format!(
            "{random} of {} streams have random fields: flows are told apart by their stepped fields only",
            streams.len()
        ));
    }
    warnings
}
