//! A run: one engine process with one port and one role.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::inventory::ClockId;
use super::sample::Sample;
use super::summary::Summary;
use crate::mac::Mac;
use crate::profile::Profile;
use crate::respond::Address;
use crate::swap::Swap;

/// What an engine process does with its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Generates the profile.
    Tx,
    /// Receives and accounts for it.
    Rx,
    /// Sends back what it receives, addresses swapped ([`RunSpec::swap`]); ends when told, as a receiver.
    Reflect,
}

/// Whether the engine uses hugepages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Memory {
    /// Hugepages where enough are free, else ordinary pages with a warning; a PCI device gets no fallback.
    #[default]
    Auto,
    /// Hugepages or an error.
    Hugepages,
    /// Ordinary pages: slower, for machines without hugepages.
    NoHuge,
}

/// What the times in marks are read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MarkClock {
    /// The CPU's cycle counter: one clock on one host, none between hosts.
    #[default]
    Tsc,
    /// CLOCK_REALTIME, which the user says is disciplined (PTP) at both ends.
    Realtime {
        /// How much the two ends' clocks may differ, says the user.
        error_ns: u64,
    },
}

/// How many frames to keep of each kind, the first ones of the run; [`Dump::FRAMES_MAX`] together at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dump {
    /// Marked as ours but impossible.
    #[serde(default)]
    pub invalid: u16,
    /// Not ours.
    #[serde(default)]
    pub foreign: u16,
}

impl Dump {
    /// Of both kinds together: their bytes travel in the last word.
    pub const FRAMES_MAX: u16 = 256;
}

/// Who writes the checksums of what a sender generates; the frames are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Checksums {
    /// The worker, by difference.
    #[default]
    Software,
    /// The port, where it can.
    Nic,
}

impl Checksums {
    /// Whether it is this one, for `skip_serializing_if`.
    pub fn is_software(&self) -> bool {
        *self == Checksums::Software
    }
}

/// Everything an engine needs: `POST /v1/runs` carries one, and the agent hands it to the engine on standard
/// input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// [`super::VERSION`] of the sender.
    pub version: u32,
    /// Names the run at its agent: 1 to 64 of `a-z 0-9 - _`.
    pub id: String,
    /// What the engine does.
    pub role: Role,
    /// In the project's notation: `vdev:…`, `pci:…`, `iface:…`, `xdp:…` or `env`.
    pub device: String,
    /// What is sent, or what a receiver is to expect.
    pub profile: Profile,
    /// The mark's tag: frames of other runs carry another one and are foreign here.
    pub tag: u32,
    /// How many shards the sender cuts the profile into: its workers.
    pub tx_workers: u16,
    /// CPUs to use, main first; all that the process may run on when empty. May repeat a CPU on small test
    /// machines.
    #[serde(default)]
    pub lcores: Vec<u32>,
    /// Workers (RX queues, for a receiver); as many as there are CPUs left when not given.
    #[serde(default)]
    pub workers: Option<u16>,
    /// Descriptors of each queue.
    #[serde(default = "RunSpec::default_descriptors")]
    pub descriptors: u16,
    /// Frames a burst at most, 1…64.
    #[serde(default = "RunSpec::default_burst")]
    pub burst: u16,
    /// Hugepages or not.
    #[serde(default)]
    pub memory: Memory,
    /// MiB of DPDK memory; the stated formula's result when not given.
    #[serde(default)]
    pub socket_mem_mib: Option<u32>,
    /// Milliseconds between samples, 10…3,600,000.
    #[serde(default = "RunSpec::default_sample_interval_ms")]
    pub sample_interval_ms: u32,
    /// A receiver ends when told to stop and nothing has come for so long.
    #[serde(default = "RunSpec::default_drain_quiet_ms")]
    pub drain_quiet_ms: u32,
    /// …or after so long at the latest.
    #[serde(default = "RunSpec::default_drain_limit_ms")]
    pub drain_limit_ms: u32,
    /// A sender holds its port open so long behind the last frame, or until told to stop: closing a
    /// shared-memory port (memif) throws away what its peer has not read yet and pulls memory from under it,
    /// and a NIC drops what it has not sent.
    #[serde(default = "RunSpec::default_linger_ms")]
    pub linger_ms: u32,
    /// Seconds after which the engine ends by itself, whatever happens to those who could tell it to; bounds
    /// every run.
    #[serde(default = "RunSpec::default_limit_s")]
    pub limit_s: u32,
    /// What the marks' times are read from; both ends must be told the same.
    #[serde(default)]
    pub clock: MarkClock,
    /// Frames that a receiver keeps for people to look at.
    #[serde(default)]
    pub dump: Dump,
    /// The clock of the sender, for a receiver: latency is measured only where it is the receiver's own.
    #[serde(default)]
    pub tx_clock: Option<ClockId>,
    /// What a reflector swaps.
    #[serde(default, skip_serializing_if = "Swap::is_mac")]
    pub swap: Swap,
    /// A sender books what comes back to it: loss, order and round-trip latency by its own clock.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub round_trip: bool,
    /// The port's own addresses, which a sender or receiver answers ARP, echo and neighbour solicitations for,
    /// and announces at the start. Nothing is answered and nothing announced where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// Who writes a sender's checksums.
    #[serde(default, skip_serializing_if = "Checksums::is_software")]
    pub checksums: Checksums,
    /// So many flows' own books are told at the end, the worst first; none are kept with 0. Of those who book frames.
    #[serde(default, skip_serializing_if = "RunSpec::is_none")]
    pub per_flow: u32,
}

impl RunSpec {
    /// For `skip_serializing_if`.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    fn is_none(rows: &u32) -> bool {
        *rows == 0
    }
    /// 1024: what testpmd and the old system's `--txd/--rxd` ask of most NICs.
    pub fn default_descriptors() -> u16 {
        1024
    }
    /// 32, as testpmd.
    pub fn default_burst() -> u16 {
        64
    }
    /// One sample a second.
    pub fn default_sample_interval_ms() -> u32 {
        1000
    }
    /// 200 ms without a frame: longer than any queue on the way holds one.
    pub fn default_drain_quiet_ms() -> u32 {
        200
    }
    /// 2 s.
    pub fn default_drain_limit_ms() -> u32 {
        2000
    }
    /// 200 ms: a peer that polls needs microseconds, one that shares its CPU needs its turn.
    pub fn default_linger_ms() -> u32 {
        200
    }
    /// A day.
    pub fn default_limit_s() -> u32 {
        86_400
    }
}

/// Agent → engine, one JSON line each on standard input, after the [`RunSpec`] line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Begin to send or to count; a second one is ignored.
    Start,
    /// End: a sender stops sending at once and holds its port open, a receiver ends after its drain. To a
    /// sender that is done sending: close the port.
    Stop,
    /// A paced sender goes on at this part of its profile's rate.
    Rate {
        /// In thousandths: 1, [`Command::RATE_PER_MILLE_MAX`] at most.
        per_mille: u32,
    },
}

impl Command {
    /// Ten times what the profile says.
    pub const RATE_PER_MILLE_MAX: u32 = 10_000;
}

/// Engine → agent, one JSON line each on standard output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The port is up and the workers wait for [`Command::Start`].
    Ready(Box<Ready>),
    /// The start was obeyed: from here on every frame counts. A sender is started when its receiver has said
    /// this.
    Started {
        /// Wall clock, nanoseconds since 1970 (UTC).
        unix_ns: u64,
    },
    /// One tick.
    Sample(Box<Sample>),
    /// A sender is done sending and holds its port open, so that the receiver can end first: until told to
    /// stop, or [`RunSpec::linger_ms`].
    Sent,
    /// The run is over; nothing follows.
    Done(Box<Summary>),
    /// The run failed; nothing follows.
    Failed {
        /// What, with which value, and what to do next.
        error: String,
    },
}

/// What came of the preparation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ready {
    /// Of the engine process.
    pub pid: u32,
    /// As DPDK says it, e.g. `DPDK 22.11.11`.
    pub dpdk_version: String,
    /// The device, as asked.
    pub device: String,
    /// DPDK's name of the port.
    pub port_name: String,
    /// The driver, e.g. `net_memif`.
    pub driver: String,
    /// The port's own address.
    pub mac: Mac,
    /// Link state at start.
    pub link_up: bool,
    /// Mbit/s; 0 where the driver does not know.
    pub link_mbps: u32,
    /// NUMA node of the port; -1 where there is none.
    pub numa_node: i32,
    /// CPU of the main core.
    pub main_cpu: u32,
    /// CPU of each worker.
    pub worker_cpus: Vec<u32>,
    /// Queues that the port was given, RX then TX.
    pub queues: [u16; 2],
    /// Descriptors that each has, RX then TX.
    pub descriptors: [u16; 2],
    /// Packets a second asked of the whole port; none for `max` and for receivers.
    pub requested_pps: Option<f64>,
    /// Distinct flows the profile has.
    pub flows: u64,
    /// Whether frames carry the mark.
    pub stamped: bool,
    /// What RSS hashes to spread frames over several RX queues, as read back from the port; empty without RSS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rss: Vec<String>,
    /// Ethernet flow control as the driver tells it: `off`, `rx`, `tx` or `rx and tx`; none where it does not.
    #[serde(default)]
    pub flow_control: Option<String>,
    /// Version of the NIC's firmware as its driver tells it; none where it does not.
    #[serde(default)]
    pub firmware: Option<String>,
    /// Who writes their checksums; none for those who send nothing of their own.
    #[serde(default)]
    pub checksums: Option<Checksums>,
    /// The clock that marks are made with.
    pub clock: ClockId,
    /// What DPDK was given: `hugepages` or `ordinary pages`, and MiB.
    pub memory: String,
    /// From the start of the process to here.
    pub startup_ms: u32,
    /// For the user's eyes; not fatal.
    pub warnings: Vec<String>,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// The engine starts.
    Preparing,
    /// Waits for start.
    Ready,
    /// Sends or counts.
    Running,
    /// A sender that is done sending and holds its port open.
    Sent,
    /// Told to stop; drains.
    Stopping,
    /// Over, with a summary.
    Done,
    /// Over, with an error.
    Failed,
}

impl RunState {
    /// Whether nothing more will come.
    pub fn is_over(self) -> bool {
        matches!(self, RunState::Done | RunState::Failed)
    }
}

/// `GET /v1/runs/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunStatus {
    /// The run's name.
    pub id: String,
    /// What it was asked.
    pub role: Role,
    /// Where it is.
    pub state: RunState,
    /// Once ready.
    pub ready: Option<Box<Ready>>,
    /// When the start was obeyed: wall clock, nanoseconds since 1970 (UTC).
    #[serde(default)]
    pub started_unix_ns: Option<u64>,
    /// Samples taken so far: the next one's number.
    pub samples: u64,
    /// Once done.
    pub summary: Option<Box<Summary>>,
    /// Once failed: what, and what to do next.
    pub error: Option<String>,
}
