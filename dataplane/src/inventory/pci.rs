//! PCI network devices, and what stands between them and DPDK.

use std::path::Path;

use traffic::wire::DeviceInfo;

use super::devices::env_addresses;
use super::interfaces::{self, has_default_route};
use super::iommu::{group_files, is_group_usable};
use super::sources::{Sources, link_name, names, number, text};

/// Drivers whose NIC DPDK uses through the kernel driver, which must stay.
const BIFURCATED: [&str; 3] = ["mlx4_core", "mlx5_core", "mana"];
/// Kernel drivers that hand the device to user space without an IOMMU.
const UIO: [&str; 2] = ["igb_uio", "uio_pci_generic"];

/// Devices of class 02 (network controllers), and those that Kubernetes named but this container does not
/// see.
pub fn devices(sources: &Sources) -> Vec<DeviceInfo> {
    let all = sources.path("sys/bus/pci/devices");
    let given = env_addresses(sources.env.clone());
    let mut devices: Vec<DeviceInfo> = names(&all)
        .into_iter()
        .filter(|address| {
            text(&all.join(address).join("class")).is_some_and(|class| class.starts_with("0x02"))
        })
        .map(|address| device(sources, &all.join(&address), &address, &given))
        .collect();
    for (variable, address) in given {
        let name = format!("pci:{address}");
        if !devices.iter().any(|device| device.device == name) {
            devices.push(DeviceInfo {
                device: name,
                numa_node: -1,
                detail: format!("given by {variable}"),
                obstacle: Some(format!(
                    "{variable} names it and /sys/bus/pci has no network device of that address: check the \
                     SR-IOV device plugin and that /sys of this container is the node's"
                )),
                from_env: Some(variable),
                ..DeviceInfo::default()
            });
        }
    }
    devices
}

fn device(sources: &Sources, at: &Path, address: &str, given: &[(String, String)]) -> DeviceInfo {
    let driver = link_name(&at.join("driver"));
    let interface = interface(at);
    let path = interface.as_ref().map(|(_, path)| path.as_path());
    let group = link_name(&at.join("iommu_group"));
    DeviceInfo {
        device: format!("pci:{address}"),
        mac: path.and_then(interfaces::mac),
        link_up: path.and_then(interfaces::link_up),
        mtu: path.and_then(|path| number(&path.join("mtu"))),
        is_vf: Some(at.join("physfn").is_symlink()),
        vfio_group_usable: group.as_ref().map(|group| is_group_usable(sources, group)),
        iommu_group: group,
        from_env: given.iter().find(|(_, named)| named == address).map(|(variable, _)| variable.clone()),
        numa_node: number(&at.join("numa_node")).unwrap_or(-1),
        detail: detail(at, address, interface.as_ref().map(|(name, _)| name.as_str()), given),
        obstacle: obstacle(sources, at, address, driver.as_deref(), interface.map(|(name, _)| name)),
        driver,
    }
}

/// The kernel interface on top, with its folder. virtio has one more level.
fn interface(at: &Path) -> Option<(String, std::path::PathBuf)> {
    let virtio =
        names(at).into_iter().filter(|name| name.starts_with("virtio")).map(|name| at.join(name).join("net"));
    std::iter::once(at.join("net")).chain(virtio).find_map(|net| {
        let name = names(&net).into_iter().next()?;
        let path = net.join(&name);
        Some((name, path))
    })
}

fn detail(at: &Path, address: &str, interface: Option<&str>, given: &[(String, String)]) -> String {
    let id = |file: &str| text(&at.join(file)).map(|text| text.trim_start_matches("0x").to_owned());
    let mut words = Vec::new();
    words.extend(id("vendor").zip(id("device")).map(|(vendor, device)| format!("{vendor}:{device}")));
    words.extend(link_name(&at.join("physfn")).map(|parent| format!("virtual function of {parent}")));
    let total = number::<u32>(&at.join("sriov_totalvfs")).filter(|total| *total > 0);
    words.extend(total.map(|total| {
        format!(
            "SR-IOV: {} of {total} virtual functions",
            number::<u32>(&at.join("sriov_numvfs")).unwrap_or(0)
        )
    }));
    words.extend(interface.map(|name| format!("interface {name}")));
    let variable = given.iter().find(|(_, named)| named == address);
    words.extend(variable.map(|(name, _)| format!("given by {name} (--device env)")));
    words.join(", ")
}

fn obstacle(
    sources: &Sources,
    at: &Path,
    address: &str,
    driver: Option<&str>,
    interface: Option<String>,
) -> Option<String> {
    let bind = format!("`dpdk-devbind.py -b vfio-pci {address}`");
    match (driver, interface) {
        (Some("vfio-pci"), _) => vfio_obstacle(sources, at),
        (Some(driver), _) if UIO.contains(&driver) => {
            let has_uio = names(&sources.path("dev")).iter().any(|name| name.starts_with("uio"));
            (!has_uio).then(|| {
                format!("bound to {driver}, but /dev has no uio file: mount /dev/uio* into the container")
            })
        }
        (Some(driver), _) if BIFURCATED.contains(&driver) => None,
        (Some(driver), Some(name)) if has_default_route(sources, &name) => Some(format!(
            "the kernel's {driver} has it as {name}, which carries the default route: taking it away cuts \
             this host off. Use another device, or iface:{name} at a low rate"
        )),
        (Some(driver), Some(name)) => Some(format!(
            "the kernel's {driver} has it as {name}: {bind} takes it from the kernel, or use iface:{name} \
             as it is"
        )),
        (Some(driver), None) => Some(format!("the kernel's {driver} has it: {bind} takes it from there")),
        (None, _) => Some(format!("no driver has it: `modprobe vfio-pci`, then {bind}")),
    }
}

/// The device file of the IOMMU group has to be in the container, and VFIO's own.
fn vfio_obstacle(sources: &Sources, at: &Path) -> Option<String> {
    let group = link_name(&at.join("iommu_group"));
    if !sources.path("dev/vfio/vfio").exists() {
        return Some(
            "bound to vfio-pci, but /dev/vfio/vfio is missing: `modprobe vfio-pci` on the node, and request \
                     the device in the pod's resources so that its files are mounted"
                .to_owned(),
        );
    }
    let Some(group) = group else {
        return Some(
            "bound to vfio-pci, but in no IOMMU group: turn the IOMMU on (intel_iommu=on or \
                     amd_iommu=on), or allow VFIO without one (enable_unsafe_noiommu_mode)"
                .to_owned(),
        );
    };
    let is_there = group_files(&group).iter().any(|file| sources.path(file).exists());
    if !is_there {
        return Some(format!(
            "bound to vfio-pci, but /dev/vfio/{group} is missing here: it belongs to another pod, or the \
             pod does not request it in its resources"
        ));
    }
    (!is_group_usable(sources, &group)).then(|| {
        format!(
            "bound to vfio-pci, but this user may not open /dev/vfio/{group}: run as root, or as the user or group \
             that the file belongs to"
        )
    })
}
