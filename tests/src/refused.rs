//! Commands that must be refused: an exit code, a message that helps, and nothing left behind.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::process::run;

/// A command's folder, empty before and after.
#[derive(Debug)]
pub struct Refusal {
    folder: TempDir,
}

impl Refusal {
    /// A fresh folder.
    pub fn new() -> Refusal {
        Refusal { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `command` in the folder: it must fail, say each of `words` on standard error, and leave nothing.
    pub fn of(&self, command: &mut Command, words: &[&str]) -> String {
        let done = run(command.current_dir(self.folder()));
        let told = format!("{command:?}: {}\n{}", done.status, done.stderr);
        // A signal has no code: a crash is no refusal.
        assert!(done.status.code().is_some_and(|code| code != 0), "not refused: {told}");
        for word in words {
            assert!(done.stderr.contains(word), "no `{word}` in what was said: {told}");
        }
        assert_no_repetition(&done.stderr, &told);
        assert!(!done.stderr.contains("panicked"), "{told}");
        let left: Vec<_> = std::fs::read_dir(self.folder()).expect("the folder").flatten().collect();
        assert!(left.is_empty(), "left behind: {left:?} by {told}");
        done.stderr
    }
}

impl Default for Refusal {
    fn default() -> Refusal {
        Refusal::new()
    }
}

/// A cause that is told twice, as in `x: cause; do this: cause`.
fn assert_no_repetition(text: &str, told: &str) {
    for line in text.lines() {
        let Some((before, cause)) = line.rsplit_once(": ") else { continue };
        assert!(cause.len() <= 12 || !before.contains(cause), "`{cause}` is told twice: {told}");
    }
}
