//! `results …`: what is on disk, looked at, checked, compared and handed on.

pub mod args;
mod compare;
mod export;
mod list;
mod recover;
mod report;
mod sanity;
mod show;
mod upload;
mod validate;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::results::tree::Tree;
use crate::say;
use args::ResultsVerb;

/// Does what was typed.
pub fn execute(verb: ResultsVerb) -> Result<ExitCode> {
    match verb {
        ResultsVerb::List(args) => list::execute(&args),
        ResultsVerb::Show(args) => show::execute(&args),
        ResultsVerb::Validate { paths, min_samples } => validate::execute(&paths, min_samples),
        ResultsVerb::Sanity { results, purge, yes, dry_run } => {
            sanity::execute(&results, purge.then_some(sanity::Purge { yes, dry_run }))
        }
        ResultsVerb::Compare(args) => compare::execute(&args),
        ResultsVerb::Report(args) => report::execute(&args),
        ResultsVerb::Recover { folder, output } => recover::execute(&folder, output.into()),
        ResultsVerb::Export(args) => export::execute(&args),
        ResultsVerb::UploadWandb(args) => upload::execute(&args),
    }
}

/// Everything below `paths`; what can't be read is said, and the rest goes on without it. Nothing at all is an error.
fn read(paths: &[PathBuf]) -> Result<Tree> {
    let tree = Tree::read(paths)?;
    for unread in &tree.unread {
        say::err(format_args!("{}: skipped: {}", unread.folder.display(), unread.reason));
    }
    if tree.results.is_empty() {
        let names: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        anyhow::bail!(
            "{} holds no result: measure something with `orchestrator run` or `orchestrator experiments` first",
            names.join(", ")
        );
    }
    Ok(tree)
}
