//! `orchestrator search` on real packets: af_packet ports on veth, and behind them a device that forwards so many bytes
//! a second and no more (tc's token bucket), or one that loses some (nftables).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;

use bench_tests::netns::Netns;
use bench_tests::process::run;
use bench_tests::profiles::UdpFlows;
use bench_tests::{bin, needs};
use serde_json::Value;

/// Of the device, frames a second.
const LIMIT_PPS: f64 = 2000.0;
/// Without FCS: what tc counts.
const FRAME_BYTES: f64 = 60.0;
/// What its bucket and its queue hold beyond that.
const BUFFER_FRAMES: f64 = 75.0;
const WIDTH: f64 = 0.1;
const TRIAL_S: f64 = 0.5;
/// A sender that shares its CPU with others stands still for some milliseconds at times, and what it does not send
/// counts as lost.
const LOSS: f64 = 0.1;

/// `tc ARGS` inside; must succeed.
fn tc(netns: &Netns, args: &str) {
    let mut command = Command::new("tc");
    let done = run(&mut netns.wrap(std::mem::replace(command.args(args.split(' ')), Command::new("true"))));
    assert!(done.status.success(), "tc {args}: {}", done.stderr);
}

#[test]
fn the_rate_of_a_token_bucket_is_found() {
    if !needs::root_and(&["ip", "tc"]) {
        return;
    }
    let (ends, device) = (Netns::new("ends"), Netns::new("device"));
    // The agents are spoken to there.
    ends.set_link("lo", "up");
    ends.join("tx0", &device, "in0");
    device.join("out0", &ends, "rx0");
    let (rate, queue) = (LIMIT_PPS * FRAME_BYTES * 8.0, 50.0 * FRAME_BYTES);
    tc(&device, &format!("qdisc add dev out0 root tbf rate {rate}bit burst 1500 limit {queue}"));
    tc(&device, "qdisc add dev in0 ingress");
    tc(
        &device,
        "filter add dev in0 ingress protocol all u32 match u32 0 0 action mirred egress redirect dev out0",
    );

    let folder = tempfile::tempdir().unwrap();
    let profile = UdpFlows { flows: 4, frame_size: 64, rate: "8kpps", count: None }.write(folder.path());
    let mut command = bin::orchestrator();
    command.args([
        "search",
        "--local",
        "--tx-device",
        "iface:tx0",
        "--rx-device",
        "iface:rx0",
        "--path",
        "as-is",
    ]);
    command.args(["--goal", &format!("pdr={LOSS}"), "--width", &WIDTH.to_string(), "--min-rate", "1kpps"]);
    command.args(["--initial-trial", "0.5", "--final-trial", &TRIAL_S.to_string(), "--duration-sum", "1.5"]);
    command.args(["--exceed-ratio", "0.5", "--latency-trial", "0", "--warmup-duration", "0", "--profile"]);
    command.arg(profile).arg("--results").arg(folder.path().join("results"));
    let done = run(ends.wrap(command).current_dir(folder.path()));
    assert!(done.status.success(), "{}\n{}", done.stdout, done.stderr);

    let results = std::fs::read_dir(folder.path().join("results")).unwrap().next().unwrap().unwrap().path();
    let result: Value = serde_json::from_slice(&std::fs::read(results.join("result.json")).unwrap()).unwrap();
    let group = &result["groups"][0];
    let found = |what: &str| group["found"][0][what].as_f64().unwrap_or_else(|| panic!("{group:#}"));
    assert_eq!(group["found"][0]["verdict"], "found");
    // What the device lets through in a trial, and with the loss that may be.
    let borne = LIMIT_PPS + BUFFER_FRAMES / TRIAL_S;
    let (lower, upper) = (found("lower_pps"), found("upper_pps"));
    assert!(lower <= borne / (1.0 - LOSS) * 1.01, "pdr {lower} of {borne}: {}", done.stderr);
    assert!(upper >= LIMIT_PPS * 0.99, "pdr {upper} of {LIMIT_PPS}: {}", done.stderr);
    assert!((upper - lower) / upper <= WIDTH * 1.001);
    // Every trial is kept, the first is the warm-up, and none received more than the device lets through.
    let trials = group["trials"].as_array().unwrap();
    assert!(trials.len() >= 5 && trials[0]["is_warmup"] == true);
    for trial in trials.iter().map(|entry| &entry["trial"]) {
        let seconds = trial["effective_s"].as_f64().unwrap();
        let received = trial["received"].as_f64().unwrap();
        assert!(received <= LIMIT_PPS * seconds * 1.02 + BUFFER_FRAMES + 100.0, "{trial}");
    }
}

/// Every thousandth frame, to the frame: what netem does by chance, for kernels that have no netem.
const LOSSY: &str = "table bridge lossy {
    chain forward { type filter hook forward priority 0; numgen inc mod 1000 == 0 drop; }
}";

#[test]
fn a_device_that_loses_one_frame_of_a_thousand_has_no_ndr_and_a_pdr_that_holds() {
    if !needs::root_and(&["ip", "nft"]) {
        return;
    }
    let (ends, device) = (Netns::new("ends"), Netns::new("device"));
    ends.set_link("lo", "up");
    ends.join("tx0", &device, "in0");
    device.join("out0", &ends, "rx0");
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("lossy.nft");
    std::fs::write(&rules, LOSSY).unwrap();
    let script = format!(
        "ip link add br0 type bridge && ip link set br0 up && ip link set in0 master br0 && ip link set out0 master br0 \
         && nft -f {}",
        rules.display()
    );
    let mut shell = Command::new("sh");
    shell.args(["-ec", &script]);
    let done = run(&mut device.wrap(shell));
    assert!(done.status.success(), "{}", done.stderr);

    let profile = UdpFlows { flows: 4, frame_size: 64, rate: "8kpps", count: None }.write(folder.path());
    let mut command = bin::orchestrator();
    let line = format!(
        "search --local --tx-device iface:tx0 --rx-device iface:rx0 --path as-is --goal ndr,pdr={LOSS} --width {WIDTH} \
         --min-rate 4kpps --initial-trial 0.6 --final-trial 0.6 --duration-sum 1.2 --latency-trial 0 --warmup-duration 0"
    );
    command.args(line.split_whitespace()).arg("--profile").arg(profile);
    command.arg("--results").arg(folder.path().join("results"));
    let done = run(ends.wrap(command).current_dir(folder.path()));
    assert!(done.status.success(), "{}\n{}", done.stdout, done.stderr);
    let results = std::fs::read_dir(folder.path().join("results")).unwrap().next().unwrap().unwrap().path();
    let result: Value = serde_json::from_slice(&std::fs::read(results.join("result.json")).unwrap()).unwrap();
    let found = |goal: &str| {
        let all = result["groups"][0]["found"].as_array().unwrap();
        all.iter().find(|found| found["goal"] == goal).unwrap().clone()
    };
    assert_eq!(found("ndr")["verdict"], "always_loses", "{}", done.stdout);
    let pdr = found("pdr");
    assert!(pdr["verdict"] == "never_loses" || pdr["verdict"] == "found", "{pdr}");
    // Each trial of so many frames lost what the device drops of them, and one more at most.
    for trial in result["groups"][0]["trials"].as_array().unwrap().iter().map(|entry| &entry["trial"]) {
        let frames = |name: &str| trial[name].as_u64().unwrap();
        let lost = frames("sent") - frames("received");
        let due = frames("sent") / 1000;
        assert!((due..=due + 1).contains(&lost), "{trial}");
    }
}
