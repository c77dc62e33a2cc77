//! `dataplane`: what was typed → a verb → an exit code.
#![forbid(unsafe_code)]

use dataplane::warnln;
use std::process::ExitCode;

use clap::Parser;
use dataplane::agent;
use dataplane::cli::flow_table::{FlowTable, FlowTableError};
use dataplane::cli::{Cli, Verb, dump, engine, frames, lua, probe, rx, standalone};
use dataplane::inventory::HostFacts;
use traffic::wire::Summary;

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
            let (spec, out) = args.spec()?;
            let table = args.flows_file().map(FlowTable::create).transpose()?;
            let summary = standalone::run(&spec, out)?;
            Ok(write_flows(table, summary.as_deref())?)
        }
        Verb::Rx(args) => receive(&args),
        Verb::Reflect(args) => {
            let (spec, out) = args.spec();
            standalone::run(&spec, out)?;
            Ok(())
        }
        Verb::Frames(args) => Ok(frames::run(&args)?),
        Verb::Lua(args) => Ok(lua::run(&args)?),
        Verb::Probe(args) => Ok(probe::run(&args)?),
        Verb::Engine => Ok(engine::run()?),
        Verb::Agent(args) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let facts = HostFacts { dpdk_version: dpdk::version(), tsc_hz: 0 };
            Ok(runtime.block_on(agent::serve(args, facts))?)
        }
    }
}

/// Receives, and writes what the run kept.
fn receive(args: &rx::RxArgs) -> anyhow::Result<()> {
    let (spec, out) = args.spec()?;
    let file =
        args.dump_file().map(|path| Ok::<_, dump::DumpError>((dump::create(path)?, path))).transpose()?;
    let table = args.flows_file().map(FlowTable::create).transpose()?;
    let summary = standalone::run(&spec, out)?;
    if let (Some((file, path)), Some(summary)) = (file, &summary) {
        dump::write(file, path, &summary.dumped)?;
    }
    Ok(write_flows(table, summary.as_deref())?)
}

/// Writes each flow's books, where they were asked for.
fn write_flows(table: Option<FlowTable>, summary: Option<&Summary>) -> Result<(), FlowTableError> {
    table.zip(summary).map_or(Ok(()), |(table, summary)| table.write(&summary.flow_books))
}
