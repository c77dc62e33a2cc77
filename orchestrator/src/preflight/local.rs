//! The same checks on this machine: agents are started as for a trial, asked, and ended.

use std::path::PathBuf;

use super::check::Check;
use super::ends::all;
use super::facts::{Ask, End};
use super::pods;
use super::trial::{end, with_cores};
use crate::lab::devices::PairDevices;
use crate::lab::local::{LocalLab, LocalPlan};
use crate::lab::{CoreWish, Lab, LabError, PairInventory};
use crate::trial::prepare::contact;

/// What is to be looked at.
#[derive(Debug)]
pub struct LocalPreflight {
    /// The program.
    pub dataplane: PathBuf,
    /// The user's devices by pair index; memif where none are given.
    pub devices: Option<Vec<PairDevices>>,
    /// How many pairs.
    pub pairs: usize,
    /// Workers.
    pub cores: CoreWish,
    /// Of senders, by pair.
    pub tx: Vec<Ask>,
    /// Of receivers, by pair.
    pub rx: Vec<Ask>,
}

/// All checks of this machine.
pub async fn run(plan: &LocalPreflight) -> Result<Vec<Check>, LabError> {
    let folder = tempfile::Builder::new().prefix("dpdk-k8s-bench-preflight-").tempdir().map_err(|error| {
        let reason =
            format!("there is no folder for its state: {error}; set TMPDIR to one that can be written");
        LabError::AgentStart { pod: "tx0".to_owned(), reason, log: String::new() }
    })?;
    let frame_bytes = plan.tx.iter().filter_map(|ask| ask.frame_bytes).max().unwrap_or(0);
    let lab = LocalLab::start(&LocalPlan {
        dataplane: plan.dataplane.clone(),
        frame_bytes,
        devices: plan.devices.clone(),
        state_folders: (0..plan.pairs).map(|pair| (pair, folder.path().to_owned())).collect(),
    })
    .await?;
    let checks = look(&lab, plan).await;
    for trouble in lab.teardown().await {
        crate::say::err(trouble);
    }
    Ok(checks)
}

async fn look(lab: &LocalLab, plan: &LocalPreflight) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut inventories: Vec<PairInventory> = Vec::new();
    for pair in lab.pairs() {
        match contact(pair).await {
            Ok(inventory) => inventories.push(inventory),
            // The pairs behind it would say the same.
            Err(error) => {
                checks.push(pods::no_contact(&pair.name(), &error));
                return checks;
            }
        }
    }
    let cores = lab.cores(&inventories, plan.cores).ok();
    let known = lab.pairs().iter().zip(&inventories).enumerate();
    let pairs: Vec<_> = known
        .filter_map(|(i, (pair, inventory))| {
            let tx = End { sends: true, ..end(&pair.tx, &inventory.tx, *plan.tx.get(i)?) };
            let rx = end(&pair.rx, &inventory.rx, *plan.rx.get(i)?);
            let ends = match cores.as_ref().and_then(|cores| cores.get(i)) {
                Some(cores) => with_cores(tx, rx, cores),
                None => super::facts::Ends { tx, rx },
            };
            Some((pair.name(), ends))
        })
        .collect();
    checks.extend(all(&pairs));
    checks
}
