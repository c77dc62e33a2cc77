//! `dataplane rx`: receive by hand.

use std::path::{Path, PathBuf};

use clap::Args;
use traffic::wire::{Dump, Role, RunSpec};

use super::options::{FlowOptions, Output, PortOptions, ProfileError, ResponderOptions, read_profile};
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
    #[command(flatten)]
    flows: FlowOptions,
    /// Keep the first K frames that carry our mark but can't be ours
    #[arg(long, value_name = "K", default_value_t = 0, value_parser = frames())]
    dump_invalid: u16,
    /// Keep the first K frames that are not ours
    #[arg(long, value_name = "K", default_value_t = 0, value_parser = frames())]
    dump_foreign: u16,
    /// Where the kept frames go at the end, as pcap
    #[arg(long, value_name = "FILE", default_value = "dump.pcap")]
    dump_file: PathBuf,
}

/// As many as the engine takes.
fn frames() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(0..=i64::from(Dump::FRAMES_MAX))
}

impl RxArgs {
    /// The run that these options ask for.
    pub fn spec(&self) -> Result<(RunSpec, Output), ProfileError> {
        let profile = read_profile(&self.profile, false)?;
        let mut spec = self.port.spec(Role::Rx, profile, self.tx_workers);
        spec.workers = Some(self.workers);
        spec.addresses.clone_from(&self.responder.addresses);
        spec.dump = Dump { invalid: self.dump_invalid, foreign: self.dump_foreign };
        spec.per_flow = self.flows.rows();
        spec.limit_s = self.duration.unwrap_or(spec.limit_s);
        if self.same_host {
            let facts = HostFacts { dpdk_version: String::new(), tsc_hz: 0 };
            spec.tx_clock = Sources::host(facts).ok().map(|sources| host::clock(&sources));
        }
        Ok((spec, self.port.output))
    }

    /// Where each flow's books go.
    pub fn flows_file(&self) -> Option<&Path> {
        self.flows.per_flow.as_deref()
    }

    /// Where frames that the run keeps go; none when it keeps none.
    pub fn dump_file(&self) -> Option<&Path> {
        (self.dump_invalid + self.dump_foreign > 0).then_some(self.dump_file.as_path())
    }
}
