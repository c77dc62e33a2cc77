//! Results as other programs read them: by those programs.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{Bench, text};

/// Two pairs' results, and a third folder that can't be read.
fn measured() -> Bench {
    let bench = Bench::new("loses@rx1");
    let ran = bench.run("-n 2 --duration 3 --warmup-duration 0 --sample-interval 1");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let broken = bench.trial().join("tx2-rx2");
    fs::create_dir(&broken).unwrap();
    fs::write(broken.join("result.json"), r#"{"format": 9, "trial": {"release": "7.1"}}"#).unwrap();
    bench
}

/// A python with what reads exports; none where it can't be had and that may be.
fn python() -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/export-python");
    let done = Command::new(script).output().unwrap();
    if !done.status.success() {
        assert!(std::env::var_os("BENCH_NO_SKIP").is_none(), "{}", text(&done.stderr));
        eprintln!("SKIPPED: needs wandb, pyarrow and others: {}", text(&done.stderr));
        return None;
    }
    Some(PathBuf::from(text(&done.stdout).trim_end()))
}

fn read(python: &Path, script: &str, of: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(script);
    let done = Command::new(python).arg(script).arg(of).output().unwrap();
    assert!(done.status.success(), "{}", text(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn export(bench: &Bench, more: &str) -> String {
    let done = bench.output(&format!("results export {more}"));
    assert!(done.status.success(), "{more}: {}", text(&done.stderr));
    assert!(text(&done.stderr).contains("tx2-rx2: skipped"), "{}", text(&done.stderr));
    text(&done.stdout)
}

#[test]
fn every_format_is_read_by_the_program_that_it_is_for() {
    let Some(python) = python() else { return };
    let bench = measured();
    export(&bench, "--format csv --output out");
    let told = export(&bench, "results --format parquet --output out");
    assert_eq!(told.lines().count(), 3, "{told}");
    export(&bench, "--format otg-json --output out/otg.json");
    fs::write(bench.folder.path().join("out/figures.om"), export(&bench, "--format openmetrics")).unwrap();
    let found = read(&python, "read_exports.py", &bench.folder.path().join("out"));
    let verdict = |pair: &str| bench.result(pair)["verdict"].clone();
    let trials = found["trials"]["rows"].as_array().unwrap();
    assert_eq!(trials.len(), 2, "a row a pair");
    for (row, pair) in trials.iter().zip(["tx0-rx0", "tx1-rx1"]) {
        let verdict = verdict(pair);
        assert_eq!((&row["pair"], &row["rx_pps"]), (&Value::from(pair), &verdict["rx_pps"]));
        assert_eq!((&row["lost_packets"], &row["sent_packets"]), (&verdict["lost"], &verdict["sent"]));
    }
    assert!(trials[1]["lost_packets"].as_u64().unwrap() > 0, "rx1 loses");
    assert_eq!(trials[0]["error"], Value::Null, "null where there is nothing");
    assert_eq!(found["trials"]["compression"], "ZSTD");
    assert_eq!(found["trials"]["kinds"]["rx_pps"], "double");
    assert_eq!(found["trials"]["kinds"]["round_trip"], "bool");
    samples_are_those_of_the_result(&bench, &found);
    let lost = &found["openmetrics"]["dpdk_bench_trial_lost_packets"];
    assert_eq!((&lost["type"], &lost["unit"]), (&Value::from("gauge"), &Value::from("packets")));
    assert_eq!(lost["samples"][1][0]["pair"], "tx1-rx1");
    assert_eq!(lost["samples"][1][1].as_f64(), verdict("tx1-rx1")["lost"].as_f64());
    let flow = &found["flows"]["flow_metrics"][1];
    // Its client has 64-bit counters as strings, as JSON of the API has them.
    assert_eq!(number(&flow["frames_tx"]), verdict("tx1-rx1")["sent"].as_u64());
    assert!(flow["loss"].as_f64().unwrap() > 0.0);
    assert_eq!(found["ports"]["port_metrics"].as_array().unwrap().len(), 4);
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn samples_are_those_of_the_result(bench: &Bench, found: &Value) {
    let rows = found["samples"]["rows"].as_array().unwrap();
    for (pair, end) in [("tx0-rx0", "tx"), ("tx1-rx1", "rx")] {
        let wanted = bench.result(pair)[end]["samples"].as_array().unwrap().clone();
        let of_end: Vec<&Value> =
            rows.iter().filter(|r| r["pair"] == pair && r["end"] == end && r["last_word"] == false).collect();
        assert_eq!(of_end.len(), wanted.len());
        for (row, sample) in of_end.iter().zip(&wanted) {
            assert_eq!(row["sampled_unix_ns"], sample["unix_ns"]);
            let sum = |key: &str| -> u64 {
                sample["cores"].as_array().unwrap().iter().map(|c| c[key].as_u64().unwrap()).sum()
            };
            assert_eq!(row["tx_packets"], sum("tx_packets"));
            assert_eq!(row["rx_packets"], sum("rx_packets"));
        }
    }
    // Every core of every sample.
    let cores = found["cores"]["rows"].as_array().unwrap();
    assert!(cores.len() >= rows.len());
    let sum = |rows: &[Value], key: &str| rows.iter().map(|r| r[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum(cores, "tx_packets"), sum(rows, "tx_packets"));
}

#[test]
fn nothing_is_overwritten_unless_told() {
    let bench = measured();
    let place = bench.folder.path();
    for (options, file) in
        [("--format csv --output out", "out/cores.csv"), ("--format openmetrics --output f", "f")]
    {
        let file = place.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "mine").unwrap();
        let refused = bench.output(&format!("results export {options}"));
        assert!(!refused.status.success());
        let said = text(&refused.stderr);
        assert!(said.contains("is there already") && said.contains("--force"), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
        let beside = fs::read_dir(place.join("out")).unwrap().count();
        assert_eq!(beside, 1, "all tables or none");
        export(&bench, &format!("{options} --force"));
        assert_ne!(fs::read_to_string(&file).unwrap(), "mine");
        fs::remove_file(place.join("out/trials.csv")).ok();
        fs::remove_file(place.join("out/samples.csv")).ok();
    }
    let nowhere = bench.output("results export --format parquet");
    assert!(text(&nowhere.stderr).contains("--output DIR"), "{}", text(&nowhere.stderr));
    let on_file = bench.output("results export --format csv --output f/deep");
    assert!(text(&on_file.stderr).contains("f/deep failed"), "{}", text(&on_file.stderr));
    let empty = bench.output("results export flows --format csv --output o");
    assert!(text(&empty.stderr).contains("holds no result") && !place.join("o").exists());
}

fn upload(bench: &Bench, python: &Path, more: &str) -> Command {
    let mut command = bench.command(&format!("results upload-wandb {more}"));
    // Nobody's login, settings or cache; and where nothing answers, should it ask all the same.
    let home = bench.folder.path().join("home");
    fs::create_dir_all(&home).unwrap();
    for (key, _) in std::env::vars_os().filter(|(key, _)| key.to_string_lossy().starts_with("WANDB_")) {
        command.env_remove(key);
    }
    command.env("HOME", &home).env("NETRC", home.join("none")).env("WANDB_BASE_URL", "http://127.0.0.1:1");
    command.env_remove("XDG_CONFIG_HOME").env_remove("XDG_CACHE_HOME").env_remove("XDG_DATA_HOME");
    command.arg("--python").arg(python);
    command
}

#[test]
fn wandb_gets_a_run_a_trial_without_network() {
    let Some(python) = python() else { return };
    let bench = measured();
    let done = upload(&bench, &python, "--offline --entity us").output().unwrap();
    assert!(done.status.success(), "{}", text(&done.stderr));
    let expid = bench.trial().file_name().unwrap().to_string_lossy().into_owned();
    let said = text(&done.stdout);
    assert!(said.starts_with(&format!("pktgen_run_{expid}: ")) && said.contains("wandb sync"), "{said}");
    let folder = PathBuf::from(said.split_once(": ").unwrap().1.split_once(';').unwrap().0);
    let is_log = |path: &PathBuf| path.extension().is_some_and(|e| e == "wandb");
    let log = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).find(is_log).unwrap();
    let run = read(&python, "read_wandb.py", &log);
    assert_eq!((&run["project"], &run["entity"]), (&Value::from("dpdk-benchmarks"), &Value::from("us")));
    assert_eq!((&run["name"], &run["exit"]), (&Value::from(format!("pktgen_run_{expid}")), &Value::from(0)));
    assert_eq!(run["config"]["expid"], expid.as_str());
    assert_eq!(run["config"]["sample_interval"], "1", "an option of the run: {}", run["config"]);
    assert_eq!(run["config"]["tx1-rx1"]["tx_pod"], "tx1");
    let lost = bench.result("tx1-rx1")["verdict"]["lost"].clone();
    assert_eq!(run["summary"]["tx1-rx1/lost_packets"].as_f64(), lost.as_f64());
    let files: Vec<String> = ["tx0-rx0", "tx1-rx1"]
        .iter()
        .flat_map(|pair| bench.files(pair).into_iter().map(move |f| format!("{pair}/{f}")))
        .filter(|f| f.ends_with(".npz"))
        .collect();
    let mut stored: Vec<&str> = run["artifacts"][format!("results_{expid}")]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f.as_str().unwrap())
        .collect();
    stored.sort_unstable();
    assert_eq!(stored, files);
    let history = run["history"].as_array().unwrap();
    for (pod, key, end) in [("rx0", "rx_packets", "rx"), ("rx1", "account_received", "rx")] {
        let name = format!("{pod}/{key}");
        let logged: Vec<f64> = history.iter().filter_map(|step| step[&name].as_f64()).collect();
        let pair = if pod == "rx0" { "tx0-rx0" } else { "tx1-rx1" };
        let samples = bench.result(pair)[end]["samples"].as_array().unwrap().len();
        assert_eq!(logged.len(), samples, "a step a sample of {name}");
        assert!(logged.is_sorted() && logged[samples - 1] > 0.0, "{name}: {logged:?}");
    }
    assert!(history.iter().any(|step| step["tx0/mbits_tx"].is_number()));
    assert!(history.iter().any(|step| step["tx1/core_tx_packets/0"].is_number()));
}

#[test]
fn what_keeps_wandb_from_it_is_said_with_the_way_out() {
    let Some(python) = python() else { return };
    let bench = measured();
    let said = |command: &mut Command| {
        let done = command.output().unwrap();
        assert_eq!(done.status.code(), Some(1));
        let said = text(&done.stderr);
        assert!(!said.contains("Traceback"), "{said}");
        said
    };
    let login = said(&mut upload(&bench, &python, "results"));
    assert!(login.contains("-m wandb login") && login.contains("--offline"), "{login}");
    let none = said(&mut upload(&bench, Path::new("/no/python"), "--offline"));
    assert!(none.contains("/no/python can't be started") && none.contains("--python"), "{none}");
    // wandb's own folder of offline runs is no package, and no reason to think that there is one.
    let bare = bench.folder.path().join("bare");
    fs::create_dir_all(bench.folder.path().join("wandb")).unwrap();
    let made =
        Command::new("/usr/bin/python3").args(["-m", "venv", "--without-pip"]).arg(&bare).output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    let missing = said(&mut upload(&bench, &bare.join("bin/python"), "--offline"));
    assert!(missing.contains("bin/python -m pip install wandb"), "{missing}");
    // One damaged file: named, and the others go.
    let npz = bench.files("tx0-rx0").into_iter().find(|f| f.ends_with(".npz")).unwrap();
    fs::write(bench.trial().join("tx0-rx0").join(&npz), "no zip").unwrap();
    let done = upload(&bench, &python, "--offline").output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains(&npz) && text(&done.stdout).contains("wandb sync"));
}
