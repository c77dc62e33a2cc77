//! Devices that `--device` could name: kernel interfaces, PCI network devices, and what Kubernetes gave this
//! pod.

use traffic::device::Device;
use traffic::wire::DeviceInfo;

use super::sources::Sources;
use super::{interfaces, pci};

/// All of them, those that work as they are first.
pub fn devices(sources: &Sources) -> Vec<DeviceInfo> {
    let mut devices = pci::devices(sources);
    devices.extend(interfaces::devices(sources));
    devices.sort_by_key(|device| device.obstacle.is_some());
    devices
}

/// The SR-IOV device plugin's variables, sorted, one entry an address. `PCIDEVICE_*_INFO` holds JSON and is
/// none.
pub fn env_addresses(env: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, value) in env {
        if !name.starts_with("PCIDEVICE_") || name.ends_with("_INFO") {
            continue;
        }
        for part in value.split(',') {
            if let Ok(Device::Pci(address)) = format!("pci:{}", part.trim()).parse() {
                found.push((name.clone(), address));
            }
        }
    }
    // Stable: the addresses of one variable stay in the plugin's order.
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

/// The variable of the device plugin that names a PCI address.
pub fn env_variable(sources: &Sources, address: &str) -> Option<String> {
    let given = env_addresses(sources.env.clone());
    given.into_iter().find(|(_, named)| named == address).map(|(variable, _)| variable)
}
