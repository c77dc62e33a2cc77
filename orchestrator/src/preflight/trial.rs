//! Before a trial: errors stop it, warnings go into its record.

use super::check::{Check, Level};
use super::ends::{all, missing_devices};
use super::facts::{Ask, End, Ends};
use crate::lab::{Endpoint, Lab, PairCores, PairInventory};
use crate::settings::{Settings, SideSettings};

/// What engines and results say by themselves, of the very run.
const SAID_LATER: [&str; 4] = ["clock", "shared-cpus", "exclusive-cpus", "numa"];
/// So many errors are listed; the rest is counted.
const LISTED_MAX: usize = 20;

/// Looks at every pair of a lab, its agents' inventories being known: the warnings of each pair, or, unless `--force`,
/// the list of what is wrong. On this machine only what can't be a false alarm is looked at.
pub fn before<L: Lab>(
    lab: &L,
    settings: &Settings,
    inventories: &[PairInventory],
    cores: &[PairCores],
) -> Result<Vec<Vec<String>>, String> {
    let known = lab.pairs().iter().zip(inventories).zip(cores);
    let pairs: Vec<(String, Ends<'_>)> = known
        .map(|((pair, inventory), cores)| {
            let frame = settings.profiles.get(&pair.index).and_then(|p| frame_bytes(&p.profile));
            let ask = |side: SideSettings| ask(settings, side, frame);
            let tx = End { sends: true, ..end(&pair.tx, &inventory.tx, ask(settings.tx)) };
            let rx = end(&pair.rx, &inventory.rx, ask(settings.rx));
            (pair.name(), with_cores(tx, rx, cores))
        })
        .collect();
    let checks = match lab.cluster() {
        Some(_) => all(&pairs),
        None => missing_devices(&pairs),
    };
    let errors: Vec<&Check> = checks.iter().filter(|check| check.level == Level::Error).collect();
    if !errors.is_empty() && !settings.force {
        return Err(list(&errors));
    }
    Ok(pairs.iter().map(|(name, pair)| warnings(&checks, name, pair)).collect())
}

/// The largest frame of a profile, bytes with FCS; none for a capture.
pub fn frame_bytes(profile: &traffic::profile::Profile) -> Option<u32> {
    profile.streams.iter().map(|stream| u32::from(stream.frame_size.bounds().1)).max()
}

/// One end, before its CPUs are known.
pub fn end<'a>(endpoint: &'a Endpoint, inventory: &'a traffic::wire::Inventory, ask: Ask) -> End<'a> {
    End {
        pod: &endpoint.pod,
        node: &endpoint.node,
        device: &endpoint.device,
        inventory,
        lcores: &[],
        workers: 1,
        tx_workers: 1,
        sends: false,
        ask,
    }
}

/// Both ends with their CPUs.
pub fn with_cores<'a>(tx: End<'a>, rx: End<'a>, cores: &'a PairCores) -> Ends<'a> {
    let tx_workers = cores.tx_workers;
    Ends {
        tx: End { lcores: &cores.tx, workers: cores.tx_workers, tx_workers, ..tx },
        rx: End { lcores: &cores.rx, workers: cores.rx_workers, tx_workers, ..rx },
    }
}

fn ask(settings: &Settings, side: SideSettings, frame_bytes: Option<u32>) -> Ask {
    Ask {
        memory: settings.memory,
        clock: settings.clock,
        descriptors: side.descriptors,
        socket_mem_mib: side.socket_mem_mib,
        frame_bytes,
    }
}

/// Those of its pods, of the pair and of its machines, each once.
fn warnings(checks: &[Check], name: &str, pair: &Ends<'_>) -> Vec<String> {
    let scopes = [name, pair.tx.pod, pair.rx.pod, pair.tx.node, pair.rx.node];
    let mine = checks.iter().filter(|check| scopes.contains(&check.scope.as_str()));
    let mut list: Vec<String> = Vec::new();
    for check in mine {
        let is_news = match check.level {
            Level::Ok => false,
            Level::Warning => !SAID_LATER.contains(&check.name),
            Level::Error => true,
        };
        let forced = if check.level == Level::Error { "preflight error, --force" } else { "preflight" };
        let line = format!("{forced}: {}: {}: {}", check.scope, check.name, check.found);
        if is_news && !list.contains(&line) {
            list.push(line);
        }
    }
    list
}

fn list(errors: &[&Check]) -> String {
    let lines = errors.iter().take(LISTED_MAX).map(|check| {
        let next = check.next_step.as_deref().unwrap_or_default();
        format!("\n  {}: {}: {}\n    → {next}", check.scope, check.name, check.found)
    });
    let more = match errors.len().saturating_sub(LISTED_MAX) {
        0 => String::new(),
        more => format!("\n  and {more} more: `orchestrator preflight` shows all"),
    };
    let lines: String = lines.collect();
    format!("{} thing(s) stand in the way:{lines}{more}", errors.len())
}
