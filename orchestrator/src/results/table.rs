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
