//! PCI network devices.

use std::path::Path;

use traffic::wire::DeviceInfo;

use super::devices::env_addresses;
use super::iommu::is_group_usable;
use super::sources::{Sources, link_name, names, number, text};
use super::{interfaces, pci_faults};

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
        obstacle: pci_faults::obstacle(sources, address),
        driver,
    }
}

/// The kernel interface on top, with its folder. virtio has one more level.
pub(super) fn interface(at: &Path) -> Option<(String, std::path::PathBuf)> {
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
