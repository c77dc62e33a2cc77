//! `lua check`, `lua import`

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use lua_compat::Import;
use traffic::profile::render::to_toml;

use super::args::LuaVerb;
use crate::profile_source::import;
use crate::show::count;

/// Does what was typed. The report goes to standard error, so that the profile can be piped.
pub fn execute(verb: &LuaVerb) -> Result<ExitCode> {
    match verb {
        LuaVerb::Check { script, pktgen_quirks } => {
            let done = import(script, *pktgen_quirks)?;
            report(script, &done);
            let flows = traffic::plan::Plan::compile(&done.profile)?.stream.flows;
            println!("{}: imports, {} flow(s)", script.display(), count(flows));
        }
        LuaVerb::Import { script, output, pktgen_quirks } => {
            let done = import(script, *pktgen_quirks)?;
            report(script, &done);
            let toml = to_toml(&done.profile);
            match output {
                Some(path) => {
                    fs::write(path, toml).with_context(|| format!("can't write {}", path.display()))?
                }
                None => print!("{toml}"),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn report(script: &Path, done: &Import) {
    for note in &done.report.notes {
        eprintln!("{}: {note}", script.display());
    }
}
