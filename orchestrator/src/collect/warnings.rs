//! What a careful reader of the figures has to know: plain sentences beside them.

use traffic::profile::Field;
use traffic::wire::Sample;

use super::verdict::{LossBasis, Verdict, received};
use crate::experiment::PairOutcome;
use crate::show::{count, pps};

/// Less of the requested rate than this is said.
const ACHIEVED_SHARE_MIN: f64 = 0.999;
/// Links between two ends only: what a frame's addresses say does not matter there.
const ADDRESSLESS_DRIVERS: [&str; 3] = ["net_memif", "net_ring", "net_null"];

/// All warnings of one pair, the engines' own first.
pub fn collect(outcome: &PairOutcome, verdict: &Verdict) -> Vec<String> {
    let mut list = outcome.record.warnings.clone();
    list.extend(outcome.warnings.iter().cloned());
    for (side, record) in [(&outcome.tx, &outcome.record.tx), (&outcome.rx, &outcome.record.rx)] {
        let ready = side.ready.iter().flat_map(|r| &r.warnings);
        let summary = side.summary.iter().flat_map(|s| &s.warnings);
        list.extend(ready.chain(summary).map(|w| format!("{}: {w}", record.pod)));
    }
    link_and_addresses(outcome, &mut list);
    if outcome.measured() {
        flows(verdict, &mut list);
        rate(verdict, outcome, &mut list);
        loss(outcome, verdict, &mut list);
        latency(outcome, verdict, &mut list);
        queues(verdict, outcome, &mut list);
        counters(outcome, &mut list);
    }
    let mut seen = std::collections::HashSet::new();
    list.retain(|w| seen.insert(w.clone()));
    list
}

fn flows(verdict: &Verdict, list: &mut Vec<String>) {
    match (verdict.flows_asked, verdict.flows_seen) {
        (Some(asked), Some(seen)) if asked != seen => {
            let why = if verdict.sent < asked {
                format!("only {} frames were sent; send for longer", count(verdict.sent))
            } else {
                "the others were lost or are not told apart".to_owned()
            };
            list.push(format!(
                "{} distinct flows arrived, {} were asked for: {why}",
                count(seen),
                count(asked)
            ));
        }
        (Some(asked), None) if verdict.received > 0 && verdict.loss_basis != LossBasis::NotMeasured => {
            list.push(format!(
                "{} flows are too many to track one by one: how many arrived is not known",
                count(asked)
            ));
        }
        _ => {}
    }
}

fn rate(verdict: &Verdict, outcome: &PairOutcome, list: &mut Vec<String>) {
    let achieved = outcome
        .tx
        .summary
        .as_ref()
        .and_then(|s| s.pacing)
        .map_or(verdict.tx_pps, |pacing| pacing.achieved_pps);
    if let Some(requested) = verdict.requested_pps.filter(|r| achieved < r * ACHIEVED_SHARE_MIN) {
        list.push(format!(
            "{} were asked for and {} achieved ({:.2} %): the sender or its port takes no more",
            pps(requested),
            pps(achieved),
            achieved / requested * 100.0
        ));
    }
}

fn loss(outcome: &PairOutcome, verdict: &Verdict, list: &mut Vec<String>) {
    match verdict.loss_basis {
        LossBasis::Sequence => {}
        LossBasis::ReceiverGaps => list.push(
            "the sender has no last word: lost counts the receiver's gaps alone and is a lower bound".to_owned(),
        ),
        LossBasis::NotMeasured => list.push(
            "loss, order and copies were not measured: the frames carry no mark, or the receiver has no last word"
                .to_owned(),
        ),
    }
    if verdict.too_late > 0 {
        list.push(format!(
            "{} frames came too late to be told from copies: they count as lost",
            count(verdict.too_late)
        ));
    }
    if let (Some(tx), Some(rx)) = (&outcome.tx.summary, &outcome.rx.summary) {
        for shard in tx.tx_shards.iter().filter(|t| received(&rx.rx_shards, t) > t.sent) {
            list.push(format!(
                "shard {}: {} distinct frames received, but {} sent; the counts of this trial can't be trusted",
                shard.shard,
                count(received(&rx.rx_shards, shard)),
                count(shard.sent)
            ));
        }
    }
}

fn latency(outcome: &PairOutcome, verdict: &Verdict, list: &mut Vec<String>) {
    if verdict.latency.is_some() || verdict.received == 0 || verdict.loss_basis == LossBasis::NotMeasured {
        return;
    }
    let (tx, rx) = (&outcome.record.tx.inventory.clock, &outcome.record.rx.inventory.clock);
    let why = if tx.is_same(rx) {
        "the receiver reported none".to_owned()
    } else if tx.boot_id != rx.boot_id {
        format!(
            "{} and {} run on different machines, whose clocks differ",
            outcome.record.tx.pod, outcome.record.rx.pod
        )
    } else {
        format!("the clock {} does not run at a constant rate here", tx.name)
    };
    list.push(format!("no latency: {why}"));
}

fn queues(verdict: &Verdict, outcome: &PairOutcome, list: &mut Vec<String>) {
    let idle: Vec<String> = verdict
        .queue_packets
        .iter()
        .enumerate()
        .filter(|(_, packets)| **packets == 0)
        .map(|(queue, _)| queue.to_string())
        .collect();
    if !idle.is_empty() && verdict.received > 0 {
        list.push(format!(
            "{}: queue(s) {} of {} received nothing; vary more fields (--flows, --flow-mode) or use fewer queues",
            outcome.record.rx.pod,
            idle.join(", "),
            verdict.queue_packets.len()
        ));
    }
}

/// The NIC's counters beside ours, and the pools.
fn counters(outcome: &PairOutcome, list: &mut Vec<String>) {
    let sides = [
        (&outcome.tx, &outcome.record.tx.pod, "sent", tx_counts as fn(&Sample) -> (u64, u64)),
        (&outcome.rx, &outcome.record.rx.pod, "received", rx_counts),
    ];
    for (side, pod, verb, counts) in sides {
        let Some(summary) = &side.summary else { continue };
        let (ours, port) = counts(&summary.totals);
        if ours != port {
            list.push(format!(
                "{pod}: the port counts {} frames {verb}, we count {}",
                count(port),
                count(ours)
            ));
        }
        if summary.mbufs_missing > 0 {
            list.push(format!("{pod}: {} mbufs did not come back to their pools", summary.mbufs_missing));
        }
    }
}

fn tx_counts(totals: &Sample) -> (u64, u64) {
    (totals.cores.iter().map(|c| c.tx_packets).sum(), totals.port.opackets)
}

fn rx_counts(totals: &Sample) -> (u64, u64) {
    (totals.cores.iter().map(|c| c.rx_packets).sum(), totals.port.ipackets)
}

fn link_and_addresses(outcome: &PairOutcome, list: &mut Vec<String>) {
    let (Some(tx), Some(rx)) = (&outcome.tx.ready, &outcome.rx.ready) else { return };
    for (ready, pod) in [(tx, &outcome.record.tx.pod), (rx, &outcome.record.rx.pod)] {
        // A memif server's link comes up with its client.
        if !ready.link_up && ready.driver != "net_memif" {
            list.push(format!("{pod}: the link of {} was down at the start", ready.device));
        }
    }
    if ADDRESSLESS_DRIVERS.contains(&rx.driver.as_str()) {
        return;
    }
    for stream in &outcome.record.profile.streams {
        if let Field::Fixed(dst) = stream.ethernet.dst
            && dst != rx.mac
        {
            list.push(format!(
                "the profile sends to {dst}, but the port of {} is {}: switches may drop it or flood it",
                outcome.record.rx.pod, rx.mac
            ));
        }
    }
}
