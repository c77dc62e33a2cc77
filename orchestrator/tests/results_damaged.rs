//! Damaged results: each fault is named with its file, and everything else is still reported.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Bench, text};

fn measured() -> Bench {
    let bench = Bench::new("");
    let ran = bench.run("-n 2 --duration 4 --warmup-duration 0.1 --sample-interval 1");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    bench
}

fn npz(bench: &Bench, pair: &str, role: &str) -> PathBuf {
    let part = format!("_{role}_txcores_");
    let name = bench.files(pair).into_iter().find(|n| n.ends_with(".npz") && n.contains(&part)).unwrap();
    bench.trial().join(pair).join(name)
}

fn damage(how: &str, file: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/damage.py");
    let done = Command::new("/usr/bin/python3").arg(script).arg(how).arg(file).output().unwrap();
    assert!(done.status.success(), "{}", text(&done.stderr));
}

/// Exit code and all that was said.
fn said(bench: &Bench, line: &str) -> (Option<i32>, String) {
    let done = bench.output(line);
    let said = text(&done.stdout) + &text(&done.stderr);
    assert!(!said.contains("panicked"), "{line}: {said}");
    (done.status.code(), said)
}

#[test]
fn what_numpy_damaged_is_found_and_named() {
    let bench = measured();
    let (code, whole) = said(&bench, "results validate");
    assert_eq!(code, Some(0), "{whole}");
    assert!(whole.contains("4 npz files checked, 0 fault(s)"), "{whole}");
    for (how, role, wanted) in [
        ("truncate", "tx", "is damaged"),
        ("nan", "tx", "mbits_tx is NaN in sample"),
        ("backwards", "rx", "rx_packets goes back from"),
        ("hole", "rx", "samples are missing: "),
        ("no-key", "rx", "has no array rx_pps"),
        ("strings", "rx", "is damaged"),
    ] {
        let file = npz(&bench, "tx0-rx0", role);
        let kept = fs::read(&file).unwrap();
        damage(how, &file);
        let (code, said) = said(&bench, "results validate");
        let name = file.file_name().unwrap().to_str().unwrap();
        let line = said.lines().find(|l| l.contains(wanted)).unwrap_or_else(|| panic!("{how}: {said}"));
        assert!(line.starts_with("invalid: ") && line.contains(name), "{how}: {said}");
        assert!(said.contains("4 npz files checked, 1 fault(s)"), "{how}: {said}");
        assert_eq!(code, Some(1), "{how}");
        // Whoever looks at one file hears the same.
        let one = bench.command("results validate").arg(&file).output().unwrap();
        assert!(!one.status.success() && text(&one.stdout).contains(wanted), "{how}: {}", text(&one.stdout));
        fs::write(&file, kept).unwrap();
    }
    assert_eq!(said(&bench, "results validate").0, Some(0), "whole again");
    assert_eq!(said(&bench, "results validate --min-samples 1000").0, Some(1));
}

#[test]
fn others_are_reported_beside_unfinished_and_foreign_ones() {
    let bench = measured();
    let results = bench.folder.path().join("results");
    let trial = bench.trial();
    let expid = trial.file_name().unwrap().to_str().unwrap().to_owned();
    let files = bench.files("tx0-rx0");
    // As an orchestrator that was killed leaves it; of a later release; of an earlier one, without result.json; empty.
    fs::create_dir_all(results.join("00000001/tx0-rx0/.state")).unwrap();
    fs::write(results.join("00000001/tx0-rx0/.state/trial.json"), "{}").unwrap();
    fs::create_dir_all(results.join("00000002/tx0-rx0")).unwrap();
    fs::write(results.join("00000002/tx0-rx0/result.json"), r#"{"format": 2, "trial": {"release": "9.9"}}"#)
        .unwrap();
    fs::create_dir_all(results.join("00000003/tx0-rx0")).unwrap();
    for file in files.iter().filter(|f| *f != "result.json") {
        fs::copy(trial.join("tx0-rx0").join(file), results.join("00000003/tx0-rx0").join(file)).unwrap();
    }
    fs::create_dir_all(results.join("00000004")).unwrap();
    fs::write(trial.join("tx1-rx1/result.json"), "{\"format\": 1, \"trial\"").unwrap();

    for verb in ["list", "show", "export --format openmetrics"] {
        let (code, said) = said(&bench, &format!("results {verb}"));
        assert_eq!(code, Some(0), "{verb}: {said}");
        for wanted in [
            "00000001/tx0-rx0: skipped: its trial is unfinished",
            "00000002/tx0-rx0/result.json is of format 2, and this release reads format 1",
            "(9.9)",
            "00000003/tx0-rx0: skipped: it has no result.json",
            "00000004: skipped: ",
            "tx1-rx1/result.json is not what this release writes",
            &expid,
        ] {
            assert!(said.contains(wanted), "{verb}: no `{wanted}`: {said}");
        }
    }
    let (code, checked) = said(&bench, "results sanity");
    assert_eq!(code, Some(1));
    for wanted in ["00000001/tx0-rx0: unfinished", "00000004: lacks ", "3 of 6 folders are whole"] {
        assert!(checked.contains(wanted), "no `{wanted}`: {checked}");
    }
    assert!(!checked.contains("00000003/tx0-rx0: lacks"), "the old system wrote no result.json: {checked}");
    let (code, valid) = said(&bench, "results validate");
    assert_eq!(code, Some(1));
    // The archives of every folder that has some.
    assert!(valid.contains("6 npz files checked"), "{valid}");
    // What is purged is what isn't whole, and never what may still be written.
    let (_, purged) = said(&bench, "results sanity --purge");
    assert!(purged.contains("removed 2 folder(s)"), "{purged}");
    assert!(results.join("00000001/tx0-rx0/.state/trial.json").is_file() && trial.join("tx0-rx0").is_dir());
    assert!(!results.join("00000002").exists() && !results.join("00000004").exists());
}

#[test]
fn an_empty_experiment_says_what_to_do() {
    let bench = Bench::new("");
    fs::create_dir_all(bench.folder.path().join("results/00000001")).unwrap();
    for verb in ["list", "show", "export --format csv --output o", "upload-wandb --offline"] {
        let (code, said) = said(&bench, &format!("results {verb}"));
        assert!(
            code == Some(1) && said.contains("results holds no result: measure something"),
            "{verb}: {said}"
        );
    }
    let (code, nothing) = said(&bench, "results list nowhere");
    assert!(code == Some(1) && nothing.contains("there is no nowhere"), "{nothing}");
}
