//! The frames of one worker without a port: what `dataplane frames` prints and saves.

use crate::cursor::Cursor;
use crate::frame::word::{HEAD_BYTES, Head};
use crate::mixed::{Mixed, Room};
use crate::plan::Plan;

/// Frames with their due times, one after the other.
#[derive(Debug)]
pub struct Generator {
    source: Source,
    bytes: Vec<u8>,
    len: usize,
    lanes: Vec<Due>,
}

#[derive(Debug)]
enum Source {
    Plain(Box<Cursor>),
    Mixed(Box<Mixed>),
}

/// When a lane's next frame is due, nanoseconds from the start, and the gap to the one after.
#[derive(Clone, Copy, Debug)]
struct Due {
    at_ns: f64,
    gap_ns: f64,
}

impl Generator {
    /// Of `worker` of `workers`, on a link of 10 Gbit/s.
    pub fn new(plan: &Plan, worker: u16, workers: u16, tag: u32) -> Generator {
        let shards = plan.shards(workers);
        let gap = |pps: Option<f64>| pps.filter(|pps| *pps > 0.0).map_or(0.0, |pps| 1e9 / pps);
        let plain = plan.streams.first().and_then(|s| s.templates.first()).filter(|_| plan.is_plain());
        if let (Some(template), Some(shard)) = (plain, shards.get(usize::from(worker))) {
            let gap_ns = gap(plan.requested_pps(0).map(|pps| pps * shard.rate_share()));
            let bytes = template.bytes.clone();
            return Generator {
                source: Source::Plain(Box::new(Cursor::new(template, *shard, tag))),
                len: bytes.len(),
                bytes,
                lanes: vec![Due { at_ns: 0.0, gap_ns }],
            };
        }
        let mixed = Mixed::new(plan, &shards, worker, tag, None);
        let due = |lane: &crate::mixed::Lane| {
            let own = lane.stream.and_then(|own| plan.streams.get(usize::from(own)));
            let pps = own.map_or_else(|| plan.shared_pps(0), |own| plan.own_pps(own, 0));
            Due { at_ns: lane.start_delay_s * 1e9, gap_ns: gap(pps.map(|pps| pps * lane.share)) }
        };
        let lanes = mixed.lanes().iter().map(due).collect();
        let mut bytes = Mixed::prefill(plan);
        let len = bytes.len();
        bytes.resize(len.max(HEAD_BYTES), 0);
        Generator { source: Source::Mixed(Box::new(mixed)), bytes, len, lanes }
    }

    /// The next frame, and when it is due in nanoseconds from the start; `None` for a worker without streams.
    pub fn next_frame(&mut self) -> Option<(u64, &[u8])> {
        let lanes = self.lanes.iter_mut().enumerate();
        let (lane, due) = lanes.min_by(|(_, a), (_, b)| a.at_ns.total_cmp(&b.at_ns))?;
        let at_ns = due.at_ns as u64;
        due.at_ns += due.gap_ns;
        match &mut self.source {
            Source::Plain(cursor) => cursor.write_one(&mut self.bytes, 0),
            Source::Mixed(mixed) => {
                mixed.pick(lane, 1);
                mixed.write(std::iter::once(One { bytes: &mut self.bytes, len: &mut self.len }), 0);
                mixed.sent(1, |_| ());
            }
        }
        Some((at_ns, &self.bytes[..self.len]))
    }
}

struct One<'a> {
    bytes: &'a mut Vec<u8>,
    len: &'a mut usize,
}

impl Room for One<'_> {
    fn held(&self) -> usize {
        *self.len
    }
    fn set_len(&mut self, bytes: u16) {
        *self.len = bytes.into();
    }
    fn bytes(&mut self) -> &mut [u8] {
        self.bytes
    }
    fn head(&mut self) -> Option<&mut Head> {
        self.bytes.first_chunk_mut()
    }
}
