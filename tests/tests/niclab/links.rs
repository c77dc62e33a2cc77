//! Links that go, functions that are taken away, and a switch that drops.

use bench_tests::niclab::{ALL, profile};

#[test]
fn a_cable_pulled_in_mid_run_is_told_and_the_run_goes_on() {
    let said = ALL.up().run(&format!(
        "nicbind igb0 igb1\n{}\
         behind tx tx igb0 --lcores 0,0 -p /tmp/p.toml --rate 1kpps --duration 6 --interval-ms 200 || {{ end tx; exit 1; }}\n\
         until_has '\"n\":3,' /tmp/tx.json $tx; niclink igb0 off; until_has '\"n\":10,' /tmp/tx.json $tx; niclink igb0 on\n\
         wait $tx; end tx",
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
        "nicbind igb0 igb1; niclink igb0 off\n{}\
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
