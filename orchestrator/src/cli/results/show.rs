//! `results show`

use std::process::ExitCode;

use anyhow::Result;

use super::args::ReadArgs;
use super::read;
use crate::analysis::groups;
use crate::say;
use crate::settings::OutputFormat;
use crate::show_repeats;
use crate::show_results::show;

/// Each trial as its run showed it, then what repeats come to.
pub fn execute(args: &ReadArgs) -> Result<ExitCode> {
    let tree = read(&args.paths)?;
    let output = OutputFormat::from(args.output);
    for pairs in tree.results.chunk_by(|a, b| a.judged.outcome.record.expid == b.judged.outcome.record.expid)
    {
        let record = &pairs[0].judged.outcome.record;
        if output == OutputFormat::Table {
            say::out(format_args!(
                "trial {}: {}, {} s",
                record.expid, record.profile_name, record.duration_s
            ))?;
        }
        show(pairs.iter().map(|s| (&s.judged, s.folder.as_path())), output);
    }
    show_repeats::show(&groups(&tree.results), output)?;
    Ok(ExitCode::SUCCESS)
}
