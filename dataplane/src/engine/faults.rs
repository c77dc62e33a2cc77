//! What stands between a run and its PCI device, found before EAL starts where it can be, explained
//! where EAL failed.

use dpdk::{EalError, Port};
use traffic::device::Device;

use super::error::EngineError;
use super::setup::Setup;
use crate::inventory::{Sources, hugepage_files, pci_faults};

/// Refuses a device that no driver could open.
pub fn check(device: &Device, sources: &Sources) -> Result<(), EngineError> {
    let Device::Pci(address) = device else { return Ok(()) };
    match pci_faults::certain(sources, address) {
        Some(why) => Err(unusable(device, why)),
        None => Ok(()),
    }
}

/// Refuses a limit on locked memory that the run's memory does not fit: EAL would go on without the device.
pub fn check_memlock(device: &Device, sources: &Sources, needed_mib: u32) -> Result<(), EngineError> {
    let Device::Pci(address) = device else { return Ok(()) };
    match pci_faults::memlock(sources, address, needed_mib) {
        Some(why) => Err(unusable(device, why)),
        None => Ok(()),
    }
}

fn unusable(device: &Device, why: String) -> EngineError {
    EngineError::Unusable { device: device.to_string(), why, log: String::new() }
}

/// EAL's failure, with what explains it first.
pub fn explain(error: EalError, device: &Device, sources: &Sources) -> EngineError {
    let Device::Pci(address) = device else { return error.into() };
    let why = pci_faults::obstacle(sources, address).or_else(|| pci_faults::holder(sources, address));
    match why {
        Some(why) => EngineError::Unusable { device: device.to_string(), why, log: format!("\n{error}") },
        None => error.into(),
    }
}

/// The same where several devices were opened at once: what explains one of them explains the failure.
pub fn explain_any(error: EalError, setups: &[Setup]) -> EngineError {
    let is_explained = |setup: &&Setup| {
        let Device::Pci(address) = &setup.device else { return false };
        pci_faults::obstacle(&setup.sources, address).is_some()
            || pci_faults::holder(&setup.sources, address).is_some()
    };
    match setups.iter().find(is_explained) {
        Some(setup) => explain(error, &setup.device, &setup.sources),
        None => error.into(),
    }
}

/// What may keep the frames of a device that opens well from getting anywhere.
pub fn doubts(device: &Device, sources: &Sources) -> Option<String> {
    let Device::Pci(address) = device else { return None };
    pci_faults::parent_down(sources, address).map(|why| format!("{device}: {why}"))
}

/// A lack of hugepages, with who has them.
pub fn with_holders(error: EngineError, sources: &Sources) -> EngineError {
    match error {
        EngineError::Hugepages { needed_mib, free_mib, pages, .. } => {
            let why = hugepage_files::explain(sources).iter().map(|line| format!("\n  {line}")).collect();
            EngineError::Hugepages { needed_mib, free_mib, pages, why }
        }
        other => other,
    }
}

/// Descriptors are fitted to what the driver takes: whoever asked for others is told.
pub fn check_descriptors(port: &Port<'_>, asked: u16, warnings: &mut Vec<String>) {
    let Ok(info) = port.device_info() else { return };
    let chosen = port.chosen();
    for (direction, used, limits) in [
        ("RX", chosen.rx_descriptors, info.rx_descriptors),
        ("TX", chosen.tx_descriptors, info.tx_descriptors),
    ] {
        if used != asked && used > 0 {
            warnings.push(format!(
                "{asked} {direction} descriptors were asked for, and the driver {} takes {} to {} in steps of {}: {used} are used",
                info.driver,
                limits.min,
                limits.max,
                limits.align.max(1)
            ));
        }
    }
}
