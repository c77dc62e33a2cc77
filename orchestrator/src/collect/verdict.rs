//! What a pair's trial amounts to.

use super::streams::{StreamVerdict, by_stream};
use serde::{Deserialize, Serialize};
use traffic::units::{FCS_BYTES, WIRE_OVERHEAD_BYTES};
use traffic::wire::{Departures, Latency, RxShard, Sample, Summary, TxShard};

use crate::trial::PairOutcome;

/// What the loss was counted from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossBasis {
    /// Per shard: numbers sent, by the sender's last word, less distinct numbers received, by the receiver's.
    Sequence,
    /// The receiver's gaps alone, since the sender has no last word: frames lost after the last one received are
    /// not in it.
    ReceiverGaps,
    /// Nothing: the frames carry no mark, or the receiver has no last word.
    #[default]
    NotMeasured,
}

/// The figures of one pair. Everything is final: nothing here is a difference of totals read at different times.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Verdict {
    /// Sent + unsent.
    pub offered: u64,
    /// What the sender's NIC took.
    pub sent: u64,
    /// Due, but not taken by the NIC.
    pub unsent: u64,
    /// Distinct marked frames of this trial; all frames, where they carry no mark.
    pub received: u64,
    /// None where it was not measured.
    pub lost: Option<u64>,
    /// What `lost` was counted from.
    pub loss_basis: LossBasis,
    /// Came after a higher number of their shard.
    pub reordered: u64,
    /// Copies, beyond the first.
    pub duplicated: u64,
    /// Marked as ours but impossible.
    pub invalid: u64,
    /// So late that they could not be told from copies; counted as lost.
    pub too_late: u64,
    /// Frames that were not this trial's.
    pub foreign: u64,
    /// Distinct flows of the profile.
    pub flows_asked: Option<u64>,
    /// Distinct flows that arrived; none where they could not be tracked.
    pub flows_seen: Option<u64>,
    /// Packets a second asked of the port; none for `max`.
    pub requested_pps: Option<f64>,
    /// Seconds that all rates here are over: from the sender's start to the end of its sending. Where the sender has no
    /// last word, each end's own time.
    pub rated_s: Option<f64>,
    /// How late frames left; none without a requested rate.
    pub departures: Option<Departures>,
    /// Offered a second.
    pub offered_pps: f64,
    /// Sent a second.
    pub tx_pps: f64,
    /// Received a second of the sender's time, so that it compares with what was sent.
    pub rx_pps: f64,
    /// Received bits a second of frames with FCS (layer 2), over the same time.
    pub rx_bps: f64,
    /// The same with preamble, delimiter and gap (layer 1).
    pub rx_bps_l1: f64,
    /// The receiver sent everything back: received, lost, order, rates and latency are of what came back to the sender.
    pub round_trip: bool,
    /// One-way latency, or there and back; none where both ends share no clock.
    pub latency: Option<Latency>,
    /// Each stream's account, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<StreamVerdict>,
    /// Received by each queue; by each worker, where the receiver has no last word.
    pub queue_packets: Vec<u64>,
}

/// Judges one pair.
pub fn judge(outcome: &PairOutcome) -> Verdict {
    // Of a round trip it is the sender that receives.
    let (tx, rx) = (&outcome.tx, outcome.books());
    let sent_totals = last(tx.summary.as_ref(), &tx.samples);
    let received_totals = last(rx.summary.as_ref(), &rx.samples);
    let sent: u64 = sum(sent_totals, |c| c.tx_packets);
    let unsent: u64 = sum(sent_totals, |c| c.unsent_packets);
    let frames_in: u64 = sum(received_totals, |c| c.rx_packets);
    let bytes_in: u64 = sum(received_totals, |c| c.rx_bytes);
    let stamped = tx.ready.as_ref().or(rx.ready.as_ref()).is_none_or(|r| r.stamped);
    let account = received_totals.and_then(|s| s.account).filter(|_| stamped);
    let (lost, loss_basis) = loss(tx.summary.as_ref(), rx.summary.as_ref(), stamped, account.map(|a| a.lost));
    let shards = rx.summary.as_ref().map_or(&[][..], |s| &s.rx_shards);
    let distinct = stamped.then(|| shards.iter().map(|s| s.received).sum());
    let tx_seconds = seconds(tx.summary.as_ref(), sent_totals);
    let rx_seconds = match &tx.summary {
        Some(_) => tx_seconds,
        None => seconds(rx.summary.as_ref(), received_totals),
    };
    let pacing = tx.summary.as_ref().and_then(|s| s.pacing.as_ref());
    let received =
        distinct.filter(|_| rx.summary.is_some()).or(account.map(|a| a.received)).unwrap_or(frames_in);
    // Foreign frames and copies are not this trial's throughput.
    let share = if frames_in > 0 { received as f64 / frames_in as f64 } else { 0.0 };
    let framing = frames_in.saturating_mul(u64::from(FCS_BYTES));
    let gaps = frames_in.saturating_mul(u64::from(WIRE_OVERHEAD_BYTES));
    let per_second = |n: u64, s: f64| if s > 0.0 { n as f64 / s } else { 0.0 };
    let account_or = account.unwrap_or_default();
    Verdict {
        offered: sent + unsent,
        sent,
        unsent,
        received,
        lost,
        loss_basis,
        reordered: account_or.reordered,
        duplicated: account_or.duplicated,
        invalid: account_or.invalid,
        too_late: account_or.too_late,
        foreign: account_or.foreign(),
        flows_asked: tx.ready.as_ref().or(rx.ready.as_ref()).map(|r| r.flows),
        flows_seen: account.and_then(|a| a.flows_seen),
        requested_pps: tx.ready.as_ref().and_then(|r| r.requested_pps),
        rated_s: tx.summary.as_ref().map(|_| tx_seconds),
        departures: pacing.and_then(|p| p.departures.clone()),
        offered_pps: pacing.map_or_else(|| per_second(sent + unsent, tx_seconds), |p| p.offered_pps),
        tx_pps: pacing.map_or_else(|| per_second(sent, tx_seconds), |p| p.achieved_pps),
        rx_pps: per_second(received, rx_seconds),
        rx_bps: per_second((bytes_in + framing).saturating_mul(8), rx_seconds) * share,
        rx_bps_l1: per_second((bytes_in + framing + gaps).saturating_mul(8), rx_seconds) * share,
        latency: received_totals.and_then(|s| s.latency.clone()).filter(|l| l.count > 0),
        streams: by_stream(tx.summary.as_ref(), rx.summary.as_ref(), stamped),
        queue_packets: queue_packets(outcome),
        round_trip: outcome.record.tx.spec.round_trip,
    }
}

/// Of the receiving pod, whoever books.
fn queue_packets(outcome: &PairOutcome) -> Vec<u64> {
    let summary = outcome.rx.summary.as_ref();
    let totals = last(summary, &outcome.rx.samples);
    match summary {
        Some(summary) if !summary.rx_queues.is_empty() => {
            summary.rx_queues.iter().map(|q| q.packets).collect()
        }
        _ => totals.map_or_else(Vec::new, |s| s.cores.iter().map(|c| c.rx_packets).collect()),
    }
}

/// Per shard: sent − distinct received. A shard that claims more received than sent loses nothing here; the
/// warnings say so.
fn loss(
    tx: Option<&Summary>,
    rx: Option<&Summary>,
    stamped: bool,
    gaps: Option<u64>,
) -> (Option<u64>, LossBasis) {
    match (tx, rx) {
        _ if !stamped => (None, LossBasis::NotMeasured),
        (Some(tx), Some(rx)) => {
            let marked = tx.tx_shards.iter().filter(|t| !tx.unmarked_streams.contains(&t.stream));
            let lost = marked.map(|t| t.sent.saturating_sub(received(&rx.rx_shards, t))).sum();
            (Some(lost), LossBasis::Sequence)
        }
        (None, _) if gaps.is_some() => (gaps, LossBasis::ReceiverGaps),
        _ => (None, LossBasis::NotMeasured),
    }
}

/// Distinct numbers of the shard that arrived; a shard that nobody saw lost everything.
pub fn received(shards: &[RxShard], sent: &TxShard) -> u64 {
    shards.iter().find(|s| s.shard == sent.shard).map_or(0, |s| s.received)
}

fn last<'a>(summary: Option<&'a Summary>, samples: &'a [Sample]) -> Option<&'a Sample> {
    summary.map(|s| &s.totals).or(samples.last())
}

fn sum(sample: Option<&Sample>, pick: fn(&traffic::wire::CoreCounters) -> u64) -> u64 {
    sample.map_or(0, |s| s.cores.iter().map(pick).sum())
}

/// As the engine's last word says it; of the run so far, where there is none.
fn seconds(summary: Option<&Summary>, totals: Option<&Sample>) -> f64 {
    let ns = summary.map(|s| s.effective_ns).or(totals.map(|s| s.elapsed_ns)).unwrap_or(0);
    ns as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::fixture;
    use traffic::wire::Pacing;

    #[test]
    fn a_whole_trial_adds_up() {
        let v = judge(&fixture::outcome());
        assert_eq!((v.offered, v.sent, v.unsent, v.received, v.lost), (1010, 1000, 10, 1000, Some(0)));
        assert_eq!((v.tx_pps, v.rx_pps, v.offered_pps, v.rated_s), (1000.0, 1000.0, 1010.0, Some(1.0)));
        // 1,000 frames a second of 64 bytes, and of 84 on the wire.
        assert_eq!((v.rx_bps, v.rx_bps_l1), (512_000.0, 672_000.0));
        assert_eq!(
            (v.flows_asked, v.flows_seen, v.queue_packets.as_slice()),
            (Some(100), Some(100), &[500, 500][..])
        );
    }

    #[test]
    fn rates_are_over_the_senders_time_at_both_ends() {
        let mut outcome = fixture::outcome();
        // The receiver got its frames in a burst: that is not the rate of the trial.
        outcome.rx.summary.as_mut().unwrap().effective_ns = 10_000_000;
        assert_eq!(judge(&outcome).rx_pps, 1000.0);
        let pacing = Pacing { requested_pps: 3.0, offered_pps: 2.0, achieved_pps: 1.0, ..Pacing::default() };
        outcome.tx.summary.as_mut().unwrap().pacing = Some(pacing);
        let v = judge(&outcome);
        assert_eq!((v.offered_pps, v.tx_pps), (2.0, 1.0));
        outcome.tx.summary = None;
        let v = judge(&outcome);
        assert_eq!((v.rated_s, v.rx_pps), (None, 100_000.0));
    }

    #[test]
    fn loss_is_by_shard_so_that_one_can_not_hide_another() {
        let mut outcome = fixture::outcome();
        let rx = outcome.rx.summary.as_mut().unwrap();
        rx.rx_shards[0].received = 490;
        rx.rx_shards[1].received = 510;
        assert_eq!(judge(&outcome).lost, Some(10));
        outcome.rx.summary.as_mut().unwrap().rx_shards.remove(0);
        assert_eq!(judge(&outcome).lost, Some(500));
    }

    #[test]
    fn without_a_last_word_loss_is_what_is_known_or_nothing() {
        let mut outcome = fixture::outcome();
        outcome.tx.summary = None;
        outcome.rx.summary.as_mut().unwrap().totals.account.as_mut().unwrap().lost = 3;
        let verdict = judge(&outcome);
        assert_eq!((verdict.lost, verdict.loss_basis), (Some(3), LossBasis::ReceiverGaps));
        let mut outcome = fixture::outcome();
        outcome.rx.summary = None;
        assert_eq!(judge(&outcome).loss_basis, LossBasis::NotMeasured);
        let mut outcome = fixture::outcome();
        outcome.tx.ready.as_mut().unwrap().stamped = false;
        let verdict = judge(&outcome);
        assert_eq!((verdict.lost, verdict.received), (None, 1000));
    }

    #[test]
    fn foreign_frames_are_nobodys_throughput() {
        let mut outcome = fixture::outcome();
        let totals = &mut outcome.rx.summary.as_mut().unwrap().totals;
        totals.cores[0].rx_packets += 1000;
        totals.cores[0].rx_bytes += 60_000;
        totals.account.as_mut().unwrap().foreign_ipv4 = 1000;
        let v = judge(&outcome);
        assert_eq!((v.rx_pps, v.rx_bps, v.foreign), (1000.0, 512_000.0, 1000));
    }
}
