//! A receiver's run: pools → port → workers → drain → summary.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use dpdk::{FramePool, Mempool, MempoolConfig, Port};
use traffic::account::{Accountant, Expectation, distinct_flows, flow_books, merge};
use traffic::profile::Stop;
use traffic::wire::{Dump, Ended, Event, Latency, MarkClock, RxQueueShare, Summary};

use super::back::responder;
use super::error::EngineError;
use super::memory;
use super::port;
use super::sampler::{Clock, Sampler, latency, latency_steps};
use super::session::{PEER_LEFT, Run, cross_check};
use crate::counters::{CoreBlock, Gate};
use crate::respond::{self, Desk, Replier};
use crate::rx::dump::dumped;
use crate::rx::{Books, Keep, RxOutcome, RxWorker};

/// How often a drain looks whether it is quiet.
const DRAIN_STEP: Duration = Duration::from_millis(5);

/// Runs a receiver to its end.
pub fn run(run: &Run<'_>, emit: &mut dyn FnMut(Event)) -> Result<Summary, EngineError> {
    let (spec, setup, handle) = (run.spec, run.setup, run.eal.handle());
    let socket = run.eal.device_info(run.port)?.socket;
    let room = port::rx_room(run)?;
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
    Expectation {
        tag: run.spec.tag,
        flows: plan.streams.iter().map(|s| s.flows).collect(),
        counts,
        same_clock,
        clock_slack: run.clock.error_ns().unwrap_or(0),
        queues,
        per_flow: run.spec.per_flow > 0,
        shards,
    }
}

/// What is said where flows' books were asked for and are too many.
pub const FLOWS_TOO_MANY: &str = "the profile's flows are too many for books of their own (64 B each of 256 MiB): use fewer flows or RX queues";

/// The clock of both ends.
fn one_way(run: &Run<'_>) -> Clock {
    Clock { name: run.clock.name(), hz: run.clock.hz(), error_ns: run.clock.error_ns() }
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
    let same_clock = match run.spec.clock {
        MarkClock::Tsc => run.spec.tx_clock.as_ref().is_some_and(|clock| clock.is_same(&run.clock_id())),
        MarkClock::Realtime { .. } => true,
    };
    let expect = expectation(run, run.setup.worker_cpus.len() as u16, same_clock);
    let blocks: Vec<CoreBlock> = run.setup.worker_cpus.iter().map(|cpu| CoreBlock::new(*cpu)).collect();
    let books: Vec<Books> = blocks.iter().map(|_| Books::new(&expect)).collect();
    let gate = Gate::default();
    let mut sampler = Sampler::for_rx(&port, &blocks, &books, &expect, one_way(run));
    let responder = responder(run)?;
    let desk = answers
        .zip(tx_queues.pop())
        .map(|(pool, queue)| Mutex::new(Desk::new(queue, Replier::new(responder, run.spec.tag, pool))));
    let wanted = run.spec.dump;
    let hands = deal(queues, blocks.len());
    let jobs = hands.into_iter().zip(&blocks).zip(&books).map(|((queues, counters), books)| {
        let keep = (wanted != Dump::default()).then(|| Keep::new(wanted));
        let (accountant, clock, desk) = (Accountant::new(&expect), run.clock, desk.as_ref());
        let worker = RxWorker { queues, accountant, books, counters, gate: &gate, desk, clock, keep };
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
    let flows = if run.setup.plan.is_marked() { distinct_flows(&accountants, expect) } else { None };
    account.flows_seen = flows.as_ref().map(|of_streams| of_streams.iter().sum());
    let mut totals = sampler.counters();
    totals.account = Some(account);
    totals.latency = latency(accountants.iter().flat_map(|a| a.latency()), expect, one_way(run));
    let first = outcomes.iter().filter_map(|o| o.first).min();
    let last = outcomes.iter().map(|o| o.last).max().unwrap_or(0);
    let frames = totals.cores.iter().map(|c| c.rx_packets).sum();
    let mut warnings: Vec<String> = run.clock.warning().into_iter().collect();
    port::check_link(run, port, sampler.link_losses(), &mut warnings);
    cross_check(&totals, sampler.port_was_reset(), &mut warnings);
    if outcomes.iter().any(|o| o.is_broken) {
        warnings.push(PEER_LEFT.to_owned());
    }
    let unmarked_streams = run.setup.plan.unmarked_streams();
    let books = flow_books(&accountants, expect, |_| None, (run.spec.per_flow, &unmarked_streams));
    warnings.extend((expect.per_flow && books.is_none()).then(|| FLOWS_TOO_MANY.to_owned()));
    let rx_queues = shares(run, outcomes);
    let frames_of: Vec<u64> = rx_queues.iter().map(|q| q.packets).collect();
    warnings.extend(uneven_queues(&frames_of, expect.all_flows(), &port.rss_fields()));
    let keeps: Vec<&Keep> = outcomes.iter().filter_map(|o| o.keep.as_ref()).collect();
    Summary {
        ended,
        totals,
        effective_ns: first.map_or(0, |first| with_last_gap(run.ns(last - first), frames)),
        rx_shards,
        rx_queues,
        stream_latency: stream_latency(run, &accountants, expect),
        latency_steps: latency_steps(accountants.iter().flat_map(|a| a.latency()), expect, one_way(run)),
        stream_flows: flows.unwrap_or_default(),
        flow_books: books.unwrap_or_default(),
        unmarked_streams,
        dumped: dumped(&keeps, run.spec.dump, |ticks| run.clock.unix_ns(ticks)),
        xstats: run.xstats(port),
        warnings,
        ..Summary::default()
    }
}

/// Each stream's latency over all queues, where there are several.
fn stream_latency(run: &Run<'_>, accountants: &[&Accountant], expect: &Expectation) -> Vec<Latency> {
    let streams = expect.latency_streams();
    let of = |stream: usize| {
        latency(accountants.iter().filter_map(|a| a.latency().nth(stream)), expect, one_way(run))
    };
    if streams < 2 { Vec::new() } else { (0..streams).filter_map(of).collect() }
}

/// What each queue brought, in order of their numbers.
fn shares(run: &Run<'_>, outcomes: &[RxOutcome]) -> Vec<RxQueueShare> {
    let cpus = run.setup.worker_cpus.iter();
    let mut shares: Vec<RxQueueShare> = outcomes
        .iter()
        .zip(cpus)
        .flat_map(|(outcome, cpu)| {
            outcome.queues.iter().map(move |(queue, packets)| (*queue, *cpu, *packets))
        })
        .map(|(queue, cpu, packets)| RxQueueShare { queue, cpu, packets })
        .collect();
    shares.sort_by_key(|share| share.queue);
    shares
}

/// `frames` frames have one gap fewer than frames: the last one gets a mean gap too.
fn with_last_gap(span_ns: u64, frames: u64) -> u64 {
    let gaps = u128::from(frames.saturating_sub(1).max(1));
    u64::try_from(u128::from(span_ns) * u128::from(frames) / gaps).unwrap_or(u64::MAX)
}

/// Flows a queue from which on an even hash leaves none idle and none with twice its part.
const FLOWS_PER_QUEUE: u64 = 4;

/// What is wrong with the way in which frames were spread over the queues; `rss` is what the port hashes.
fn uneven_queues(packets: &[u64], flows: u64, rss: &[&str]) -> Option<String> {
    let queues = packets.len() as u64;
    let all: u64 = packets.iter().sum();
    // A few frames are spread unevenly by chance.
    if queues < 2 || flows < FLOWS_PER_QUEUE * queues || all < FLOWS_PER_QUEUE * queues {
        return None;
    }
    let idle = packets.iter().filter(|n| **n == 0).count();
    let (fullest, most) = packets.iter().enumerate().max_by_key(|(_, n)| **n)?;
    let hash = match rss {
        [] => "the port offers no RSS".to_owned(),
        fields => format!("RSS hashes {}", fields.join(", ")),
    };
    let what = if idle > 0 {
        format!("{idle} of {queues} RX queues received nothing")
    } else if most * queues > 2 * all {
        let share = *most as f64 / all as f64 * 100.0;
        format!(
            "RX queue {fullest} received {share:.0} % of all frames, more than twice its part of {queues} queues"
        )
    } else {
        return None;
    };
    Some(format!("{what} though there were {flows} flows ({hash}): use fewer RX cores or vary more fields"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uneven_queues_are_told_when_flows_are_many() {
        let told = |packets: &[u64], flows| uneven_queues(packets, flows, &["ipv4", "udp ports"]);
        assert_eq!(told(&[100, 100, 100, 90], 100), None);
        assert_eq!(told(&[190, 70, 60, 60], 100), None, "less than twice its part");
        assert_eq!(told(&[1000], 100), None);
        assert_eq!(told(&[1000, 0], 7), None, "few flows");
        let idle = told(&[300, 0, 0, 300], 16).unwrap();
        assert!(idle.starts_with(
            "2 of 4 RX queues received nothing though there were 16 flows (RSS hashes ipv4, udp"
        ));
        let full = told(&[10, 10, 110, 20], 100).unwrap();
        assert!(full.starts_with("RX queue 2 received 73 % of all frames"), "{full}");
        assert!(uneven_queues(&[9, 0], 100, &[]).unwrap().contains("(the port offers no RSS)"));
    }
}
