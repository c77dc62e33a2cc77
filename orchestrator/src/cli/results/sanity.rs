//! `results sanity`

use std::io::{self, BufRead, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::results::sanity::{Checked, Whole, check, remove};
use crate::say;

/// How to remove.
#[derive(Debug, Clone, Copy)]
pub struct Purge {
    /// Without asking.
    pub yes: bool,
    /// Not at all.
    pub dry_run: bool,
}

/// Checks every pair's folder, and removes those that are not whole where that is asked for.
pub fn execute(results: &Path, purge: Option<Purge>) -> Result<ExitCode> {
    let checked = check(results)?;
    let mut broken = Vec::new();
    for Checked { folder, whole } in &checked {
        match whole {
            Whole::Yes => {}
            Whole::Unfinished => say::out(format_args!(
                "{}: unfinished: it still runs, or `orchestrator results recover` writes its results; never purged",
                folder.display()
            ))?,
            Whole::Lacks(what) => {
                say::out(format_args!("{}: lacks {}", folder.display(), what.join(", ")))?;
                broken.push(folder);
            }
        }
    }
    let unwhole = checked.iter().filter(|c| c.whole != Whole::Yes).count();
    say::out(format_args!("{} of {} folders are whole", checked.len() - unwhole, checked.len()))?;
    let failed = if unwhole == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    let Some(purge) = purge.filter(|_| !broken.is_empty()) else { return Ok(failed) };
    for folder in &broken {
        let verb = if purge.dry_run { "would remove" } else { "to be removed" };
        say::out(format_args!("{verb}: {}", folder.display()))?;
    }
    if purge.dry_run || !(purge.yes || agreed(broken.len())?) {
        return Ok(failed);
    }
    for folder in &broken {
        remove(results, folder)?;
    }
    say::out(format_args!("removed {} folder(s)", broken.len()))?;
    // What is left is whole, but for what still runs.
    Ok(if unwhole == broken.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Asks on a terminal. A script that says --purge has said it.
fn agreed(folders: usize) -> Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(true);
    }
    say::err(format_args!("remove {folders} folder(s) with everything in them? [y/N]"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
