//! A safe wrapper of the DPDK calls that dpdk-k8s-bench needs. The only hand-written `unsafe` of the project.
//!
//! What the types hold to:
//! - [`Eal`] outlives all else by lifetimes; it stays on the thread that started it, workers get an
//!   [`EalHandle`].
//! - A queue is a value: made once by [`PortBuilder::start`], `Send`, not `Clone`, `&mut self` to use.
//! - A burst owns its mbufs; what is sent leaves it, the rest stays in order, dropping it takes all of them
//!   home.
//! - A port is stopped and closed when the last of it and its queues is dropped, in whatever order.
//! - One call into DPDK a burst, none a packet.
//!
//! Read in this order: `config` → `eal` → `mempool` → `mbuf` → `configure` → `port` → `queue` → `burst`.

#![allow(unsafe_code, reason = "this crate is the border to DPDK; each block says why it holds")]

mod burst;
mod config;
mod configure;
mod device;
mod eal;
mod errno;
mod lcore;
mod log;
mod mbuf;
mod mempool;
mod numa;
mod offload;
mod port;
mod queue;
mod rss;
mod stats;
#[cfg(feature = "testing")]
pub mod testing;
mod tsc;

pub use burst::{RxBurst, TxBurst};
pub use config::{EalConfig, Iova, Memory};
pub use configure::{Chosen, PortBuilder, PortConfig, Rss};
pub use device::{DescriptorLimits, DevInfo, Mac};
pub use eal::{Eal, EalError, EalHandle, version};
pub use errno::Errno;
pub use lcore::{LcoreError, WorkerGuard, register_worker};
pub use log::{LogLevel, LogSink, LogTail};
pub use mbuf::{FrameMut, MIN_ROOM};
pub use mempool::{FramePool, Mempool, MempoolConfig, MempoolError};
pub use numa::{CpuId, LcoreId, SocketId, may_ask_for_nodes};
pub use offload::{FrameOffload, L4Checksum, TxOffloads};
pub use port::{FlowControl, Link, Port, PortError, PortId};
pub use queue::{RxQueue, TxQueue};
pub use stats::{PortStats, QueueStats, Xstats};
pub use tsc::{tsc, tsc_hz, tsc_is_invariant};
