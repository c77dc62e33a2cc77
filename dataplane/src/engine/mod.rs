//! One run in one process: a spec in, events out. EAL starts here, on the main thread, and ends here.

pub mod back;
pub mod control;
pub mod error;
pub mod faults;
pub mod lock;
pub mod memory;
pub mod port;
pub mod receive;
pub mod reflect;
pub mod sampler;
pub mod send;
pub mod session;
pub mod setup;
pub mod sink;
pub mod vlan;

use std::time::Instant;

use dpdk::{Eal, LogSink};
use traffic::device::Device;
use traffic::wire::{Event, Role, RunSpec};

pub use control::{Control, Message};
pub use error::EngineError;

use crate::clock::{Meter, RunClock};

/// Runs `spec` to its end and tells `emit` about it. Every event but the last failure goes through `emit`; a
/// failure is the result. DPDK's own log goes to `log`; failures quote its end in any case.
pub fn run(
    spec: &RunSpec,
    control: &Control,
    log: LogSink,
    emit: &mut dyn FnMut(Event),
) -> Result<(), EngineError> {
    let (began, meter) = (Instant::now(), Meter::start());
    let mut setup = setup::Setup::new(spec)?;
    setup.eal.log_sink = log;
    let eal = Eal::init(&setup.eal).map_err(|error| faults::explain(error, &setup.device, &setup.sources))?;
    let port = eal
        .port_by_device(&setup.eal_device)
        .ok_or_else(|| EngineError::NoPort { device: spec.device.clone(), ports: eal.ports().len() })?;
    let clock = RunClock::new(spec.clock, meter.hz(dpdk::tsc_hz(eal.handle())));
    let run = session::Run { spec, setup: &setup, eal: &eal, port, clock: &clock, control, began };
    let is_kernels = matches!(spec.device.parse(), Ok(Device::Iface(_) | Device::Xdp(_)));
    let _sink = is_kernels.then(|| sink::Sink::open(spec)).flatten();
    let summary = match spec.role {
        Role::Tx => send::run(&run, emit)?,
        Role::Rx => receive::run(&run, emit)?,
        Role::Reflect => reflect::run(&run, emit)?,
    };
    emit(Event::Done(Box::new(summary)));
    Ok(())
}
