//! `dataplane`: what was typed → a verb → an exit code.
#![forbid(unsafe_code)]

use dataplane::warnln;
use std::process::ExitCode;

use clap::Parser;
use dataplane::agent;
use dataplane::cli::{Cli, Verb, engine, frames, probe, standalone};
use dataplane::inventory::HostFacts;

fn main() -> ExitCode {
    match run(Cli::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Every message tells its cause itself.
            warnln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Tx(args) => {
            args.spec().map_err(Into::into).and_then(|(spec, out)| Ok(standalone::run(&spec, out)?))
        }
        Verb::Rx(args) => {
            args.spec().map_err(Into::into).and_then(|(spec, out)| Ok(standalone::run(&spec, out)?))
        }
        Verb::Reflect(args) => {
            let (spec, out) = args.spec();
            Ok(standalone::run(&spec, out)?)
        }
        Verb::Frames(args) => Ok(frames::run(&args)?),
        Verb::Probe(args) => Ok(probe::run(&args)?),
        Verb::Engine => Ok(engine::run()?),
        Verb::Agent(args) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let facts = HostFacts { dpdk_version: dpdk::version(), tsc_hz: 0 };
            Ok(runtime.block_on(agent::serve(args, facts))?)
        }
    }
}
