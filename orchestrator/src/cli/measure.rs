//! How to measure: typed → place and settings, for `run` and `experiments` alike.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::Serialize;
use serde_json::Value;
use traffic::device::Device;
use traffic::wire::Dump;

use super::measure_args::{Addresses, MeasureArgs};
use crate::cluster::Cluster;
use crate::lab::binary::find_dataplane;
use crate::lab::kube::{KubePlace, Wanted, discover};
use crate::lab::{CoreWish, Place, devices};
use crate::profile_source::{LoadedProfile, ReadOptions};
use crate::say;
use crate::settings::{PortAddresses, Settings, SideSettings};

/// Refuses what is not there, and says what flags of the old tool mean here: nothing is taken silently.
pub fn check(args: &MeasureArgs) -> Result<()> {
    let pairs = [
        ("--txq", args.txq, "--tx-num-core", args.tx_num_core, "sends"),
        ("--rxq", args.rxq, "--rx-num-core", args.rx_num_core, "polls"),
    ];
    for (a, queues, b, cores, does) in pairs {
        if let (Some(queues), Some(cores)) = (queues, cores)
            && queues != cores
        {
            bail!("{a} {queues} and {b} {cores} differ, but each worker {does} one queue: give one of them");
        }
    }
    if args.round_trip && args.no_stamp {
        bail!("--round-trip needs the mark that --no-stamp leaves out: give one of them");
    }
    if args.round_trip && args.dump_invalid + args.dump_foreign > 0 {
        bail!(
            "--round-trip: a receiver that sends all back keeps no frames: leave out --dump-invalid and --dump-foreign"
        );
    }
    for note in notes(args) {
        say::err(format_args!("note: {note}"));
    }
    Ok(())
}

fn notes(args: &MeasureArgs) -> impl Iterator<Item = &'static str> {
    [
        (args.latency, "--latency: latency is measured in every run whose two ends share a clock"),
        (args.rx1_txn, "--rx1-txn: senders here need no receiving core; all their workers send"),
        (args.control_port != 22022, "--control-port: a run has no Lua port; `dataplane lua -G` does"),
        (args.skip_copy, "--skip-copy: profiles are never copied; agents are handed them"),
        (args.skip_testpmd, "--skip-testpmd: the receiver always runs; there is no testpmd to skip"),
        (args.verify_testpmd, "--verify-testpmd: the receiver is always ready before the sender starts"),
    ]
    .into_iter()
    .filter_map(|(typed, note)| typed.then_some(note))
}

/// Where the pairs are, and which there are; said before any folder is made or any agent started.
pub async fn place(args: &MeasureArgs) -> Result<(Place, Vec<usize>)> {
    if !args.local {
        return in_cluster(args).await;
    }
    let pairs = args.pairs.unwrap_or(1);
    let devices = devices::named_pairs(&args.tx_device, &args.rx_device, pairs)?;
    let dataplane = find_dataplane(args.dataplane.as_deref())?;
    Ok((Place::Local { dataplane, devices }, (0..pairs).collect()))
}

async fn in_cluster(args: &MeasureArgs) -> Result<(Place, Vec<usize>)> {
    for device in args.tx_device.iter().chain(&args.rx_device) {
        device.parse::<Device>()?;
    }
    let cluster = Cluster::connect(&args.cluster).await?;
    let wanted = args.pairs.map_or(Wanted::All, Wanted::First);
    let found = discover(&cluster, &wanted).await?;
    let (tx_devices, rx_devices) = (args.tx_device.clone(), args.rx_device.clone());
    let pairs = found.iter().map(|pair| pair.index).collect();
    Ok((Place::Kube(KubePlace { cluster, tx_devices, rx_devices }), pairs))
}

/// How profiles are read.
pub fn read_options(args: &MeasureArgs) -> ReadOptions<'static> {
    ReadOptions { quirks: args.pktgen_quirks, no_stamp: args.no_stamp, pcap: None }
}

/// The settings of one trial, or of all trials on these pairs. `command` is everything that was typed, for the results.
pub fn settings(
    args: &MeasureArgs,
    pairs: &[usize],
    profiles: BTreeMap<usize, LoadedProfile>,
    command: &impl Serialize,
) -> Result<Settings> {
    let addresses = addresses(args, pairs)?;
    let mut settings = Settings {
        profiles,
        duration_s: args.duration,
        warmup_s: args.warmup_duration,
        sample_interval_s: args.sample_interval,
        sample_count: args.sample_count,
        tx: SideSettings { descriptors: args.txd, socket_mem_mib: args.tx_socket_mem },
        rx: SideSettings { descriptors: args.rxd, socket_mem_mib: args.rx_socket_mem },
        burst: args.burst,
        memory: args.memory().into(),
        clock: args.mark_clock(),
        dump: Dump { invalid: args.dump_invalid, foreign: args.dump_foreign },
        per_flow: args.per_flow,
        round_trip: args.round_trip,
        checksums: args.checksum.into(),
        addresses,
        path: args.path,
        force: args.force,
        cores: CoreWish {
            tx_workers: args.tx_num_core.or(args.txq),
            rx_workers: args.rx_num_core.or(args.rxq),
        },
        results: args.results.clone(),
        output: args.output.into(),
        interactive: args.interactive,
        debug: args.debug,
        options: BTreeMap::new(),
    };
    let mut options = typed(command)?;
    options.insert("duration".into(), settings.duration_s_max().to_string());
    // One truth of the two flags.
    options.insert("memory".into(), text(serde_json::to_value(args.memory())?));
    // The record has a `profile` of its own: the file that was really read.
    options.remove("profile").and_then(|name| options.insert("profile_option".into(), name));
    settings.options = options;
    Ok(settings)
}

/// What the ports of each pair answer for: two ports can't have one address, so there is a set for each pair.
fn addresses(args: &MeasureArgs, pairs: &[usize]) -> Result<BTreeMap<usize, PortAddresses>> {
    for (flag, given) in [("--tx-address", &args.tx_address), ("--rx-address", &args.rx_address)] {
        if !given.is_empty() && given.len() != pairs.len() {
            bail!(
                "{flag} is given {} time(s) for {} pair(s): give it once a pair, several addresses of one port with commas",
                given.len(),
                pairs.len()
            );
        }
    }
    let of = |given: &[Addresses], place: usize| given.get(place).map_or_else(Vec::new, |a| a.0.clone());
    let both = |place| PortAddresses { tx: of(&args.tx_address, place), rx: of(&args.rx_address, place) };
    Ok(pairs.iter().enumerate().map(|(place, pair)| (*pair, both(place))).collect())
}

/// Every option by its flag's name, for `metadata.txt`.
fn typed(command: &impl Serialize) -> Result<BTreeMap<String, String>> {
    let Value::Object(fields) = serde_json::to_value(command)? else { return Ok(BTreeMap::new()) };
    Ok(fields.into_iter().map(|(k, v)| (k, text(v))).collect())
}

fn text(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}
