//! `results report`

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};

use super::args::ReportArgs;
use super::read;
use crate::report::figures::Line;
use crate::report::model::{CHARTED_MAX, report};
use crate::report::searches::Searches;
use crate::report::write::{Format, Output, write};
use crate::results::tree::Tree;
use crate::{analysis, say};

/// Writes a report of everything below the paths.
pub fn execute(args: &ReportArgs) -> Result<ExitCode> {
    if args.pdf && !args.format.iter().any(|f| matches!(f, Format::Html | Format::Latex)) {
        bail!("--pdf is made of html or latex: add one of them to --format");
    }
    let searches = Searches::read(&args.paths)?;
    for (folder, reason) in &searches.unread {
        say::err(format_args!("{}: skipped: {reason}", folder.display()));
    }
    // Of searches alone there is a report too.
    let tree = if searches.found.is_empty() { read(&args.paths)? } else { Tree::read(&args.paths)? };
    let line = Line { speed_gbps: args.speed, overhead_bytes: args.overhead };
    let title = match &args.title {
        Some(title) => title.clone(),
        None => format!(
            "Packet performance: {}",
            args.paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
        ),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let made = report((&tree, &searches), &title, &line, u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))?;
    let groups = analysis::groups(&tree.results).len();
    if groups > CHARTED_MAX {
        say::err(format_args!(
            "note: {groups} profiles × pairs: the first {CHARTED_MAX} have charts of their own, the tables have all"
        ));
    }
    let output = Output {
        formats: args.format.clone(),
        folder: args.output.clone(),
        pdf: args.pdf,
        charts: args.charts,
        force: args.force,
    };
    let written = write(&made, &output)?;
    let is_picture = |path: &&std::path::PathBuf| path.parent().is_some_and(|p| p.ends_with("charts"));
    for path in written.iter().filter(|path| !is_picture(path)) {
        say::out(path.display())?;
    }
    let pictures = written.iter().filter(is_picture).count();
    if pictures > 0 {
        say::out(format_args!("{} ({pictures} pictures)", args.output.join("charts").display()))?;
    }
    Ok(ExitCode::SUCCESS)
}
