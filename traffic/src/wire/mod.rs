//! What the processes say to each other: the orchestrator and the agent over HTTP, the agent and the engine
//! over pipes, all as JSON. Any change here changes [`VERSION`].
//!
//! Counters are cumulative since the start of the run, so that a lost sample loses nothing but resolution.
//! Bytes are frames **without** the FCS, as DPDK counts them.

pub mod inventory;
pub mod next_hop;
pub mod run;
pub mod sample;
pub mod summary;

pub use inventory::{
    ClockId, CoreInfo, DeviceInfo, Health, HugepageLimit, HugepageMount, HugepagePool, InterfaceInfo,
    Inventory, Iommu, NodeMemory,
};
pub use next_hop::NextHop;
pub use run::{
    Checksums, Command, Dump, Event, MarkClock, Memory, Ready, Role, RunSpec, RunState, RunStatus,
};
pub use sample::{Account, CoreCounters, PortStats, Sample, StreamCounters};
pub use summary::{
    Departures, DumpKind, DumpedFrame, Ended, FlowBook, Latency, Pacing, RxQueueShare, RxShard, Summary,
    TxShard,
};

/// Spoken by both sides; they refuse each other when it differs.
pub const VERSION: u32 = 3;
