//! Pktgen scripts on running ports: `dataplane lua`.
//!
//! Every port has a worker of its own that sends what it was last told and counts what comes. Scripts run on threads of
//! theirs, the file's and one a control connection, so that no `delay` stops a counter and no endless loop a packet.
//! A `start` or a `set` compiles a new job (`job`) on the script's thread; the worker takes it over between two bursts.

pub mod answers;
pub mod backend;
pub mod control;
pub mod job;
pub mod open;
pub mod script;
pub mod state;
pub mod watch;
pub mod worker;

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dpdk::{Eal, LogSink, register_worker};
use lua_compat::ImportError;
use lua_compat::record::Recorder;
use traffic::wire::RunSpec;

use crate::clock::{Meter, RunClock};
use crate::engine::{Control, EngineError, faults};
use backend::Live;
use open::{Opened, Pools};
use state::{Counts, Order, PortState, Stopper, lock};
use worker::Worker;

/// How often the main thread looks at links, drivers' counters and the end.
const WATCH_STEP: Duration = Duration::from_millis(20);

/// What to run.
#[derive(Debug)]
pub struct Options {
    /// What all ports have in common.
    pub spec: RunSpec,
    /// The ports, in the order of their numbers.
    pub devices: Vec<String>,
    /// The script.
    pub script: Option<PathBuf>,
    /// Where scripts may write.
    pub results: PathBuf,
    /// The capture of `pcap(ports, "on")`.
    pub pcap: Option<PathBuf>,
    /// As Pktgen would.
    pub quirks: bool,
    /// How long a script may run in all.
    pub limit: Duration,
    /// The control port.
    pub listener: Option<TcpListener>,
}

/// Why it ended badly.
#[derive(Debug, thiserror::Error)]
pub enum LuaError {
    /// The ports.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The script.
    #[error(transparent)]
    Script(#[from] ImportError),
    /// The script's file or the results directory.
    #[error("{path}: {cause}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// What is left when all is over: each port's device, and its counters since the last `clear`.
pub type Outcome = Vec<(String, Counts)>;

/// Runs until the script is over and nothing is sent any more, or `stopper` ends it. Traffic is stopped in any case.
pub fn run(options: &Options, stopper: &Arc<Stopper>) -> Result<Outcome, LuaError> {
    let meter = Meter::start();
    let mut plans = open::plan(&options.spec, &options.devices)?;
    plans.eal.log_sink = LogSink::Kept;
    for warning in &plans.warnings {
        crate::warnln!("warning: {warning}");
    }
    let eal = Eal::init(&plans.eal).map_err(|error| faults::explain_any(error, &plans.setups))?;
    let clock = RunClock::new(options.spec.clock, meter.hz(dpdk::tsc_hz(eal.handle())));
    let control = Control::default();
    let numbers = 0..options.devices.len();
    let pools: Vec<Pools<'_>> = numbers
        .clone()
        .map(|n| Pools::new(&eal, n, &plans.setups[n], &plans.specs[n]))
        .collect::<Result<_, _>>()?;
    let opened = numbers.map(|n| open::open(&eal, &plans, n, &pools[n], &clock, &control));
    let opened: Vec<Opened<'_>> = opened.collect::<Result<_, _>>()?;
    let states: Vec<Arc<PortState>> =
        opened.iter().map(|port| Arc::new(PortState::new(port.facts.clone()))).collect();
    let live = Arc::new(Live {
        ports: states.clone(),
        configs: Mutex::new(Recorder::new(states.len() as u16)),
        stopper: Arc::clone(stopper),
        begun: states.iter().map(|_| Mutex::default()).collect(),
        hz: clock.hz(),
        tag: options.spec.tag,
        room: plans.setups[0].plan.largest_frame().mbuf_bytes(),
        pcap: options.pcap.clone(),
        quirks: options.quirks,
    });
    work(options, &eal, opened, &pools, &clock, &live)
}

/// Workers, scripts and the main thread's own part.
fn work<'e>(
    options: &Options,
    eal: &'e Eal,
    opened: Vec<Opened<'e>>,
    pools: &'e [Pools<'e>],
    clock: &'e RunClock,
    live: &Arc<Live>,
) -> Result<Outcome, LuaError> {
    let tag = options.spec.tag;
    let failed: Mutex<Option<EngineError>> = Mutex::default();
    let result: Mutex<Option<Result<(), LuaError>>> = Mutex::default();
    let ports = std::thread::scope(|scope| {
        let mut ports = Vec::new();
        for ((opened, pools), state) in opened.into_iter().zip(pools).zip(&live.ports) {
            let Opened { port, tx, rx, cpu, .. } = opened;
            ports.push(port);
            let (failed, stopper) = (&failed, &live.stopper);
            let worker = Worker { tx, rx, pool: pools.frames(), state, clock, tag };
            let handle = eal.handle();
            scope.spawn(move || match register_worker(handle, cpu) {
                Ok(_registered) => worker.run(),
                Err(error) => {
                    *lock(failed) = Some(EngineError::Worker(error.to_string()));
                    stopper.stop();
                }
            });
        }
        let result = &result;
        let script = scope.spawn(move || {
            let done = script::run(options, live);
            if done.is_err() {
                live.stopper.stop();
            }
            *lock(result) = Some(done);
        });
        let server = options.listener.as_ref().map(|listener| {
            scope.spawn(move || control::serve(listener, options, live));
        });
        let mut watch = watch::Watch::new(&ports, live);
        loop {
            watch.look();
            let is_over = script.is_finished() && server.is_none() && !live.is_sending();
            if is_over || live.stopper.wait(WATCH_STEP) {
                break;
            }
        }
        live.stopper.stop();
        live.ports.iter().for_each(|port| _ = port.order(Order::Stop));
        watch.look();
        // The script ends by itself: its next instruction or the end of its delay sees the stop.
        while !script.is_finished() {
            std::thread::park_timeout(WATCH_STEP);
        }
        live.ports.iter().for_each(|port| _ = port.order(Order::Close));
        ports
    });
    drop(ports);
    if let Some(error) = lock(&failed).take() {
        return Err(error.into());
    }
    lock(&result).take().unwrap_or(Ok(()))?;
    Ok(live.ports.iter().map(|port| (port.facts.device.clone(), port.counts())).collect())
}
