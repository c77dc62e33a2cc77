//! What a sender does with what comes back to its port, as its run was asked: books it, answers it, or only counts.

use dpdk::{FramePool, Port, RxQueue};
use traffic::account::{Accountant, Expectation, distinct_flows, flow_books, merge};
use traffic::mac::Mac;
use traffic::respond::Responder;
use traffic::wire::{Summary, TxShard};

use super::error::EngineError;
use super::receive::{FLOWS_TOO_MANY, expectation};
use super::sampler::{Clock, Sampler, latency, latency_steps};
use super::session::Run;
use crate::counters::CoreBlock;
use crate::respond::Replier;
use crate::rx::Books;
use crate::tx::{Back, Drain, RoundTrip, TxOutcome};

/// What the senders of one port share about what comes back.
#[derive(Debug)]
pub struct Returns {
    clock: Clock,
    /// Of a port whose round trips are booked.
    booked: Option<Booked>,
}

#[derive(Debug)]
struct Booked {
    expect: Expectation,
    /// One a queue; queue and worker have one number.
    books: Vec<Books>,
    drain: Drain,
}

impl Returns {
    /// For a port with so many RX queues.
    pub fn new(run: &Run<'_>, queues: usize) -> Returns {
        let clock = Clock { name: Clock::ROUND_TRIP, hz: run.hz(), error_ns: None };
        let booked = run.spec.round_trip.then(|| {
            let expect = expectation(run, queues as u16, true);
            let books = (0..queues).map(|_| Books::new(&expect)).collect();
            let ticks = |ms: u32| run.hz() / 1000 * u64::from(ms);
            let (quiet, limit) = (ticks(run.spec.drain_quiet_ms), ticks(run.spec.drain_limit_ms));
            Booked { books, drain: Drain::new(run.setup.worker_cpus.len(), quiet, limit), expect }
        });
        Returns { clock, booked }
    }

    /// A sampler that shows the books, if there are any.
    pub fn sampler<'a, 'e>(&'a self, port: &'a Port<'e>, blocks: &'a [CoreBlock]) -> Sampler<'a, 'e> {
        match &self.booked {
            Some(Booked { expect, books, .. }) => Sampler::for_rx(port, blocks, books, expect, self.clock),
            None => Sampler::for_tx(port, blocks),
        }
    }

    /// Each worker's part; workers beyond the queues get none.
    pub fn backs<'a, 'e>(
        &'a self,
        run: &Run<'e>,
        queues: Vec<RxQueue<'e>>,
        answers: Option<&'e FramePool<'e>>,
        blocks: &'a [CoreBlock],
    ) -> Result<Vec<Back<'a, 'e>>, EngineError> {
        let responder = responder(run)?;
        let mut queues = queues.into_iter();
        let back = |(worker, block): (usize, &'a CoreBlock)| {
            let queue = queues.next();
            let has_queue = queue.is_some();
            let replier =
                answers.filter(|_| has_queue).map(|pool| Replier::new(responder.clone(), run.spec.tag, pool));
            let (drain, trip) = match &self.booked {
                Some(Booked { expect, books, drain }) => {
                    let trip = books.get(worker).map(|books| RoundTrip::new(Accountant::new(expect), books));
                    (Some(drain), trip)
                }
                None => (None, None),
            };
            Back::new(queue, block, run.hz()).booking(drain, trip).answering(replier)
        };
        Ok(blocks.iter().enumerate().map(back).collect())
    }

    /// Adds to the last word what came back. What was sent is known here, so that lost is final.
    pub fn settle(&self, run: &Run<'_>, outcomes: &[TxOutcome], summary: &mut Summary) {
        let Some(Booked { expect, .. }) = &self.booked else { return };
        let books: Vec<&Accountant> = outcomes.iter().filter_map(|o| o.accountant.as_ref()).collect();
        let (mut account, rx_shards) = merge(&books, expect);
        let marked = summary.tx_shards.iter().filter(|t| !summary.unmarked_streams.contains(&t.stream));
        let sent: u64 = marked.map(|TxShard { sent, .. }| sent).sum();
        account.lost = sent.saturating_sub(account.received + account.too_late);
        let flows = distinct_flows(&books, expect);
        account.flows_seen = flows.as_ref().map(|of_streams| of_streams.iter().sum());
        summary.stream_flows = flows.unwrap_or_default();
        if expect.per_flow {
            let of = |shard: u16| summary.tx_shards.iter().find(|t| t.shard == shard).map(|t| t.sent);
            let rows = (run.spec.per_flow, summary.unmarked_streams.as_slice());
            match flow_books(&books, expect, |shard| of(shard.id), rows) {
                Some(rows) => summary.flow_books = rows,
                None => summary.warnings.push(FLOWS_TOO_MANY.to_owned()),
            }
        }
        summary.totals.account = Some(account);
        summary.totals.latency = latency(books.iter().flat_map(|b| b.latency()), expect, self.clock);
        summary.latency_steps = latency_steps(books.iter().flat_map(|b| b.latency()), expect, self.clock);
        summary.rx_shards = rx_shards;
    }
}

/// Who answers for the run's port.
pub fn responder(run: &Run<'_>) -> Result<Responder, EngineError> {
    let mac = Mac(run.eal.device_info(run.port)?.mac.0);
    Ok(Responder::new(mac, &run.spec.addresses))
}
