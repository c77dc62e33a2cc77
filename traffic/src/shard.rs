//! Which worker sends which frames.
//!
//! A stream is the endless list of frames 0, 1, 2, …, whose fields repeat every `flows` frames. Each worker
//! owns whole flows, so that no flow is reordered by the generator itself: worker `k` of `w` owns the frames
//! whose place in the period is `k` modulo `w`. With fewer flows than workers the period is taken several
//! times over, and workers share flows. The union of the shards is the stream, and no frame is in two of
//! them.

/// One worker's part of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// As in the mark.
    pub id: u16,
    /// The stream it is a part of.
    pub stream: u16,
    /// The worker that sends it.
    pub worker: u16,
    /// Its number among the stream's shards.
    place: u64,
    workers: u64,
    /// Frames after which flows and owners repeat: a multiple of the flows, no less than the workers.
    period: u64,
    flows: u64,
    /// Places of the period that this worker owns.
    slots: u64,
}

impl Shard {
    /// The part of worker `id` of `workers` in a stream of `flows` distinct flows. Both counts are at least
    /// 1.
    pub fn new(id: u16, workers: u16, flows: u64) -> Shard {
        let w = u64::from(workers.max(1));
        let flows = flows.max(1);
        let period = flows * w.div_ceil(flows);
        let slots = (period - u64::from(id)).div_ceil(w);
        Shard { id, stream: 0, worker: id, place: u64::from(id), workers: w, period, flows, slots }
    }

    /// The same part of another stream.
    #[must_use]
    pub fn of_stream(self, stream: u16) -> Shard {
        Shard { stream, ..self }
    }

    /// The same part, sent by another worker.
    #[must_use]
    pub fn sent_by(self, worker: u16) -> Shard {
        Shard { worker, ..self }
    }

    /// All shards of a stream.
    pub fn all(workers: u16, flows: u64) -> Vec<Shard> {
        (0..workers.max(1)).map(|id| Shard::new(id, workers, flows)).collect()
    }

    /// Frames of this shard before its flows repeat.
    pub fn slots(&self) -> u64 {
        self.slots
    }

    /// How many workers share the stream.
    pub fn workers(&self) -> u64 {
        self.workers
    }

    /// The stream's frame number of this shard's frame `seq`.
    pub fn frame(&self, seq: u64) -> u64 {
        (seq / self.slots) * self.period + self.place + self.workers * (seq % self.slots)
    }

    /// How many of the shard's first `count` frames are at place `slot`.
    pub fn count_at(&self, slot: u64, count: u64) -> u64 {
        count / self.slots + u64::from(slot < count % self.slots)
    }

    /// How many of the shard's first `count` frames are of `flow`.
    pub fn count_of(&self, flow: u64, count: u64) -> u64 {
        let places = (0..self.period / self.flows).map(|turn| flow + turn * self.flows);
        let mine = places.filter(|place| place % self.workers == self.place);
        mine.map(|place| self.count_at((place - self.place) / self.workers, count)).sum()
    }

    /// The flow at place `slot` of the shard.
    pub fn flow(&self, slot: u64) -> u64 {
        (self.place + self.workers * slot) % self.flows
    }

    /// The share of the port's rate: in proportion to the places owned, so that all flows are equally fast.
    pub fn rate_share(&self) -> f64 {
        self.slots as f64 / self.period as f64
    }

    /// How many of the stream's first `count` frames are this shard's.
    pub fn count_share(&self, count: u64) -> u64 {
        let rest = (count % self.period).saturating_sub(self.place);
        count / self.period * self.slots + rest.div_ceil(self.workers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn union_is_the_stream_and_shards_are_disjoint(workers in 1u16..9, flows in 1u64..40, count in 0u64..300) {
            let mut all = Vec::new();
            for s in Shard::all(workers, flows) {
                let n = s.count_share(count);
                for seq in 0..n {
                    let frame = s.frame(seq);
                    prop_assert_eq!(frame % flows, s.flow(seq % s.slots()));
                    all.push(frame);
                }
                for flow in 0..flows {
                    let frames = (0..n).filter(|seq| s.frame(*seq) % flows == flow).count();
                    prop_assert_eq!(s.count_of(flow, n), frames as u64);
                }
                prop_assert!(s.frame(n) >= count, "the next one is beyond the count");
            }
            let distinct: BTreeSet<u64> = all.iter().copied().collect();
            prop_assert_eq!(distinct.len(), all.len());
            prop_assert_eq!(all.len() as u64, count);
            prop_assert!(distinct.iter().all(|f| *f < count));
        }

        #[test]
        fn shares_of_the_rate_add_up(workers in 1u16..9, flows in 1u64..1000) {
            let sum: f64 = Shard::all(workers, flows).iter().map(Shard::rate_share).sum();
            prop_assert!((sum - 1.0).abs() < 1e-9);
        }

        #[test]
        fn a_flow_has_one_owner_when_there_are_enough(workers in 1u16..9, extra in 0u64..50) {
            let flows = u64::from(workers) + extra;
            let mut owners = BTreeSet::new();
            for s in Shard::all(workers, flows) {
                for slot in 0..s.slots() {
                    prop_assert!(owners.insert(s.flow(slot)));
                }
            }
            prop_assert_eq!(owners.len() as u64, flows);
        }
    }
}
