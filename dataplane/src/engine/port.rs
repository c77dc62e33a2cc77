//! The device: from the project's notation to an open port.

use std::time::{Duration, Instant};

use dpdk::{FlowControl, Port, PortBuilder, PortConfig};
use traffic::device::Device;
use traffic::plan::Plan;
use traffic::wire::{Role, RunSpec};

use super::error::EngineError;
use super::session::Run;

/// How long a link may take to come up: autonegotiation takes seconds.
const LINK_LIMIT: Duration = Duration::from_secs(10);
/// af_packet frames up to this size share the default ring geometry.
const AF_PACKET_SMALL: u16 = 1518;

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
            // A ring block must hold a frame and be whole pages; a frame here is a power of two.
            let frame = if plan.largest_frame().bytes() <= AF_PACKET_SMALL { 2048 } else { 16384 };
            format!(
                "net_af_packet0,iface={name},qpairs={queues},framesz={frame},blocksz={},framecnt={}",
                frame.max(4096),
                if frame == 2048 { 1024 } else { 256 }
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
    let is_memif = device.vdev_driver() == Some("net_memif");
    // A tap's queues are files of both directions.
    if device.vdev_driver() == Some("net_tap") {
        return [workers, workers];
    }
    match spec.role {
        Role::Tx => [1, workers],
        Role::Rx if is_memif => [workers.max(spec.tx_workers), 1],
        Role::Rx => [workers, 1],
        Role::Reflect => [workers, workers],
    }
}

/// A link that went away during the run explains what is missing.
pub fn check_link_at_end(run: &Run<'_>, warnings: &mut Vec<String>) {
    if !has_carrier(&run.setup.device) {
        warnings.push(format!("{}: the link is down at the end of the run", run.setup.device));
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
    let mtu = run.setup.plan.largest_frame().mbuf_bytes() - ETHERNET_BYTES;
    // A memif has no MTU: it chains its buffers, and claims 1518 bytes all the same.
    let has_mtu = run.setup.device.vdev_driver() != Some("net_memif");
    let config = PortConfig {
        rx_queues,
        tx_queues,
        rx_descriptors: Some(spec.descriptors),
        tx_descriptors: Some(spec.descriptors),
        mtu: (mtu > ORDINARY_MTU && has_mtu).then_some(mtu),
        promiscuous: spec.role != Role::Tx,
        fast_free: spec.role == Role::Tx,
        ..PortConfig::default()
    };
    Ok(Port::configure(run.eal, run.port, &config)?)
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
    let is_memif = run.setup.device.vdev_driver() == Some("net_memif");
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
