//! Why DPDK can't use a PCI device, in a line with the command that mends it: what `probe` says beside a device, and
//! what an engine says when it failed to open one.

use std::path::Path;

use super::hugepage_files;
use super::interfaces::has_default_route;
use super::iommu::{group_files, is_group_usable};
use super::rights::{has_capability, memlock_bytes};
use super::sources::{Sources, link_name, names, text};

/// Drivers whose NIC DPDK uses through the kernel driver, which must stay.
const BIFURCATED: [&str; 3] = ["mlx4_core", "mlx5_core", "mana"];
/// Kernel drivers that hand the device to user space without an IOMMU.
const UIO: [&str; 2] = ["igb_uio", "uio_pci_generic"];
/// Set to 1, a device is used though no IOMMU keeps it from writing anywhere.
pub const ALLOW_NO_IOMMU: &str = "DPDK_BENCH_ALLOW_NO_IOMMU";
/// How an IOMMU is turned on.
const TURN_ON: &str = "turn the IOMMU on, in the firmware (VT-d, AMD-Vi) and with `intel_iommu=on iommu=pt` (AMD: `amd_iommu=on \
     iommu=pt`) on the kernel's command line";
/// Of the class of a bridge, which may be in a group with devices for DPDK.
const BRIDGE_CLASS: &str = "0x06";

/// What stands in the way of an address; none where nothing is known to.
pub fn obstacle(sources: &Sources, address: &str) -> Option<String> {
    let at = sources.path("sys/bus/pci/devices").join(address);
    if !at.exists() {
        return Some(not_here(sources, address));
    }
    let driver = link_name(&at.join("driver"));
    match driver.as_deref() {
        Some("vfio-pci") => vfio(sources, &at, address).or_else(|| parent_down(sources, address)),
        Some(driver) if UIO.contains(&driver) => uio(sources, driver),
        Some(driver) if BIFURCATED.contains(&driver) => None,
        driver => Some(not_bound(sources, &at, address, driver)),
    }
}

/// The obstacles that no driver gets over: with these EAL need not be started. DPDK may use a device of a kernel driver
/// that this list does not know, so a kernel driver is none of them.
pub fn certain(sources: &Sources, address: &str) -> Option<String> {
    let at = sources.path("sys/bus/pci/devices").join(address);
    match link_name(&at.join("driver")).as_deref() {
        _ if !at.exists() => obstacle(sources, address),
        Some("vfio-pci") => vfio(sources, &at, address),
        _ => None,
    }
}

/// A virtual function whose parent's interface is down: those of some NICs send into nothing then, without a word,
/// those of others go on among themselves. Pods don't see the parent's interface.
pub fn parent_down(sources: &Sources, address: &str) -> Option<String> {
    let parent = sources.path("sys/bus/pci/devices").join(address).join("physfn");
    let (name, at) = super::pci::interface(&parent)?;
    let flags = text(&at.join("flags"))?;
    // IFF_UP, bit 0 of what the kernel prints in hex.
    let is_up = u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok()? & 1 == 1;
    (!is_up).then(|| {
        format!(
            "its physical function {name} is down, so that what it sends may go nowhere: `ip link set {name} up` as root on this node"
        )
    })
}

/// Locked memory that VFIO's mappings take, where it is limited: EAL itself says it in passing and goes on without the
/// device.
pub fn memlock(sources: &Sources, address: &str, needed_mib: u32) -> Option<String> {
    let at = sources.path("sys/bus/pci/devices").join(address);
    let limit = memlock_bytes(sources)?;
    let is_free =
        has_capability(sources, "IPC_LOCK") || link_name(&at.join("driver")).as_deref() != Some("vfio-pci");
    // Whole pages are mapped; of two sizes the smaller one may do.
    let pools = super::hugepages::pools(sources);
    let page_mib =
        pools.iter().filter(|pool| pool.free > 0).map(|pool| pool.page_kib >> 10).min().unwrap_or(1).max(1);
    let needed = u64::from(needed_mib).next_multiple_of(page_mib);
    (!is_free && limit >> 20 < needed).then(|| {
        format!(
            "{} KiB of memory may be locked (memlock), and VFIO locks {needed} MiB for DMA: `ulimit -l unlimited` as root before it \
             starts (systemd: LimitMEMLOCK=infinity; in a pod: the capability IPC_LOCK)",
            limit >> 10
        )
    })
}

/// What explains that the device could not be opened although nothing stood in its way before: who else has it.
pub fn holder(sources: &Sources, address: &str) -> Option<String> {
    let group = link_name(&sources.path("sys/bus/pci/devices").join(address).join("iommu_group"))?;
    let files = group_files(&group).map(|file| format!("/{file}"));
    let own = std::process::id().to_string();
    let has_it = |pid: &String| {
        let open = sources.path(&format!("proc/{pid}/fd"));
        *pid != own
            && names(&open).iter().any(|fd| {
                let target = std::fs::read_link(open.join(fd)).unwrap_or_default();
                files.iter().any(|file| target == Path::new(file))
            })
    };
    let pid = hugepage_files::processes(sources).into_iter().find(has_it)?;
    let name = sources.text(&format!("proc/{pid}/comm")).unwrap_or_default();
    Some(format!("process {pid} ({name}) has it open: end that one (`kill {pid}`), or name another device"))
}

fn not_here(sources: &Sources, address: &str) -> String {
    let all = sources.path("sys/bus/pci/devices");
    let is_nic = |at: &Path| text(&at.join("class")).is_some_and(|class| class.starts_with("0x02"));
    let there: Vec<String> = names(&all).into_iter().filter(|one| is_nic(&all.join(one))).collect();
    let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    format!(
        "there is no PCI device {address} here (network devices: {there}): name one of them, or make virtual functions (`echo 2 > \
         /sys/bus/pci/devices/ADDRESS/sriov_numvfs`)"
    )
}

fn uio(sources: &Sources, driver: &str) -> Option<String> {
    let has_uio = names(&sources.path("dev")).iter().any(|name| name.starts_with("uio"));
    (!has_uio)
        .then(|| format!("bound to {driver}, but /dev has no uio file: mount /dev/uio* into the container"))
}

/// A kernel driver has it, or none.
fn not_bound(sources: &Sources, at: &Path, address: &str, driver: Option<&str>) -> String {
    let load =
        if sources.path("sys/bus/pci/drivers/vfio-pci").exists() { "" } else { "`modprobe vfio-pci`, then " };
    let bind = format!("{load}`dpdk-devbind.py -b vfio-pci {address}`");
    let iommu = if has_iommu(sources) {
        String::new()
    } else {
        format!(" (it will not bind: there is no IOMMU; {TURN_ON})")
    };
    let has = match driver {
        None => return format!("no driver has it: {bind}{iommu}"),
        Some(driver) => format!("the kernel's {driver} has it"),
    };
    match super::pci::interface(at).map(|(name, _)| name) {
        Some(name) if has_default_route(sources, &name) => format!(
            "{has} as {name}, which carries the default route: taking it away cuts this host off. Use another device, or iface:{name} \
             at a low rate"
        ),
        Some(name) => {
            format!("{has} as {name}: {bind} takes it from the kernel{iommu}, or use iface:{name} as it is")
        }
        None => format!("{has}: {bind} takes it from there{iommu}"),
    }
}

/// Whether VFIO could bind a device at all.
fn has_iommu(sources: &Sources) -> bool {
    let facts = super::iommu::iommu(sources);
    // A container may not show the groups: no word is better than a wrong one.
    facts.groups > 0 || facts.no_iommu || !sources.path("sys/kernel/iommu_groups").exists()
}

/// The device file of the IOMMU group has to be in the container, and VFIO's own.
fn vfio(sources: &Sources, at: &Path, address: &str) -> Option<String> {
    let bound = "bound to vfio-pci, but";
    if !sources.path("dev/vfio/vfio").exists() {
        return Some(format!(
            "{bound} /dev/vfio/vfio is missing: `modprobe vfio_iommu_type1` on the node; in a pod, request the device in its resources, \
             so that its files are mounted"
        ));
    }
    let Some(group) = link_name(&at.join("iommu_group")) else {
        return Some(format!("{bound} in no IOMMU group: {TURN_ON}"));
    };
    let [with, without] = group_files(&group);
    if sources.path(&without).exists() {
        return no_iommu(sources, &group);
    }
    if !sources.path(&with).exists() {
        return Some(format!(
            "{bound} /dev/vfio/{group} is missing here: it belongs to another pod, or the pod does not request it in its resources"
        ));
    }
    if !is_group_usable(sources, &group) {
        return Some(format!(
            "{bound} this user may not open /dev/vfio/{group}: `chown USER /dev/vfio/{group}` as root, or run as root or as the user or \
             group that the file belongs to"
        ));
    }
    not_viable(sources, &group, address)
}

fn no_iommu(sources: &Sources, group: &str) -> Option<String> {
    let is_asked = sources.env.get(ALLOW_NO_IOMMU).is_some_and(|value| value == "1");
    let lacks_rights = !has_capability(sources, "SYS_RAWIO");
    let file = format!("/dev/vfio/noiommu-{group}");
    if !is_asked {
        return Some(format!(
            "{file} has no IOMMU behind it: the device could write to any memory of this machine. {TURN_ON}, or accept that: \
             `export {ALLOW_NO_IOMMU}=1` (pods: `orchestrator pods create --privileged --allow-no-iommu`)"
        ));
    }
    (lacks_rights || !is_group_usable(sources, group))
        .then(|| format!("{file} has no IOMMU behind it, and takes root with SYS_RAWIO: run as root"))
}

/// VFIO gives out whole groups: each of its devices has to be let go of by the kernel.
fn not_viable(sources: &Sources, group: &str, address: &str) -> Option<String> {
    let members = names(&sources.path(&format!("sys/kernel/iommu_groups/{group}/devices")));
    let all = sources.path("sys/bus/pci/devices");
    let others: Vec<(String, String)> = members
        .into_iter()
        .filter(|member| member != address)
        .filter_map(|member| Some((link_name(&all.join(&member).join("driver"))?, member)))
        .filter(|(driver, member)| {
            let is_bridge =
                text(&all.join(member).join("class")).is_some_and(|class| class.starts_with(BRIDGE_CLASS));
            !is_bridge && !driver.starts_with("vfio") && driver != "pci-stub"
        })
        .collect();
    let (driver, first) = others.first()?;
    let addresses: Vec<&str> = others.iter().map(|(_, member)| &**member).collect();
    Some(format!(
        "IOMMU group {group} is not viable: the kernel's {driver} has {first}, which is in the same group: `dpdk-devbind.py -b vfio-pci {}` \
         takes the whole group from the kernel, or use a slot whose devices have groups of their own",
        addresses.join(" ")
    ))
}
