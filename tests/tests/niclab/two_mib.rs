//! The same with pages of 2 MiB.

use bench_tests::niclab::{TWO_MIB, profile};

use crate::exchange::Exchange;

#[test]
fn frames_pass_between_virtual_functions() {
    let [(tx, _), (rx, _)] = Exchange::new("igb0v0", "igb0v1").run(&TWO_MIB.up());
    assert!([tx, rx].iter().all(|ready| ready.memory.starts_with("hugepages, ")));
}

/// With small pages little has to be locked: what was too little for a page of 1 GiB is enough.
#[test]
fn a_plain_user_needs_no_more_memlock_than_the_run_takes() {
    let said = TWO_MIB.up().run(&format!(
        "take igb0v0; chown dpdk /dev/vfio/$(nic igb0v0 group)\n{}\
         as_user 134217728 ./dataplane tx --device pci:$(nic igb0v0) --lcores 0,0 -p /tmp/p.toml --rate 5kpps --count 1000 --output json \
         >/tmp/tx.json 2>/tmp/tx.err\n\
         chown root /dev/vfio/$(nic igb0v0 group); show tx /tmp/tx.json; show tx.err /tmp/tx.err",
        profile("igb0v0", "igb0v1", 64, "")
    ));
    assert_eq!(said.outcome("tx").1.totals.port.opackets, 1000);
}

#[test]
fn too_little_memory_may_be_locked() {
    let said = TWO_MIB.up().try_run(
        "take igb0v0; chown dpdk /dev/vfio/$(nic igb0v0 group)\n\
         as_user 65536 ./dataplane probe --device pci:$(nic igb0v0) 2>&1; echo status $?\n\
         chown root /dev/vfio/$(nic igb0v0 group)",
    );
    assert!(
        said.stdout.contains("64 KiB of memory may be locked") && said.stdout.contains("status 1"),
        "{}",
        said.stdout
    );
}
