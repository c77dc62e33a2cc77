//! `dataplane rx`: receive by hand.

use std::path::PathBuf;

use clap::Args;
use traffic::wire::{Role, RunSpec};

use super::options::{Output, PortOptions, ProfileError, ResponderOptions, read_profile};
use crate::inventory::{HostFacts, Sources, host};

/// Receive and account for what comes
#[derive(Clone, Debug, Args)]
pub struct RxArgs {
    #[command(flatten)]
    port: PortOptions,
    /// The profile that the sender sends, to tell its flows apart
    #[arg(long, short = 'p', value_name = "FILE")]
    profile: PathBuf,
    /// Workers of the sender
    #[arg(long, default_value_t = 1)]
    tx_workers: u16,
    /// Workers, each with a queue and a core of its own [default: one]
    #[arg(long, default_value_t = 1)]
    workers: u16,
    /// Seconds to receive; until Ctrl-C when not given
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=604_800))]
    duration: Option<u32>,
    /// The sender runs on this host: measure latency by the clock that both share
    #[arg(long)]
    same_host: bool,
    #[command(flatten)]
    responder: ResponderOptions,
}

impl RxArgs {
    /// The run that these options ask for.
    pub fn spec(&self) -> Result<(RunSpec, Output), ProfileError> {
        let profile = read_profile(&self.profile, false)?;
        let mut spec = self.port.spec(Role::Rx, profile, self.tx_workers);
        spec.workers = Some(self.workers);
        spec.addresses.clone_from(&self.responder.addresses);
        spec.limit_s = self.duration.unwrap_or(spec.limit_s);
        if self.same_host {
            let facts = HostFacts { dpdk_version: String::new(), tsc_hz: 0 };
            spec.tx_clock = Sources::host(facts).ok().map(|sources| host::clock(&sources));
        }
        Ok((spec, self.port.output))
    }
}
