//! What goes wrong in clusters, for real: nothing that was measured is lost or there twice, and the reason is told.

use std::time::{Duration, Instant};

use bench_tests::kube::{Kube, assert_is_whole, assert_samples_are_whole};
use bench_tests::process::{Process, signal_pid};
use bench_tests::wait;
use nix::sys::signal::Signal;

const FLOWS: &str = "--flows 1,20 --pkt-size 128 --rate 1";

fn matrix(seconds: u32, more: &str) -> String {
    format!("experiments {FLOWS} --duration {seconds} --warmup-duration 1 --run {more}")
}

/// Waits until traffic of both pairs is told of.
fn wait_for_traffic(running: &mut Process) {
    wait::until("the first figures", || {
        let said = running.stderr();
        assert!(running.is_running(), "{said}");
        // Its first figure may be of a later second, where a machine is busy.
        let is_told =
            |pair: &str| said.lines().any(|line| line.starts_with(pair) && line.contains("offered"));
        (is_told("tx0-rx0") && is_told("tx1-rx1")).then_some(())
    });
}

#[test]
fn a_killed_orchestrator_resumes_with_nothing_lost_or_doubled() {
    let kube = Kube::new("killed");
    kube.create(2, "");
    let mut first = kube.spawn(&matrix(4, ""));
    wait_for_traffic(&mut first);
    first.signal(Signal::SIGKILL);
    first.wait();
    kube.ok(&matrix(4, ""));
    let results = kube.results();
    // What was under way was brought home, not measured again.
    assert_eq!(results.len(), 4, "{:?}", results.iter().map(|(path, _)| path).collect::<Vec<_>>());
    results.iter().for_each(|(_, result)| assert_is_whole(result));
    kube.delete();
}

#[test]
fn a_pod_deleted_in_mid_trial_fails_its_pair_and_is_tried_again_when_it_is_back() {
    let kube = Kube::new("deleted");
    kube.create(2, "");
    let mut running = kube.spawn(&format!("{} -f profile_20 --retries 2", matrix(5, "")));
    wait_for_traffic(&mut running);
    kube.kubectl(&["delete", "pod", "tx1", "--wait=true", "--grace-period=1"]);
    kube.create(2, "");
    assert!(running.wait().success(), "{}", running.stderr_at_end());
    let other = kube.results_of("tx0-rx0");
    assert_eq!(other.len(), 1, "the other pair is not measured again");
    assert_is_whole(&other[0]);
    let own = kube.results_of("tx1-rx1");
    assert_eq!(own.len(), 1, "what failed gave way");
    assert_is_whole(&own[0]);
    // It says why, and is kept aside.
    let said = running.stderr_at_end();
    let reason = said.lines().find(|line| line.contains("attempt 1 failed")).unwrap();
    assert!(reason.contains("tx1") && reason.contains("deleted"), "{reason}");
    let entries = std::fs::read_dir(kube.folder.path().join("results")).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let backups: Vec<String> = names.filter(|name| name.starts_with("backup-")).collect();
    let [backup] = &backups[..] else { panic!("one backup: {backups:?}") };
    let failed = kube.results_in(&format!("results/{backup}"));
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].1["status"], "failed");
    assert_samples_are_whole(&failed[0].1);
    kube.delete();
}

#[test]
fn an_engine_that_is_killed_in_its_pod_fails_its_pair_alone() {
    let kube = Kube::new("engine");
    kube.create(2, "");
    kube.ok(&format!("flows generate {FLOWS}"));
    let line = "run --profile profile_20_flows_pkt_size_128B_1_rate_s.lua --duration 4 --warmup-duration 0";
    let mut running = kube.spawn(line);
    wait_for_traffic(&mut running);
    let [engine] = kube.processes("tx1", "dataplane engine")[..] else { panic!("an engine in tx1") };
    signal_pid(engine, Signal::SIGKILL);
    assert_eq!(running.wait().code(), Some(1), "{}", running.stderr_at_end());
    assert_is_whole(&kube.results_of("tx0-rx0")[0]);
    let failed = &kube.results_of("tx1-rx1")[0];
    assert_eq!(failed["status"], "failed");
    assert!(failed["error"].as_str().unwrap().contains("signal 9"), "{}", failed["error"]);
    assert_samples_are_whole(failed);
    // The agent outlives its engine: the next run needs nobody's help.
    kube.ok(line);
    kube.delete();
}

#[test]
fn an_api_server_that_is_away_for_ten_seconds_costs_no_sample() {
    let kube = Kube::new("apiserver");
    kube.create(2, "");
    kube.ok(&format!("flows generate {FLOWS}"));
    let line = "run --profile profile_20_flows_pkt_size_128B_1_rate_s.lua --duration 6 --warmup-duration 0";
    let mut running = kube.spawn(line);
    wait_for_traffic(&mut running);
    Kube::cluster(&["api-stop"]);
    let away = Instant::now();
    wait::within(Duration::from_secs(10), || None::<()>);
    Kube::cluster(&["api-start"]);
    assert!(away.elapsed() >= Duration::from_secs(10));
    assert!(running.wait().success(), "{}", running.stderr_at_end());
    for pair in ["tx0-rx0", "tx1-rx1"] {
        let results = kube.results_of(pair);
        assert_eq!(results.len(), 1);
        assert_is_whole(&results[0]);
        // One was told before it went away; a busy machine may be late with some of the others.
        assert!(results[0]["tx"]["samples"].as_array().unwrap().len() >= 3);
    }
    // Others wait for this one alone: its pods are left to go with their namespace.
}

#[test]
fn more_hugepages_than_the_pods_limit_is_said_by_name() {
    let kube = Kube::new("hugetlb");
    kube.create(1, "-s");
    kube.ok(&format!("flows generate {FLOWS}"));
    let line = "run --profile profile_20_flows_pkt_size_128B_1_rate_s.lua --duration 2 --warmup-duration 0 \
                --tx-socket-mem 400 --memory hugepages";
    let refused = kube.run(line);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("400 MiB") && refused.stderr.contains("128 MiB"), "{}", refused.stderr);
    assert!(kube.results().is_empty(), "refused before anything was sent");
    // Whoever insists gets the kernel's refusal in plain words, and the pod lives on.
    let forced = kube.run(&format!("{line} --force"));
    assert_eq!(forced.status.code(), Some(1));
    let said = &forced.stderr;
    assert!(said.contains("nothing was measured") && said.contains("the limit hugepages-2Mi"), "{said}");
    assert!(kube.results().is_empty());
    assert_eq!(kube.pod("tx0")["status"]["containerStatuses"][0]["restartCount"], 0);
    kube.ok(&line.replace("--tx-socket-mem 400", ""));
    kube.delete();
}
