//! Which of the things that an agent sees is the port that `--device` names.

use traffic::device::Device;
use traffic::wire::{DeviceInfo, InterfaceInfo};

use super::check::Check;
use super::facts::End;

const NAME: &str = "device";

/// The port, found.
#[derive(Debug, Clone, Copy)]
pub enum Port<'a> {
    /// A NIC or VF.
    Pci(&'a DeviceInfo),
    /// A kernel interface, through af_packet.
    Kernel(&'a InterfaceInfo),
    /// A kernel interface, through af_xdp.
    Xdp(&'a InterfaceInfo),
    /// memif, null, ring and such: nothing of it is there before it is opened.
    Virtual,
}

impl Port<'_> {
    /// NUMA node; -1 where there is none or nobody knows.
    pub fn numa_node(&self, end: &End<'_>) -> i32 {
        match self {
            Port::Pci(device) => device.numa_node,
            Port::Kernel(interface) | Port::Xdp(interface) => {
                kernel_device(end, &interface.name).map_or(-1, |device| device.numa_node)
            }
            Port::Virtual => -1,
        }
    }
}

/// What the agent says of an interface as a device.
pub fn kernel_device<'a>(end: &End<'a>, name: &str) -> Option<&'a DeviceInfo> {
    let device = format!("iface:{name}");
    end.inventory.devices.iter().find(|one| one.device == device)
}

/// Finds it; the check says what is not there.
pub fn find<'a>(end: &End<'a>) -> Result<Port<'a>, Check> {
    let device = end.device.parse().map_err(|error: traffic::device::DeviceError| {
        Check::error(end.pod, NAME, error.to_string(), "correct --device, or the pod's annotation")
    })?;
    match device {
        Device::Env => env(end),
        Device::Pci(address) => pci(end, &address),
        // No inventory lists it, and it is always there.
        Device::Iface(name) if name == "lo" => Ok(Port::Virtual),
        Device::Iface(name) => interface(end, &name).map(Port::Kernel),
        Device::Xdp(name) => interface(end, &name).map(Port::Xdp),
        Device::Vdev(ref arguments) => {
            let over = arguments.split(',').find_map(|argument| argument.strip_prefix("iface="));
            match (device.vdev_driver(), over) {
                (Some("net_af_packet" | "eth_af_packet"), Some(name)) => {
                    interface(end, name).map(Port::Kernel)
                }
                (Some("net_af_xdp" | "eth_af_xdp"), Some(name)) => interface(end, name).map(Port::Xdp),
                _ => Ok(Port::Virtual),
            }
        }
    }
}

/// The engine takes the first variable by name.
fn env<'a>(end: &End<'a>) -> Result<Port<'a>, Check> {
    let given = end.inventory.devices.iter().filter(|d| d.device.starts_with("pci:") && d.from_env.is_some());
    given.min_by_key(|device| &device.from_env).map(Port::Pci).ok_or_else(|| {
        Check::error(
            end.pod,
            NAME,
            "device env: no PCIDEVICE_* variable is set, so the device plugin gave this pod no device",
            "ask for the plugin's resource (`orchestrator pods create -r dpdk`, or -r vendor.com/name), or use another \
             device (--tx-device and --rx-device iface:eth0)",
        )
    })
}

fn pci<'a>(end: &End<'a>, address: &str) -> Result<Port<'a>, Check> {
    let device = format!("pci:{address}");
    let there = || end.inventory.devices.iter().filter(|one| one.device.starts_with("pci:"));
    there().find(|one| one.device == device).map(Port::Pci).ok_or_else(|| {
        let names: Vec<&str> = there().map(|one| one.device.as_str()).collect();
        Check::error(
            end.pod,
            NAME,
            format!("no network device has the address {address}; there are: {}", listed(&names)),
            "name one of them, or `env` for what the device plugin gave",
        )
    })
}

fn interface<'a>(end: &End<'a>, name: &str) -> Result<&'a InterfaceInfo, Check> {
    let there = &end.inventory.interfaces;
    there.iter().find(|one| one.name == name).ok_or_else(|| {
        let names: Vec<&str> = there.iter().map(|one| one.name.as_str()).collect();
        Check::error(
            end.pod,
            NAME,
            format!("there is no interface {name}; there are: {}", listed(&names)),
            "name one of them, or add the network that makes it (`orchestrator pods create --network NAME`)",
        )
    })
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
