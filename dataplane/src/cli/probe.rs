//! `dataplane probe`: what this host or pod has, and what stands in the way.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use traffic::account::Expectation;
use traffic::fault::Faults;
use traffic::plan::Plan;
use traffic::replay::{ReplayError, ReplayPlan};
use traffic::wire::RunSpec;

use super::options::{Output, ProfileError, read_profile};
use super::out::say;
use crate::engine::EngineError;
use crate::engine::memory::{Demand, needed_mib};
use crate::inventory::cpus::CpuError;
use crate::inventory::{self, HostFacts, Sources};
use crate::sayln;

/// Show what this host or pod has for DPDK
#[derive(Clone, Debug, Args)]
pub struct ProbeArgs {
    /// A table for people or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    /// Open this device as a run would, and show what its driver says of it, or what stands in the way:
    /// pci:0000:03:00.0, vdev:net_memif0,…, iface:eth0, xdp:eth0 or env
    #[arg(long, conflicts_with = "profile")]
    device: Option<String>,
    /// Also say how much memory a sender and a receiver of this profile take (.toml, .yaml, .json, or a Pktgen .lua)
    #[arg(short, long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Workers of the sender and RX queues of the receiver, for --profile
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u16).range(1..=128))]
    workers: u16,
    /// Descriptors of each queue, for --profile
    #[arg(long, default_value_t = RunSpec::default_descriptors(), value_parser = descriptors())]
    descriptors: u16,
}

/// As many as the engine takes.
fn descriptors() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(16..=16384)
}

/// Why nothing could be shown.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Not even the CPUs.
    #[error(transparent)]
    Cpus(#[from] CpuError),
    /// The profile can't be read.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The profile can't be sent.
    #[error(transparent)]
    Plan(#[from] Faults),
    /// The device can't be used.
    #[error(transparent)]
    Device(#[from] EngineError),
    /// Its capture can't.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Output.
    #[error("can't write the inventory: {0}")]
    Json(#[from] serde_json::Error),
}

/// Reads and prints the inventory.
pub fn run(args: &ProbeArgs) -> Result<(), ProbeError> {
    let facts = HostFacts { dpdk_version: dpdk::version(), tsc_hz: 0 };
    let sources = Sources::host(facts)?;
    if let Some(device) = &args.device {
        let port = super::probe_port::open(device, &sources)?;
        match args.output {
            Output::Json => sayln!("{}", serde_json::to_value(&port)?),
            Output::Table => say(format_args!("{port}")),
        }
        return Ok(());
    }
    let needs = args.profile.as_deref().map(|path| Needs::of(path, args)).transpose()?;
    let inventory = inventory::read(&sources);
    match args.output {
        Output::Json => {
            let mut shown = serde_json::to_value(&inventory)?;
            if let (Some(object), Some(needs)) = (shown.as_object_mut(), &needs) {
                object.insert("needs".to_owned(), serde_json::to_value(needs)?);
            }
            sayln!("{shown}");
        }
        Output::Table => {
            say(format_args!(
                "{}",
                inventory::render::render(&inventory, &inventory::surroundings(&sources))
            ));
            if let Some(needs) = &needs {
                needs.show();
            }
        }
    }
    Ok(())
}

/// The memory that runs of a profile take, by the formula that the engine goes by.
#[derive(Debug, Serialize)]
struct Needs {
    profile: String,
    /// Of the sender; RX queues of the receiver.
    workers: u16,
    descriptors: u16,
    /// Bytes of the largest frame, with FCS.
    largest_frame: u16,
    sender_mib: u32,
    receiver_mib: u32,
    /// Ordinary memory of a receiver's books, MiB; with books of each flow (`--per-flow`).
    books_mib: f64,
    flow_books_mib: f64,
}

/// MiB of a receiver's books of such a plan.
fn books_mib(plan: &Plan, workers: u16, per_flow: bool) -> f64 {
    let expect = Expectation {
        tag: 0,
        shards: plan.shards(workers),
        flows: plan.streams.iter().map(|s| s.flows).collect(),
        counts: None,
        same_clock: true,
        clock_slack: 0,
        queues: workers,
        per_flow,
    };
    let mib = expect.memory_bytes() as f64 / f64::from(1 << 20);
    (mib * 10.0).ceil() / 10.0
}

impl Needs {
    fn of(path: &Path, args: &ProbeArgs) -> Result<Needs, ProbeError> {
        let profile = read_profile(path, false)?;
        let plan = match &profile.replay {
            Some(replay) => {
                let capture = ReplayPlan::load(replay, profile.rate, profile.stop)?.capture;
                Plan::unmarked("replay", capture.longest(), capture.flows())
            }
            None => Plan::compile(&profile)?,
        };
        let (workers, descriptors) = (args.workers, args.descriptors);
        let frame_bytes = plan.largest_frame().mbuf_bytes();
        let needed =
            |tx_workers, rx_queues| needed_mib(Demand { tx_workers, rx_queues, descriptors, frame_bytes });
        Ok(Needs {
            profile: path.display().to_string(),
            workers,
            descriptors,
            largest_frame: plan.largest_frame().bytes(),
            sender_mib: needed(workers, 1),
            receiver_mib: needed(0, workers),
            books_mib: books_mib(&plan, workers, false),
            flow_books_mib: books_mib(&plan, workers, true),
        })
    }

    fn show(&self) {
        let Needs { profile, workers, descriptors, largest_frame, sender_mib, receiver_mib, .. } = self;
        let Needs { books_mib, flow_books_mib, .. } = self;
        sayln!(
            "\nmemory for {profile}: {sender_mib} MiB for a sender of {workers} worker(s), {receiver_mib} MiB for a receiver of \
             {workers} queue(s)\n  = 16 MiB + 5 % + a pool for each worker and queue, of mbufs for {descriptors} descriptors and frames of \
             {largest_frame} B\n  the receiver's books take {books_mib} MiB of ordinary memory, {flow_books_mib} MiB with --per-flow"
        );
    }
}
