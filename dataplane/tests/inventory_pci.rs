//! What stands in a PCI device's way, on made-up hosts: what the lab's kernel can't produce (tests/niclab has the
//! rest).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod made_up_host;

use dataplane::inventory::pci_faults::{ALLOW_NO_IOMMU, certain, memlock, obstacle};
use made_up_host::{find, host};

const ADDRESS: &str = "0000:03:00.0";
/// No-IOMMU mode: the group's file is of another name.
const NO_IOMMU: &[(&str, &str)] = &[
    ("proc/self/status", "CapEff:\t000001ffffffffff\n"),
    ("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n"),
    ("dev/vfio/vfio", ""),
    ("dev/vfio/noiommu-0", ""),
    ("sys/bus/pci/devices/0000:03:00.0/class", "0x020000\n"),
    ("sys/bus/pci/devices/0000:03:00.0/driver", "->../../drivers/vfio-pci"),
    ("sys/bus/pci/devices/0000:03:00.0/iommu_group", "->../../iommu_groups/0"),
];

#[test]
fn no_iommu_mode_is_refused_unless_it_is_asked_for() {
    let (_dir, sources) = host(NO_IOMMU, &[1], &[]);
    let why = certain(&sources, ADDRESS).unwrap();
    assert!(
        why.contains("no IOMMU behind it") && why.contains(&format!("`export {ALLOW_NO_IOMMU}=1`")),
        "{why}"
    );
    let (_dir, sources) = host(NO_IOMMU, &[1], &[(ALLOW_NO_IOMMU, "1")]);
    assert_eq!(certain(&sources, ADDRESS), None);
    let devices = dataplane::inventory::read(&sources).devices;
    assert_eq!(find(&devices, "pci:0000:03:00.0").obstacle, None);
}

#[test]
fn no_iommu_mode_takes_a_right_that_pods_do_not_have() {
    let mut files = NO_IOMMU.to_vec();
    files[0].1 = "CapEff:\t0000000000004000\n";
    let (_dir, sources) = host(&files, &[1], &[(ALLOW_NO_IOMMU, "1")]);
    assert!(certain(&sources, ADDRESS).unwrap().contains("SYS_RAWIO"));
}

/// A kernel driver that DPDK may work beside is EAL's question.
#[test]
fn an_unknown_kernel_driver_is_an_obstacle_but_no_certain_one() {
    let files = [
        ("sys/bus/pci/devices/0000:03:00.0/class", "0x020000\n"),
        ("sys/bus/pci/devices/0000:03:00.0/driver", "->../../drivers/newnic"),
    ];
    let (_dir, sources) = host(&files, &[1], &[]);
    assert!(obstacle(&sources, ADDRESS).unwrap().contains("the kernel's newnic has it"));
    assert_eq!(certain(&sources, ADDRESS), None);
}

#[test]
fn whole_pages_are_locked_unless_ipc_lock_lifts_the_limit() {
    let limits =
        ("proc/self/limits", "Max locked memory         67108864             67108864             bytes\n");
    let pool = "sys/devices/system/node/node0/hugepages/hugepages-1048576kB";
    let (total, free) = (format!("{pool}/nr_hugepages"), format!("{pool}/free_hugepages"));
    for (capabilities, is_refused) in
        [("CapEff:\t0000000000000000\n", true), ("CapEff:\t0000000000004000\n", false)]
    {
        let mut files = NO_IOMMU.to_vec();
        files[0].1 = capabilities;
        files.extend([limits, (&*total, "2\n"), (&*free, "2\n")]);
        let (_dir, sources) = host(&files, &[1], &[]);
        let why = memlock(&sources, ADDRESS, 24);
        assert_eq!(
            why.is_some_and(|why| why.contains("65536 KiB") && why.contains("locks 1024 MiB")),
            is_refused
        );
    }
}

/// Nobody knows of every NIC whether its functions go on without their parent: it is told and does not bar a run.
#[test]
fn a_parent_that_is_down_is_told_and_bars_nothing() {
    const VF: &str = "0000:03:10.0";
    let told = |flags| {
        let files = [
            ("proc/self/status", "CapEff:\t000001ffffffffff\n"),
            ("dev/vfio/vfio", ""),
            ("dev/vfio/7", ""),
            ("sys/bus/pci/devices/0000:03:00.0/net/eth5/flags", flags),
            ("sys/bus/pci/devices/0000:03:10.0/class", "0x020000\n"),
            ("sys/bus/pci/devices/0000:03:10.0/driver", "->../../drivers/vfio-pci"),
            ("sys/bus/pci/devices/0000:03:10.0/iommu_group", "->../../iommu_groups/7"),
            ("sys/bus/pci/devices/0000:03:10.0/physfn", "->../0000:03:00.0"),
        ];
        let (_dir, sources) = host(&files, &[1], &[]);
        assert_eq!(certain(&sources, VF), None);
        obstacle(&sources, VF)
    };
    let why = told("0x1002\n").unwrap();
    assert!(why.contains("eth5 is down") && why.contains("`ip link set eth5 up`"), "{why}");
    assert_eq!(told("0x1003\n"), None);
}
