//! From devices to running ports: one EAL, one worker a port.

use dpdk::{CpuId, Eal, FramePool, Mempool, MempoolConfig, Port, RxQueue, TxQueue};
use traffic::device::Device;
use traffic::mac::Mac;
use traffic::profile::{Ethernet, Field, Ipv4, Ports, Profile, Stream};
use traffic::units::FrameSize;
use traffic::wire::{Role, RunSpec};

use super::state::Facts;
use crate::clock::RunClock;
use crate::engine::session::Run;
use crate::engine::setup::Setup;
use crate::engine::{Control, EngineError, memory, port};
use crate::inventory::{HostFacts, Sources, cpus};
use crate::tx;

/// Everything that can be known before DPDK starts.
#[derive(Debug)]
pub struct Plans {
    /// One a device, for the engine's own ways of opening it.
    pub specs: Vec<RunSpec>,
    /// Resolved.
    pub setups: Vec<Setup>,
    /// EAL's arguments for all of them.
    pub eal: dpdk::EalConfig,
    /// A CPU a port.
    pub cpus: Vec<u32>,
    /// For the user's eyes.
    pub warnings: Vec<String>,
}

/// A profile that no frame is sent of: it says how large frames may be.
pub fn largest(frame: FrameSize) -> Profile {
    let ethernet = Ethernet { src: Field::Fixed(Mac::default()), dst: Field::Fixed(Mac::default()) };
    let ip = std::net::Ipv4Addr::UNSPECIFIED;
    let stream = Stream {
        ipv4: Some(Ipv4::between(ip.into(), ip.into())),
        udp: Some(Ports { src: 0.into(), dst: 0.into() }),
        ..Stream::new(frame, ethernet)
    };
    Profile::of(vec![stream])
}

/// Resolves all devices. `spec` is what they have in common; `lcores` are the main CPU and one a port.
pub fn plan(spec: &RunSpec, devices: &[String]) -> Result<Plans, EngineError> {
    let facts = HostFacts { dpdk_version: dpdk::version(), tsc_hz: 0 };
    let sources = Sources::host(facts)?;
    let first = port::resolve(&devices[0])?;
    let chosen = cpus::plan(
        &cpus::cores(&sources),
        &spec.lcores,
        Some(devices.len() as u16),
        port::numa_node(&first),
    )?;
    let (mut specs, mut setups, mut warnings) = (Vec::new(), Vec::new(), chosen.warnings);
    for (number, device) in devices.iter().enumerate() {
        // Fewer CPUs than ports share them.
        let cpu = chosen.workers[number % chosen.workers.len()];
        let spec = RunSpec { device: device.clone(), lcores: vec![chosen.main, cpu], ..spec.clone() };
        let mut setup = Setup::new(&spec)?;
        if let Device::Iface(_) | Device::Xdp(_) = &setup.device {
            // The engine has one port, with number 0 in its name.
            setup.eal_device = setup.eal_device.replacen("0,", &format!("{number},"), 1);
        }
        warnings.extend(setup.warnings.iter().filter(|w| !w.contains("CPU")).cloned());
        specs.push(spec);
        setups.push(setup);
    }
    let mut eal = setups[0].eal.clone();
    let mib: u32 = setups.iter().map(|setup| setup.memory_mib).sum();
    if let dpdk::Memory::NoHuge { mib: all } = &mut eal.memory {
        *all = mib;
    }
    if let dpdk::Memory::Hugepages { socket_mib, limit_mib } = &mut eal.memory {
        for part in [socket_mib, limit_mib] {
            part.iter_mut().filter(|part| **part > 0).for_each(|part| *part = mib);
        }
    }
    let pci = setups.iter().filter(|s| matches!(s.device, Device::Pci(_)));
    eal.pci = pci.map(|s| s.eal_device.clone()).collect();
    let vdevs = setups.iter().filter(|s| !matches!(s.device, Device::Pci(_)));
    eal.vdevs = vdevs.map(|s| s.eal_device.clone()).collect();
    let memif = setups.iter().any(|s| s.device.vdev_driver() == Some("net_memif"));
    eal.single_file_segments = memif;
    warnings.dedup();
    let cpus = (0..devices.len()).map(|n| chosen.workers[n % chosen.workers.len()]).collect();
    Ok(Plans { specs, setups, eal, cpus, warnings })
}

/// The memory of one port.
#[derive(Debug)]
pub struct Pools<'e> {
    tx: FramePool<'e>,
    rx: Mempool<'e>,
}

impl<'e> Pools<'e> {
    /// For port `number`.
    pub fn new(eal: &'e Eal, number: usize, setup: &Setup, spec: &RunSpec) -> Result<Pools<'e>, EngineError> {
        let bytes = setup.plan.largest_frame().mbuf_bytes();
        let frame = vec![0; bytes.into()];
        let name = format!("tx{number}");
        let tx = tx::fill::pool(eal.handle(), &name, spec.descriptors, None, (&frame, Default::default()))?;
        let mbufs = memory::rx_mbufs(spec.descriptors);
        let config = MempoolConfig::new(format!("rx{number}"), mbufs).room(memory::rx_room(bytes));
        Ok(Pools { tx, rx: Mempool::create(eal.handle(), config)? })
    }

    /// The frames to send.
    pub fn frames(&self) -> &FramePool<'e> {
        &self.tx
    }
}

/// One open port.
#[derive(Debug)]
pub struct Opened<'e> {
    /// For its numbers.
    pub port: Port<'e>,
    /// To send.
    pub tx: TxQueue<'e>,
    /// To receive.
    pub rx: RxQueue<'e>,
    /// What it is.
    pub facts: Facts,
    /// Where its worker runs.
    pub cpu: CpuId,
}

/// Opens port `number`, and waits for its link.
pub fn open<'e>(
    eal: &'e Eal,
    plans: &'e Plans,
    number: usize,
    pools: &'e Pools<'e>,
    clock: &'e RunClock,
    control: &'e Control,
) -> Result<Opened<'e>, EngineError> {
    let (spec, setup) = (&plans.specs[number], &plans.setups[number]);
    let id = eal
        .port_by_device(&setup.eal_device)
        .ok_or_else(|| EngineError::NoPort { device: spec.device.clone(), ports: eal.ports().len() })?;
    let run = Run { spec, setup, eal, port: id, clock, control, began: std::time::Instant::now() };
    debug_assert!(spec.role == Role::Tx && spec.round_trip);
    let mut builder = port::configure(&run)?;
    for _ in 0..builder.chosen().rx_queues {
        builder.rx_queue(&pools.rx)?;
    }
    for _ in 0..builder.chosen().tx_queues {
        builder.tx_queue()?;
    }
    let (port, mut rx, mut tx) = builder.start()?;
    port::wait_for_link(&run, &port)?;
    let info = port.device_info()?;
    let facts = Facts {
        device: spec.device.clone(),
        driver: info.driver,
        mac: Mac(info.mac.0),
        link_mbps: port.link()?.speed_mbps.unwrap_or(0),
    };
    let no_queue = || EngineError::NoPort { device: spec.device.clone(), ports: eal.ports().len() };
    let (rx, tx) = rx.pop().zip(tx.pop()).ok_or_else(no_queue)?;
    Ok(Opened { port, tx, rx, facts, cpu: CpuId(plans.cpus[number]) })
}
