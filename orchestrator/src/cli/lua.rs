//! `lua check`, `lua import`, `lua export`; `lua run` is next door.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use lua_compat::{Import, ImportOptions};
use traffic::profile::render::to_toml;

use super::args::LuaVerb;
use super::lua_run;
use crate::profile_source::{import, import_options, placed};
use crate::say;
use crate::show::count;

/// Does what was typed. The report goes to standard error, so that the profile can be piped.
pub fn execute(verb: &LuaVerb) -> Result<ExitCode> {
    match verb {
        LuaVerb::Run(args) => return lua_run::execute(args),
        LuaVerb::Check { script, pktgen_quirks } => {
            let done = import(script, &import_options(*pktgen_quirks))?;
            report(script, &done);
            let flows = traffic::plan::Plan::compile(&done.profile)?.flows();
            say::out(format_args!("{}: imports, {} flow(s)", script.display(), count(flows)))?;
        }
        LuaVerb::Export { profile, port, output, force } => {
            let read = traffic::profile::load_file(profile)?;
            let text = lua_compat::export::script(&read, *port)
                .map_err(|e| anyhow!("{}: {e}", profile.display()))?;
            match output {
                Some(path) => save(path, &text, *force)?,
                None => say::out(text.trim_end())?,
            }
        }
        LuaVerb::Import { script, output, force, pktgen_quirks, port, pcap } => {
            let options = ImportOptions { port: *port, pcap: pcap.clone(), ..import_options(*pktgen_quirks) };
            let done = import(script, &options)?;
            report(script, &done);
            let toml = to_toml(&done.profile);
            match output {
                Some(path) => save(path, &toml, *force)?,
                None => say::out(toml.trim_end())?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn save(path: &Path, text: &str, force: bool) -> Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(force).create_new(!force);
    match options.open(path).and_then(|mut file| file.write_all(text.as_bytes())) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(anyhow!("{} exists: name another file, or replace it with --force", path.display()))
        }
        done => done.map_err(|e| anyhow!("can't write {}: {e}", path.display())),
    }
}

fn report(script: &Path, done: &Import) {
    for note in &done.report.notes {
        say::err(placed(&script.display().to_string(), note));
    }
}
