//! `results upload-wandb`

use std::process::ExitCode;

use anyhow::Result;

use super::args::UploadArgs;
use super::read;
use crate::say;
use crate::wandb::{FromChild, Target, child, run};

/// A run a trial. Exit code 1 if a file of one could not be read.
pub fn execute(args: &UploadArgs) -> Result<ExitCode> {
    let target = Target { project: args.project.clone(), entity: args.entity.clone(), offline: args.offline };
    let tree = read(&args.paths)?;
    let (mut lines, mut skipped) = (Vec::new(), 0);
    let trials = tree.results.chunk_by(|a, b| a.judged.outcome.record.expid == b.judged.outcome.record.expid);
    for pairs in trials {
        let Some(upload) = run(pairs, &target)? else { continue };
        skipped += upload.skipped.len();
        upload.skipped.iter().for_each(say::err);
        lines.extend(upload.lines);
    }
    child::upload(&args.python, lines, |said| match said {
        FromChild::Done { name, url: Some(url), .. } => say::out(format_args!("{name}: {url}")),
        FromChild::Done { name, folder, url: None } => {
            say::out(format_args!("{name}: {}; hand it on with `wandb sync {0}`", folder.display()))
        }
        FromChild::Begun | FromChild::Error { .. } => Ok(()),
    })?;
    Ok(if skipped == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
