//! What a careful reader of the figures has to know: plain sentences beside them.

use traffic::profile::{Field, Stop};
use traffic::wire::Ended;

use super::verdict::{LossBasis, Verdict, received};
use crate::path::Way;
use crate::show::{count, pps};
use crate::trial::{PairOutcome, Status};

/// Less of the requested rate than this is said.
const ACHIEVED_SHARE_MIN: f64 = 0.999;
/// A shorter sending tells nothing of its rate: the first and the last frame weigh too much.
const RATED_FROM_NS: u64 = 100_000_000;
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
        cut_short(outcome, verdict, &mut list);
        rate(verdict, outcome, &mut list);
        loss(outcome, verdict, &mut list);
        latency(outcome, verdict, &mut list);
        queues(verdict, outcome, &mut list);
        pools(outcome, &mut list);
    }
    let mut seen = std::collections::HashSet::new();
    list.retain(|w| seen.insert(w.clone()));
    list
}

fn flows(verdict: &Verdict, list: &mut Vec<String>) {
    if verdict.received == 0 && verdict.sent > 0 {
        let others = match verdict.foreign {
            0 => String::new(),
            n => format!(", but {} foreign frame(s) did", count(n)),
        };
        list.push(format!("nothing that was sent arrived{others}; look at the way between the ends"));
        return;
    }
    match (verdict.flows_asked, verdict.flows_seen) {
        (Some(asked), Some(seen)) if asked != seen => {
            let why = if verdict.sent < asked {
                format!("only {} frames were sent", count(verdict.sent))
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

/// A count that was not reached.
fn cut_short(outcome: &PairOutcome, verdict: &Verdict, list: &mut Vec<String>) {
    let Stop::Count(frames) = outcome.record.profile.stop else { return };
    let was_stopped = outcome.tx.summary.as_ref().is_some_and(|s| s.ended != Ended::Complete);
    if outcome.status == Status::Complete && was_stopped && verdict.sent < frames {
        list.push(format!(
            "{} of {} frames were sent: the run was stopped after {} s; give it a longer --duration, or none",
            count(verdict.sent),
            count(frames),
            outcome.record.duration_s
        ));
    }
}

fn rate(verdict: &Verdict, outcome: &PairOutcome, list: &mut Vec<String>) {
    if outcome.tx.summary.as_ref().is_some_and(|s| s.effective_ns < RATED_FROM_NS) {
        return;
    }
    let achieved = verdict.tx_pps;
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
            "the sender has no last word: sent is as of its last sample, and lost counts the receiver's gaps alone, \
             which is a lower bound"
                .to_owned(),
        ),
        LossBasis::NotMeasured => {
            let is_over = outcome.books().summary.is_some();
            let why = if is_over { "the frames carry no mark" } else { "the receiver has no last word" };
            list.push(format!("loss, order and copies were not measured: {why}"));
        }
    }
    if verdict.too_late > 0 {
        list.push(format!(
            "{} frames came too late to be told from copies: they count as lost",
            count(verdict.too_late)
        ));
    }
    if let (Some(tx), Some(rx)) = (&outcome.tx.summary, &outcome.books().summary) {
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
    let why = if verdict.round_trip || tx.is_same(rx) {
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

/// The pools. How the NIC's counters compare with ours is the engine's to say: it knows which drivers reset theirs.
fn pools(outcome: &PairOutcome, list: &mut Vec<String>) {
    for (side, record) in [(&outcome.tx, &outcome.record.tx), (&outcome.rx, &outcome.record.rx)] {
        if let Some(summary) = side.summary.as_ref().filter(|s| s.mbufs_missing > 0) {
            list.push(format!(
                "{}: {} mbufs did not come back to their pools",
                record.pod, summary.mbufs_missing
            ));
        }
    }
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
    if outcome.record.path.way == Way::L3 {
        // Frames are addressed to the next hop there.
        return;
    }
    for stream in &outcome.record.tx.spec.profile.streams {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::verdict::judge;
    use crate::trial::fixture;

    /// The warnings of an outcome that was bent.
    fn said(bend: impl FnOnce(&mut PairOutcome)) -> String {
        let mut outcome = fixture::outcome();
        bend(&mut outcome);
        let verdict = judge(&outcome);
        collect(&outcome, &verdict).join("\n")
    }

    #[test]
    fn a_good_trial_has_none() {
        assert_eq!(said(|_| {}), "");
    }

    #[test]
    fn each_flaw_is_said_in_a_sentence() {
        type Bend = fn(&mut PairOutcome);
        let cases: [(&str, Bend); 7] = [
            ("1,000 of 2,000 frames were sent: the run was stopped after 1 s", |o| {
                o.record.profile.stop = Stop::Count(2000);
                o.tx.summary.as_mut().unwrap().ended = Ended::Stopped;
            }),
            ("99 distinct flows arrived, 100 were asked for", |o| {
                o.rx.summary.as_mut().unwrap().totals.account.as_mut().unwrap().flows_seen = Some(99);
            }),
            ("2 kpps were asked for and 1 kpps achieved (50.00 %)", |o| {
                o.tx.ready.as_mut().unwrap().requested_pps = Some(2000.0);
            }),
            ("rx0: 3 mbufs did not come back", |o| o.rx.summary.as_mut().unwrap().mbufs_missing = 3),
            ("rx0: queue(s) 1 of 2 received nothing", |o| {
                o.rx.summary.as_mut().unwrap().totals.cores[1].rx_packets = 0;
            }),
            ("no latency: tx0 and rx0 run on different machines", |o| {
                o.rx.summary.as_mut().unwrap().totals.latency = None;
                o.record.rx.inventory.clock.boot_id = "b".into();
            }),
            ("shard 1: 501 distinct frames received, but 500 sent", |o| {
                o.rx.summary.as_mut().unwrap().rx_shards[1].received = 501;
            }),
        ];
        for (expected, bend) in cases {
            let said = said(bend);
            assert!(said.contains(expected) && said.lines().count() == 1, "{expected}: {said}");
        }
        assert!(said(|o| o.rx.summary = None).contains("not measured: the receiver has no last word"));
        let unmarked = said(|o| o.tx.ready.as_mut().unwrap().stamped = false);
        assert!(unmarked.contains("not measured: the frames carry no mark"), "{unmarked}");
        for (foreign, expected) in
            [(0, "arrived; look at the way"), (1, "arrived, but 1 foreign frame(s) did; look at the way")]
        {
            let said = said(|o| {
                let summary = o.rx.summary.as_mut().unwrap();
                summary.rx_shards.clear();
                summary.totals.account.as_mut().unwrap().foreign_arp = foreign;
            });
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn addresses_matter_where_switches_look_at_them() {
        let said = said(|o| {
            let ready = o.rx.ready.as_mut().unwrap();
            (ready.driver, ready.mac) = ("net_iavf".into(), "02:00:00:00:00:07".parse().unwrap());
        });
        assert!(
            said.contains("the profile sends to 02:00:00:00:00:01, but the port of rx0 is 02:00:00:00:00:07")
        );
    }
}
