//! VFIO and the IOMMU, for a pod whose port is a PCI device.

use traffic::wire::DeviceInfo;

use super::check::Check;
use super::facts::End;
use super::port::Port;

const NAME: &str = "vfio";
/// What turns an IOMMU on.
const SWITCHES: [&str; 4] = ["intel_iommu=on", "amd_iommu=on", "iommu=pt", "iommu.passthrough=1"];

/// None where the port has nothing to do with it.
pub fn check(end: &End<'_>, port: &Port<'_>) -> Option<Check> {
    match port {
        Port::Pci(device) => match device.driver.as_deref() {
            Some("vfio-pci") => Some(vfio(end, device)),
            Some("igb_uio" | "uio_pci_generic") => Some(Check::warning(
                end.pod,
                NAME,
                "the device is bound to a UIO driver: nothing keeps it from writing anywhere, and the pod must be \
                 privileged",
                "bind it to vfio-pci, with the IOMMU on",
            )),
            _ => None,
        },
        _ => None,
    }
}

fn vfio(end: &End<'_>, device: &DeviceInfo) -> Check {
    let iommu = &end.inventory.iommu;
    let error = |found: String, next: &str| Check::error(end.pod, NAME, found, next);
    let is_on = iommu.groups > 0 || device.iommu_group.is_some();
    if !is_on && !iommu.no_iommu {
        return error(
            "the IOMMU is off: there are no IOMMU groups".to_owned(),
            "turn it on in the firmware and with intel_iommu=on iommu=pt (or amd_iommu=on) on the kernel's command line; in a \
             virtual machine without one, allow VFIO without (enable_unsafe_noiommu_mode)",
        );
    }
    if !iommu.vfio {
        return error(
            "/dev/vfio/vfio is not here or may not be opened".to_owned(),
            "`modprobe vfio-pci` on the node; the device plugin mounts it into pods that ask for its resource",
        );
    }
    let Some(group) = &device.iommu_group else {
        return error(
            format!("{} is in no IOMMU group", device.device),
            "bind it to vfio-pci again after the IOMMU was turned on",
        );
    };
    if device.vfio_group_usable == Some(false) {
        return error(
            format!(
                "/dev/vfio/{group} is not here or may not be opened: another pod has the device, or this one did not ask"
            ),
            "use `env`, the device that this pod was given, and ask for it in the pod's resources (`pods create -r …`)",
        );
    }
    let is_switched_on = || {
        let words = end.inventory.kernel_cmdline.split_whitespace();
        words.into_iter().any(|word| SWITCHES.contains(&word))
    };
    if iommu.no_iommu && !is_switched_on() {
        let lacking: Vec<&str> = ["SYS_RAWIO", "SYS_ADMIN"].into_iter().filter(|c| !end.has(c)).collect();
        let found = format!("group {group}, maybe without an IOMMU (enable_unsafe_noiommu_mode)");
        return match lacking.is_empty() {
            true => Check::warning(
                end.pod,
                NAME,
                found,
                "nothing keeps the device from writing anywhere: for tests only",
            ),
            false => Check::warning(
                end.pod,
                NAME,
                format!("{found}, which takes {} that the pod does not have", lacking.join(" and ")),
                "turn the IOMMU on, or make the pods with `orchestrator pods create --privileged --allow-no-iommu`",
            ),
        };
    }
    Check::ok(end.pod, NAME, format!("IOMMU group {group}, usable"))
}
