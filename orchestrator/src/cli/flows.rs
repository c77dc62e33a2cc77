//! `flows generate`, `flows show`

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use lua_compat::paired::{self, PairedFlow};
use traffic::mac::Mac;
use traffic::plan::Plan;
use traffic::profile::render::to_toml;
use traffic::replay::Capture;
use traffic::units::FrameSize;

use super::args::{FlowsVerb, GenerateArgs};
use super::flow_args::{GenMode, ProfileFormat, ShapeArgs};
use crate::cluster::Cluster;
use crate::lab::devices::local_macs;
use crate::lab::kube::macs::macs as kube_macs;
use crate::lab::kube::{KubePlace, Wanted, discover};
use crate::lab::pair_name;
use crate::profile_source::{ReadOptions, find, read};
use crate::say;
use crate::show::count;

/// Does what was typed.
pub fn execute(verb: &FlowsVerb) -> Result<ExitCode> {
    match verb {
        FlowsVerb::Generate(args) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(generate(args))?;
        }
        FlowsVerb::Show { profile, flows_dir, pktgen_quirks, pcap } => {
            let options =
                ReadOptions { quirks: *pktgen_quirks, pcap: pcap.as_deref(), ..ReadOptions::default() };
            show(&find(profile, flows_dir, 0)?, options)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn generate(args: &GenerateArgs) -> Result<()> {
    let lists = Lists { flows: &args.flows, sizes: &args.pkt_size, rates: &args.rate };
    let pairs = addressed(args).await?;
    // Everything is rendered before anything is written: a bad combination leaves nothing half done.
    let mut files = Vec::new();
    for (index, macs) in &pairs {
        let folder = args.flows_dir.join(pair_name(*index));
        files.extend(
            render(lists, &args.shape, *macs)?.into_iter().map(|(name, text)| (folder.join(name), text)),
        );
    }
    for (path, text) in &files {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| anyhow!("can't create {}: {e}", folder.display()))?;
        }
        fs::write(path, text).map_err(|e| anyhow!("can't write {}: {e}", path.display()))?;
    }
    say::out(format_args!(
        "{} profile(s) for {} pair(s) in {}",
        files.len(),
        pairs.len(),
        args.flows_dir.display()
    ))?;
    Ok(())
}

/// The pairs with their addresses, sender's first: as typed, the local lab's, or those that the pods' ports have.
async fn addressed(args: &GenerateArgs) -> Result<Vec<(usize, (Mac, Mac))>> {
    if args.local || !args.shape.tx_mac.is_empty() || !args.shape.rx_mac.is_empty() {
        let pairs: Vec<usize> = (0..args.pairs.unwrap_or(1)).collect();
        return Ok(pairs.iter().copied().zip(macs(&args.shape, &pairs)?).collect());
    }
    let cluster = Cluster::connect(&args.cluster).await?;
    let (tx_devices, rx_devices) = (args.tx_device.clone(), args.rx_device.clone());
    let place = KubePlace { cluster, tx_devices, rx_devices };
    let wanted = args.pairs.map_or(Wanted::All, Wanted::First);
    let found = discover(&place.cluster, &wanted).await?;
    let known = kube_macs(&place, &found).await?;
    for (index, tx, rx) in &known {
        say::err(format_args!("{} in {}: {tx} to {rx}", pair_name(*index), place.cluster));
    }
    Ok(known.into_iter().map(|(index, tx, rx)| (index, (tx, rx))).collect())
}

/// What profiles are made of: one for each combination.
#[derive(Debug, Clone, Copy)]
pub struct Lists<'a> {
    /// Distinct flows.
    pub flows: &'a [u64],
    /// Bytes with the FCS.
    pub sizes: &'a [FrameSize],
    /// Percent of the link.
    pub rates: &'a [u32],
}

/// The addresses of these pairs, sender's first.
pub fn macs(shape: &ShapeArgs, pairs: &[usize]) -> Result<Vec<(Mac, Mac)>> {
    for (flag, given) in [("--tx-mac", shape.tx_mac.len()), ("--rx-mac", shape.rx_mac.len())] {
        if given != 0 && given != pairs.len() {
            bail!(
                "{flag} was given {given} times for {} pair(s): give it once for every pair, or not at all",
                pairs.len()
            );
        }
    }
    let own = |given: &[Mac], at: usize, local: Mac| given.get(at).copied().unwrap_or(local);
    let of = |(at, pair): (usize, &usize)| {
        let (tx, rx) = local_macs(*pair);
        (own(&shape.tx_mac, at, tx), own(&shape.rx_mac, at, rx))
    };
    Ok(pairs.iter().enumerate().map(of).collect())
}

/// Every profile of the lists for a pair with these addresses: file name and text.
pub fn render(lists: Lists<'_>, shape: &ShapeArgs, macs: (Mac, Mac)) -> Result<Vec<(String, String)>> {
    if shape.gen_mode != GenMode::Paired && shape.format != ProfileFormat::Lua {
        bail!("--gen-mode latency and converge make scripts that react to counters: use --format lua");
    }
    let kind = paired::GenMode::from(shape.gen_mode);
    let file = |flow: PairedFlow| {
        Ok(match shape.format {
            ProfileFormat::Lua => (flow.file_name_as(kind), paired::render_as(&flow, kind)?),
            ProfileFormat::Toml => (format!("{}.toml", flow.stem()), to_toml(&paired::profile(&flow)?)),
        })
    };
    combinations(lists, shape, macs).map(file).collect()
}

fn combinations(
    lists: Lists<'_>,
    shape: &ShapeArgs,
    (src_mac, dst_mac): (Mac, Mac),
) -> impl Iterator<Item = PairedFlow> {
    lists.flows.iter().flat_map(move |flows| {
        lists.sizes.iter().flat_map(move |size| {
            lists.rates.iter().map(move |rate| PairedFlow {
                flows: *flows,
                frame_size: *size,
                rate_percent: *rate,
                mode: shape.flow_mode,
                base_src_ip: shape.base_src_ip,
                base_dst_ip: shape.base_dst_ip,
                base_src_port: shape.base_src_port,
                base_dst_port: shape.base_dst_port,
                src_mac,
                dst_mac,
            })
        })
    })
}

fn show(path: &Path, options: ReadOptions<'_>) -> Result<()> {
    let loaded = read(path, options)?;
    for note in &loaded.notes {
        say::err(note);
    }
    let plan = Plan::compile(&loaded.profile)?;
    let flows = match &loaded.profile.replay {
        Some(replay) => Capture::load(replay)?.flows(),
        None => plan.flows(),
    };
    let toml = to_toml(&loaded.profile);
    say::out(format_args!("# {}: {} distinct flow(s)\n{}", path.display(), count(flows), toml.trim_end()))?;
    Ok(())
}
