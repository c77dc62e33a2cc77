//! Whole trials of the orchestrator between two virtual functions; its warm-up finds what a NIC drops silently.

use bench_tests::niclab::{ALL, Guest, mac, profile};
use serde_json::Value;

/// The way from the sender's function to the receiver's.
const ENDS: [&str; 2] = ["igb0v0", "igb0v1"];
const FRAMES: u64 = 1000;

/// `orchestrator VERB --local` on both functions, after `spoil`; its status stands behind what it says.
fn orchestrator(guest: &Guest, verb: &str, spoil: &str, mend: &str) -> String {
    let [tx, rx] = ENDS;
    let said = guest.try_run(&format!(
        "take {tx} {rx} || exit\nrm -rf /tmp/results\n{}{spoil}\n\
         ./orchestrator {verb} --local --tx-device pci:$(nic {tx}) --rx-device pci:$(nic {rx}) --tx-num-core 1 --rx-num-core 1 2>&1\n\
         echo status $?\n{mend}",
        as_trial(&profile(tx, rx, 128, ""))
    ));
    said.stdout
}

/// A profile of so many frames at a rate that the lab can do.
fn as_trial(profile: &str) -> String {
    profile.replace("[[streams]]", &format!("rate = \"5kpps\"\nstop = {{ count = {FRAMES} }}\n[[streams]]"))
}

const RUN: &str = "run --profile /tmp/p.toml --warmup-duration 1 --results /tmp/results --dataplane ./dataplane --output json";

/// Nothing was measured, and one line has all of these words.
fn assert_refused(said: &str, words: &[&str]) {
    let line = said.lines().find(|line| line.contains("nothing was measured: warm-up:"));
    let line = line.unwrap_or_else(|| panic!("no such line in\n{said}"));
    for word in words {
        assert!(line.contains(word), "`{word}` is not in\n{line}");
    }
    assert!(said.contains("status 1"), "{said}");
}

#[test]
fn a_whole_trial_is_counted_exactly_and_its_results_are_valid() {
    let validate = "./orchestrator results validate /tmp/results; echo valid $?; ls /tmp/results/*/tx0-rx0";
    let said = orchestrator(&ALL.up(), RUN, "", validate);
    let line = said.lines().find(|line| line.contains("\"event\":\"result\""));
    let result: Value = serde_json::from_str(line.unwrap_or_else(|| panic!("no result in\n{said}"))).unwrap();
    assert_eq!(result["status"], "complete", "{result}");
    for (what, count) in [("sent", FRAMES), ("received", FRAMES), ("lost", 0)] {
        assert_eq!(result["verdict"][what], count, "{what} of {result}");
    }
    assert_eq!(result["verdict"]["flows_seen"], 100, "{result}");
    for words in ["status 0", "valid 0", "rx0_warmup.log"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

/// The switch of the NIC counts nothing, and both ports are well.
#[test]
fn a_vlan_of_one_function_is_found_by_the_warm_up() {
    let said = orchestrator(&ALL.up(), RUN, "ip link set igb0 vf 0 vlan 100", "ip link set igb0 vf 0 vlan 0");
    assert_refused(
        &said,
        &[
            "nothing comes through from rx0 to tx0",
            "tx0 received 0",
            "a VLAN that only one of them is in (these frames have no tag)",
            "spoof check",
            "trust",
            "/sys/bus/pci/devices/0000:01:10.",
            "vlan 0",
            "--force",
        ],
    );
}

#[test]
fn an_address_that_no_function_has_is_found_by_the_warm_up() {
    let wrong = "52:54:00:f0:00:77";
    let [tx, _] = ENDS;
    let said = orchestrator(&ALL.up(), RUN, &format!("sed -i s/{}/{wrong}/ /tmp/p.toml", mac(tx)), "");
    let port = format!("the port of tx0 is {}", mac(tx));
    assert_refused(&said, &[&format!("these frames go to {wrong}"), &port, "--tx-mac"]);
}

#[test]
fn preflight_finds_both_functions_usable() {
    let said = orchestrator(&ALL.up(), "preflight --output json", "", "");
    let line = said.lines().find(|line| line.contains("IOMMU group")).unwrap_or_default();
    assert!(line.contains("usable"), "{said}");
    assert!(said.contains("status 0"), "{said}");
}
