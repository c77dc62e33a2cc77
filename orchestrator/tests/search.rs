//! `orchestrator search` against agents that send no packet: plain answers, and searches that were cut short.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use nix::sys::signal::Signal;
use serde_json::Value;
use support::{Bench, PROFILE, Said, signal, text};

/// Short trials, so that the fake's clock is all that is waited for.
fn line(more: &str) -> String {
    line_of(0.2, more)
}

fn line_of(trial_s: f64, more: &str) -> String {
    let sum_s = 2.0 * trial_s;
    format!(
        "search --local --profile {PROFILE} --min-rate 50pps --max-rate 200pps --width 0.2 --initial-trial {trial_s} \
         --final-trial {trial_s} --duration-sum {sum_s} --warmup-duration 0 --warmup-trial 0.2 --latency-trial 0.2 {more}"
    )
    .trim_end()
    .to_owned()
}

fn folder(bench: &Bench) -> PathBuf {
    let mut all = fs::read_dir(bench.folder.path().join("results")).unwrap();
    let only = all.next().unwrap().unwrap().path();
    assert!(all.next().is_none(), "one search, one folder");
    only
}

fn result(bench: &Bench) -> Value {
    serde_json::from_slice(&fs::read(folder(bench).join("result.json")).unwrap()).unwrap()
}

#[test]
fn a_device_that_never_loses_gets_a_plain_answer() {
    let bench = Bench::new("");
    let ran = bench.output(&line("--loss-curve 0.2 --back-to-back 2 --scope each -n 2"));
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let said = text(&ran.stdout);
    for pair in ["tx0-rx0", "tx1-rx1"] {
        let answer = format!("{pair}: ndr 200 pps or more: the highest load is borne");
        assert!(said.contains(&answer), "{said}");
    }
    let told = text(&ran.stderr);
    assert!(told.contains("of trials at most a group"), "the time is said beforehand: {told}");
    let result = result(&bench);
    assert_eq!((&result["status"], &result["kind"]), (&"complete".into(), &"search".into()));
    let groups = result["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    for group in groups {
        assert!(group["found"].as_array().unwrap().iter().all(|found| found["verdict"] == "never_loses"));
        // Two loads in a row without loss end the curve; a tenth of the answer is below the lowest load.
        assert_eq!(group["loss_curve"].as_array().unwrap().len(), 2);
        let names: Vec<&str> = group["latency"]
            .as_array()
            .unwrap()
            .iter()
            .map(|point| point["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["90 % of pdr", "50 % of pdr", "lowest load"]);
        assert_eq!(group["back_to_back"]["frames"].as_array().unwrap().len(), 2);
        assert_eq!(group["trials"][0]["is_warmup"], true);
    }
    let left: Vec<_> = fs::read_dir(folder(&bench)).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "result.json" || name == ".lock"), "{left:?}");
    // Its report has a row a goal and pair, and both charts of each pair.
    let reported = bench.output("results report --format html,json,markdown,xlsx");
    assert!(reported.status.success(), "{}", text(&reported.stderr));
    let report = bench.folder.path().join("report");
    let json: Value = serde_json::from_slice(&fs::read(report.join("report.json")).unwrap()).unwrap();
    assert_eq!(json["searches"].as_array().unwrap().len(), 4);
    let charts: Vec<&str> =
        json["charts"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    for chart in ["search-000-000-throughput", "search-000-000-latency", "search-000-001-throughput"] {
        assert!(charts.contains(&chart), "{charts:?}");
    }
    assert!(json["charts"].as_array().unwrap().iter().all(|c| c["points"].as_u64().unwrap() > 0));
    assert!(fs::read_to_string(report.join("report.html")).unwrap().contains("never_loses"));
}

#[test]
fn a_search_that_is_cut_short_goes_on_where_it_was() {
    let bench = Bench::new("loses");
    // Of five trials three are left when it is cut short: seconds, for a test that doesn't get its CPU for a while.
    let line = |more: &str| line_of(0.8, more);
    let mut command = bench.command(&line(""));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = Said::by(&mut child);
    said.wait_for("   2 ");
    signal(&child, Signal::SIGINT);
    said.wait_for("--resume results/search_");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let before = result(&bench);
    assert_eq!(before["status"], "interrupted");
    let trials = before["groups"][0]["trials"].as_array().unwrap().clone();
    assert!(trials.len() >= 2);

    let resume = format!("--resume {}", folder(&bench).display());
    let other = bench.output(&line(&format!("--goal ndr {resume}")));
    assert!(!other.status.success());
    assert!(
        text(&other.stderr).contains("its goals, method or limits are others"),
        "{}",
        text(&other.stderr)
    );

    let ran = bench.output(&line(&resume));
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert!(text(&ran.stderr).contains(&format!("going on behind {} trials", trials.len())));
    assert!(
        text(&ran.stdout).contains("ndr none: the lowest load (50 pps) is not borne"),
        "{}",
        text(&ran.stdout)
    );
    let after = result(&bench);
    assert_eq!(after["status"], "complete");
    let all = after["groups"][0]["trials"].as_array().unwrap();
    assert_eq!(all[..trials.len()], trials, "what was measured is not measured again");
    assert!(all.len() > trials.len());
}

#[test]
fn what_can_not_be_searched_is_refused_with_the_next_step() {
    let bench = Bench::new("no-hello");
    let search = format!("search --local --profile {PROFILE}");
    for (more, said) in [
        ("", "give --max-rate 14.88Mpps"),
        ("--max-rate 1kpps --min-rate 2kpps", "is not above --min-rate"),
        ("--max-rate 2kpps --min-rate 1kpps --goal most", "there are ndr and pdr"),
        ("--max-rate 2kpps --min-rate 1kpps --goal ndr,a=1.5", "a loss ratio of 1.5 is none"),
        ("--max-rate 2kpps --min-rate 1kpps --goal ndr,ndr", "two goals have one name"),
        ("--max-rate 2kpps --min-rate 1kpps --final-trial 30", "each no longer than the next"),
        ("--max-rate 2kpps --min-rate 1kpps --duration 3", "are for `run`"),
        ("--max-rate 2kpps --min-rate 1kpps --resume nowhere", "reading nowhere/result.json failed"),
    ] {
        let ran = bench.output(format!("{search} {more}").trim_end());
        let stderr = text(&ran.stderr);
        assert!(!ran.status.success() && stderr.contains(said), "{more}: {stderr}");
        assert!(bench.nothing_was_left(), "{more}");
    }
}
