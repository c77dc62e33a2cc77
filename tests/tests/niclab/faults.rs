//! What stands between a pod and its NIC, each produced for real: `probe` says it in one line with what mends it, and a
//! run that fails of it says the same.

use bench_tests::niclab::{ALL, Guest, profile};

/// Takes the lab into a state, asks `probe` (all devices, then this one) and a run of `nic`, as `user`, and takes it
/// back.
fn said_of(guest: &Guest, nic: &str, spoil: &str, user: &str, mend: &str) -> [String; 3] {
    let said = guest.try_run(&format!(
        "take igb0v0 igb0v1\n{}{spoil}\n\
         d=pci:$(nic {nic})\n\
         {user} ./dataplane probe >/tmp/all 2>&1\n\
         {user} ./dataplane probe --device $d >/tmp/one 2>&1; echo status $? >>/tmp/one\n\
         {user} ./dataplane tx --device $d --lcores 0,0 -p /tmp/p.toml --rate 1kpps --count 10 >/tmp/tx 2>&1; echo status $? >>/tmp/tx\n\
         {mend}\nshow all <(grep -A1 -e \"$d\" /tmp/all); show one /tmp/one; show tx /tmp/tx",
        profile("igb0v0", "igb0v1", 64, "")
    ));
    ["all", "one", "tx"].map(|name| said.section(name).to_owned())
}

/// Every one of them has all `words`, on one line; a run and `probe --device` fail.
fn assert_told(told: &[String], words: &[&str]) {
    for text in told {
        let line = text.lines().find(|line| words.iter().all(|word| line.contains(word)));
        assert!(line.is_some(), "no line has all of {words:?}:\n{text}");
    }
    assert!(told.iter().all(|text| !text.contains("status 0")), "it did not fail: {told:?}");
}

#[test]
fn the_kernels_driver_has_it() {
    let told = said_of(&ALL.up(), "e1000e0", "nicunbind e1000e0", "", "");
    assert_told(
        &told,
        &["the kernel's e1000e has it as e1000e0", "`dpdk-devbind.py -b vfio-pci 0000:03:00.0`"],
    );
}

#[test]
fn the_command_that_probe_names_mends_it() {
    let said = ALL.up().run(
        "nicunbind e1000e0\n\
         eval \"$(./dataplane probe --device pci:$(nic e1000e0) 2>&1 | grep -m1 -o '`dpdk-devbind[^`]*`' | tr -d '`')\"\n\
         dp probe e1000e0 --output json; nicunbind e1000e0",
    );
    assert!(said.stdout.contains("net_e1000_em"), "{}", said.stdout);
}

#[test]
fn no_driver_has_it() {
    let unbind = "p=$(nic igb1v0); [ ! -e /sys/bus/pci/devices/$p/driver ] || echo $p >/sys/bus/pci/devices/$p/driver/unbind";
    let told = said_of(&ALL.up(), "igb1v0", unbind, "", "");
    assert_told(&told, &["no driver has it", "`dpdk-devbind.py -b vfio-pci 0000:02:10.0`"]);
}

#[test]
fn there_is_no_such_device() {
    let spoil = "nic() { if [ $1 = none ]; then echo 0000:0f:10.6; else command nic \"$@\"; fi; }";
    let told = said_of(&ALL.up(), "none", spoil, "", "");
    assert_told(&told[1..], &["there is no PCI device 0000:0f:10.6", "0000:01:10.0", "sriov_numvfs"]);
}

#[test]
fn this_user_may_not_open_its_group() {
    let told = said_of(&ALL.up(), "igb0v0", "", "as_user 2147483648", "");
    assert_told(&told, &["may not open /dev/vfio/", "`chown USER /dev/vfio/"]);
}

#[test]
fn too_little_memory_may_be_locked() {
    let group = "/dev/vfio/$(nic igb0v0 group)";
    let (spoil, mend) = (format!("chown dpdk {group}"), format!("chown root {group}"));
    let told = said_of(&ALL.up(), "igb0v0", &spoil, "as_user 65536", &mend);
    assert_told(
        &told[1..],
        &[
            "64 KiB of memory may be locked (memlock)",
            "VFIO locks 1024 MiB",
            "`ulimit -l unlimited`",
            "IPC_LOCK",
        ],
    );
}

#[test]
fn its_group_is_another_pods() {
    let group = "/dev/vfio/$(nic igb0v0 group)";
    let told = said_of(
        &ALL.up(),
        "igb0v0",
        &format!("mv {group} /dev/hidden"),
        "",
        &format!("mv /dev/hidden {group}"),
    );
    assert_told(&told, &["/dev/vfio/", "is missing here", "does not request it in its resources"]);
}

#[test]
fn vfios_own_file_is_missing() {
    let told =
        said_of(&ALL.up(), "igb0v0", "mv /dev/vfio/vfio /dev/hidden", "", "mv /dev/hidden /dev/vfio/vfio");
    assert_told(&told, &["/dev/vfio/vfio is missing", "`modprobe vfio_iommu_type1`"]);
}

#[test]
fn another_device_of_its_group_is_the_kernels() {
    let told = said_of(&ALL.up(), "e1000x0", "nicunbind e1000x1; take e1000x0", "", "nicunbind e1000x0");
    assert_told(
        &told,
        &["not viable", "the kernel's e1000 has 0000:09:02.0", "`dpdk-devbind.py -b vfio-pci 0000:09:02.0`"],
    );
}

#[test]
fn another_process_has_it() {
    let spoil = "behind rx rx igb0v0 --lcores 1,1 -p /tmp/p.toml --duration 60 || exit";
    let told = said_of(&ALL.up(), "igb0v0", spoil, "", "show pid <(echo $rx); end rx");
    assert_told(&told[1..], &["process ", "(dataplane) has it open", "`kill "]);
}

#[test]
fn a_script_that_another_process_keeps_from_its_port_says_so() {
    let said = ALL.up().try_run(&format!(
        "take igb0v0\n{}echo 'print(1)' >/tmp/a.lua\n\
         behind rx rx igb0v0 --lcores 1,1 -p /tmp/p.toml --duration 60 || exit\n\
         ./dataplane lua -f /tmp/a.lua --device pci:$(nic igb0v0) 2>&1; echo status $?; end rx >/tmp/rx",
        profile("igb0v0", "igb0v1", 64, "")
    ));
    assert_told(&[said.stdout], &["process ", "(dataplane) has it open", "`kill "]);
}

/// The driver of a function calls its link up all the same, and its frames go nowhere.
#[test]
fn its_physical_function_is_down() {
    let said = ALL.up().try_run(&format!(
        "take igb0v0\n{}ip link set igb0 down; d=pci:$(nic igb0v0)\n\
         ./dataplane probe 2>&1 | grep -A1 -e $d >/tmp/all; ./dataplane probe --device $d >/tmp/one 2>&1\n\
         ./dataplane tx --device $d --lcores 0,0 -p /tmp/p.toml --rate 1kpps --count 10 >/tmp/tx 2>&1; ip link set igb0 up\n\
         show all /tmp/all; show one /tmp/one; show tx /tmp/tx",
        profile("igb0v0", "igb0v1", 64, "")
    ));
    let told = ["all", "one", "tx"].map(|name| said.section(name).to_owned());
    assert_told(&told, &["its physical function igb0 is down", "`ip link set igb0 up`"]);
}

#[test]
fn no_hugepage_is_left() {
    // Two pages of 1 GiB, and a process each.
    let spoil = "behind a rx igb0v1 --lcores 1,1 -p /tmp/p.toml --duration 60 || exit; take igb1v0\n\
                 behind b rx igb1v0 --lcores 1,1 -p /tmp/p.toml --duration 60 || exit";
    let told = said_of(&ALL.up(), "igb0v0", spoil, "", "end a; end b");
    assert_told(&told[1..], &["all 2 pages of 1 GiB on node 0 are in use"]);
    assert_told(&told[1..], &["MiB of hugepages and 0 MiB are free"]);
}

#[test]
fn files_of_a_killed_program_hold_the_hugepages() {
    let spoil = "take igb1v0\n\
        stdbuf -oL dpdk-testpmd -l 0,1 --no-telemetry --file-prefix left --socket-mem 2048 -a $(nic igb1v0) -- -i \
        --total-num-mbufs=2048 <>/dev/niclab.never >/tmp/left.log 2>&1 &\n\
        until_has testpmd /tmp/left.log $! || cat /tmp/left.log; kill -9 $!; wait $!";
    let told = said_of(&ALL.up(), "igb0v0", spoil, "", "rm -f /dev/hugepages/*map_*");
    assert_told(&told[1..], &["files in /dev/hugepages hold hugepages", "`rm /dev/hugepages/*map_*`"]);
}

#[test]
fn the_control_group_allows_no_page_of_the_size_that_there_is() {
    let spoil = "echo +hugetlb >/sys/fs/cgroup/cgroup.subtree_control; mkdir -p /sys/fs/cgroup/pod\n\
                 echo 0 >/sys/fs/cgroup/pod/hugetlb.1GB.max; echo $$ >/sys/fs/cgroup/pod/cgroup.procs";
    let told = said_of(
        &ALL.up(),
        "igb0v0",
        spoil,
        "",
        "echo $$ >/sys/fs/cgroup/cgroup.procs; rmdir /sys/fs/cgroup/pod",
    );
    assert_told(
        &told[1..],
        &["2 pages of 1 GiB are free", "this container may have none of that size", "hugepages-1Gi"],
    );
}
