//! Links that go, functions that are taken away, and a switch that drops.

use bench_tests::niclab::{ALL, profile};

#[test]
fn a_cable_pulled_in_mid_run_is_told_and_the_run_goes_on() {
    let said = ALL.up().run(&format!(
        "take igb0 igb1\n{}\
         behind tx tx igb0 --lcores 0,0 -p /tmp/p.toml --rate 1kpps --duration 6 --interval-ms 200 || {{ end tx; exit 1; }}\n\
         until_has '\"n\":3,' /tmp/tx.json $tx; niclink igb0 off; until_has '\"n\":10,' /tmp/tx.json $tx; niclink igb0 on\n\
         until_has '\"sent\"' /tmp/tx.json $tx; end tx",
        profile("igb0", "igb1", 64, "")
    ));
    let (_, sent) = said.outcome("tx");
    assert!(
        sent.warnings.iter().any(|w| w.contains("the link went down 1 time(s) during the run")),
        "{:?}",
        sent.warnings
    );
}

#[test]
fn a_cable_that_is_out_at_the_start_is_told() {
    let said = ALL.up().try_run(&format!(
        "take igb0 igb1; niclink igb0 off\n{}\
         dp tx igb0 --lcores 0,0 -p /tmp/p.toml --rate 1kpps --count 10 2>&1; echo status $?; niclink igb0 on",
        profile("igb0", "igb1", 64, "")
    ));
    assert!(
        said.stdout.contains("the link is down, still after") && said.stdout.contains("check the cable"),
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("status 1"), "{}", said.stdout);
}

/// The parent goes down and comes up: the function's queues stand still, and the driver's own counters lose their way.
#[test]
fn a_function_that_its_parent_resets_is_told() {
    let said = ALL.up().run(&format!(
        "take igb0v0\n{}\
         behind tx tx igb0v0 --lcores 0,0 -p /tmp/p.toml --rate 1kpps --duration 6 --interval-ms 200 || {{ end tx; exit 1; }}\n\
         ip link set igb0 down; until_has '\"n\":10,' /tmp/tx.json $tx; ip link set igb0 up; until_has '\"sent\"' /tmp/tx.json $tx; end tx",
        profile("igb0v0", "igb0v1", 64, "")
    ));
    let (_, sent) = said.outcome("tx");
    assert!(sent.warnings.iter().any(|w| w.contains("the link went down")), "{:?}", sent.warnings);
    assert_eq!(sent.mbufs_missing, 0);
}

/// The kernel waits for the run: nothing is torn from under it, and every frame is counted.
#[test]
fn a_function_unbound_in_mid_run_stays_until_its_end() {
    let said = ALL.up().run(&format!(
        "take igb0v0\n{}p=$(nic igb0v0)\n\
         behind tx tx igb0v0 --lcores 0,0 -p /tmp/p.toml --rate 1kpps --count 3000 || {{ end tx; exit 1; }}\n\
         (echo $p >/sys/bus/pci/drivers/vfio-pci/unbind; echo unbound >/tmp/unbound) & u=$!\n\
         show early <(cat /tmp/unbound 2>&1); until_has '\"done\"' /tmp/tx.json $tx; end tx; wait $u\n\
         show late /tmp/unbound; show driver <(readlink /sys/bus/pci/devices/$p/driver); rm /tmp/unbound",
        profile("igb0v0", "igb0v1", 64, "")
    ));
    let (_, sent) = said.outcome("tx");
    assert!(said.section("early").contains("No such file"), "{}", said.section("early"));
    assert_eq!((sent.totals.port.opackets, sent.totals.cores[0].tx_packets), (3000, 3000));
    assert_eq!((said.section("late").trim(), said.section("driver").trim()), ("unbound", ""));
}
