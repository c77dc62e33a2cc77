//! `preflight`: typed → what is looked at → checks, shown.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;
use traffic::device::Device;
use traffic::wire::{MarkClock, Memory};

use super::measure_args::{ClockArg, MemoryArg, Output};
use super::pods_values::{ResourceName, map};
use super::preflight_args::{PodArgs, PreflightArgs, TrialArgs};
use crate::cluster::Cluster;
use crate::lab::binary::find_dataplane;
use crate::lab::kube::KubePlace;
use crate::lab::{CoreWish, devices};
use crate::pods::placement::PlacementWish;
use crate::pods::settings::DeviceResource;
use crate::preflight::check::worst;
use crate::preflight::cluster::{self, ClusterPreflight};
use crate::preflight::demand::Wish;
use crate::preflight::facts::Ask;
use crate::preflight::gather::{Ours, Plan};
use crate::preflight::local::{self, LocalPreflight};
use crate::preflight::table::{summary, table};
use crate::preflight::trial::frame_bytes;
use crate::preflight::{Check, Level};
use crate::profile_source::{self, ReadOptions};
use crate::say;
use crate::trial::interrupt::EXIT_INTERRUPTED;

/// Looks, and shows what it found. Exit code 1 when something stands in the way.
pub fn execute(args: &PreflightArgs) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let checks = tokio::select! {
            checks = look(args) => checks?,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                return Ok(ExitCode::from(EXIT_INTERRUPTED));
            }
        };
        show(args, &checks)?;
        Ok(if worst(&checks) == Some(Level::Error) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

async fn look(args: &PreflightArgs) -> Result<Vec<Check>> {
    if args.local { here(args).await } else { there(args).await }
}

async fn here(args: &PreflightArgs) -> Result<Vec<Check>> {
    let (pairs, trial) = (args.pairs.unwrap_or(1), &args.trial);
    let frames = frames(args, &(0..pairs).collect::<Vec<_>>())?;
    let asks = |socket_mem, descriptors| {
        let base = ask(trial, socket_mem, descriptors);
        (0..pairs).map(|pair| Ask { frame_bytes: frames.get(&pair).copied(), ..base }).collect()
    };
    let plan = LocalPreflight {
        dataplane: find_dataplane(trial.dataplane.as_deref())?,
        devices: devices::named_pairs(&trial.tx_device, &trial.rx_device, pairs)?,
        pairs,
        cores: cores(trial),
        tx: asks(trial.tx_socket_mem, trial.txd),
        rx: asks(trial.rx_socket_mem, trial.rxd),
    };
    Ok(local::run(&plan).await?)
}

async fn there(args: &PreflightArgs) -> Result<Vec<Check>> {
    let (trial, pods) = (&args.trial, &args.pods);
    let mut default_resource = Some(DeviceResource { name: "intel.com/dpdk".to_owned(), count: pods.dpdk });
    let given: Vec<Device> = trial
        .tx_device
        .iter()
        .chain(&trial.rx_device)
        .map(|device| device.parse())
        .collect::<Result<_, _>>()?;
    if !given.is_empty() && !given.iter().any(|device| matches!(device, Device::Env | Device::Pci(_))) {
        default_resource = None;
    }
    let cluster = Cluster::connect(&args.cluster).await?;
    let ours = Ours::list(&cluster).await?.first(args.pairs);
    if args.output == Output::Table {
        let pairs = ours.pairs().len();
        say::err(format_args!("{cluster}: {pairs} pair(s) there"));
    }
    let preflight = ClusterPreflight {
        place: KubePlace {
            cluster,
            tx_devices: trial.tx_device.clone(),
            rx_devices: trial.rx_device.clone(),
        },
        plan: Plan { pairs: args.pairs, placement: placement(pods)?, wish: wish(pods), default_resource },
        cores: cores(trial),
        tx: ask(trial, trial.tx_socket_mem, trial.txd),
        rx: ask(trial, trial.rx_socket_mem, trial.rxd),
        frames: frames(args, &ours.pairs())?,
    };
    Ok(cluster::run(&preflight, &ours).await?)
}

/// The largest frame by pair.
fn frames(args: &PreflightArgs, pairs: &[usize]) -> Result<BTreeMap<usize, u32>> {
    let Some(name) = &args.profile else { return Ok(BTreeMap::new()) };
    let profiles = profile_source::for_pairs(name, &args.flows_dir, pairs, ReadOptions::default())?;
    Ok(profiles.iter().filter_map(|(pair, p)| Some((*pair, frame_bytes(&p.profile)?))).collect())
}

fn ask(trial: &TrialArgs, socket_mem_mib: Option<u32>, descriptors: u16) -> Ask {
    let memory = if trial.no_huge { MemoryArg::NoHuge } else { trial.memory };
    let clock = match trial.clock {
        ClockArg::Tsc => MarkClock::Tsc,
        ClockArg::Realtime => MarkClock::Realtime { error_ns: trial.clock_error_ns },
    };
    Ask { memory: Memory::from(memory), clock, descriptors, socket_mem_mib, frame_bytes: None }
}

fn cores(trial: &TrialArgs) -> CoreWish {
    CoreWish { tx_workers: trial.tx_num_core, rx_workers: trial.rx_num_core }
}

fn placement(pods: &PodArgs) -> Result<PlacementWish> {
    if pods.same_node && pods.tx_node.is_some() && pods.rx_node.is_some() && pods.tx_node != pods.rx_node {
        bail!(
            "--same-node and two different nodes, --tx-node and --rx-node, contradict: give one or the other"
        );
    }
    Ok(PlacementWish {
        same_node: pods.same_node,
        tx_node: pods.tx_node.clone(),
        rx_node: pods.rx_node.clone(),
        node_selector: map(&pods.node_selector),
        tolerations: pods.toleration.clone(),
    })
}

fn wish(pods: &PodArgs) -> Wish {
    let named = |name: &str, count: u32| (count > 0).then(|| DeviceResource { name: name.to_owned(), count });
    Wish {
        cpu: pods.cpu.clone(),
        memory: pods.pod_memory.clone(),
        hugepages: pods.hugepages.clone(),
        page_size: pods.hugepage_size.map(Into::into),
        resource: pods.resource.as_ref().map(|resource| match resource {
            ResourceName::None => None,
            ResourceName::Dpdk => named("intel.com/dpdk", pods.dpdk),
            ResourceName::Sriov => named("intel.com/sriov", pods.vf),
            ResourceName::Named(name) => named(name, pods.dpdk),
        }),
    }
}

fn show(args: &PreflightArgs, checks: &[Check]) -> Result<()> {
    match args.output {
        Output::Table if checks.is_empty() => say::out(summary(checks))?,
        Output::Table => say::out(table(checks, args.all))?,
        Output::Json => {
            for check in checks {
                let Check { scope, name, level, found, next_step } = check;
                say::out(json!({
                    "event": "check", "scope": scope, "name": name, "level": level, "found": found,
                    "next_step": next_step,
                }))?;
            }
        }
    }
    Ok(())
}
