//! The rules that the whole tree keeps: over every file that git tracks or would.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use bench_tests::process::run;
use bench_tests::{bin, needs};

const LINES_MAX: usize = 400;
const LINE_CHARS_MAX: usize = 120;
/// The two places where unsafe code may be.
const UNSAFE_ALLOWED: [&str; 2] = ["dpdk-sys/", "dataplane/dpdk/"];

/// Tracked files, and new ones that git does not ignore, whose names end in one of `endings`, with their text; none
/// outside of a checkout.
fn tracked(endings: &[&str]) -> Vec<(String, String)> {
    let root = bin::repository();
    if !needs::programs_are_here(&["git"]) {
        return Vec::new();
    }
    let done = run(Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root));
    if !done.status.success() {
        needs::skip("needs a git checkout");
        return Vec::new();
    }
    // A file that was removed but not yet from the index has no text.
    let with_text = |name: &str| Some((name.to_owned(), std::fs::read_to_string(root.join(name)).ok()?));
    done.stdout.lines().filter(|n| endings.iter().any(|e| n.ends_with(e))).filter_map(with_text).collect()
}

/// Panics with all places for which `rule` finds something wrong: line number and what.
fn assert_kept(endings: &[&str], rule: impl Fn(&str, &str) -> Vec<(usize, String)>) {
    let mut broken = Vec::new();
    for (name, text) in tracked(endings) {
        broken.extend(rule(&name, &text).into_iter().map(|(line, what)| format!("{name}:{line}: {what}")));
    }
    assert!(broken.is_empty(), "{} places:\n{}", broken.len(), broken.join("\n"));
}

/// Numbers and texts of lines, from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(n, line)| (n + 1, line))
}

fn is_test(name: &str) -> bool {
    name.starts_with("tests/") || name.contains("/tests/")
}

#[test]
fn rust_files_are_short() {
    assert_kept(&[".rs"], |_, text| {
        let lines = text.lines().count();
        let long = (lines > LINES_MAX)
            .then(|| (lines, format!("has {lines} lines, more than {LINES_MAX}: split it")));
        long.into_iter().collect()
    });
}

#[test]
fn lines_are_short() {
    // A message stands whole, so that a search for what somebody read finds it.
    let is_message = |line: &str| line.contains('"') || line.ends_with('\\');
    assert_kept(&[".rs"], |_, text| {
        let long =
            numbered(text).filter(|(_, line)| line.chars().count() > LINE_CHARS_MAX && !is_message(line));
        long.map(|(n, line)| (n, format!("{} characters, more than {LINE_CHARS_MAX}", line.chars().count())))
            .collect()
    });
}

#[test]
fn nothing_is_left_for_later() {
    // In two parts, so that this file keeps the rule that it checks.
    let marks = [("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("to", "do!("), ("unimple", "mented!(")];
    let marks: Vec<String> = marks.iter().map(|(a, b)| format!("{a}{b}")).collect();
    assert_kept(&[".rs", ".toml", ".md", ".py", ".c", ".h", ".lua", "Makefile", ".sh"], |name, text| {
        // It says the rule.
        if name == "CONTRIBUTING.md" {
            return Vec::new();
        }
        let marked =
            numbered(text).filter_map(|(n, line)| Some((n, marks.iter().find(|m| line.contains(*m))?)));
        marked.map(|(n, mark)| (n, format!("says {mark}: do it, or file an issue"))).collect()
    });
}

#[test]
fn unsafe_code_is_in_the_two_crates_that_wrap_dpdk() {
    let word = format!("un{}", "safe");
    let openings: Vec<String> =
        ["{", "fn", "impl", "trait", "extern"].map(|next| format!("{word} {next}")).to_vec();
    assert_kept(&[".rs"], |name, text| {
        if UNSAFE_ALLOWED.iter().any(|folder| name.starts_with(folder)) {
            return Vec::new();
        }
        let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
        let found =
            numbered(text).filter(|(_, line)| openings.iter().any(|o| code(line).contains(o.as_str())));
        found.map(|(n, _)| (n, format!("{word} code outside of {UNSAFE_ALLOWED:?}"))).collect()
    });
}

#[test]
fn all_other_crates_forbid_unsafe_code() {
    let forbids = format!("#![forbid(un{}_code)]", "safe");
    assert_kept(&["src/lib.rs", "src/main.rs"], |name, text| {
        let may = UNSAFE_ALLOWED.iter().any(|folder| name.starts_with(folder));
        let missing = (!may && !text.contains(&forbids)).then(|| (1, format!("lacks {forbids}")));
        missing.into_iter().collect()
    });
}

#[test]
fn nothing_waits_for_a_fixed_time() {
    let sleep = format!("thread::{}", "sleep");
    assert_kept(&[".rs"], |name, text| {
        if is_test(name) || name.contains("/examples/") {
            return Vec::new();
        }
        // Unit tests stand at the end of their file, or in a file of their own.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let found = numbered(code).filter(|(_, line)| line.contains(&sleep));
        found.map(|(n, _)| (n, "a fixed sleep: wait for a condition with a limit".to_owned())).collect()
    });
}

#[test]
fn every_promise_names_a_test_that_exists() {
    let Ok(specification) = std::fs::read_to_string(bin::repository().join("SPECIFICATION.md")) else {
        needs::skip("needs SPECIFICATION.md");
        return;
    };
    let sources = tracked(&[".rs"]);
    let makefile = std::fs::read_to_string(bin::repository().join("Makefile")).unwrap_or_default();
    let mut promises = 0;
    let mut broken = Vec::new();
    for (n, line) in numbered(&specification) {
        // | number | promise | evidence |
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let is_promise = line.trim_start().starts_with('|') && cells[0].parse::<u32>().is_ok();
        if !is_promise {
            continue;
        }
        promises += 1;
        let evidence: Vec<&str> = cells.last().unwrap().split('`').skip(1).step_by(2).collect();
        if evidence.is_empty() {
            broken.push(format!("line {n} names no test: {line}"));
        }
        let missing = evidence.iter().filter(|name| !exists(name, &sources, &makefile));
        broken.extend(missing.map(|name| format!("line {n}: there is no `{name}`")));
    }
    assert!(broken.is_empty(), "SPECIFICATION.md:\n{}", broken.join("\n"));
    assert!(promises > 0, "no row of the form | 1 | promise | `file::test` | in SPECIFICATION.md");
}

/// `make goal`, or `…::file::test`: a function of this name in a file, or a module's folder, of this name.
fn exists(name: &str, sources: &[(String, String)], makefile: &str) -> bool {
    if let Some(goal) = name.strip_prefix("make ") {
        let goal = goal.split_whitespace().next().unwrap_or_default();
        return makefile.lines().any(|line| line.starts_with(&format!("{goal}:")));
    }
    let mut parts = name.rsplit("::").filter(|part| *part != "tests");
    let (Some(test), Some(file)) = (parts.next(), parts.next()) else { return false };
    let declared = format!("fn {test}(");
    let is_file = |path: &str| {
        let path = Path::new(path);
        path.file_stem().is_some_and(|stem| stem == file)
            || path.components().any(|folder| folder.as_os_str() == file)
    };
    sources.iter().any(|(path, text)| is_file(path) && text.contains(&declared))
}
