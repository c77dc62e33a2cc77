//! What some tests need of the machine, and how they say that they did not run.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Set where nothing may be skipped, as in CI: then a need that is not met fails the test.
const NO_SKIP: &str = "BENCH_NO_SKIP";

/// Whether this is root and has all `programs`; says loudly when not.
pub fn root_and(programs: &[&str]) -> bool {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0);
    if !is_root {
        return skip("needs root");
    }
    programs_are_here(programs)
}

/// Whether all `programs` are in the path; says loudly when not.
pub fn programs_are_here(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    match programs.iter().find(|name| !is_here(name)) {
        Some(missing) => skip(&format!("needs the program `{missing}`")),
        None => true,
    }
}

/// Whether so many MiB of hugepages are free; says loudly when not.
pub fn hugepages_mib(mib: u64) -> bool {
    let free = free_hugepages_mib();
    free >= mib || skip(&format!("needs {mib} MiB of free hugepages, there are {free}"))
}

/// MiB in free hugepages of the default size.
pub fn free_hugepages_mib() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let value = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    value("HugePages_Free:").unwrap_or(0) * value("Hugepagesize:").unwrap_or(0) / 1024
}

/// A Python 3 that can import `module`: the system's first, since others may lack Debian's packages.
pub fn python_with(module: &str) -> Option<&'static Path> {
    let can = |program: &&str| {
        let mut command = Command::new(program);
        command.args(["-c", &format!("import {module}")]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    let found = ["/usr/bin/python3", "python3"].into_iter().find(can).map(Path::new);
    if found.is_none() {
        skip(&format!("needs python3 with {module}"));
    }
    found
}

/// Says that the test does not run, and why; fails instead where nothing may be skipped.
pub fn skip(why: &str) -> bool {
    assert!(std::env::var_os(NO_SKIP).is_none(), "{NO_SKIP} is set, and this test {why}");
    eprintln!("SKIPPED: {why}");
    false
}
