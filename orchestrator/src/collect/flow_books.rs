//! Flows' own books, with what the sender says that it sent: a receiver alone can't know what was lost behind the last
//! frame that it got.

use traffic::plan::Plan;
use traffic::wire::FlowBook;

use crate::trial::PairOutcome;

/// Puts the final figure into `lost` of each row of the booking end; the worst first. Without the sender's last word
/// the rows stay as they came.
pub fn settle(outcome: &mut PairOutcome) {
    let spec = &outcome.record.tx.spec;
    let (Some(tx), Some(rx)) = (&outcome.tx.summary, outcome.rx.summary.as_mut()) else { return };
    if rx.flow_books.is_empty() {
        return;
    }
    let Ok(plan) = Plan::compile(&spec.profile) else { return };
    let shards = plan.shards(spec.tx_workers);
    let sent = |shard: u16| tx.tx_shards.iter().find(|t| t.shard == shard).map_or(0, |t| t.sent);
    let sent: Vec<(u16, _)> = shards.iter().map(|s| (s.stream, (s, sent(s.id)))).collect();
    let mut of_streams = vec![Vec::new(); plan.streams.len()];
    for (stream, part) in sent {
        if let Some(parts) = of_streams.get_mut(usize::from(stream)) {
            parts.push(part);
        }
    }
    for book in &mut rx.flow_books {
        let parts = of_streams.get(usize::from(book.stream)).into_iter().flatten();
        let sent: u64 = parts.map(|(shard, sent)| shard.count_of(book.flow, *sent)).sum();
        book.lost = sent.saturating_sub(book.received);
    }
    rx.flow_books.sort_by_key(|FlowBook { lost, reordered, duplicated, .. }| {
        std::cmp::Reverse((*lost, reordered + duplicated))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::fixture;
    use traffic::profile::{Format, load_str};

    const HUNDRED_FLOWS: &str = r#"
        [[streams]]
        frame_size = 64
        ethernet = { src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02" }
        ipv4 = { src = { start = "10.0.0.1", min = "10.0.0.1", max = "10.0.0.100", inc = "0.0.0.1" }, dst = "10.0.1.1" }
        udp = { src = 1024, dst = 1024 }
    "#;

    #[test]
    fn what_was_lost_at_the_end_is_known_by_the_senders_last_word() {
        let mut outcome = fixture::outcome();
        let spec = &mut outcome.record.tx.spec;
        spec.profile = load_str(HUNDRED_FLOWS, Format::Toml, "test").unwrap();
        spec.tx_workers = 2;
        // 1,000 frames of 100 flows, 500 of each of two workers.
        let book = |flow, received, lost| FlowBook { flow, received, lost, ..FlowBook::default() };
        outcome.rx.summary.as_mut().unwrap().flow_books = vec![book(3, 9, 1), book(5, 10, 0), book(8, 4, 0)];
        settle(&mut outcome);
        let books = &outcome.rx.summary.as_ref().unwrap().flow_books;
        assert_eq!(books, &[book(8, 4, 6), book(3, 9, 1), book(5, 10, 0)]);
    }
}
