//! A run's spec, resolved: the plan, the CPUs, the memory and EAL's arguments. No DPDK call yet.

use dpdk::{CpuId, EalConfig};
use traffic::device::Device;
use traffic::frame::NicFrame;
use traffic::plan::Plan;
use traffic::replay::ReplayPlan;
use traffic::shard::Shard;
use traffic::swap::Swap;
use traffic::wire::{self, Checksums, FlowBook, Role, RunSpec};

use super::error::EngineError;
use super::faults;
use super::lock::DeviceLock;
use super::memory::{self, Demand, Offer};
use super::port;
use crate::inventory::{HostFacts, Sources, cpus, hugepages};
use crate::tx;

/// Replayed frames have no room for a mark that nothing else needs.
const UNMARKED: &str = "replayed frames carry no mark: received is a count, loss is sent - received after the drain; \
     order, duplicates and latency are not measured";
/// Addresses of one port.
const ADDRESSES_MAX: usize = 64;

/// What a run is made of.
#[derive(Debug)]
pub struct Setup {
    /// The profile, compiled.
    pub plan: Plan,
    /// What is sent in place of the plan's stream, which then says no more than how large frames are.
    pub replay: Option<ReplayPlan>,
    /// The plan's only frame, where the port fills in the checksums.
    pub nic_frame: Option<NicFrame>,
    /// The sender's shards.
    pub shards: Vec<Shard>,
    /// The device.
    pub device: Device,
    /// Its name or argument in EAL's words, to find the port by.
    pub eal_device: String,
    /// How often its link was lost before the run.
    pub link_losses: u64,
    /// Held as long as the run.
    pub lock: DeviceLock,
    /// EAL's arguments.
    pub eal: EalConfig,
    /// CPU of the main core.
    pub main_cpu: u32,
    /// CPU of each worker.
    pub worker_cpus: Vec<u32>,
    /// RX and TX queues of the port, as far as its driver has them.
    pub queues: [u16; 2],
    /// MiB of DPDK memory.
    pub memory_mib: u32,
    /// Where facts about this host are read.
    pub sources: Sources,
    /// For the user's eyes.
    pub warnings: Vec<String>,
}

impl Setup {
    /// Resolves and checks everything that can be checked without DPDK.
    pub fn new(spec: &RunSpec) -> Result<Setup, EngineError> {
        check_bounds(spec)?;
        let mut plan = Plan::compile(&spec.profile)?;
        let mut warnings = plan.warnings.clone();
        let replay = spec.profile.replay.as_ref();
        let replay = replay.map(|r| ReplayPlan::load(r, spec.profile.rate, spec.profile.stop)).transpose()?;
        if let Some(replay) = &replay {
            plan = Plan::unmarked(&plan.name, replay.capture.longest(), replay.capture.flows());
            warnings.extend(replay.capture.warnings.iter().cloned());
            warnings.push(UNMARKED.to_owned());
        }
        check_role(spec, plan.stamped())?;
        let nic_frame = nic_frame(spec, &plan)?;
        let device = port::resolve(&spec.device)?;
        port::check_interface(&device, &plan)?;
        let lock = DeviceLock::take(&device)?;

        let workers = match spec.role {
            Role::Tx => Some(spec.tx_workers),
            Role::Rx | Role::Reflect => spec.workers,
        };
        let facts = HostFacts { dpdk_version: dpdk::version(), tsc_hz: 0 };
        let sources = Sources::host(facts)?;
        faults::check(&device, &sources)?;
        let nic_numa = port::numa_node(&device);
        let cpus = cpus::plan(&cpus::cores(&sources), &spec.lcores, workers, nic_numa)?;
        warnings.extend(cpus.warnings);

        let count = cpus.workers.len() as u16;
        port::check_memif_queues(spec, &device, count)?;
        let queues = port::queues(spec, &device, count);
        // The pool of answers is as large as a queue's.
        let answers = u16::from(!spec.addresses.is_empty());
        let (tx_workers, rx_queues) = match spec.role {
            Role::Tx => (count, queues[0] + answers),
            Role::Rx => (0, queues[0] + answers),
            // Its pools are twice as large.
            Role::Reflect => (0, 2 * queues[0]),
        };
        let frame_bytes = plan.largest_frame().mbuf_bytes();
        let demand = Demand { tx_workers, rx_queues, descriptors: spec.descriptors, frame_bytes };
        let memory_mib = spec.socket_mem_mib.unwrap_or(0).max(memory::needed_mib(demand));
        let needs_huge = matches!(device, Device::Pci(_));
        let offer = Offer {
            huge_mib: hugepages::free_mib(&sources, nic_numa),
            ordinary_mib: memory::available_mib(&sources),
            nodes_known: dpdk::may_ask_for_nodes(),
        };
        // Who names an amount wants it, and not as ordinary pages; the formula's own need may be met by
        // either.
        let is_bound = needs_huge || spec.socket_mem_mib.is_some();
        let chosen = memory::choose(spec.memory, memory_mib, offer, is_bound);
        let (memory, why) = chosen.map_err(|error| faults::with_holders(error, &sources))?;
        faults::check_memlock(&device, &sources, memory_mib)?;
        warnings.extend(why);
        warnings.extend(faults::doubts(&device, &sources));

        let eal_device = port::eal_device(&device, &plan, queues[0].max(queues[1]));
        let (pci, vdevs) = match &device {
            Device::Pci(address) => (vec![address.clone()], Vec::new()),
            _ => (Vec::new(), vec![eal_device.clone()]),
        };
        let eal = EalConfig {
            main_cpu: Some(CpuId(cpus.main)),
            memory,
            // memif shares its memory by file descriptor: one file, not one a page.
            single_file_segments: device.vdev_driver() == Some("net_memif"),
            file_prefix: Some(format!("dpdkbench-{}", std::process::id())),
            iova: (!needs_huge).then_some(dpdk::Iova::Virtual),
            pci,
            vdevs,
            ..EalConfig::default()
        };
        let shards = plan.shards(spec.tx_workers);
        Ok(Setup {
            plan,
            replay,
            nic_frame,
            shards,
            link_losses: port::link_losses(&device),
            device,
            lock,
            eal_device,
            eal,
            main_cpu: cpus.main,
            worker_cpus: cpus.workers,
            queues,
            memory_mib,
            sources,
            warnings,
        })
    }

    /// The stream that a shard is a part of.
    pub fn stream_of(&self, shard: u16) -> u16 {
        self.shards.get(usize::from(shard)).map_or(0, |s| s.stream)
    }

    /// What EAL was given, in words; how a NIC sees it.
    pub fn memory_in_words(&self, iova: dpdk::Iova) -> String {
        let kind = match self.eal.memory {
            dpdk::Memory::Hugepages { .. } => "hugepages",
            dpdk::Memory::NoHuge { .. } => "ordinary pages",
        };
        let seen =
            if matches!(self.device, Device::Pci(_)) { format!(", DMA by {iova}") } else { String::new() };
        format!("{kind}, {} MiB at most{seen}", self.memory_mib)
    }
}

/// Refuses what the role can't do.
fn check_role(spec: &RunSpec, is_stamped: bool) -> Result<(), EngineError> {
    let refuse = |what, value: String, allowed| Err(EngineError::Spec { what, value, allowed });
    if spec.round_trip && (spec.role != Role::Tx || !is_stamped) {
        return refuse("round_trip", "true".to_owned(), "false, but for senders whose frames carry the mark");
    }
    if spec.swap != Swap::Mac && spec.role != Role::Reflect {
        return refuse("swap", format!("{:?}", spec.swap).to_lowercase(), "mac, but for reflectors");
    }
    let is_booking = spec.role == Role::Rx || spec.round_trip;
    if spec.per_flow > 0 && !(is_booking && is_stamped) {
        let (what, value) = ("per_flow", spec.per_flow.to_string());
        return refuse(what, value, "0, but for those who book frames that carry the mark");
    }
    let count = spec.addresses.len();
    if count > 0 && spec.role == Role::Reflect {
        return refuse(
            "addresses",
            format!("{count} addresses"),
            "none for a reflector: it sends back what it is asked",
        );
    }
    if count > ADDRESSES_MAX {
        return refuse("addresses", format!("{count} addresses"), "64 at most");
    }
    Ok(())
}

/// The frame for a port that fills in checksums, if it is to.
fn nic_frame(spec: &RunSpec, plan: &Plan) -> Result<Option<NicFrame>, EngineError> {
    if spec.checksums == Checksums::Software {
        return Ok(None);
    }
    if spec.role != Role::Tx {
        let (what, value) = ("checksums", "nic".to_owned());
        return Err(EngineError::Spec { what, value, allowed: "software, but for senders" });
    }
    let frame = plan.plain_template().and_then(NicFrame::new);
    frame.map(Some).ok_or(EngineError::ChecksumPlan)
}

/// Refuses numbers that can't be meant.
fn check_bounds(spec: &RunSpec) -> Result<(), EngineError> {
    if spec.version != wire::VERSION {
        return Err(EngineError::Version { theirs: spec.version, ours: wire::VERSION });
    }
    let within = |what, value: u64, low: u64, high: u64, allowed| {
        if (low..=high).contains(&value) {
            Ok(())
        } else {
            Err(EngineError::Spec { what, value: value.to_string(), allowed })
        }
    };
    within("per_flow", spec.per_flow.into(), 0, FlowBook::ALL_ROWS.into(), "from 0 to 8388608")?;
    within("tx_workers", spec.tx_workers.into(), 1, 128, "from 1 to 128")?;
    within("workers", spec.workers.unwrap_or(1).into(), 1, 128, "from 1 to 128")?;
    within("descriptors", spec.descriptors.into(), 16, 16384, "from 16 to 16384")?;
    within("burst", spec.burst.into(), 1, tx::worker::MAX_BURST as u64, "from 1 to 64")?;
    within("sample_interval_ms", spec.sample_interval_ms.into(), 10, 3_600_000, "from 10 to 3600000")?;
    let kept = u64::from(spec.dump.invalid) + u64::from(spec.dump.foreign);
    within("dump", kept, 0, wire::Dump::FRAMES_MAX.into(), "up to 256 frames in all")?;
    within("limit_s", spec.limit_s.into(), 1, 7 * 86_400, "from 1 to 604800")?;
    within("socket_mem_mib", spec.socket_mem_mib.unwrap_or(64).into(), 16, 1 << 20, "from 16 to 1048576")
}
