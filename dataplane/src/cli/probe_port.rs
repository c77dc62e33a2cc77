//! `dataplane probe --device`: one device, opened as a run would, in the words of its driver.

use std::fmt;
use std::time::{Duration, Instant};

use dpdk::{
    CpuId, DescriptorLimits, DevInfo, Eal, EalConfig, LogSink, Mempool, MempoolConfig, Port, PortConfig,
    TxOffloads,
};
use serde::Serialize;
use traffic::device::Device;
use traffic::wire::{DeviceInfo, Memory};

use crate::engine::memory::{self, Demand, Offer};
use crate::engine::{Control, EngineError, faults, port};
use crate::inventory::{Sources, cpus::CpuError, devices, hugepages};

/// As many as the smallest NIC tried takes.
const DESCRIPTORS: u16 = 256;
/// How long a link may take to come up: autonegotiation takes seconds.
const LINK_LIMIT: Duration = Duration::from_secs(8);
const LINK_STEP: Duration = Duration::from_millis(10);

/// What a driver says of its port.
#[derive(Debug, Serialize)]
pub struct PortFacts {
    device: String,
    /// DPDK's driver.
    driver: String,
    /// The kernel driver that the device is bound to.
    kernel_driver: Option<String>,
    iommu_group: Option<String>,
    is_vf: Option<bool>,
    mac: String,
    numa_node: i32,
    link_up: bool,
    /// 0 where the driver does not know.
    link_mbps: u32,
    link_after_ms: u128,
    queues: [u16; 2],
    rx_descriptors: [u16; 3],
    tx_descriptors: [u16; 3],
    mtu: [u16; 2],
    /// What RSS can hash.
    rss: Vec<&'static str>,
    rss_table: u16,
    /// Sums that it writes when sending.
    tx_checksums: Vec<&'static str>,
    promiscuous: bool,
    /// How it sees memory.
    dma_by: String,
    memory: &'static str,
}

/// Opens the device, waits a moment for its link, and closes it.
pub fn open(text: &str, sources: &Sources) -> Result<PortFacts, EngineError> {
    let device = port::resolve(text)?;
    faults::check(&device, sources)?;
    if let Some(why) = faults::doubts(&device, sources) {
        crate::warnln!("warning: {why}");
    }
    let demand = Demand { tx_workers: 1, rx_queues: 1, descriptors: DESCRIPTORS, frame_bytes: 60 };
    let needed_mib = memory::needed_mib(demand);
    let offer = Offer {
        huge_mib: hugepages::free_mib(sources, port::numa_node(&device)),
        ordinary_mib: memory::available_mib(sources),
        nodes_known: dpdk::may_ask_for_nodes(),
    };
    let is_pci = matches!(device, Device::Pci(_));
    let chosen = memory::choose(Memory::Auto, needed_mib, offer, is_pci);
    let (memory, _) = chosen.map_err(|error| faults::with_holders(error, sources))?;
    faults::check_memlock(&device, sources, needed_mib)?;
    let plan = traffic::plan::Plan::unmarked("probe", 60, 1);
    let argument = port::eal_device(&device, &plan, 1);
    let (pci, vdevs) =
        if is_pci { (vec![argument.clone()], Vec::new()) } else { (Vec::new(), vec![argument.clone()]) };
    let is_huge = matches!(memory, dpdk::Memory::Hugepages { .. });
    let config = EalConfig {
        main_cpu: Some(CpuId(*sources.allowed_cpus.first().ok_or(CpuError::NoCpu)?)),
        memory,
        single_file_segments: device.vdev_driver() == Some("net_memif"),
        file_prefix: Some(format!("dpdkbench-{}", std::process::id())),
        iova: (!is_pci).then_some(dpdk::Iova::Virtual),
        pci,
        vdevs,
        log_sink: LogSink::Kept,
        ..EalConfig::default()
    };
    let eal = Eal::init(&config).map_err(|error| faults::explain(error, &device, sources))?;
    let id = eal
        .port_by_device(&argument)
        .ok_or_else(|| EngineError::NoPort { device: text.to_owned(), ports: eal.ports().len() })?;
    let kernels = devices::devices(sources).into_iter().find(|one| one.device == device.to_string());
    facts(&eal, id, &kernels.unwrap_or_default(), if is_huge { "hugepages" } else { "ordinary pages" })
        .map(|facts| PortFacts { device: device.to_string(), ..facts })
}

/// Starts the port with a queue each way, and reads it.
fn facts(
    eal: &Eal,
    id: dpdk::PortId,
    kernels: &DeviceInfo,
    memory: &'static str,
) -> Result<PortFacts, EngineError> {
    let info = eal.device_info(id)?;
    let pool = Mempool::create(eal.handle(), MempoolConfig::new("probe", 2047).on(info.socket))?;
    let (rx, tx) = (info.max_rx_queues.min(1), info.max_tx_queues.min(1));
    let asked = PortConfig {
        rx_queues: rx,
        tx_queues: tx,
        rx_descriptors: Some(DESCRIPTORS),
        tx_descriptors: Some(DESCRIPTORS),
        promiscuous: true,
        ..PortConfig::default()
    };
    let mut builder = Port::configure(eal, id, &asked)?;
    (0..rx).try_for_each(|_| builder.rx_queue(&pool))?;
    (0..tx).try_for_each(|_| builder.tx_queue())?;
    let (port, ..) = builder.start()?;
    let began = Instant::now();
    let is_up = || port.link().is_ok_and(|link| link.up);
    Control::default().wait_for(LINK_LIMIT, LINK_STEP, is_up);
    let link = port.link()?;
    Ok(PortFacts {
        link_up: link.up,
        link_mbps: link.speed_mbps.unwrap_or(0),
        link_after_ms: began.elapsed().as_millis(),
        promiscuous: port.chosen().promiscuous,
        kernel_driver: kernels.driver.clone(),
        iommu_group: kernels.iommu_group.clone(),
        is_vf: kernels.is_vf,
        numa_node: info.socket.map_or(-1, |socket| i32::try_from(socket.0).unwrap_or(-1)),
        dma_by: eal.iova().to_string(),
        memory,
        ..of_driver(&info)
    })
}

/// What needs no port.
fn of_driver(info: &DevInfo) -> PortFacts {
    let limits = |of: DescriptorLimits| [of.min, of.max, of.align.max(1)];
    let sums = [
        ("ipv4", TxOffloads::IPV4_CHECKSUM),
        ("udp", TxOffloads::UDP_CHECKSUM),
        ("tcp", TxOffloads::TCP_CHECKSUM),
    ];
    PortFacts {
        device: String::new(),
        driver: info.driver.clone(),
        kernel_driver: None,
        iommu_group: None,
        is_vf: None,
        mac: info.mac.to_string(),
        numa_node: -1,
        link_up: false,
        link_mbps: 0,
        link_after_ms: 0,
        queues: [info.max_rx_queues, info.max_tx_queues],
        rx_descriptors: limits(info.rx_descriptors),
        tx_descriptors: limits(info.tx_descriptors),
        mtu: [info.min_mtu, info.max_mtu],
        rss: info.rss_words(),
        rss_table: info.rss_table,
        tx_checksums: sums
            .iter()
            .filter(|(_, one)| info.tx_capability.contains(*one))
            .map(|(name, _)| *name)
            .collect(),
        promiscuous: false,
        dma_by: String::new(),
        memory: "",
    }
}

impl fmt::Display for PortFacts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |words: &[&str]| if words.is_empty() { "none".to_owned() } else { words.join(", ") };
        let kernels = self.kernel_driver.as_deref().unwrap_or("none");
        let group =
            self.iommu_group.as_ref().map_or_else(String::new, |group| format!(", IOMMU group {group}"));
        let vf = if self.is_vf == Some(true) { ", a virtual function" } else { "" };
        writeln!(out, "port        {} ({}, {})", self.device, self.driver, self.mac)?;
        writeln!(out, "bound to    {kernels}{group}{vf}, NUMA node {}", self.numa_node)?;
        match (self.link_up, self.link_mbps) {
            (true, 0) => writeln!(out, "link        up, of unknown speed")?,
            (true, mbps) => writeln!(out, "link        up, {mbps} Mbit/s, after {} ms", self.link_after_ms)?,
            (false, _) => writeln!(
                out,
                "link        DOWN after {} ms: check the cable and the switch port; a virtual function's is its parent's (`ip link set \
                 PARENT up`)",
                self.link_after_ms
            )?,
        }
        writeln!(out, "queues      {} RX, {} TX at most", self.queues[0], self.queues[1])?;
        for (name, [min, max, step]) in [("rx", self.rx_descriptors), ("tx", self.tx_descriptors)] {
            writeln!(out, "{name} ring     {min} to {max} descriptors in steps of {step}")?;
        }
        writeln!(out, "mtu         {} to {}", self.mtu[0], self.mtu[1])?;
        writeln!(out, "rss         {} ({} entries)", or_none(&self.rss), self.rss_table)?;
        writeln!(out, "checksums   {} when sending", or_none(&self.tx_checksums))?;
        writeln!(out, "promiscuous {}", if self.promiscuous { "possible" } else { "refused" })?;
        writeln!(out, "memory      {}, DMA by {}", self.memory, self.dma_by)
    }
}
