//! A reflector's run: what comes goes back, addresses swapped, so that switches learn both and a sender sees its
//! own and measures round trips by its own clock.

use dpdk::{Mempool, MempoolConfig};
use traffic::wire::{Event, Summary};

use super::error::EngineError;
use super::memory;
use super::port;
use super::sampler::Sampler;
use super::session::{Run, cross_check};
use crate::counters::{CoreBlock, Gate};
use crate::rx::ReflectWorker;

/// Runs a reflector to its end.
pub fn run(run: &Run<'_>, emit: &mut dyn FnMut(Event)) -> Result<Summary, EngineError> {
    let (spec, setup, handle) = (run.spec, run.setup, run.eal.handle());
    let socket = run.eal.device_info(run.port)?.socket;
    let room = port::rx_room(run)?;
    // A received mbuf may wait in the TX ring: room for both rings.
    let mbufs = 2 * memory::rx_mbufs(spec.descriptors) + 1;
    let pools: Vec<Mempool<'_>> = (0..setup.queues[0])
        .map(|q| Mempool::create(handle, MempoolConfig::new(format!("rx{q}"), mbufs).on(socket).room(room)))
        .collect::<Result<_, _>>()?;
    let summary = with_port(&Run { ..*run }, &pools, emit)?;
    let mbufs_missing = pools.iter().map(Mempool::in_use).sum();
    Ok(Summary { mbufs_missing, ..summary })
}

/// What happens while the port is open.
fn with_port<'e>(
    run: &Run<'e>,
    pools: &'e [Mempool<'e>],
    emit: &mut dyn FnMut(Event),
) -> Result<Summary, EngineError> {
    let mut builder = port::configure(run)?;
    for pool in pools {
        builder.rx_queue(pool)?;
        builder.tx_queue()?;
    }
    let (port, rx_queues, tx_queues) = builder.start()?;
    port::wait_for_link(run, &port)?;
    let blocks: Vec<CoreBlock> = run.setup.worker_cpus.iter().map(|cpu| CoreBlock::new(*cpu)).collect();
    let gate = Gate::default();
    let mut sampler = Sampler::for_tx(&port, &blocks);
    let jobs = rx_queues.into_iter().zip(tx_queues).zip(&blocks).map(|((rx, tx), counters)| {
        let worker = ReflectWorker { rx, tx, counters, gate: &gate, swap: run.spec.swap };
        || worker.run()
    });
    let jobs = jobs.collect();
    let (ended, _) = run.with_workers((&port, &gate), &mut sampler, None, jobs, || (), emit)?;
    let totals = sampler.counters();
    let mut warnings = Vec::new();
    port::check_link(run, &port, sampler.link_losses(), &mut warnings);
    cross_check(&totals, sampler.port_was_reset(), &mut warnings);
    let effective_ns = totals.elapsed_ns;
    let xstats = run.xstats(&port);
    Ok(Summary { ended, totals, effective_ns, xstats, warnings, ..Summary::default() })
}
