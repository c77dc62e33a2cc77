//! What is known of one pair's trial: before it ([`Record`]) and after it ([`PairOutcome`]).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use traffic::profile::Profile;
use traffic::wire::{Ended, Inventory, Ready, RunSpec, Sample, Summary};

use super::steer::UserEvent;
use crate::expid::ExpId;
use crate::lab::ClusterRef;
use crate::path::PairPath;

/// A sender that is told to stop at its end may have been about to stop by itself.
const CUT_MARGIN_S: f64 = 0.5;

/// Everything that is known before traffic flows. It is on disk by then, so that a killed orchestrator's results can
/// still be written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The trial.
    pub expid: ExpId,
    /// Of this program.
    pub release: String,
    /// Wall clock at the start, nanoseconds since 1970 (UTC).
    pub started_unix_ns: u64,
    /// `local` or `kube`.
    pub lab: String,
    /// Where its pods are, in a cluster.
    #[serde(default)]
    pub cluster: Option<ClusterRef>,
    /// The folder of the pairs' sockets, where they are joined by memif.
    #[serde(default)]
    pub socket_folder: Option<PathBuf>,
    /// `tx0-rx0`.
    pub pair: String,
    /// The profile's name: its file's stem.
    pub profile_name: String,
    /// Its file.
    pub profile_source: String,
    /// As the user gave it.
    pub profile: Profile,
    /// The way between its ends.
    #[serde(default)]
    pub path: PairPath,
    /// Seconds of sending.
    pub duration_s: f64,
    /// Seconds of warm-up.
    pub warmup_s: f64,
    /// Seconds between the values of the sender's series.
    pub sample_interval_s: u32,
    /// At most so many values in the sender's series.
    pub sample_count: Option<u32>,
    /// Every option of the run.
    pub options: BTreeMap<String, String>,
    /// What the user did while it ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<UserEvent>,
    /// The sender.
    pub tx: SideRecord,
    /// The receiver.
    pub rx: SideRecord,
    /// Known before the start.
    pub warnings: Vec<String>,
}

/// One end, before traffic flows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SideRecord {
    /// `tx0`, `rx0`.
    pub pod: String,
    /// Its machine.
    pub node: String,
    /// Its agent's process, where it is one of this machine's.
    pub agent_pid: Option<u32>,
    /// Where that agent listens.
    pub agent_address: Option<SocketAddr>,
    /// Its pod, in a cluster: a pod of the same name may be another one.
    #[serde(default)]
    pub pod_uid: Option<String>,
    /// What its agent was asked.
    pub spec: RunSpec,
    /// What its agent was asked for the warm-up.
    pub warmup_spec: Option<RunSpec>,
    /// What its machine has.
    pub inventory: Inventory,
}

/// How a pair's trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As planned.
    Complete,
    /// By Ctrl-C; what was measured until then is whole.
    Interrupted,
    /// By a fault; what was measured until then is kept.
    Failed,
}

/// One end, afterwards.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SideOutcome {
    /// Once its port was up.
    pub ready: Option<Ready>,
    /// In order, without holes.
    pub samples: Vec<Sample>,
    /// Once it was over.
    pub summary: Option<Summary>,
}

/// Where the time went, seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// First contact, inventories, warm-up's preparation left out.
    pub contact_s: f64,
    /// The warm-up with its preparation.
    pub warmup_s: f64,
    /// Both ports up and ready.
    pub prepare_s: f64,
    /// Between the first and the last sender of the trial to start; none with one pair.
    #[serde(default)]
    pub start_skew_s: Option<f64>,
    /// From the start of the sender to its end.
    pub run_s: f64,
    /// From the end of the sender to the end of the receiver.
    pub drain_s: f64,
    /// Everything up to the writing of results, less warm-up and sending time.
    pub overhead_s: f64,
}

/// One pair's trial, afterwards.
#[derive(Debug, Clone, PartialEq)]
pub struct PairOutcome {
    /// What was known before.
    pub record: Record,
    /// How it ended.
    pub status: Status,
    /// Why it failed, with the next step.
    pub error: Option<String>,
    /// The sender.
    pub tx: SideOutcome,
    /// The receiver.
    pub rx: SideOutcome,
    /// The receiving pod's samples of the warm-up, in which it sends.
    pub warmup: Vec<Sample>,
    /// Known since the start.
    pub warnings: Vec<String>,
    /// Where the time went; none when recovered from disk.
    pub timing: Option<Timing>,
}

impl PairOutcome {
    /// Which end was told to end before its time by somebody else than us, and what that looks like: a pod that is
    /// deleted ends its runs in order, and what it measured until then is no whole trial.
    pub fn cut_short(&self) -> Option<(&SideRecord, String)> {
        let (tx, rx) = (self.tx.summary.as_ref()?, self.rx.summary.as_ref());
        let sent_s = tx.effective_ns as f64 / 1e9;
        if tx.ended != Ended::Stopped || sent_s + CUT_MARGIN_S >= self.record.duration_s {
            return None;
        }
        // A receiver that is well outlives its sender; a sender is stopped when its receiver is gone.
        let receiver_first = rx.is_some_and(|rx| rx.totals.elapsed_ns <= tx.totals.elapsed_ns);
        let side = if receiver_first { &self.record.rx } else { &self.record.tx };
        let did = if receiver_first { "its run was ended" } else { "its sending was ended" };
        Some((side, format!("{did} after {sent_s:.1} s of {} by somebody else", self.record.duration_s)))
    }

    /// The end that books what arrives: the receiver, but for round trips.
    pub fn books(&self) -> &SideOutcome {
        if self.record.tx.spec.round_trip { &self.tx } else { &self.rx }
    }

    /// Whether there is anything to keep.
    pub fn measured(&self) -> bool {
        let has = |side: &SideOutcome| !side.samples.is_empty() || side.summary.is_some();
        has(&self.tx) || has(&self.rx)
    }
}
