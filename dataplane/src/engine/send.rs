//! A sender's run: pools → port → workers → summary.

use std::time::{Duration, Instant};

use dpdk::{FramePool, Mempool, MempoolConfig, Port, TxQueue};
use traffic::cursor::Cursor;
use traffic::pacer::Pacer;
use traffic::profile::Stop;
use traffic::shard::Shard;
use traffic::wire::{Command, Ended, Event, Pacing, Sample, Summary, TxShard};

use super::control::Message;
use super::error::EngineError;
use super::memory;
use super::port;
use super::sampler::Sampler;
use super::session::{PEER_LEFT, Run, cross_check};
use crate::counters::{CoreBlock, Gate};
use crate::tx::{self, Back, TxOutcome, TxWorker};

/// Runs a sender to its end.
pub fn run(run: &Run<'_>, emit: &mut dyn FnMut(Event)) -> Result<Summary, EngineError> {
    let (spec, setup, handle) = (run.spec, run.setup, run.eal.handle());
    let socket = run.eal.device_info(run.port)?.socket;
    let template = &setup.plan.stream.template;
    let names = (0..setup.worker_cpus.len()).map(|w| format!("tx{w}"));
    let pools: Vec<FramePool<'_>> = names
        .map(|name| tx::fill::pool(handle, &name, spec.descriptors, socket, template))
        .collect::<Result<_, _>>()?;
    let rx_config = MempoolConfig::new("rx0", memory::rx_mbufs(spec.descriptors));
    let room = memory::rx_room(setup.plan.stream.frame_size.mbuf_bytes());
    let rx_pool = Mempool::create(handle, rx_config.on(socket).room(room))?;

    let outcome = with_port(&Run { ..*run }, &pools, &rx_pool, emit)?;
    let mbufs_missing = pools.iter().map(FramePool::in_use).sum::<u32>() + rx_pool.in_use();
    Ok(Summary { mbufs_missing, ..outcome })
}

/// What happens while the port is open.
fn with_port<'e>(
    run: &Run<'e>,
    pools: &'e [FramePool<'e>],
    rx_pool: &'e Mempool<'e>,
    emit: &mut dyn FnMut(Event),
) -> Result<Summary, EngineError> {
    let mut builder = port::configure(run)?;
    for _ in 0..builder.chosen().rx_queues {
        builder.rx_queue(rx_pool)?;
    }
    for _ in pools {
        builder.tx_queue()?;
    }
    let (port, mut rx_queues, queues) = builder.start()?;
    port::wait_for_link(run, &port)?;
    let link = port.link()?;
    let requested_pps = run.setup.plan.requested_pps(link.speed_mbps.unwrap_or(0));
    let blocks: Vec<CoreBlock> = run.setup.worker_cpus.iter().map(|cpu| CoreBlock::new(*cpu)).collect();
    let gate = Gate::default();
    let mut sampler = Sampler::for_tx(&port, &blocks);
    let jobs = queues.into_iter().zip(pools).zip(&blocks).zip(&run.setup.shards).map(
        |(((queue, pool), block), shard)| {
            let back = Back::new(rx_queues.pop(), run.hz());
            let worker = worker(run, (queue, pool, back), block, &gate, *shard, requested_pps);
            let id = shard.id;
            move || worker.run(id)
        },
    );
    let jobs = jobs.collect();
    let (ended, outcomes) =
        run.with_workers((&port, &gate), &mut sampler, requested_pps, jobs, || (), emit)?;
    // Before the receiver leaves: memif forgets its counters then.
    let totals = sampler.counters();
    linger(run, emit);
    Ok(summarise(run, &port, ended, (totals, sampler.port_was_reset()), &outcomes, requested_pps))
}

/// Holds the port open until told to close it, or the limit.
fn linger(run: &Run<'_>, emit: &mut dyn FnMut(Event)) {
    emit(Event::Sent);
    let until = Instant::now() + Duration::from_millis(run.spec.linger_ms.into());
    while let Some(message) = run.control.next(until) {
        if matches!(message, Message::Command(Command::Stop)) {
            return;
        }
    }
}

/// What a worker takes to its thread.
fn worker<'a, 'e>(
    run: &Run<'e>,
    (queue, pool, back): (TxQueue<'e>, &'e FramePool<'e>, Back<'e>),
    counters: &'a CoreBlock,
    gate: &'a Gate,
    shard: Shard,
    requested_pps: Option<f64>,
) -> TxWorker<'a, 'e> {
    let (plan, hz) = (&run.setup.plan, run.hz());
    let (limit, duration) = match plan.stop {
        Stop::Never => (u64::MAX, None),
        Stop::Count(count) => (shard.count_share(count), None),
        Stop::DurationS(seconds) => (u64::MAX, Some((seconds * hz as f64) as u64)),
    };
    TxWorker {
        queue,
        back,
        pool,
        cursor: Cursor::new(&plan.stream, shard, run.spec.tag),
        pacer: Pacer::new(requested_pps.map(|pps| pps * shard.rate_share()), hz),
        paced: requested_pps.is_some(),
        counters,
        gate,
        burst: run.spec.burst.into(),
        limit,
        duration,
        frame_bytes: plan.stream.frame_size.mbuf_bytes().into(),
    }
}

/// The last word, once no worker counts any more.
fn summarise(
    run: &Run<'_>,
    port: &Port<'_>,
    ended: Ended,
    (totals, port_was_reset): (Sample, bool),
    outcomes: &[TxOutcome],
    requested_pps: Option<f64>,
) -> Summary {
    let active_ticks = outcomes.iter().map(|o| o.active_ticks).max().unwrap_or(0);
    let effective_ns = run.ns(active_ticks);
    let sent: u64 = outcomes.iter().map(|o| o.tally.tx_packets).sum();
    let unsent: u64 = outcomes.iter().map(|o| o.tally.unsent_packets).sum();
    let per_second =
        |frames: u64| if effective_ns > 0 { frames as f64 * 1e9 / effective_ns as f64 } else { 0.0 };
    let pacing = requested_pps.map(|requested_pps| Pacing {
        requested_pps,
        offered_pps: per_second(sent + unsent),
        achieved_pps: per_second(sent),
        given_up: outcomes.iter().map(|o| o.given_up).sum(),
    });
    let mut warnings = Vec::new();
    port::check_link_at_end(run, &mut warnings);
    cross_check(&totals, port_was_reset, &mut warnings);
    if outcomes.iter().any(|o| o.is_broken) {
        warnings.push(PEER_LEFT.to_owned());
    }
    let tx_shards = outcomes.iter().map(|o| TxShard { shard: o.shard, sent: o.tally.tx_packets }).collect();
    Summary {
        ended,
        totals,
        effective_ns,
        tx_shards,
        rx_shards: Vec::new(),
        pacing,
        mbufs_missing: 0,
        xstats: run.xstats(port),
        warnings,
    }
}
