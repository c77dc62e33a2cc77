//! `dataplane probe`: what this host or pod has, and what stands in the way.

use clap::Args;

use super::options::Output;
use super::out::say;
use crate::inventory::cpus::CpuError;
use crate::inventory::{self, HostFacts, Sources};
use crate::sayln;

/// Show what this host or pod has for DPDK
#[derive(Clone, Debug, Args)]
pub struct ProbeArgs {
    /// A table for people or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Why nothing could be shown.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Not even the CPUs.
    #[error(transparent)]
    Cpus(#[from] CpuError),
    /// Output.
    #[error("can't write the inventory: {0}")]
    Json(#[from] serde_json::Error),
}

/// Reads and prints the inventory.
pub fn run(args: &ProbeArgs) -> Result<(), ProbeError> {
    let facts = HostFacts { dpdk_version: dpdk::version(), tsc_hz: 0 };
    let sources = Sources::host(facts)?;
    let inventory = inventory::read(&sources);
    match args.output {
        Output::Json => sayln!("{}", serde_json::to_string(&inventory)?),
        Output::Table => {
            say(format_args!("{}", inventory::render::render(&inventory, &inventory::surroundings(&sources))))
        }
    }
    Ok(())
}
