//! The device: from the project's notation to an open port.

use std::time::{Duration, Instant};

use dpdk::{Chosen, DevInfo, FlowControl, Port, PortBuilder, PortConfig, TxOffloads};
use traffic::device::Device;
use traffic::plan::Plan;
use traffic::wire::{Checksums, Role, RunSpec};

use super::error::EngineError;
use super::memory;
use super::session::Run;
use super::vlan;
use crate::tx;

/// How long a link may take to come up: autonegotiation takes seconds.
const LINK_LIMIT: Duration = Duration::from_secs(10);
/// Bytes of a slot of af_packet's rings that its header takes.
const SLOT_HEADER_BYTES: u16 = 64;
/// A block of these rings is whole pages, and holds whole slots.
const PAGE_BYTES: u16 = 4096;

/// Reads the notation; `env` becomes the device that the SR-IOV device plugin handed out.
pub fn resolve(text: &str) -> Result<Device, EngineError> {
    match text.parse()? {
        Device::Env => {
            let mut given: Vec<(String, String)> = std::env::vars()
                .filter(|(name, _)| name.starts_with("PCIDEVICE_") && !name.ends_with("_INFO"))
                .collect();
            given.sort();
            let first = given.iter().find_map(|(_, value)| value.split(',').find(|a| !a.is_empty()));
            let address = first.ok_or(EngineError::NoEnvDevice)?;
            Ok(format!("pci:{address}").parse()?)
        }
        device => Ok(device),
    }
}

/// NUMA node of the device; -1 where there is none or nobody knows.
pub fn numa_node(device: &Device) -> i32 {
    let path = match device {
        Device::Pci(address) => format!("/sys/bus/pci/devices/{address}/numa_node"),
        Device::Iface(name) | Device::Xdp(name) => format!("/sys/class/net/{name}/device/numa_node"),
        Device::Vdev(_) | Device::Env => return -1,
    };
    std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(-1)
}

/// The argument that makes EAL create or find the device.
pub fn eal_device(device: &Device, plan: &Plan, queues: u16) -> String {
    match device {
        Device::Pci(address) => address.clone(),
        Device::Vdev(args) => args.clone(),
        Device::Iface(name) => {
            // Two slots a block for ordinary frames, one for larger ones.
            let slot = plan.largest_frame().mbuf_bytes() + SLOT_HEADER_BYTES;
            let (slot, count) = if slot <= PAGE_BYTES / 2 {
                (PAGE_BYTES / 2, 1024)
            } else {
                (slot.next_multiple_of(PAGE_BYTES), 256)
            };
            let block = slot.max(PAGE_BYTES);
            format!(
                "net_af_packet0,iface={name},qpairs={queues},framesz={slot},blocksz={block},framecnt={count}"
            )
        }
        Device::Xdp(name) => format!("net_af_xdp0,iface={name},queue_count={queues}"),
        Device::Env => String::new(),
    }
}

/// What DPDK's af_packet and af_xdp tell only cryptically or not at all.
pub fn check_interface(device: &Device, plan: &Plan) -> Result<(), EngineError> {
    let (Device::Iface(name) | Device::Xdp(name)) = device else { return Ok(()) };
    let read = |file: &str| std::fs::read_to_string(format!("/sys/class/net/{name}/{file}"));
    let text = device.to_string();
    let Ok(flags) = read("flags") else {
        let mut there: Vec<String> = std::fs::read_dir("/sys/class/net")
            .map(|dir| dir.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        there.sort();
        return Err(EngineError::NoInterface { device: text, name: name.clone(), there: there.join(", ") });
    };
    // IFF_UP, bit 0 of the flags that the kernel prints in hex.
    let is_up = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).is_ok_and(|f| f & 1 == 1);
    if !is_up {
        return Err(EngineError::InterfaceDown { device: text, name: name.clone() });
    }
    let mtu: u32 = read("mtu").ok().and_then(|m| m.trim().parse().ok()).unwrap_or(u32::MAX);
    let needed = plan.largest_frame().mbuf_bytes() - ETHERNET_BYTES;
    if u32::from(needed) > mtu {
        let frame_bytes = plan.largest_frame().bytes();
        return Err(EngineError::InterfaceMtu { device: text, name: name.clone(), frame_bytes, needed, mtu });
    }
    Ok(())
}

/// RX and TX queues that the run wants: one a worker; the other direction gets one, since drivers want both.
/// A memif joins queue to queue and does not come up when the sender has more of them, so its receiver has as
/// many as the sender.
pub fn queues(spec: &RunSpec, device: &Device, workers: u16) -> [u16; 2] {
    // A tap's queues are files of both directions.
    if device.vdev_driver() == Some("net_tap") {
        return [workers, workers];
    }
    match spec.role {
        // What comes back is booked by all workers.
        Role::Tx if spec.round_trip => [workers, workers],
        Role::Tx => [1, workers],
        Role::Rx if is_memif(device) => [workers.max(spec.tx_workers), 1],
        Role::Rx => [workers, 1],
        Role::Reflect => [workers, workers],
    }
}

/// A memif makes as many rings as its client has queues. DPDK's driver reads the first ring for a queue that has none,
/// so that frames would be booked twice.
pub fn check_memif_queues(spec: &RunSpec, device: &Device, workers: u16) -> Result<(), EngineError> {
    let tx_workers = spec.tx_workers;
    if is_memif(device) && spec.role != Role::Tx && workers > tx_workers {
        return Err(EngineError::MemifQueues { workers, tx_workers });
    }
    Ok(())
}

/// How often the kernel has seen an interface lose its link so far; 0 for all other devices.
pub fn link_losses(device: &Device) -> u64 {
    let (Device::Iface(name) | Device::Xdp(name)) = device else { return 0 };
    let count = std::fs::read_to_string(format!("/sys/class/net/{name}/carrier_down_count"));
    count.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// A link that went away during the run explains what is missing. To be asked before the peer may leave.
pub fn check_link(run: &Run<'_>, port: &Port<'_>, seen_losses: u64, warnings: &mut Vec<String>) {
    let device = &run.setup.device;
    let counted = link_losses(device).saturating_sub(run.setup.link_losses);
    // The kernel counts a link's losses, and of its own interfaces only; of other NICs the samples saw what they saw.
    let losses = if matches!(device, Device::Pci(_)) { seen_losses } else { counted };
    if losses > 0 {
        warnings.push(format!(
            "{device}: the link went down {losses} time(s) during the run: what was sent meanwhile is late, lost or unsent"
        ));
    }
    let is_up = has_carrier(device) && port.link().is_ok_and(|link| link.up);
    match (is_up, is_memif(device), run.spec.role) {
        (true, ..) => {}
        (false, false, _) => warnings.push(format!("{device}: the link is down at the end of the run")),
        (false, true, Role::Tx) => warnings.push(format!(
            "{device}: the peer has left, and a memif client does not find another one: start this sender again when a receiver \
             is ready"
        )),
        // Its sender leaves when it is done.
        (false, true, Role::Rx | Role::Reflect) => {}
    }
}

const ETHERNET_BYTES: u16 = 14;
/// Payload of an ordinary Ethernet frame.
const ORDINARY_MTU: u16 = 1500;

/// Configures the port for the run's role.
pub fn configure<'e>(run: &Run<'e>) -> Result<PortBuilder<'e>, EngineError> {
    let spec = run.spec;
    let info = run.eal.device_info(run.port)?;
    let [rx, tx] = run.setup.queues;
    let (rx_queues, tx_queues) = match spec.role {
        Role::Tx => (rx.min(info.max_rx_queues), tx),
        Role::Rx => (rx, tx.min(info.max_tx_queues)),
        Role::Reflect => (rx, tx),
    };
    for (direction, asked, max) in
        [("RX", rx_queues, info.max_rx_queues), ("TX", tx_queues, info.max_tx_queues)]
    {
        if asked > max {
            let (device, driver) = (spec.device.clone(), info.driver);
            return Err(EngineError::PortQueues { device, driver, direction, asked, max });
        }
    }
    let mtu = run.setup.plan.largest_frame().mbuf_bytes() - ETHERNET_BYTES;
    // A memif has none: it chains its buffers. An interface's is the kernel's, and was looked at. Both drivers claim
    // 1518 bytes all the same.
    let has_mtu = !is_memif(&run.setup.device) && !matches!(run.setup.device, Device::Iface(_));
    let max = largest_mtu(&info);
    if has_mtu && mtu > max {
        let frame_bytes = run.setup.plan.largest_frame().bytes();
        let (device, driver) = (spec.device.clone(), info.driver);
        let largest = max.saturating_add(frame_bytes - mtu);
        return Err(EngineError::PortMtu { device, driver, frame_bytes, needed: mtu, max, largest });
    }
    let tx_offloads = checksum_offloads(run, &info)?;
    let config = PortConfig {
        rx_queues,
        tx_queues,
        rx_descriptors: Some(spec.descriptors),
        tx_descriptors: Some(spec.descriptors),
        mtu: (mtu > ORDINARY_MTU && has_mtu).then_some(mtu),
        // What comes back has the profile's address, not the port's; IPv6 neighbours ask a group.
        promiscuous: spec.role != Role::Tx || spec.round_trip || !spec.addresses.is_empty(),
        // Answers are sent by the same queues, from a pool of their own.
        tx_offloads,
        fast_free: spec.role == Role::Tx && spec.addresses.is_empty(),
        vlans: vlan::wanted(spec, &run.setup.device, &run.setup.sources),
        ..PortConfig::default()
    };
    Ok(Port::configure(run.eal, run.port, &config)?)
}

/// What the port is to fill in; an error where it can't.
fn checksum_offloads(run: &Run<'_>, info: &DevInfo) -> Result<TxOffloads, EngineError> {
    let wanted = run.setup.nic_frame.as_ref().map_or(TxOffloads::NONE, tx::fill::tx_offloads);
    let lacking = wanted.without(info.tx_capability);
    if lacking.is_empty() {
        return Ok(wanted);
    }
    let names = [
        ("IPv4", TxOffloads::IPV4_CHECKSUM),
        ("UDP", TxOffloads::UDP_CHECKSUM),
        ("TCP", TxOffloads::TCP_CHECKSUM),
    ];
    let lacks: Vec<&str> =
        names.iter().filter(|(_, offload)| lacking.contains(*offload)).map(|(name, _)| *name).collect();
    let (device, driver) = (run.spec.device.clone(), info.driver.clone());
    Err(EngineError::ChecksumPort { device, driver, lacks: lacks.join(" and ") })
}

/// Who writes a sender's checksums: what is in force.
pub fn checksums(chosen: &Chosen) -> Checksums {
    let by_nic = TxOffloads::IPV4_CHECKSUM | TxOffloads::UDP_CHECKSUM | TxOffloads::TCP_CHECKSUM;
    if chosen.tx_offloads.both(by_nic).is_empty() { Checksums::Software } else { Checksums::Nic }
}

/// Room of an RX mbuf, as its driver can use it.
pub fn rx_room(run: &Run<'_>) -> Result<u16, EngineError> {
    /// Its buffers are 2, 4, 8 or 16 KiB: of a larger mbuf it uses the next smaller of these, and cuts a long
    /// frame in two.
    const POWERS_OF_TWO: &str = "net_e1000_em";
    let room = memory::rx_room(run.setup.plan.largest_frame().mbuf_bytes());
    let driver = run.eal.device_info(run.port)?.driver;
    let fitted = (driver == POWERS_OF_TWO).then(|| room.checked_next_power_of_two()).flatten();
    Ok(fitted.unwrap_or(room))
}

/// The largest MTU that DPDK lets a port have: the driver's own word, or what its longest frame leaves.
fn largest_mtu(info: &DevInfo) -> u16 {
    const FCS_BYTES: u32 = 4;
    // Who names no MTU has this one.
    if info.max_mtu < u16::MAX {
        return info.max_mtu;
    }
    let payload = info.max_rx_bytes.saturating_sub(u32::from(ETHERNET_BYTES) + FCS_BYTES);
    u16::try_from(payload).unwrap_or(u16::MAX)
}

/// Whether the other end is a process on shared memory.
fn is_memif(device: &Device) -> bool {
    device.vdev_driver() == Some("net_memif")
}

/// Sees to it that RSS reaches all RX queues.
pub fn check_spread(port: &Port<'_>, warnings: &mut Vec<String>) {
    if let Ok(Some(false)) = port.spread_over_queues() {
        warnings.push(format!(
            "the driver's RSS table does not name all {} RX queues and could not be changed: some will be idle; use fewer \
             RX cores",
            port.chosen().rx_queues
        ));
    }
}

/// Pause frames turn loss into waiting: who measures loss has to know.
pub fn check_flow_control(port: &Port<'_>, warnings: &mut Vec<String>) {
    warnings.extend(port.flow_control().and_then(flow_control_warning));
}

fn flow_control_warning(fc: FlowControl) -> Option<String> {
    (fc.rx || fc.tx).then(|| {
        format!(
            "Ethernet flow control is on ({}): a receiver that is too slow slows its sender down instead of losing frames; \
             turn it off at both ends (`ethtool -A`, or at the switch) to measure loss",
            in_words(fc)
        )
    })
}

/// Which pause frames are in use.
pub fn in_words(fc: FlowControl) -> &'static str {
    match (fc.rx, fc.tx) {
        (false, false) => "off",
        (true, false) => "rx",
        (false, true) => "tx",
        (true, true) => "rx and tx",
    }
}

/// Whether the kernel sees a link on an interface; af_packet says that it is up whatever the kernel says.
/// True for all other devices.
pub fn has_carrier(device: &Device) -> bool {
    let (Device::Iface(name) | Device::Xdp(name)) = device else { return true };
    std::fs::read_to_string(format!("/sys/class/net/{name}/carrier")).is_ok_and(|text| text.trim() == "1")
}

/// Waits until the link is up. A memif receiver's is not until its peer comes, so nobody waits for that.
pub fn wait_for_link(run: &Run<'_>, port: &Port<'_>) -> Result<(), EngineError> {
    let is_memif = is_memif(&run.setup.device);
    if is_memif && run.spec.role != Role::Tx {
        return Ok(());
    }
    let began = Instant::now();
    let is_up = || port.link().is_ok_and(|link| link.up) && has_carrier(&run.setup.device);
    if run.control.wait_for(LINK_LIMIT, Duration::from_millis(1), is_up) {
        return Ok(());
    }
    let remedy = if is_memif {
        "is the peer with the other role running on the same socket, told of as many TX workers as this one has (--tx-workers)?"
    } else {
        "check the cable, the switch port, or the other end's `ip link`"
    };
    Err(EngineError::LinkDown {
        device: run.spec.device.clone(),
        waited_ms: began.elapsed().as_millis(),
        remedy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_frames_are_warned_of_in_either_direction() {
        assert_eq!(flow_control_warning(FlowControl { rx: false, tx: false }), None);
        for (rx, tx, words) in [(true, false, "(rx)"), (false, true, "(tx)"), (true, true, "(rx and tx)")] {
            assert!(flow_control_warning(FlowControl { rx, tx }).unwrap().contains(words));
        }
    }
}
