//! An orchestrator that is killed in mid-run loses no sample: the agents write on, and the results are made later.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use bench_tests::process::{Process, is_alive, run};
use bench_tests::profiles::UdpFlows;
use bench_tests::results::{self, pair_folder};
use bench_tests::{bin, needs, wait};
use nix::sys::signal::Signal;
use traffic::wire::Sample;

const SECONDS: u64 = 6;

/// Samples that an agent has on disk; its last line may be on its way.
fn on_disk(pair: &Path, agent: &str) -> Vec<Sample> {
    let runs =
        std::fs::read_dir(pair.join(".state").join(agent).join("runs")).into_iter().flatten().flatten();
    let text = runs.filter_map(|run| std::fs::read_to_string(run.path().join("samples.ndjson")).ok()).next();
    let text = text.unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
}

#[test]
fn no_sample_is_lost_and_the_results_are_recovered() {
    let Some(python) = needs::python_with("numpy") else { return };
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    let profile = UdpFlows { flows: 100, frame_size: 64, rate: "50kpps", count: None }.write(folder.path());
    let mut command = bin::orchestrator();
    command.args([
        "run",
        "--local",
        "--duration",
        &SECONDS.to_string(),
        "--warmup-duration",
        "0",
        "--profile",
    ]);
    let mut orchestrator = Process::spawn(command.arg(&profile).arg("--results").arg(&results));

    let pair = wait::until("two samples on disk", || {
        assert!(orchestrator.is_running(), "the orchestrator ended: {}", orchestrator.stderr());
        let (pair, _) = pair_folder(&results)?;
        ["tx0", "rx0"].iter().all(|agent| on_disk(&pair, agent).len() >= 2).then_some(pair)
    });
    orchestrator.signal(Signal::SIGKILL);
    orchestrator.wait();

    // Nobody is there to ask them, and they go on to the end: a sample a second from both, without a hole.
    for agent in ["tx0", "rx0"] {
        let samples = wait::until(&format!("{agent} writes to the end"), || {
            let samples = on_disk(&pair, agent);
            (samples.last()?.elapsed_ns >= (SECONDS - 1) * 1_000_000_000).then_some(samples)
        });
        let numbers: Vec<u64> = samples.iter().map(|s| s.n).collect();
        assert_eq!(numbers, (0..samples.len() as u64).collect::<Vec<_>>(), "samples of {agent}");
    }

    let recovered = run(bin::orchestrator().args(["results", "recover"]).arg(&results));
    assert!(recovered.status.success(), "{}\n{}", recovered.stdout, recovered.stderr);
    let recovered = results::read(python, &results, profile.file_stem().unwrap().to_str().unwrap());
    let sent = recovered.verdict("sent");
    assert!(sent > 0);
    assert_eq!(recovered.verdict("received"), sent, "received = sent");
    assert_eq!(recovered.verdict("lost"), 0);
    assert_eq!(recovered.verdict("flows_seen"), 100);
    assert!(recovered.rx.len("rx_pps") as u64 >= SECONDS - 1, "a value a second");
    let said = recovered.result["warnings"].to_string();
    assert!(said.contains("recovered"), "the results say how they were made: {said}");
    for side in ["tx", "rx"] {
        let agent = recovered.result["trial"][side]["agent_pid"].as_u64().unwrap();
        let agent = u32::try_from(agent).unwrap();
        wait::until(&format!("the {side} agent ends by itself"), || (!is_alive(agent)).then_some(()));
    }
}
