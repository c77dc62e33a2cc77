//! What the program says to wrong input, to a reader that left, and of runs that end early.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::process::Stdio;

use support::{Bench, PROFILE, text};

#[test]
fn a_count_is_sent_whole_or_said_to_be_cut() {
    let bench = Bench::new("");
    let profile = bench.folder.path().join("c.toml");
    let import = bench.output(&format!("lua import flows/tx0-rx0/{PROFILE} c.toml"));
    assert!(import.status.success(), "{}", text(&import.stderr));
    let toml = fs::read_to_string(&profile).unwrap();
    let lines: Vec<&str> = toml.lines().filter(|l| !l.starts_with("stop")).collect();
    fs::write(&profile, format!("stop = {{ count = 1500 }}\n{}\n", lines.join("\n"))).unwrap();
    let cut = bench.output("run --local --profile c.toml --duration 0.5 --warmup-duration 0 --results cut");
    assert!(text(&cut.stdout).contains("of 1,500 frames were sent: the run was stopped after 0.5 s"));
    let ran = bench.output("run --local --profile c.toml --warmup-duration 0");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert!(text(&ran.stderr).contains("sending 1,500 frames on tx0-rx0"), "{}", text(&ran.stderr));
    assert!(!text(&ran.stdout).contains("the run was stopped"), "{}", text(&ran.stdout));
    assert_eq!(bench.result("tx0-rx0")["verdict"]["sent"], 1500);
}

#[test]
fn a_closed_pipe_is_no_fault() {
    let bench = Bench::new("");
    for line in [
        format!("flows show {PROFILE}"),
        format!("lua check flows/tx0-rx0/{PROFILE}"),
        format!("lua import flows/tx0-rx0/{PROFILE}"),
        "flows generate --flows 3 --local".to_owned(),
        "completions bash".to_owned(),
        format!("run --local --profile {PROFILE} --duration 1 --warmup-duration 0 --output json"),
    ] {
        let mut child = bench.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Closed before anything is written.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = text(&output.stderr);
        assert!(output.status.success() && !said.contains("panicked"), "{line}: {said}");
    }
    assert_eq!(bench.result("tx0-rx0")["status"], "complete");
}

#[test]
fn errors_are_said_once_with_their_cause() {
    let bench = Bench::new("");
    fs::write(bench.folder.path().join("endless.lua"), "while true do end\n").unwrap();
    fs::write(bench.folder.path().join("bad.toml"), "rate = 3\n").unwrap();
    fs::write(bench.folder.path().join("file"), "").unwrap();
    let cases = [
        ("lua check ./nothing.lua", vec!["nothing.lua", "can't be read", "No such file or directory"]),
        ("lua check endless.lua", vec!["endless.lua:1: ", "is this an endless loop?"]),
        (
            "flows show ./nothing.toml",
            vec!["can't read the profile ./nothing.toml", "No such file or directory"],
        ),
        ("flows show bad.toml", vec!["bad.toml:1: rate"]),
        ("flows generate --local --flows-dir file/x", vec!["can't create file/x/tx0-rx0", "Not a directory"]),
        ("run --local --profile ./bad.toml", vec!["bad.toml:1: rate"]),
        ("results recover nowhere", vec!["reading nowhere failed", "No such file or directory"]),
    ];
    for (line, parts) in cases {
        let ran = bench.output(line);
        let said = text(&ran.stderr);
        assert_eq!(ran.status.code(), Some(1), "{line}: {said}");
        assert!(said.starts_with("error: "), "{line}: {said}");
        for part in parts {
            assert_eq!(said.matches(part).count(), 1, "{line}: {part}: {said}");
        }
    }
    let import = format!("lua import flows/tx0-rx0/{PROFILE} file");
    assert!(text(&bench.output(&import).stderr).contains("file exists: name another file"));
    assert!(bench.output(&format!("{import} --force")).status.success());
}

#[test]
fn bad_input_is_named_before_anything_starts() {
    let bench = Bench::new("no-hello");
    let cases = [
        (
            format!("run --profile {PROFILE} --kubeconfig /nowhere"),
            "no cluster to talk to: can't read /nowhere",
        ),
        (format!("run --local --profile {PROFILE} --results /proc/nowhere"), "creating /proc/nowhere/"),
        (
            format!("run --local --profile {PROFILE} --rxq 2 --rx_num_core 3"),
            "--rxq 2 and --rx-num-core 3 differ",
        ),
        (
            format!("run --local --profile {PROFILE} --tx-device iface:a"),
            "--tx-device was given without --rx-device",
        ),
        (
            "run --local --profile nothing.lua".to_owned(),
            "profile `nothing.lua` is neither flows/tx0-rx0/nothing.lua nor",
        ),
        (
            format!("run --local --profile {PROFILE} --tx-device iface:a --rx-device xdp:a"),
            "iface:a of tx0 and xdp:a of rx0 are one port",
        ),
        (format!("run --local --profile {PROFILE} --dataplane /nowhere"), "--dataplane names `/nowhere`"),
    ];
    for (line, expected) in cases {
        let ran = bench.output(&line);
        assert_eq!(ran.status.code(), Some(1), "{line}");
        assert!(text(&ran.stderr).contains(expected), "{line}: {}", text(&ran.stderr));
        assert!(bench.nothing_was_left(), "{line}");
    }
}

#[test]
fn it_is_a_plugin_of_kubectl_with_manual_pages() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("kubectl-dpdkbench");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_orchestrator"), &plugin).unwrap();
    let asked = std::process::Command::new(&plugin).arg("run").output().unwrap();
    assert_eq!(asked.status.code(), Some(2));
    let usage = text(&asked.stderr);
    assert!(usage.contains("Usage: kubectl dpdkbench run --profile <PROFILE>"), "{usage}");
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    // Where kubectl is installed, it finds the plugin by its name.
    if let Ok(said) =
        std::process::Command::new("kubectl").args(["dpdkbench", "--version"]).env("PATH", path).output()
    {
        assert!(text(&said.stdout).starts_with("orchestrator "), "{}", text(&said.stderr));
    }
    let pages = folder.path().join("man1");
    let written = std::process::Command::new(&plugin).args(["man", "--dir"]).arg(&pages).output().unwrap();
    assert!(written.status.success(), "{}", text(&written.stderr));
    for page in
        ["orchestrator.1", "orchestrator-run.1", "orchestrator-experiments.1", "orchestrator-pods-create.1"]
    {
        assert!(std::fs::read_to_string(pages.join(page)).unwrap().contains(".TH"), "{page}");
    }
}
