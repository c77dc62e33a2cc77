//! `flows generate --gen-mode latency|converge`: the scripts run on a port and do what they say. Their times are made
//! shorter here, nothing else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use bench_tests::lua::{Ended, RING, between_ports, file};
use bench_tests::{bin, needs, process};
use tempfile::TempDir;

fn generate(folder: &TempDir, args: &[&str]) -> PathBuf {
    let mut command = bin::orchestrator();
    command
        .args(["flows", "generate", "--local", "--flows", "10", "--flows-dir"])
        .arg(folder.path())
        .args(args);
    let done = process::run(&mut command);
    assert!(done.status.success(), "{}", done.stderr);
    let mut files = std::fs::read_dir(folder.path().join("tx0-rx0")).unwrap();
    files.next().unwrap().unwrap().path()
}

fn shorter(args: &[&str], times: &[(&str, &str)]) -> Ended {
    shortened(args, times, |path| file(path, RING, &[]).ok())
}

fn shortened(args: &[&str], times: &[(&str, &str)], run: impl FnOnce(&Path) -> Ended) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let path = generate(&folder, args);
    let mut text = std::fs::read_to_string(&path).unwrap();
    for (long, short) in times {
        assert!(text.contains(long), "{long} is not in\n{text}");
        text = text.replace(long, short);
    }
    std::fs::write(&path, text).unwrap();
    run(&path)
}

#[test]
fn a_latency_script_reports_percentiles_of_every_frame() {
    let args = ["--gen-mode", "latency", "--rate", "1", "--pkt-size", "128"];
    let end = shorter(&args, &[("pktgen.delay(1000)", "pktgen.delay(30)")]);
    let line = |start: &str| {
        let found = end.output.lines().find(|l| l.starts_with(start));
        found.unwrap_or_else(|| panic!("no {start} in {}", end.output)).to_owned()
    };
    let numbers = |text: &str| -> Vec<f64> { text.split(' ').filter_map(|word| word.parse().ok()).collect() };
    let percentiles = numbers(&line("percentiles us:"));
    assert_eq!(percentiles.len(), 4);
    assert!(percentiles.windows(2).all(|pair| pair[0] <= pair[1]) && percentiles[0] > 0.0, "{percentiles:?}");
    let frames = numbers(&line("frames:"));
    assert!(
        frames[0] > 0.0 && frames.iter().all(|n| *n == frames[0]),
        "sent, received, measured: {frames:?}"
    );
}

const TIMES: &[(&str, &str)] = &[("= 2000, 5000, 10", "= 60, 120, 6")];

#[test]
fn a_rate_without_loss_is_found_at_once_and_confirmed() {
    let end = shorter(&["--gen-mode", "converge", "--rate", "2", "--pkt-size", "512"], TIMES);
    let lines: Vec<&str> = end.output.lines().collect();
    assert_eq!(lines.last(), Some(&"converged: 2.0000 % of the link without loss, confirmed over 120 ms"));
    assert_eq!(lines.iter().filter(|line| line.ends_with(": ok")).count(), 2, "{}", end.output);
}

#[test]
fn what_port_0_sends_is_looked_for_at_port_1() {
    if !needs::root_and(&["ip"]) {
        return;
    }
    let args = ["--gen-mode", "converge", "--rate", "1", "--pkt-size", "1500"];
    let end = shortened(&args, TIMES, between_ports);
    assert!(end.output.contains("confirmed over 120 ms"), "{}", end.output);
    assert!(end.count(1, "ipackets") > 0 && end.count(0, "ipackets") == 0, "{end:?}");
}

#[test]
fn a_search_brackets_the_highest_rate_without_loss() {
    // 14.88 Mpps of 64 bytes: more than this port takes on a machine that others share.
    let end = shorter(&["--gen-mode", "converge", "--rate", "100", "--pkt-size", "64"], TIMES);
    let rate = |line: &str| -> f64 { line.split_whitespace().nth(1).unwrap().parse().unwrap() };
    let trials = |word: &str| -> Vec<f64> {
        end.output.lines().filter(|l| l.starts_with("rate") && l.ends_with(word)).map(rate).collect()
    };
    let (ok, loss) = (trials(": ok"), trials(": loss"));
    let last = end.output.lines().last().unwrap();
    let found: f64 = match last.strip_prefix("converged: ") {
        Some(rest) => rest.split(' ').next().unwrap().parse().unwrap(),
        None => panic!("{}", end.output),
    };
    assert!(ok.contains(&found), "what was found was tried: {found} of {ok:?}");
    // Where the port really took all there is nothing to bracket.
    let lowest_loss = loss.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(found < lowest_loss || found == 100.0, "{found} is above a rate that lost: {loss:?}");
}

#[test]
fn a_profile_becomes_a_script_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut command = bin::orchestrator();
        let done = process::run(command.args(args).current_dir(folder.path()));
        assert!(done.status.success(), "{args:?}: {}", done.stderr);
        done.stdout
    };
    std::fs::copy(bin::data("profiles/paired_100_flows_64B.lua"), folder.path().join("a.lua")).unwrap();
    run(&["lua", "import", "a.lua", "a.toml"]);
    run(&["lua", "export", "a.toml", "-o", "b.lua"]);
    let again = run(&["lua", "import", "b.lua"]);
    let first = std::fs::read_to_string(folder.path().join("a.toml")).unwrap();
    assert_eq!(
        again.trim().replace("name = \"b\"", "name = \"a\"").replace("name = \"a\"", ""),
        first.trim().replace("name = \"a\"", "")
    );
}
