//! Flows over all queues: how many came, and what became of each.

use super::shard::{Odd, ShardAccount, Track};
use super::{Accountant, Expectation};
use crate::shard::Shard;
use crate::wire::FlowBook;

/// Distinct flows by each queue's own count: a flow on two queues counts twice, but never beyond the plan's
/// number.
pub(super) fn live(queues: &[&Accountant], expect: &Expectation) -> Option<u64> {
    let seen: Option<u64> = queues.iter().flat_map(|q| &q.shards).map(ShardAccount::flows_seen).sum();
    seen.map(|n| n.min(expect.all_flows()))
}

/// Distinct flows of each stream exactly, from the queues' own tables: for the end, when no worker writes any more.
pub fn distinct_flows(queues: &[&Accountant], expect: &Expectation) -> Option<Vec<u64>> {
    live(queues, expect)?;
    let tables: Option<Vec<Vec<bool>>> =
        expect.flows.iter().map(|flows| Some(vec![false; usize::try_from(*flows).ok()?])).collect();
    let mut tables = tables?;
    for queue in queues {
        for (account, shard) in queue.shards.iter().zip(&expect.shards) {
            let Some(table) = tables.get_mut(usize::from(shard.stream)) else { continue };
            for (slot, count) in account.flow_counts()?.iter().enumerate() {
                if *count > 0
                    && let Some(flow) = table.get_mut(shard.flow(slot as u64) as usize)
                {
                    *flow = true;
                }
            }
        }
    }
    Some(tables.iter().map(|seen| seen.iter().filter(|s| **s).count() as u64).collect())
}

/// What became of each flow that arrived, or should have, over all queues; none where that was not kept. `sent` knows
/// how many frames of a shard were sent, if that is known: else it is as many as its highest number says, and what was
/// lost behind that is not known.
///
/// At most `rows` of them, the worst first: by frames lost, then by those out of order and copied. Streams that carry
/// no marks are left out.
pub fn flow_books(
    queues: &[&Accountant],
    expect: &Expectation,
    sent: impl Fn(&Shard) -> Option<u64>,
    (rows, unmarked): (u32, &[u16]),
) -> Option<Vec<FlowBook>> {
    if expect.track().0 != Track::Books {
        return None;
    }
    let mut books: Vec<Vec<FlowBook>> = Vec::new();
    for (stream, flows) in (0..).zip(&expect.flows) {
        let book = |flow| FlowBook { stream, flow, ..FlowBook::default() };
        let flows = if unmarked.contains(&stream) { 0 } else { *flows };
        books.push((0..flows).map(book).collect());
    }
    for (place, shard) in expect.shards.iter().enumerate() {
        let Some(books) = books.get_mut(usize::from(shard.stream)) else { continue };
        let accounts: Vec<&ShardAccount> = queues.iter().filter_map(|q| q.shards.get(place)).collect();
        let highest = accounts.iter().map(|a| a.next()).max().unwrap_or(0);
        let sent = sent(shard).unwrap_or(highest);
        for slot in 0..shard.slots() {
            let Some(book) = books.get_mut(shard.flow(slot) as usize) else { continue };
            let received = |a: &&ShardAccount| a.flow_counts()?.get(slot as usize).copied();
            let received: u64 = accounts.iter().filter_map(received).sum();
            book.received += received;
            book.lost += shard.count_at(slot, sent).saturating_sub(received);
            for account in &accounts {
                let Odd { reordered, duplicated } = account.odd(slot as usize);
                book.reordered += u64::from(reordered);
                book.duplicated += u64::from(duplicated);
            }
        }
    }
    let mut books: Vec<FlowBook> = books.into_iter().flatten().collect();
    let worst = |book: &FlowBook| {
        let odd = book.reordered + book.duplicated;
        // One that never came stands before one that came whole.
        std::cmp::Reverse((book.lost, odd, book.received == 0))
    };
    books.sort_unstable_by_key(|book| (worst(book), book.stream, book.flow));
    books.truncate(rows as usize);
    Some(books)
}
