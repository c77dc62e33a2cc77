//! What a preflight asks of the inventory, on made-up pods: control groups of both versions, rights, VFs, interfaces.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod made_up_host;

use std::os::unix::fs::PermissionsExt;

use dataplane::inventory::{self, render, surroundings};
use made_up_host::{find, host};
use traffic::wire::{HugepageLimit, HugepageMount, InterfaceInfo, Inventory, Iommu};

const MIB: u64 = 1 << 20;

/// A pod of a static CPU manager with a VF for DPDK, another that the kernel has, and their parent.
const POD: &[(&str, &str)] = &[
    ("proc/self/status", "Name:\tdataplane\nCapInh:\t0000000000000000\nCapEff:\t0000000000007000\n"),
    ("proc/self/cgroup", "0::/\n"),
    (
        "proc/self/limits",
        "Limit                     Soft Limit           Hard Limit           Units\n\
         Max cpu time              unlimited            unlimited            seconds\n\
         Max locked memory         67108864             67108864             bytes\n",
    ),
    ("proc/cmdline", "BOOT_IMAGE=/vmlinuz default_hugepagesz=1G isolcpus=2-5 intel_iommu=on quiet\n"),
    (
        "proc/self/mounts",
        "nodev /hugepages-1Gi hugetlbfs rw,relatime,pagesize=1024M 0 0\n\
         nodev /mnt/two\\040words hugetlbfs ro,relatime,pagesize=2M 0 0\n\
         tmpfs /dev/shm tmpfs rw 0 0\n",
    ),
    ("hugepages-1Gi/.keep", ""),
    ("mnt/two words/.keep", ""),
    ("sys/fs/cgroup/cpu.max", "400000 100000\n"),
    ("sys/fs/cgroup/hugetlb.1GB.max", "2147483648\n"),
    ("sys/fs/cgroup/hugetlb.1GB.current", "1073741824\n"),
    ("sys/fs/cgroup/hugetlb.2MB.max", "0\n"),
    ("sys/fs/cgroup/hugetlb.2MB.current", "0\n"),
    ("sys/devices/system/cpu/online", "0-7\n"),
    ("sys/devices/system/cpu/isolated", "2-5\n"),
    ("sys/devices/system/node/node0/hugepages/hugepages-1048576kB/nr_hugepages", "4\n"),
    ("sys/devices/system/node/node0/hugepages/hugepages-1048576kB/free_hugepages", "3\n"),
    ("sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages", "0\n"),
    ("sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages", "0\n"),
    ("sys/kernel/iommu_groups/41/type", "DMA\n"),
    ("sys/kernel/iommu_groups/42/type", "DMA\n"),
    ("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n"),
    ("dev/vfio/vfio", ""),
    ("dev/vfio/42", ""),
    // The parent.
    ("sys/bus/pci/devices/0000:03:00.0/class", "0x020000\n"),
    ("sys/bus/pci/devices/0000:03:00.0/driver", "->../../drivers/ice"),
    ("sys/bus/pci/devices/0000:03:00.0/iommu_group", "->../../iommu_groups/41"),
    ("sys/bus/pci/devices/0000:03:00.0/sriov_totalvfs", "64\n"),
    ("sys/bus/pci/devices/0000:03:00.0/net/ens1/address", "02:00:00:00:00:09\n"),
    ("sys/bus/pci/devices/0000:03:00.0/net/ens1/operstate", "up\n"),
    ("sys/bus/pci/devices/0000:03:00.0/net/ens1/mtu", "9000\n"),
    // A VF that DPDK has.
    ("sys/bus/pci/devices/0000:03:02.0/class", "0x020000\n"),
    ("sys/bus/pci/devices/0000:03:02.0/driver", "->../../drivers/vfio-pci"),
    ("sys/bus/pci/devices/0000:03:02.0/iommu_group", "->../../iommu_groups/42"),
    ("sys/bus/pci/devices/0000:03:02.0/physfn", "->../0000:03:00.0"),
    // A VF of another pod.
    ("sys/bus/pci/devices/0000:03:02.1/class", "0x020000\n"),
    ("sys/bus/pci/devices/0000:03:02.1/driver", "->../../drivers/vfio-pci"),
    ("sys/bus/pci/devices/0000:03:02.1/iommu_group", "->../../iommu_groups/43"),
    ("sys/bus/pci/devices/0000:03:02.1/physfn", "->../0000:03:00.0"),
    // A VF that the kernel has, moved into the pod as net1.
    ("sys/class/net/net1/type", "1\n"),
    ("sys/class/net/net1/address", "02:00:00:00:00:0c\n"),
    ("sys/class/net/net1/flags", "0x1003\n"),
    ("sys/class/net/net1/operstate", "lowerlayerdown\n"),
    ("sys/class/net/net1/mtu", "1500\n"),
    ("sys/class/net/net1/device", "->../../../bus/pci/devices/0000:03:02.2"),
    ("sys/bus/pci/devices/0000:03:02.2/driver", "->../../drivers/iavf"),
    ("sys/bus/pci/devices/0000:03:02.2/subsystem", "->../../../pci"),
    ("sys/bus/pci/devices/0000:03:02.2/physfn", "->../0000:03:00.0"),
    // The pod network's, which knows no operational state.
    ("sys/class/net/eth0/type", "1\n"),
    ("sys/class/net/eth0/address", "02:00:00:00:00:07\n"),
    ("sys/class/net/eth0/flags", "0x1003\n"),
    ("sys/class/net/eth0/operstate", "unknown\n"),
    ("sys/class/net/eth0/carrier", "1\n"),
    ("sys/class/net/eth0/mtu", "1450\n"),
    ("sys/class/net/eth0/uevent", "DEVTYPE=veth\n"),
    // A tunnel: its address has four bytes.
    ("sys/class/net/tun0/type", "768\n"),
    ("sys/class/net/tun0/address", "00:00:00:00\n"),
    ("sys/class/net/tun0/flags", "0x1000\n"),
    ("sys/class/net/lo/type", "772\n"),
];

const ENV: &[(&str, &str)] =
    &[("PCIDEVICE_INTEL_COM_DPDK", "0000:03:02.0"), ("PCIDEVICE_INTEL_COM_NET", "0000:03:02.2")];

fn read(files: &[(&str, &str)]) -> Inventory {
    let (_dir, sources) = host(files, &[2, 3], ENV);
    inventory::read(&sources)
}

#[test]
fn a_pods_cpus_and_rights_are_told() {
    let pod = read(POD);
    assert_eq!((pod.online_cpus, pod.cpu_quota), (8, Some(4.0)));
    assert_eq!(pod.isolated_cpus, [2, 3, 4, 5]);
    assert!(pod.kernel_cmdline.ends_with("intel_iommu=on quiet"), "{}", pod.kernel_cmdline);
    assert_eq!(pod.memlock_bytes, Some(64 * MIB));
    assert_eq!(pod.capabilities, ["NET_ADMIN", "NET_RAW", "IPC_LOCK"]);
    assert_eq!(pod.iommu, Iommu { groups: 2, vfio: true, no_iommu: false });
}

#[test]
fn hugepages_are_told_with_mounts_and_limits_of_version_2() {
    let pod = read(POD);
    let mount = |path: &str, page_kib, writable| HugepageMount { path: path.into(), page_kib, writable };
    assert_eq!(
        pod.hugepage_mounts,
        [mount("/hugepages-1Gi", 1 << 20, true), mount("/mnt/two words", 2048, false)]
    );
    assert_eq!(
        pod.hugepage_limits,
        [
            HugepageLimit { page_kib: 2048, limit_bytes: Some(0), used_bytes: 0 },
            HugepageLimit { page_kib: 1 << 20, limit_bytes: Some(2048 * MIB), used_bytes: 1024 * MIB },
        ]
    );
}

#[test]
fn limits_of_version_1_are_the_least_of_the_group_and_those_above_it() {
    let group = "sys/fs/cgroup/hugetlb";
    let at = |path: &str, value: &str| (format!("{group}/{path}"), value.to_owned());
    let owned = [
        at("hugetlb.1GB.limit_in_bytes", "9223372036854771712\n"),
        at("hugetlb.1GB.usage_in_bytes", "3221225472\n"),
        at("kubepods/hugetlb.1GB.limit_in_bytes", "2147483648\n"),
        at("kubepods/hugetlb.1GB.usage_in_bytes", "2147483648\n"),
        at("kubepods/pod/hugetlb.1GB.limit_in_bytes", "4294967296\n"),
        at("kubepods/pod/hugetlb.1GB.usage_in_bytes", "1073741824\n"),
    ];
    let mut files = vec![
        ("proc/self/cgroup", "7:hugetlb:/kubepods/pod\n4:cpu,cpuacct:/kubepods/pod\n0::/\n"),
        ("sys/fs/cgroup/cpu/kubepods/pod/cpu.cfs_quota_us", "250000\n"),
        ("sys/fs/cgroup/cpu/kubepods/pod/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "4\n"),
        ("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "4\n"),
    ];
    files.extend(owned.iter().map(|(at, value)| (at.as_str(), value.as_str())));
    let pod = read(&files);
    assert_eq!(pod.cpu_quota, Some(2.5));
    let limit = HugepageLimit { page_kib: 1 << 20, limit_bytes: Some(2048 * MIB), used_bytes: 1024 * MIB };
    assert_eq!(pod.hugepage_limits, [limit]);
}

#[test]
fn virtual_functions_their_parent_and_their_groups_are_told_apart() {
    let pod = read(POD);
    let parent = find(&pod.devices, "pci:0000:03:00.0");
    assert_eq!((parent.is_vf, parent.link_up, parent.mtu), (Some(false), Some(true), Some(9000)));
    assert_eq!((parent.iommu_group.as_deref(), parent.vfio_group_usable), (Some("41"), Some(false)));
    assert_eq!(parent.from_env, None);
    let given = find(&pod.devices, "pci:0000:03:02.0");
    assert_eq!((given.is_vf, given.link_up, given.mtu), (Some(true), None, None), "only DPDK could tell");
    assert_eq!((given.iommu_group.as_deref(), given.vfio_group_usable), (Some("42"), Some(true)));
    assert_eq!(given.from_env.as_deref(), Some("PCIDEVICE_INTEL_COM_DPDK"));
    let others = find(&pod.devices, "pci:0000:03:02.1");
    assert_eq!((others.vfio_group_usable, others.from_env.as_deref()), (Some(false), None));
    let moved = find(&pod.devices, "iface:net1");
    assert_eq!((moved.is_vf, moved.link_up, moved.mtu), (Some(true), Some(false), Some(1500)));
    assert_eq!(moved.from_env.as_deref(), Some("PCIDEVICE_INTEL_COM_NET"));
    let veth = find(&pod.devices, "iface:eth0");
    assert_eq!((veth.is_vf, veth.link_up, veth.mtu), (None, Some(true), Some(1450)));
    let unseen = find(&pod.devices, "pci:0000:03:02.2");
    assert_eq!(unseen.from_env.as_deref(), Some("PCIDEVICE_INTEL_COM_NET"), "named, and no class 02 device");
}

#[test]
fn interfaces_are_told_with_their_addresses() {
    let pod = read(POD);
    let [eth0, net1, tun0] = &pod.interfaces[..] else { panic!("three but loopback: {:?}", pod.interfaces) };
    let expected = InterfaceInfo {
        name: "eth0".into(),
        mac: Some("02:00:00:00:00:07".parse().unwrap()),
        mtu: 1450,
        up: true,
        addresses: vec!["10.0.0.7/24".into(), "fe80::7/64".into()],
        driver: Some("veth".into()),
    };
    assert_eq!(eth0, &expected);
    assert_eq!((net1.name.as_str(), net1.up, net1.driver.as_deref()), ("net1", false, Some("iavf")));
    assert_eq!((tun0.mac, tun0.up, tun0.mtu, tun0.addresses.len()), (None, false, 0, 0));
}

#[test]
fn what_is_not_told_is_left_out() {
    let nothing = read(&[]);
    let left_out = Inventory {
        cores: nothing.cores.clone(),
        devices: nothing.devices.clone(),
        cpu_model: nothing.cpu_model.clone(),
        dpdk_version: nothing.dpdk_version.clone(),
        clock: nothing.clock.clone(),
        ..Inventory::default()
    };
    assert_eq!(nothing, left_out);
    assert!(nothing.devices.iter().all(|device| device.from_env.is_some()), "{:?}", nothing.devices);
    let unlimited = [
        ("proc/self/limits", "Max locked memory         unlimited            unlimited            bytes\n"),
        ("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n"),
        ("sys/fs/cgroup/cpu.max", "max 100000\n"),
    ];
    let pod = read(&unlimited);
    assert_eq!((pod.memlock_bytes, pod.cpu_quota), (None, None));
    assert_eq!(pod.iommu, Iommu { groups: 0, vfio: false, no_iommu: true });
}

#[test]
fn a_device_file_that_this_user_may_not_open_is_told() {
    let (dir, sources) = host(POD, &[2, 3], ENV);
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(dir.path(), 0o755);
    mode(&dir.path().join("dev/vfio/42"), 0o400);
    let as_nobody = || {
        // Root may open any file: this thread is root no longer, and loses its capabilities.
        if rustix::process::geteuid().is_root() {
            let nobody = rustix::process::Uid::from_raw(65534);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        }
        inventory::read(&sources)
    };
    let pod = std::thread::scope(|scope| scope.spawn(as_nobody).join().unwrap());
    let given = find(&pod.devices, "pci:0000:03:02.0");
    assert_eq!(given.vfio_group_usable, Some(false));
    assert!(given.obstacle.as_ref().unwrap().contains("may not open /dev/vfio/42"), "{given:?}");
}

#[test]
fn people_see_what_matters() {
    let (_dir, sources) = host(POD, &[2, 3], ENV);
    let text = render::render(&inventory::read(&sources), &surroundings(&sources));
    for part in [
        "boot        default_hugepagesz=1G isolcpus=2-5 intel_iommu=on\n",
        "may         NET_ADMIN NET_RAW IPC_LOCK",
        "2 of 8 for this process",
        "isolated by the kernel: 2 3 4 5",
        "cpu quota 4.000",
        "65536 KiB of it lockable",
        "mounted at /mnt/two words (2 MiB pages), which this user may NOT write to",
        "eth0 up, mtu 1450, 10.0.0.7/24 fe80::7/64",
        "iommu       2 groups",
        "IOMMU groups here: 42",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
}
