//! A machine as it comes: the IOMMU off, VFIO not loaded, NICs with the kernel.

use bench_tests::niclab::BARE;

#[test]
fn vfio_is_not_loaded_and_there_is_no_iommu() {
    let said = BARE.up().run("./dataplane probe; for v in probe; do dp $v igb0 2>&1; echo status $?; done");
    for words in [
        &[
            "the kernel's igb has it as igb0",
            "`modprobe vfio-pci`, then `dpdk-devbind.py -b vfio-pci 0000:01:00.0`",
        ][..],
        &["it will not bind: there is no IOMMU", "intel_iommu=on iommu=pt"],
        &["no IOMMU: turn it on for PCI devices"],
    ] {
        assert!(
            said.stdout.lines().any(|line| words.iter().all(|word| line.contains(word))),
            "{words:?} in\n{}",
            said.stdout
        );
    }
    assert!(said.stdout.contains("status 1"), "{}", said.stdout);
}

/// With VFIO loaded the kernel refuses the device, as `probe` has said.
#[test]
fn without_an_iommu_the_device_does_not_bind_and_a_run_says_why() {
    let said = BARE.up().try_run(
        "modprobe -a vfio-pci vfio_iommu_type1; dpdk-devbind.py -b vfio-pci --force $(nic igb0)\n\
         readlink /sys/bus/pci/devices/$(nic igb0)/driver\n\
         sed 's/.*/ /' </dev/null; cat >/tmp/p.toml <<'END'\n[[streams]]\nframe_size = 64\n\
         ethernet = { src = \"52:54:00:76:00:00\", dst = \"52:54:00:76:00:01\" }\n\
         ipv4 = { src = \"10.0.0.1\", dst = \"10.0.0.2\" }\nudp = { src = 1, dst = 2 }\nEND\n\
         dp tx igb0 --lcores 0,0 -p /tmp/p.toml --rate 1kpps --count 10 2>&1; echo status $?; nicunbind igb0",
    );
    let has =
        |line: &str| line.contains("it will not bind: there is no IOMMU") && line.contains("intel_iommu=on");
    assert!(
        said.stdout.lines().any(has) && said.stdout.contains("status 1"),
        "{}\n{}",
        said.stdout,
        said.stderr
    );
}
