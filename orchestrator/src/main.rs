//! Runs profiles on pairs of dataplane agents and writes results that can be published.
//!
//! The way of a run: [`cli`] (what was typed) → [`settings`] (resolved) → [`lab`] (pairs that are up) →
//! [`trial`] (contact, warm-up, preparation, run, drain) → [`collect`] (series and verdict) → [`results`].
#![forbid(unsafe_code)]

mod agent;
mod analysis;
mod cli;
mod cluster;
mod collect;
mod experiment;
mod expid;
mod export;
mod interactive;
mod lab;
mod live;
mod path;
mod pods;
mod preflight;
mod profile_source;
mod report;
mod results;
mod say;
mod search;
mod settings;
mod show;
mod show_repeats;
mod show_results;
mod trial;
mod wandb;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    if let Some(code) = cli::plugin::complete(&words) {
        return code;
    }
    let cli = cli::args::Cli::read(words);
    match cli::execute(cli) {
        Ok(code) => code,
        Err(error) => {
            // The head alone: every text of ours already holds what lies beneath it.
            say::err(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
