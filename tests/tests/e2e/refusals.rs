//! Pods that no node can take: said in plain words, within the time that was given.

use bench_tests::kube::Kube;

/// Creates one pair that asks for too much, and gives what was said.
fn refused(kube: &Kube, more: &str) -> String {
    let line = kube.create_line(&format!("-n 1 --device iface:eth0 --wait-timeout 6 {more}"));
    let done = kube.run(&line);
    assert_eq!(done.status.code(), Some(1), "{}{}", done.stdout, done.stderr);
    kube.ok("pods delete --yes");
    done.stderr
}

#[test]
fn what_the_nodes_lack_is_named_with_what_to_do() {
    let kube = Kube::new("lacking");
    let devices = refused(&kube, "-r dpdk -d 99");
    assert!(devices.contains("intel.com/dpdk") && devices.contains("-d"), "{devices}");
    let hugepages = refused(&kube, "-r none -g 64");
    assert!(hugepages.contains("hugepages-2Mi") && hugepages.contains("-g"), "{hugepages}");
    let image = kube
        .create_line("-n 1 -r none --device iface:eth0 --wait-timeout 6 --image-pull-policy Never")
        .replace("-i ", "-i no-such-registry.invalid/");
    let done = kube.run(&image);
    assert_eq!(done.status.code(), Some(1));
    assert!(done.stderr.contains("ErrImageNeverPull") || done.stderr.contains("image"), "{}", done.stderr);
    kube.delete();
}
