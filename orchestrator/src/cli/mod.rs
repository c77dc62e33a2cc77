//! The command line: what may be typed, and one thin file a verb.

pub mod args;
pub mod completions;
pub mod experiments;
pub mod experiments_args;
pub mod experiments_config;
pub mod experiments_new;
pub mod flow_args;
pub mod flows;
pub mod lua;
pub mod lua_run;
pub mod man;
pub mod measure;
pub mod measure_args;
pub mod plugin;
pub mod pods;
pub mod pods_args;
pub mod pods_values;
pub mod preflight;
pub mod preflight_args;
pub mod results;
pub mod run;
pub mod run_args;
pub mod search;
pub mod search_args;

use std::process::ExitCode;

use anyhow::Result;
use args::{Cli, Verb};

/// Does what was typed. Exit codes: 0 as asked, 1 a failed trial or any error, 2 wrong usage, 130 interrupted.
pub fn execute(cli: Cli) -> Result<ExitCode> {
    match cli.verb {
        Verb::Flows { verb } => flows::execute(&verb),
        Verb::Run(args) => run::execute(&args),
        Verb::Search(args) => search::execute(&args),
        Verb::Pods { verb } => pods::execute(verb),
        Verb::Experiments(_) => experiments::execute(),
        Verb::Man { dir } => man::execute(dir.as_deref()),
        Verb::Preflight(args) => preflight::execute(&args),
        Verb::Results { verb } => results::execute(verb),
        Verb::Lua { verb } => lua::execute(&verb),
        Verb::Completions { shell } => completions::execute(shell),
    }
}
