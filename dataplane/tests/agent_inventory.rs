//! The inventory of made-up hosts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod made_up_host;

use std::path::Path;

use dataplane::inventory::{self, HostFacts, Sources, cpus, hugepages, render, surroundings};
use made_up_host::{find, host};

const SERVER: &[(&str, &str)] = &[
    ("proc/sys/kernel/hostname", "node-7\n"),
    ("proc/sys/kernel/osrelease", "6.1.0-26-amd64\n"),
    ("proc/sys/kernel/random/boot_id", "c2ee3a34-8b22-4d1f-9d75-3f3d2d1c9b11\n"),
    ("proc/cpuinfo", "model name\t: Xeon Gold\nflags\t\t: fpu constant_tsc nonstop_tsc\n"),
    ("proc/self/status", "Name:\tx\nCapEff:\t0000000000006000\n"),
    ("proc/self/cgroup", "0::/pod/container\n"),
    (
        "proc/self/mounts",
        "hugetlbfs /dev/hugepages hugetlbfs rw,relatime,pagesize=2M 0 0\nproc /proc proc rw 0 0\n",
    ),
    ("proc/net/route", "Iface\tDest\neth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"),
    ("sys/fs/cgroup/pod/hugetlb.2MB.max", "268435456\n"),
    ("sys/fs/cgroup/pod/container/hugetlb.2MB.max", "max\n"),
    ("sys/fs/cgroup/pod/hugetlb.2MB.current", "134217728\n"),
    ("sys/fs/cgroup/pod/container/memory.max", "1073741824\n"),
    ("sys/fs/cgroup/pod/container/cpu.max", "150000 100000\n"),
    ("sys/devices/system/node/node0/cpulist", "0-1,4-5\n"),
    ("sys/devices/system/node/node1/cpulist", "2-3,6-7\n"),
    ("sys/devices/system/node/node0/meminfo", "Node 0 MemTotal:       2097152 kB\n"),
    ("sys/devices/system/node/node1/meminfo", "Node 1 MemTotal:       1048576 kB\n"),
    ("sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages", "100\n"),
    ("sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages", "20\n"),
    ("sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages", "100\n"),
    ("sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages", "100\n"),
    ("sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "1,5\n"),
    ("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "2,6\n"),
    ("dev/vfio/vfio", ""),
    ("dev/vfio/42", ""),
    ("sys/class/net/eth0/type", "1\n"),
    ("sys/class/net/eth0/address", "02:00:00:00:00:07\n"),
    ("sys/class/net/eth0/flags", "0x1003\n"),
    ("sys/class/net/eth0/operstate", "up\n"),
    ("sys/class/net/eth0/mtu", "1500\n"),
    ("sys/class/net/eth1/type", "1\n"),
    ("sys/class/net/eth1/flags", "0x1002\n"),
    ("sys/class/net/lo/type", "772\n"),
    ("sys/bus/pci/devices/0000:00:1f.0/class", "0x060100\n"),
    ("sys/bus/pci/devices/0000:03:00.0/class", "0x020000\n"),
    ("sys/bus/pci/devices/0000:03:00.0/driver", "->../../drivers/ixgbe"),
    ("sys/bus/pci/devices/0000:03:00.0/numa_node", "1\n"),
    ("sys/bus/pci/devices/0000:03:00.0/net/eth2/address", "02:00:00:00:00:09\n"),
    ("sys/bus/pci/devices/0000:03:02.0/class", "0x020000\n"),
    ("sys/bus/pci/devices/0000:03:02.0/driver", "->../../drivers/vfio-pci"),
    ("sys/bus/pci/devices/0000:03:02.0/iommu_group", "->../../iommu_groups/42"),
    ("sys/bus/pci/devices/0000:03:02.0/physfn", "->../0000:03:00.0"),
    ("sys/bus/pci/devices/0000:03:02.1/class", "0x020000\n"),
    ("sys/bus/pci/devices/0000:03:02.1/driver", "->../../drivers/vfio-pci"),
    ("sys/bus/pci/devices/0000:03:02.1/iommu_group", "->../../iommu_groups/43"),
    ("sys/bus/pci/devices/0000:04:00.0/class", "0x020000\n"),
    ("sys/bus/pci/devices/0000:05:00.0/class", "0x020000\n"),
    ("sys/bus/pci/devices/0000:05:00.0/driver", "->../../drivers/mlx5_core"),
];

#[test]
fn a_server_with_two_nodes_is_read_whole() {
    let (_dir, sources) = host(SERVER, &[1, 2, 5, 6], &[]);
    let read = inventory::read(&sources);
    assert_eq!((read.hostname.as_str(), read.kernel.as_str()), ("node-7", "6.1.0-26-amd64"));
    assert_eq!(read.cpu_model, "Xeon Gold");
    assert_eq!((read.clock.hz, read.clock.invariant), (2_500_000_000, true));
    assert!(read.clock.is_same(&read.clock.clone()));
    let cores: Vec<_> =
        read.cores.iter().map(|core| (core.cpu, core.numa_node, core.siblings.clone())).collect();
    assert_eq!(cores, [(1, 0, vec![5]), (2, 1, vec![6]), (5, 0, vec![]), (6, 1, vec![])]);
    assert_eq!(read.memory.iter().map(|node| node.total_mib).collect::<Vec<_>>(), [2048, 1024]);
    assert_eq!(read.hugepages.len(), 2);
    let around = surroundings(&sources);
    assert_eq!(around.hugetlb_left_kib, [(2048, 131_072)]);
    assert_eq!((around.memory_max_mib, read.cpu_quota), (Some(1024), Some(1.5)));
}

#[test]
fn free_hugepages_are_counted_by_node_and_within_the_pods_limit() {
    let (_dir, sources) = host(SERVER, &[1, 2], &[]);
    assert_eq!(hugepages::free_mib(&sources, 0), 40);
    assert_eq!(
        hugepages::free_mib(&sources, 1),
        128,
        "200 MiB are free there, and the pod may have 128 more"
    );
    assert_eq!(hugepages::free_mib(&sources, -1), 128);
    assert_eq!(hugepages::free_mib(&sources, 7), 0);
}

#[test]
fn each_device_says_what_stands_in_its_way() {
    let env =
        [("PCIDEVICE_INTEL_COM_DPDK", "0000:03:02.0,0000:09:00.0"), ("PCIDEVICE_INTEL_COM_DPDK_INFO", "{}")];
    let (_dir, sources) = host(SERVER, &[1, 2], &env);
    let devices = inventory::read(&sources).devices;
    let obstacle = |name: &str| find(&devices, name).obstacle.clone().unwrap_or_default();
    let kernel = find(&devices, "pci:0000:03:00.0");
    assert_eq!(
        (kernel.numa_node, kernel.mac.map(|mac| mac.to_string())),
        (1, Some("02:00:00:00:00:09".into()))
    );
    assert!(obstacle("pci:0000:03:00.0").contains("dpdk-devbind.py -b vfio-pci 0000:03:00.0"));
    assert!(obstacle("pci:0000:03:00.0").contains("iface:eth2"));
    let function = find(&devices, "pci:0000:03:02.0");
    assert_eq!(function.obstacle, None);
    assert!(function.detail.contains("virtual function of 0000:03:00.0"), "{}", function.detail);
    assert!(function.detail.contains("given by PCIDEVICE_INTEL_COM_DPDK"), "{}", function.detail);
    assert!(obstacle("pci:0000:03:02.1").contains("/dev/vfio/43 is missing"));
    assert!(obstacle("pci:0000:04:00.0").contains("modprobe vfio-pci"));
    assert_eq!(find(&devices, "pci:0000:05:00.0").obstacle, None, "mlx5 stays with its kernel driver");
    assert!(obstacle("pci:0000:09:00.0").contains("PCIDEVICE_INTEL_COM_DPDK names it"));
    assert_eq!(find(&devices, "iface:eth0").obstacle, None);
    assert!(find(&devices, "iface:eth0").detail.contains("default route"));
    assert!(obstacle("iface:eth1").contains("ip link set eth1 up"));
    assert!(!devices.iter().any(|device| device.device == "iface:lo" || device.device == "pci:0000:00:1f.0"));
    let first_stuck = devices.iter().position(|device| device.obstacle.is_some()).unwrap();
    assert!(
        devices[first_stuck..].iter().all(|device| device.obstacle.is_some()),
        "the usable ones come first"
    );
}

#[test]
fn a_pod_without_rights_is_told_which_it_lacks() {
    let mut files = SERVER.to_vec();
    files.retain(|(at, _)| *at != "proc/self/status");
    files.push(("proc/self/status", "CapEff:\t0000000000000000\n"));
    let (_dir, sources) = host(&files, &[1], &[]);
    let read = inventory::read(&sources);
    assert!(find(&read.devices, "iface:eth0").obstacle.as_ref().unwrap().contains("NET_RAW"));
    let text = render::render(&read, &surroundings(&sources));
    for part in [
        "node-7",
        "cpu: 2",
        "20 of 100 pages of 2 MiB free (40 MiB)",
        "limited to 1024 MiB",
        "not usable now",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
}

#[test]
fn an_empty_host_is_no_reason_to_fail() {
    let (_dir, sources) = host(&[], &[], &[]);
    let read = inventory::read(&sources);
    assert!(read.cores.is_empty() && read.devices.is_empty() && read.hugepages.is_empty());
    assert!(!read.clock.is_same(&read.clock.clone()), "a clock of which nothing is known is nobody's");
    assert_eq!(hugepages::free_mib(&sources, -1), 0);
    assert!(render::render(&read, &surroundings(&sources)).contains("vdev:net_null0"));
}

#[test]
fn control_groups_of_version_1_are_read_too() {
    let files = [
        ("proc/self/cgroup", "5:hugetlb:/pod\n4:cpu,cpuacct:/\n3:memory:/pod\n"),
        ("sys/fs/cgroup/hugetlb/pod/hugetlb.1GB.limit_in_bytes", "2147483648\n"),
        ("sys/fs/cgroup/hugetlb/pod/hugetlb.1GB.usage_in_bytes", "0\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("sys/fs/cgroup/memory/pod/memory.limit_in_bytes", "536870912\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "4\n"),
        ("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "4\n"),
    ];
    let (_dir, sources) = host(&files, &[0], &[]);
    assert_eq!(hugepages::free_mib(&sources, 0), 2048);
    let around = surroundings(&sources);
    assert_eq!((around.memory_max_mib, inventory::read(&sources).cpu_quota), (Some(512), None));
}

#[test]
fn this_host_has_cpus_and_a_name() {
    let facts = HostFacts { dpdk_version: String::new(), tsc_hz: 0 };
    let sources = Sources::host(facts).unwrap();
    assert!(!cpus::allowed().unwrap().is_empty());
    let read = inventory::read(&sources);
    assert!(!read.hostname.is_empty() && Path::new("/proc").exists());
    assert_eq!(read.cores.len(), cpus::allowed().unwrap().len());
}
