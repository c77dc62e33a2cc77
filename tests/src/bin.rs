//! The binaries under test: those of the profile that the test itself was built with.

use std::path::{Path, PathBuf};
use std::process::Command;

/// `target/<profile>/<name>`.
pub fn path(name: &str) -> PathBuf {
    let me = std::env::current_exe().expect("the test's own path");
    // target/<profile>/deps/<test>-<hash>
    let profile = me.parent().and_then(Path::parent).expect("a test stands in target/<profile>/deps");
    let binary = profile.join(name);
    assert!(binary.is_file(), "{} is missing: run `cargo build --bins` first", binary.display());
    binary
}

/// `dataplane`, ready for arguments.
pub fn dataplane() -> Command {
    Command::new(path("dataplane"))
}

/// `orchestrator`, ready for arguments.
pub fn orchestrator() -> Command {
    Command::new(path("orchestrator"))
}

/// The tests' own folder in the repository: `golden/`, `profiles/`, `devices/`.
pub fn data(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The repository.
pub fn repository() -> PathBuf {
    data("..").canonicalize().expect("the repository's root")
}
