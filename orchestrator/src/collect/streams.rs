//! What became of each stream, where a profile has several.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use traffic::wire::{Latency, Summary};

/// One stream's account, over all its shards.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamVerdict {
    /// Its number in the profile, from 0.
    pub stream: u16,
    /// Frames that the sender's port took.
    pub sent: u64,
    /// Distinct marked frames.
    pub received: u64,
    /// Sent − received; 0 of a stream without marks.
    pub lost: u64,
    /// Its frames carry no mark: nothing but `sent` is known of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unmarked: bool,
    /// Came after a higher number of their shard.
    pub reordered: u64,
    /// Copies, beyond the first.
    pub duplicated: u64,
    /// Distinct flows that arrived; none where they could not be tracked.
    pub flows_seen: Option<u64>,
    /// Its latency, where it was kept apart.
    pub latency: Option<Latency>,
}

/// Each stream by both ends' last words; empty with a single one, or without both words, or where frames carry no mark.
pub fn by_stream(tx: Option<&Summary>, rx: Option<&Summary>, stamped: bool) -> Vec<StreamVerdict> {
    let (Some(tx), Some(rx), true) = (tx, rx, stamped) else { return Vec::new() };
    let mut streams: BTreeMap<u16, StreamVerdict> = BTreeMap::new();
    for shard in &tx.tx_shards {
        streams.entry(shard.stream).or_default().sent += shard.sent;
    }
    for shard in &rx.rx_shards {
        let stream = streams.entry(shard.stream).or_default();
        stream.received += shard.received;
        stream.reordered += shard.reordered;
        stream.duplicated += shard.duplicated;
    }
    if streams.len() < 2 {
        return Vec::new();
    }
    let finish = |(stream, verdict): (u16, StreamVerdict)| {
        let place = usize::from(stream);
        let unmarked = tx.unmarked_streams.contains(&stream);
        StreamVerdict {
            stream,
            unmarked,
            lost: if unmarked { 0 } else { verdict.sent.saturating_sub(verdict.received) },
            flows_seen: rx.stream_flows.get(place).copied().filter(|_| !unmarked),
            latency: rx.stream_latency.get(place).cloned().filter(|l| l.count > 0),
            ..verdict
        }
    };
    streams.into_iter().map(finish).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::wire::{RxShard, TxShard};

    #[test]
    fn shards_of_a_stream_are_one_account() {
        let sent = |shard, stream, sent| TxShard { shard, stream, sent };
        let seen =
            |shard, stream, received| RxShard { shard, stream, received, reordered: 1, ..RxShard::default() };
        let tx =
            Summary { tx_shards: vec![sent(0, 0, 10), sent(1, 0, 5), sent(2, 1, 7)], ..Summary::default() };
        let rx = Summary {
            rx_shards: vec![seen(0, 0, 9), seen(1, 0, 5), seen(2, 1, 7)],
            stream_flows: vec![3, 1],
            ..Summary::default()
        };
        let streams = by_stream(Some(&tx), Some(&rx), true);
        let figures: Vec<_> =
            streams.iter().map(|s| (s.sent, s.received, s.lost, s.reordered, s.flows_seen)).collect();
        assert_eq!(figures, [(15, 14, 1, 2, Some(3)), (7, 7, 0, 1, Some(1))]);
        assert!(by_stream(Some(&tx), Some(&rx), false).is_empty());
        let rx = Summary { rx_shards: vec![seen(0, 0, 9), seen(1, 0, 5)], ..rx };
        let unmarked = by_stream(Some(&Summary { unmarked_streams: vec![1], ..tx }), Some(&rx), true);
        let figures: Vec<_> = unmarked.iter().map(|s| (s.unmarked, s.sent, s.lost, s.flows_seen)).collect();
        assert_eq!(figures, [(false, 15, 1, Some(3)), (true, 7, 0, None)]);
    }
}
