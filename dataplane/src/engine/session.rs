//! The main core's part of a run, alike for both roles: ready → start → samples → stop.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use dpdk::{CpuId, Eal, EalHandle, Port, PortId, register_worker, tsc};
use traffic::mac::Mac;
use traffic::wire::{Command, Ended, Event, Ready, Role, RunSpec, Sample};

use super::control::{Control, Message};
use super::error::EngineError;
use super::sampler::{Sampler, unix_ns};
use super::setup::Setup;
use super::{faults, port, vlan};
use crate::clock::{COMPARE_EVERY, RunClock};
use crate::counters::Gate;
use crate::inventory;

/// What a worker's fault means: the guard of crate `dpdk` has caught it.
pub const PEER_LEFT: &str = "the peer went away in the middle of a burst and the driver took the shared memory along: nothing \
     was sent or received from there on; what came before is counted";
/// How long workers may take to begin once the gate is open; one that shares its CPU needs its turn.
const START_LIMIT: Duration = Duration::from_secs(2);
const START_STEP: Duration = Duration::from_micros(50);

/// How long workers may take to register.
const WORKERS_LIMIT: Duration = Duration::from_secs(20);

/// What a run is given.
#[derive(Clone, Copy, Debug)]
pub struct Run<'e> {
    /// As asked.
    pub spec: &'e RunSpec,
    /// As resolved.
    pub setup: &'e Setup,
    /// DPDK.
    pub eal: &'e Eal,
    /// The port.
    pub port: PortId,
    /// The clock of the marks.
    pub clock: &'e RunClock,
    /// The inbox.
    pub control: &'e Control,
    /// When the process began with it.
    pub began: Instant,
}

impl Run<'_> {
    /// Ticks a second of the CPU's counter.
    pub fn hz(&self) -> u64 {
        self.clock.tsc_hz()
    }

    /// The counter, as the two ends compare it.
    pub fn clock_id(&self) -> traffic::wire::ClockId {
        let mut sources = self.setup.sources.clone();
        sources.facts.tsc_hz = self.hz();
        inventory::host::clock(&sources)
    }

    /// A place for each worker.
    fn seats(&self) -> impl Iterator<Item = Seat<'_>> {
        let (eal, sender) = (self.eal.handle(), self.control.sender());
        self.setup.worker_cpus.iter().map(move |cpu| Seat { eal, cpu: CpuId(*cpu), sender: sender.clone() })
    }

    /// Ticks as nanoseconds.
    pub fn ns(&self, ticks: u64) -> u64 {
        (u128::from(ticks) * 1_000_000_000 / u128::from(self.hz().max(1))) as u64
    }

    /// The driver's extended statistics that are not zero.
    pub fn xstats(&self, port: &Port<'_>) -> BTreeMap<String, u64> {
        let Ok(all) = port.xstats() else { return BTreeMap::new() };
        all.iter().filter(|(_, value)| *value > 0).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Runs one job a worker, each on its CPU, while the main core conducts and `emit`s; `then` is what the
    /// main core does between the end of the traffic and that of the workers.
    pub fn with_workers<T: Send, J: FnOnce() -> T + Send>(
        &self,
        (port, gate): (&Port<'_>, &Gate),
        sampler: &mut Sampler<'_, '_>,
        requested_pps: Option<f64>,
        jobs: Vec<J>,
        then: impl FnOnce(),
        emit: &mut dyn FnMut(Event),
    ) -> Result<(Ended, Vec<T>), EngineError> {
        thread::scope(|scope| {
            let _closing = gate.closing();
            let threads: Vec<_> = jobs
                .into_iter()
                .zip(self.seats())
                .map(|(job, seat)| scope.spawn(move || seat.work(job)))
                .collect();
            let ended = self.conduct(port, gate, sampler, requested_pps, emit);
            if ended.is_ok() {
                then();
            }
            gate.close();
            let outcomes: Result<Vec<Option<T>>, _> =
                threads.into_iter().map(|thread| thread.join().map_err(|_| EngineError::Panic)).collect();
            Ok((ended?, outcomes?.into_iter().flatten().collect()))
        })
    }

    /// The main core's part of a run, from its workers' arrival to the end of the traffic.
    fn conduct(
        &self,
        port: &Port<'_>,
        gate: &Gate,
        sampler: &mut Sampler<'_, '_>,
        requested_pps: Option<f64>,
        emit: &mut dyn FnMut(Event),
    ) -> Result<Ended, EngineError> {
        self.wait_for_workers()?;
        let mut warnings = self.setup.warnings.clone();
        port::check_spread(port, &mut warnings);
        port::check_flow_control(port, &mut warnings);
        faults::check_descriptors(port, self.spec.descriptors, &mut warnings);
        vlan::check(self.spec, &self.setup.device, &self.setup.sources, &port.chosen().vlans, &mut warnings);
        emit(self.ready(port, requested_pps, warnings)?);
        self.wait_for_start()?;
        Ok(self.observe(gate, sampler, emit))
    }

    /// Waits until all workers stand at the gate.
    pub fn wait_for_workers(&self) -> Result<(), EngineError> {
        let until = Instant::now() + WORKERS_LIMIT;
        let mut missing = self.setup.worker_cpus.len();
        while missing > 0 {
            match self.control.next(until) {
                Some(Message::WorkerReady) => missing -= 1,
                Some(Message::WorkerFailed(why)) => return Err(EngineError::Worker(why)),
                Some(Message::Command(Command::Stop)) => return Err(EngineError::StoppedEarly),
                Some(Message::Command(Command::Start | Command::Rate { .. }) | Message::WorkerDone) => {}
                None => {
                    let limit = WORKERS_LIMIT.as_secs();
                    return Err(EngineError::Worker(format!(
                        "{missing} workers did not begin within {limit} s"
                    )));
                }
            }
        }
        Ok(())
    }

    /// The port is up and the workers wait: says so.
    pub fn ready(
        &self,
        port: &Port<'_>,
        requested_pps: Option<f64>,
        warnings: Vec<String>,
    ) -> Result<Event, EngineError> {
        let (info, link, chosen) = (port.device_info()?, port.link()?, port.chosen());
        Ok(Event::Ready(Box::new(Ready {
            pid: std::process::id(),
            dpdk_version: dpdk::version(),
            device: self.spec.device.clone(),
            port_name: port.name().to_owned(),
            driver: info.driver,
            mac: Mac(info.mac.0),
            link_up: link.up,
            link_mbps: link.speed_mbps.unwrap_or(0),
            numa_node: info.socket.map_or(-1, |s| i32::try_from(s.0).unwrap_or(-1)),
            main_cpu: self.setup.main_cpu,
            worker_cpus: self.setup.worker_cpus.clone(),
            queues: [chosen.rx_queues, chosen.tx_queues],
            descriptors: [chosen.rx_descriptors, chosen.tx_descriptors],
            requested_pps,
            flows: self.setup.plan.flows(),
            stamped: self.setup.plan.is_marked(),
            checksums: (self.spec.role == Role::Tx).then(|| port::checksums(chosen)),
            rss: port.rss_fields().into_iter().map(str::to_owned).collect(),
            firmware: port.firmware(),
            flow_control: port.flow_control().map(|fc| port::in_words(fc).to_owned()),
            clock: self.clock_id(),
            memory: self.setup.memory_in_words(self.eal.iova()),
            startup_ms: u32::try_from(self.began.elapsed().as_millis()).unwrap_or(u32::MAX),
            warnings,
        })))
    }

    /// Waits for the start command.
    pub fn wait_for_start(&self) -> Result<(), EngineError> {
        let until = Instant::now() + Duration::from_secs(self.spec.limit_s.into());
        loop {
            match self.control.next(until) {
                Some(Message::Command(Command::Start)) => return Ok(()),
                Some(Message::Command(Command::Stop)) => return Err(EngineError::StoppedEarly),
                Some(Message::WorkerFailed(why)) => return Err(EngineError::Worker(why)),
                Some(Message::Command(Command::Rate { .. }) | Message::WorkerReady | Message::WorkerDone) => {
                }
                None => return Err(EngineError::NoStart(self.spec.limit_s)),
            }
        }
    }

    /// Opens the gate and takes a sample each interval, until the workers are done, a stop comes, or the
    /// limit.
    pub fn observe(&self, gate: &Gate, sampler: &mut Sampler<'_, '_>, emit: &mut dyn FnMut(Event)) -> Ended {
        let interval = Duration::from_millis(self.spec.sample_interval_ms.into());
        self.clock.compare();
        let began = Instant::now();
        sampler.start(began);
        gate.open(tsc());
        let mut working = self.setup.worker_cpus.len();
        // A receiver's worker may still be throwing away what came before: the start is obeyed when all
        // count.
        self.control.wait_for(START_LIMIT, START_STEP, || gate.entered() >= working);
        emit(Event::Started { unix_ns: unix_ns() });
        let limit = began + Duration::from_secs(self.spec.limit_s.into());
        let mut next = began + interval;
        let mut compare = began + COMPARE_EVERY;
        loop {
            match self.control.next(next.min(limit).min(compare)) {
                Some(Message::WorkerDone) => {
                    working -= 1;
                    if working == 0 {
                        return Ended::Complete;
                    }
                }
                Some(Message::Command(Command::Stop)) => return Ended::Stopped,
                Some(Message::Command(Command::Rate { per_mille })) => gate.set_pace(per_mille),
                Some(_) => {}
                None if Instant::now() >= limit => return Ended::Limit,
                None if Instant::now() >= compare => {
                    self.clock.compare();
                    compare += COMPARE_EVERY;
                }
                None => {
                    emit(Event::Sample(Box::new(sampler.take(self.control))));
                    // Absolute, so that samples do not drift; a late one does not bring the next ones closer
                    // together.
                    while next <= Instant::now() {
                        next += interval;
                    }
                }
            }
        }
    }
}

/// A worker's place: its CPU, DPDK's permission to be there, and a way to say so.
#[derive(Debug)]
pub struct Seat<'e> {
    eal: EalHandle<'e>,
    cpu: CpuId,
    sender: Sender<Message>,
}

impl Seat<'_> {
    /// Pins and registers the calling thread, does the work, and tells the main core at each turn. `None`
    /// when the thread could not be registered.
    pub fn work<T>(self, work: impl FnOnce() -> T) -> Option<T> {
        // The inbox outlives all workers, so that sending can't fail.
        let tell = |message| self.sender.send(message).unwrap_or_default();
        match register_worker(self.eal, self.cpu) {
            Ok(_registered) => {
                tell(Message::WorkerReady);
                let result = work();
                tell(Message::WorkerDone);
                Some(result)
            }
            Err(error) => {
                tell(Message::WorkerFailed(error.to_string()));
                None
            }
        }
    }
}

/// Differences between what we counted and what the NIC says, for the user's eyes.
pub fn cross_check(totals: &Sample, port_was_reset: bool, warnings: &mut Vec<String>) {
    let sent: u64 = totals.cores.iter().map(|c| c.tx_packets).sum();
    let responded: u64 = totals.cores.iter().map(|c| c.responded.total()).sum();
    let received: u64 = totals.cores.iter().map(|c| c.rx_packets).sum();
    let mut differ = |what: &str, ours: u64, nics: u64| {
        // A port that says nothing at all has started anew between two looks: memif does when its peer
        // leaves.
        if nics != ours && nics > 0 && !port_was_reset {
            warnings.push(format!("{what}: our counters say {ours} frames, the port's {nics}"));
        }
    };
    if sent > 0 {
        differ("sent", sent + responded, totals.port.opackets);
    }
    if received > 0 && totals.port.ipackets < received {
        differ("received", received, totals.port.ipackets);
    }
    if totals.port.rx_nombuf > 0 {
        let n = totals.port.rx_nombuf;
        warnings.push(format!("the port had no mbuf for {n} frames: use more descriptors (--rxd)"));
    }
}
