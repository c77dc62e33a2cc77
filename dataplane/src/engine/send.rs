//! A sender's run: pools → port → workers → summary.

use std::time::{Duration, Instant};

use dpdk::{FramePool, Mempool, MempoolConfig, Port, TxQueue};
use traffic::cursor::Cursor;
use traffic::frame::Template;
use traffic::mixed::Mixed;
use traffic::pacer::{Departures, Gap, Pacer};
use traffic::plan::Plan;
use traffic::profile::Stop;
use traffic::replay::{self, ReplayClock};
use traffic::wire::{Command, Ended, Event, Pacing, Sample, Summary, TxShard};

use super::back::Returns;
use super::control::Message;
use super::error::EngineError;
use super::memory;
use super::port;
use super::session::{PEER_LEFT, Run, cross_check};
use crate::counters::{CoreBlock, Gate};
use crate::respond;
use crate::tx::{self, Back, Plain, Replayed, Source, Streams, TxOutcome, TxWorker};

/// A queue that takes nothing for so long is worth a warning; a peer that shares its CPU may be away for less.
const STALL: Duration = Duration::from_millis(100);

/// Runs a sender to its end.
pub fn run(run: &Run<'_>, emit: &mut dyn FnMut(Event)) -> Result<Summary, EngineError> {
    let (spec, setup, handle) = (run.spec, run.setup, run.eal.handle());
    let socket = run.eal.device_info(run.port)?.socket;
    let frame = match (&setup.replay, &setup.nic_frame) {
        (Some(replay), _) => vec![0; replay.capture.longest().into()],
        (None, Some(nic)) => nic.template.bytes.clone(),
        (None, None) => first_frame(&setup.plan),
    };
    let offload = setup.nic_frame.as_ref().map(tx::fill::frame_offload).unwrap_or_default();
    let names = (0..setup.worker_cpus.len()).map(|w| format!("tx{w}"));
    let pools: Vec<FramePool<'_>> = names
        .map(|name| tx::fill::pool(handle, &name, spec.descriptors, socket, (&frame, offload)))
        .collect::<Result<_, _>>()?;
    let rx_mbufs = memory::rx_mbufs(spec.descriptors);
    let rx_config = MempoolConfig::new("rx0", rx_mbufs * u32::from(setup.queues[0]));
    let room = port::rx_room(run)?;
    let rx_pool = Mempool::create(handle, rx_config.on(socket).room(room))?;

    let has_addresses = !spec.addresses.is_empty();
    let answers = has_addresses.then(|| respond::pool(handle, rx_mbufs, socket, room)).transpose()?;

    let outcome = with_port(&Run { ..*run }, &pools, &rx_pool, answers.as_ref(), emit)?;
    let frames = pools.iter().chain(&answers).map(FramePool::in_use).sum::<u32>();
    let mbufs_missing = frames + rx_pool.in_use();
    Ok(Summary { mbufs_missing, ..outcome })
}

/// What all mbufs hold before the first frame.
fn first_frame(plan: &Plan) -> Vec<u8> {
    plan.plain_template().map_or_else(|| Mixed::prefill(plan), |template| template.bytes.clone())
}

/// What happens while the port is open.
fn with_port<'e>(
    run: &Run<'e>,
    pools: &'e [FramePool<'e>],
    rx_pool: &'e Mempool<'e>,
    answers: Option<&'e FramePool<'e>>,
    emit: &mut dyn FnMut(Event),
) -> Result<Summary, EngineError> {
    let mut builder = port::configure(run)?;
    for _ in 0..builder.chosen().rx_queues {
        builder.rx_queue(rx_pool)?;
    }
    for _ in pools {
        builder.tx_queue()?;
    }
    let (port, rx_queues, queues) = builder.start()?;
    port::wait_for_link(run, &port)?;
    let link = port.link()?;
    let mbps = link.speed_mbps.unwrap_or(0);
    let replay = run.setup.replay.as_ref();
    let requested_pps =
        replay.map_or_else(|| run.setup.plan.requested_pps(mbps), |replay| replay.requested_pps(mbps));
    let parts = replay.map(|replay| (replay, replay.parts(pools.len() as u16, run.hz(), requested_pps)));
    let blocks: Vec<CoreBlock> = run.setup.worker_cpus.iter().map(|cpu| CoreBlock::new(*cpu)).collect();
    let gate = Gate::default();
    let returns = Returns::new(run, rx_queues.len());
    let mut sampler = returns.sampler(&port, &blocks);
    let backs = returns.backs(run, rx_queues, answers, &blocks)?;
    let hands = queues.into_iter().zip(pools).zip(backs).zip(&blocks).enumerate();
    let hands =
        hands.map(|(worker, (((queue, pool), back), block))| (worker as u16, (queue, pool, back), block));
    let jobs: Vec<Job<'_>> = match (&parts, run.setup.plan.plain_template()) {
        (Some((replay, parts)), _) => hands
            .zip(parts)
            .map(|((id, hand, block), part)| {
                let cursor = replay::Cursor::new(part, replay.capture.bytes());
                let clock = ReplayClock::new(requested_pps.is_some(), run.hz());
                job(run, hand, block, &gate, Replayed::new(cursor, clock, id))
            })
            .collect(),
        (None, Some(template)) => hands
            .map(|(id, hand, block)| job(run, hand, block, &gate, plain(run, template, id, requested_pps)))
            .collect(),
        (None, None) => {
            hands.map(|(id, hand, block)| job(run, hand, block, &gate, streams(run, id, mbps))).collect()
        }
    };
    let (ended, outcomes) =
        run.with_workers((&port, &gate), &mut sampler, requested_pps, jobs, || (), emit)?;
    // Before the receiver leaves: memif forgets its counters then.
    let totals = sampler.counters();
    let mut warnings = Vec::new();
    port::check_link(run, &port, sampler.link_losses(), &mut warnings);
    if gate.changes() > 0 {
        warnings.push(format!(
            "the rate was changed {} time(s) while sending: what was requested is what the profile says, not what was sent",
            gate.changes()
        ));
    }
    linger(run, emit);
    let mut summary =
        summarise(run, &port, ended, (totals, sampler.port_was_reset()), &outcomes, requested_pps);
    returns.settle(run, &outcomes, &mut summary);
    warnings.append(&mut summary.warnings);
    Ok(Summary { warnings, ..summary })
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

/// What a worker does on its thread.
type Job<'a> = Box<dyn FnOnce() -> TxOutcome + Send + 'a>;

fn job<'a, 'e: 'a, S: Source + Send + 'a>(
    run: &Run<'e>,
    (queue, pool, back): (TxQueue<'e>, &'e FramePool<'e>, Back<'a, 'e>),
    counters: &'a CoreBlock,
    gate: &'a Gate,
    source: S,
) -> Job<'a> {
    let plan = &run.setup.plan;
    let duration = match run.spec.profile.stop {
        Stop::DurationS(seconds) => Some((seconds * run.hz() as f64) as u64),
        Stop::Never | Stop::Count(_) => None,
    };
    // Where some streams are sent as fast as the port takes them, nothing of theirs is due. A replay's frames stay due.
    let paced = run.setup.replay.is_none() && plan.shared().next().is_none() || plan.shared_pps(0).is_some();
    let has_due_times = plan.shared_pps(0).is_some() || plan.streams.iter().any(|s| s.rate.is_some());
    let departures = (has_due_times && run.setup.replay.is_none()).then(|| Departures::new(run.hz()));
    let (burst, clock) = (run.spec.burst.into(), run.clock);
    let worker =
        TxWorker { queue, back, pool, source, paced, departures, clock, counters, gate, burst, duration };
    Box::new(move || worker.run())
}

/// Frames to send of each shard, where the run ends by count.
fn limits(run: &Run<'_>) -> Option<Vec<u64>> {
    match run.setup.plan.stop {
        Stop::Count(count) => Some(run.setup.plan.count_shares(count, &run.setup.shards)),
        Stop::Never | Stop::DurationS(_) => None,
    }
}

/// A worker's frames where one template serves all.
fn plain(run: &Run<'_>, template: &Template, worker: u16, requested_pps: Option<f64>) -> Plain {
    let shard = run.setup.shards[usize::from(worker)];
    let cursor = match &run.setup.nic_frame {
        Some(nic) => Cursor::for_nic(nic, shard, run.spec.tag),
        None => Cursor::new(template, shard, run.spec.tag),
    };
    Plain {
        cursor,
        pacer: pacer(run, requested_pps, run.setup.plan.gap, (worker, 0, None), shard.rate_share()),
        shard: shard.id,
        limit: limits(run).and_then(|limits| limits.get(usize::from(worker)).copied()).unwrap_or(u64::MAX),
        frame_bytes: template.bytes.len() as u64,
    }
}

/// A worker's frames of several streams, sizes or kinds of fields.
fn streams(run: &Run<'_>, worker: u16, link_mbps: u32) -> Streams {
    let (plan, hz) = (&run.setup.plan, run.hz());
    let mixed = Mixed::new(plan, &run.setup.shards, worker, run.spec.tag, limits(run).as_deref());
    let lanes = mixed.lanes().iter().enumerate().map(|(number, lane)| {
        let pps = match lane.stream.and_then(|own| plan.streams.get(usize::from(own))) {
            Some(own) => plan.own_pps(own, link_mbps),
            None => plan.shared_pps(link_mbps),
        };
        let pacer = pacer(run, pps, lane.gap, (worker, number, lane.stream), lane.share);
        (pacer, (lane.start_delay_s * hz as f64) as u64)
    });
    let lanes = lanes.collect();
    Streams::new(mixed, lanes)
}

/// A worker's part, `share`, of a lane's rate. The seed is of the worker and the lane: the same in each run.
fn pacer(
    run: &Run<'_>,
    pps: Option<f64>,
    gap: Gap,
    (worker, lane, stream): (u16, usize, Option<u16>),
    share: f64,
) -> Pacer {
    let seed = u64::from(worker) << 32 | lane as u64;
    let before = run.setup.plan.share_before(&run.setup.shards, worker, stream);
    Pacer::with_gap(pps.map(|pps| pps * share), run.hz(), gap, seed).behind(pps.unwrap_or(0.0) * before, gap)
}

/// How late all workers' frames left.
fn departures(outcomes: &[TxOutcome], hz: u64) -> Option<traffic::wire::Departures> {
    let mut all = Departures::new(hz);
    outcomes.iter().filter_map(|o| o.departures.as_ref()).for_each(|d| all.add(d));
    all.report(hz)
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
        departures: departures(outcomes, run.hz()),
    });
    let mut warnings: Vec<String> = run.clock.warning().into_iter().collect();
    cross_check(&totals, port_was_reset, &mut warnings);
    if outcomes.iter().any(|o| o.is_broken) {
        warnings.push(PEER_LEFT.to_owned());
    }
    stalls(run, outcomes, &mut warnings);
    let mut tx_shards: Vec<TxShard> = outcomes
        .iter()
        .flat_map(|o| &o.shards)
        .map(|(shard, sent)| TxShard { shard: *shard, stream: run.setup.stream_of(*shard), sent: *sent })
        .collect();
    tx_shards.sort_by_key(|s| s.shard);
    let xstats = run.xstats(port);
    let unmarked_streams = run.setup.plan.unmarked_streams();
    Summary {
        ended,
        totals,
        effective_ns,
        tx_shards,
        unmarked_streams,
        pacing,
        xstats,
        warnings,
        ..Summary::default()
    }
}

/// Queues that took nothing for a while: what is wrong is then behind them.
fn stalls(run: &Run<'_>, outcomes: &[TxOutcome], warnings: &mut Vec<String>) {
    for (queue, outcome) in outcomes.iter().enumerate() {
        let stalled = Duration::from_nanos(run.ns(outcome.stalled_ticks));
        if stalled >= STALL {
            warnings.push(format!(
                "TX queue {queue} took no frame for {} ms in a row: its peer or link stands still, or reads too slowly; frames \
                 that were due meanwhile are counted as unsent",
                stalled.as_millis()
            ));
        }
    }
}
