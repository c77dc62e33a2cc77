//! The table at the end.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use traffic::units::si;

use super::result_json::Judged;
use crate::collect::verdict::LossBasis;
use crate::show::{count, nanos, pps};

const HEADER: [&str; 14] = [
    "pair",
    "offered",
    "sent",
    "received",
    "lost",
    "reordered",
    "duplicated",
    "TX rate",
    "RX rate",
    "RX bit rate",
    "p50",
    "p99",
    "p99.9",
    "max",
];

/// One row a pair. All rates are over the time in which the sender sent, bits are of frames with FCS (layer 2), and
/// latencies are one way.
pub fn table<'a>(pairs: impl Iterator<Item = &'a Judged>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(HEADER);
    for pair in pairs {
        table.add_row(row(pair));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
        column.set_padding((1, 0));
    }
    table.to_string()
}

/// What the sender was asked, what it offered and what its port took, and how punctually.
pub fn rates(pair: &Judged) -> String {
    let v = &pair.verdict;
    let requested = v.requested_pps.map_or("max".to_owned(), pps);
    let share =
        v.requested_pps.map_or(String::new(), |asked| format!(" ({:.2} %)", v.tx_pps / asked * 100.0));
    let over = v.rated_s.map_or(String::new(), |s| format!(" over {s:.3} s"));
    let late = v.departures.as_ref().map_or(String::new(), |d| {
        format!(
            "; {:.2} % of departures within ±256 ns of their due time, late by p50 {}, p99 {}, max {}",
            d.within_256_ns * 100.0,
            nanos(d.p50_ns),
            nanos(d.p99_ns),
            nanos(d.max_ns)
        )
    });
    let back = if v.round_trip { "; received, lost, order and latency are of what came back" } else { "" };
    format!(
        "{}: requested {requested}, offered {}, achieved {}{share}{over}{late}{back}",
        pair.outcome.record.pair,
        pps(v.offered_pps),
        pps(v.tx_pps)
    )
}

/// Streams that are shown; all of them are in result.json.
const STREAMS_SHOWN: usize = 16;

/// A line for each of several streams.
pub fn streams(pair: &Judged) -> Vec<String> {
    let all = &pair.verdict.streams;
    let mut lines: Vec<String> = all
        .iter()
        .take(STREAMS_SHOWN)
        .map(|s| {
            let flows = s.flows_seen.map_or(String::new(), |n| format!(", {} flows", count(n)));
            let latency = s.latency.as_ref().map_or(String::new(), |l| {
                format!(", latency p50 {}, p99 {}", nanos(l.p50_ns), nanos(l.p99_ns))
            });
            format!(
                "{} stream {}: sent {}, received {}, lost {}, reordered {}, duplicated {}{flows}{latency}",
                pair.outcome.record.pair,
                s.stream,
                count(s.sent),
                count(s.received),
                count(s.lost),
                count(s.reordered),
                count(s.duplicated)
            )
        })
        .collect();
    if all.len() > STREAMS_SHOWN {
        lines.push(format!("… and {} more streams: see result.json", all.len() - STREAMS_SHOWN));
    }
    lines
}

/// What is only a lower bound looks like one.
fn lost(frames: u64, basis: LossBasis) -> String {
    let bound = if basis == LossBasis::ReceiverGaps { "≥" } else { "" };
    format!("{bound}{}", count(frames))
}

fn row(pair: &Judged) -> [String; 14] {
    let v = &pair.verdict;
    let none = || "-".to_owned();
    let unless_unmarked = |n: u64| if v.lost.is_some() { count(n) } else { none() };
    let latency =
        |pick: fn(&traffic::wire::Latency) -> u64| v.latency.as_ref().map_or_else(none, |l| nanos(pick(l)));
    [
        pair.outcome.record.pair.clone(),
        count(v.offered),
        count(v.sent),
        count(v.received),
        v.lost.map_or_else(none, |n| lost(n, v.loss_basis)),
        unless_unmarked(v.reordered),
        unless_unmarked(v.duplicated),
        pps(v.tx_pps),
        pps(v.rx_pps),
        si(v.rx_bps, "bit/s"),
        latency(|l| l.p50_ns),
        latency(|l| l.p99_ns),
        latency(|l| l.p99_9_ns),
        latency(|l| l.max_ns),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::fixture;
    use traffic::wire::{Departures, Pacing};

    #[test]
    fn requested_offered_and_achieved_stand_with_their_time_and_punctuality() {
        let mut outcome = fixture::outcome();
        let departures = Departures {
            within_256_ns: 0.998,
            p50_ns: 40,
            p99_ns: 180,
            max_ns: 31_000,
            ..Departures::default()
        };
        outcome.tx.summary.as_mut().unwrap().pacing = Some(Pacing {
            requested_pps: 1000.0,
            offered_pps: 1000.0,
            achieved_pps: 990.0,
            given_up: 10,
            departures: Some(departures),
        });
        assert_eq!(
            rates(&Judged::of(outcome)),
            "tx0-rx0: requested 1 kpps, offered 1 kpps, achieved 990 pps (99.00 %) over 1.000 s; 99.80 % of departures \
             within ±256 ns of their due time, late by p50 40 ns, p99 180 ns, max 31.0 µs"
        );
        let mut outcome = fixture::outcome();
        outcome.tx.ready.as_mut().unwrap().requested_pps = None;
        assert!(
            rates(&Judged::of(outcome))
                .starts_with("tx0-rx0: requested max, offered 1.01 kpps, achieved 1 kpps over")
        );
    }
}
