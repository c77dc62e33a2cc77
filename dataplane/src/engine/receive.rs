//! A receiver's run: pools → port → workers → drain → summary.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use dpdk::{FramePool, Mempool, MempoolConfig, Port};
use traffic::account::{Accountant, Expectation, distinct_flows, merge};
use traffic::profile::Stop;
use traffic::wire::{Ended, Event, Summary};

use super::back::responder;
use super::error::EngineError;
use super::memory;
use super::port;
use super::sampler::{Clock, Sampler, latency};
use super::session::{PEER_LEFT, Run, cross_check};
use crate::counters::{CoreBlock, Gate};
use crate::respond::{self, Desk, Replier};
use crate::rx::{Books, RxOutcome, RxWorker};

/// How often a drain looks whether it is quiet.
const DRAIN_STEP: Duration = Duration::from_millis(5);

/// Runs a receiver to its end.
pub fn run(run: &Run<'_>, emit: &mut dyn FnMut(Event)) -> Result<Summary, EngineError> {
    let (spec, setup, handle) = (run.spec, run.setup, run.eal.handle());
    let socket = run.eal.device_info(run.port)?.socket;
    let room = memory::rx_room(setup.plan.largest_frame().mbuf_bytes());
    let pools: Vec<Mempool<'_>> = (0..setup.queues[0])
        .map(|q| {
            let config = MempoolConfig::new(format!("rx{q}"), memory::rx_mbufs(spec.descriptors));
            Mempool::create(handle, config.on(socket).room(room))
        })
        .collect::<Result<_, _>>()?;
    let answers = || respond::pool(handle, memory::rx_mbufs(spec.descriptors), socket, room);
    let answers = (!spec.addresses.is_empty()).then(answers).transpose()?;
    let summary = with_port(&Run { ..*run }, &pools, answers.as_ref(), emit)?;
    let answers_missing = answers.as_ref().map_or(0, FramePool::in_use);
    let mbufs_missing = answers_missing + pools.iter().map(Mempool::in_use).sum::<u32>();
    Ok(Summary { mbufs_missing, ..summary })
}

/// What all queues expect, by the plan; times are compared where the sender's clock is the one here.
pub fn expectation(run: &Run<'_>, queues: u16, same_clock: bool) -> Expectation {
    let plan = &run.setup.plan;
    let shards = run.setup.shards.clone();
    let counts = match plan.stop {
        Stop::Count(count) => Some(plan.count_shares(count, &shards)),
        Stop::Never | Stop::DurationS(_) => None,
    };
    let flows = plan.streams.iter().map(|s| s.flows).collect();
    Expectation { tag: run.spec.tag, flows, counts, same_clock, queues, shards }
}

/// What happens while the port is open.
fn with_port<'e>(
    run: &Run<'e>,
    pools: &'e [Mempool<'e>],
    answers: Option<&'e FramePool<'e>>,
    emit: &mut dyn FnMut(Event),
) -> Result<Summary, EngineError> {
    let mut builder = port::configure(run)?;
    for pool in pools {
        builder.rx_queue(pool)?;
    }
    for _ in 0..builder.chosen().tx_queues {
        builder.tx_queue()?;
    }
    let (port, queues, mut tx_queues) = builder.start()?;
    port::wait_for_link(run, &port)?;
    let same_clock = run.spec.tx_clock.as_ref().is_some_and(|clock| clock.is_same(&run.clock()));
    let expect = expectation(run, run.setup.worker_cpus.len() as u16, same_clock);
    let blocks: Vec<CoreBlock> = run.setup.worker_cpus.iter().map(|cpu| CoreBlock::new(*cpu)).collect();
    let books: Vec<Books> = blocks.iter().map(|_| Books::new(&expect)).collect();
    let gate = Gate::default();
    let clock = Clock { name: Clock::ONE_HOST, hz: run.hz() };
    let mut sampler = Sampler::for_rx(&port, &blocks, &books, &expect, clock);
    let responder = responder(run)?;
    let desk = answers
        .zip(tx_queues.pop())
        .map(|(pool, queue)| Mutex::new(Desk::new(queue, Replier::new(responder, run.spec.tag, pool))));
    let hands = deal(queues, blocks.len());
    let jobs = hands.into_iter().zip(&blocks).zip(&books).map(|((queues, counters), books)| {
        let accountant = Accountant::new(&expect);
        let worker = RxWorker { queues, accountant, books, counters, gate: &gate, desk: desk.as_ref() };
        || worker.run()
    });
    let jobs = jobs.collect();
    let drain = || drain(run, &blocks);
    let (ended, outcomes) = run.with_workers((&port, &gate), &mut sampler, None, jobs, drain, emit)?;
    Ok(summarise(run, &port, ended, &mut sampler, &outcomes, &expect))
}

/// Each worker's queues: dealt out in turn.
fn deal<Q>(queues: Vec<Q>, workers: usize) -> Vec<Vec<Q>> {
    let mut dealt: Vec<Vec<Q>> = (0..workers).map(|_| Vec::new()).collect();
    for (i, queue) in queues.into_iter().enumerate() {
        if let Some(hand) = dealt.get_mut(i % workers.max(1)) {
            hand.push(queue);
        }
    }
    dealt
}

/// Waits until nothing has come for the quiet time, or the limit: what is on the way still counts.
fn drain(run: &Run<'_>, blocks: &[CoreBlock]) {
    let received = || blocks.iter().map(|b| b.read().rx_packets).sum::<u64>();
    let quiet = Duration::from_millis(run.spec.drain_quiet_ms.into());
    let limit = Duration::from_millis(run.spec.drain_limit_ms.into());
    let (mut last, mut since) = (received(), Instant::now());
    run.control.wait_for(limit, DRAIN_STEP, || {
        let now = received();
        if now != last {
            (last, since) = (now, Instant::now());
        }
        since.elapsed() >= quiet
    });
}

/// The last word, once no worker books any more.
fn summarise(
    run: &Run<'_>,
    port: &Port<'_>,
    ended: Ended,
    sampler: &mut Sampler<'_, '_>,
    outcomes: &[RxOutcome],
    expect: &Expectation,
) -> Summary {
    let accountants: Vec<&Accountant> = outcomes.iter().map(|o| &o.accountant).collect();
    let (mut account, rx_shards) = merge(&accountants, expect);
    let flows = if run.setup.plan.stamped() { distinct_flows(&accountants, expect) } else { None };
    account.flows_seen = flows.as_ref().map(|of_streams| of_streams.iter().sum());
    let mut totals = sampler.counters();
    totals.account = Some(account);
    totals.latency = latency(
        accountants.iter().map(|a| a.latency()),
        expect,
        Clock { name: Clock::ONE_HOST, hz: run.hz() },
    );
    let first = outcomes.iter().filter_map(|o| o.first).min();
    let last = outcomes.iter().map(|o| o.last).max().unwrap_or(0);
    let frames = totals.cores.iter().map(|c| c.rx_packets).sum();
    let mut warnings = Vec::new();
    port::check_link(run, port, &mut warnings);
    cross_check(&totals, sampler.port_was_reset(), &mut warnings);
    if outcomes.iter().any(|o| o.is_broken) {
        warnings.push(PEER_LEFT.to_owned());
    }
    idle_queues(outcomes, expect.all_flows(), &mut warnings);
    Summary {
        ended,
        totals,
        effective_ns: first.map_or(0, |first| with_last_gap(run.ns(last - first), frames)),
        tx_shards: Vec::new(),
        rx_shards,
        pacing: None,
        mbufs_missing: 0,
        xstats: run.xstats(port),
        warnings,
    }
}

/// `frames` frames have one gap fewer than frames: the last one gets a mean gap too.
fn with_last_gap(span_ns: u64, frames: u64) -> u64 {
    let gaps = u128::from(frames.saturating_sub(1).max(1));
    u64::try_from(u128::from(span_ns) * u128::from(frames) / gaps).unwrap_or(u64::MAX)
}

/// Queues that RSS left idle though there were flows enough for all.
fn idle_queues(outcomes: &[RxOutcome], flows: u64, warnings: &mut Vec<String>) {
    let idle = outcomes.iter().filter(|o| o.tally.rx_packets == 0).count();
    let busy = outcomes.len() - idle;
    if idle > 0 && busy > 0 && flows >= 4 * outcomes.len() as u64 {
        warnings.push(format!(
            "{idle} of {} RX queues received nothing though there were {flows} flows: the port spreads them badly or not at all \
             (RSS); use fewer RX cores or vary more fields",
            outcomes.len()
        ));
    }
}
