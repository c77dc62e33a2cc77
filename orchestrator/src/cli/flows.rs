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

use super::args::{FlowsVerb, GenerateArgs, ProfileFormat};
use crate::lab::devices::local_macs;
use crate::lab::pair_name;
use crate::profile_source::{ReadOptions, find, read};
use crate::say;
use crate::show::count;

/// Does what was typed.
pub fn execute(verb: &FlowsVerb) -> Result<ExitCode> {
    match verb {
        FlowsVerb::Generate(args) => generate(args)?,
        FlowsVerb::Show { profile, flows_dir, pktgen_quirks } => {
            show(&find(profile, flows_dir, 0)?, *pktgen_quirks)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn generate(args: &GenerateArgs) -> Result<()> {
    let macs = macs(args)?;
    // Everything is rendered before anything is written: a bad combination leaves nothing half done.
    let mut files = Vec::new();
    for (index, macs) in macs.iter().enumerate() {
        let folder = args.flows_dir.join(pair_name(index));
        for flow in combinations(args, *macs) {
            let (name, text) = match args.format {
                ProfileFormat::Lua => (flow.file_name(), paired::render(&flow)?),
                ProfileFormat::Toml => (format!("{}.toml", flow.stem()), to_toml(&paired::profile(&flow)?)),
            };
            files.push((folder.join(name), text));
        }
    }
    for (path, text) in &files {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| anyhow!("can't create {}: {e}", folder.display()))?;
        }
        fs::write(path, text).map_err(|e| anyhow!("can't write {}: {e}", path.display()))?;
    }
    if !args.local && args.tx_mac.is_empty() {
        say::err(
            "the addresses are those of local pairs: the Kubernetes lab is not in this version \
             (--tx-mac and --rx-mac set others)",
        );
    }
    say::out(format_args!(
        "{} profile(s) for {} pair(s) in {}",
        files.len(),
        args.pairs,
        args.flows_dir.display()
    ))?;
    Ok(())
}

/// The addresses of every pair, sender's first.
fn macs(args: &GenerateArgs) -> Result<Vec<(Mac, Mac)>> {
    for (flag, given) in [("--tx-mac", args.tx_mac.len()), ("--rx-mac", args.rx_mac.len())] {
        if given != 0 && given != args.pairs {
            bail!(
                "{flag} was given {given} times for {} pair(s): give it once for every pair, or not at all",
                args.pairs
            );
        }
    }
    let own = |given: &[Mac], index: usize, local: Mac| given.get(index).copied().unwrap_or(local);
    Ok((0..args.pairs)
        .map(|i| (own(&args.tx_mac, i, local_macs(i).0), own(&args.rx_mac, i, local_macs(i).1)))
        .collect())
}

fn combinations(args: &GenerateArgs, (src_mac, dst_mac): (Mac, Mac)) -> impl Iterator<Item = PairedFlow> {
    args.flows.iter().flat_map(move |flows| {
        args.pkt_size.iter().flat_map(move |size| {
            args.rate.iter().map(move |rate| PairedFlow {
                flows: *flows,
                frame_size: *size,
                rate_percent: *rate,
                mode: args.flow_mode,
                base_src_ip: args.base_src_ip,
                base_dst_ip: args.base_dst_ip,
                base_src_port: args.base_src_port,
                base_dst_port: args.base_dst_port,
                src_mac,
                dst_mac,
            })
        })
    })
}

fn show(path: &Path, quirks: bool) -> Result<()> {
    let loaded = read(path, ReadOptions { quirks, no_stamp: false })?;
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
