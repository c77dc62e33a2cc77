//! A started port: control and numbers. Packets go through its queues.

use std::cell::Cell;
use std::ffi::{CStr, c_char};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::configure::Chosen;
use crate::device::{self, DevInfo};
use crate::eal::EalHandle;
use crate::errno::{Errno, check};
use crate::log::LogTail;

/// The longest name of a port, with its NUL (`RTE_ETH_NAME_MAX_LEN`), doubled for later releases.
const NAME_BYTES: usize = 128;

/// More than any driver writes.
const FIRMWARE_BYTES: usize = 128;

/// A port as DPDK numbers it. Got from [`crate::Eal::ports`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortId(pub(crate) u16);

impl PortId {
    /// DPDK's number.
    pub fn number(self) -> u16 {
        self.0
    }

    /// Its name, while it is open.
    pub(crate) fn name(self) -> Option<String> {
        let mut name: [c_char; NAME_BYTES] = [0; NAME_BYTES];
        // SAFETY: DPDK checks the number, and writes no more than RTE_ETH_NAME_MAX_LEN (64) bytes.
        check(unsafe { dpdk_sys::rte_eth_dev_get_name_by_port(self.0, name.as_mut_ptr()) }).ok()?;
        // SAFETY: a C string, as the call succeeded; the last byte is 0 in any case.
        Some(unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned())
    }
}

impl fmt::Display for PortId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "port {}", self.0)
    }
}

/// What went wrong with a port.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// It was given out before.
    #[error("{port} was configured before; a closed port does not come back: start a new process")]
    Taken {
        /// The port.
        port: String,
    },
    /// Nothing was asked of it.
    #[error("{port}: neither RX nor TX queues were asked for; ask for one at least")]
    NoQueues {
        /// The port.
        port: String,
    },
    /// More queues than it has.
    #[error(
        "{port}: {asked} {direction} queues were asked for, its driver {driver} has {max} at most: ask for {max}"
    )]
    Queues {
        /// The port.
        port: String,
        /// RX or TX.
        direction: &'static str,
        /// Queues asked for.
        asked: u16,
        /// Queues there are.
        max: u16,
        /// Its driver.
        driver: String,
    },
    /// An MTU that it does not have.
    #[error("{port}: an MTU of {asked} bytes is not possible, its driver {driver} takes {min} to {max}")]
    Mtu {
        /// The port.
        port: String,
        /// Bytes asked for.
        asked: u16,
        /// The smallest.
        min: u16,
        /// The largest.
        max: u16,
        /// Its driver.
        driver: String,
    },
    /// Received frames would not fit.
    #[error(
        "{port}: frames of {needed} bytes do not fit the {room} bytes of mempool {pool}: give it that much room"
    )]
    Room {
        /// The port.
        port: String,
        /// Bytes that may come.
        needed: u32,
        /// Bytes that fit.
        room: u16,
        /// The pool.
        pool: String,
    },
    /// Queues were set up in another number than configured.
    #[error("{port}: {done} of {asked} {direction} queues were set up: set up all before start, and no more")]
    Incomplete {
        /// The port.
        port: String,
        /// RX or TX.
        direction: &'static str,
        /// Queues set up.
        done: u16,
        /// Queues configured.
        asked: u16,
    },
    /// DPDK or the driver refused.
    #[error("{port}: cannot {action}: {errno}{log}{}", refused_step(log))]
    Refused {
        /// The port.
        port: String,
        /// What was tried.
        action: &'static str,
        /// What DPDK said.
        errno: Errno,
        /// Its last log lines, where drivers say more.
        log: LogTail,
    },
}

/// What to do about a refusal, where the driver's words show it.
fn refused_step(log: &LogTail) -> &'static str {
    if log.as_str().contains("Failed to connect socket") {
        "\nnext: nobody serves this socket: start the end with role=server (the receiver) first, or name its socket="
    } else {
        ""
    }
}

/// "port 0 (net_null0)", for messages.
pub(crate) fn label(port: PortId) -> String {
    port.name().map_or_else(|| port.to_string(), |name| format!("{port} ({name})"))
}

pub(crate) fn failed(port: PortId, action: &'static str, errno: Errno) -> PortError {
    PortError::Refused { port: label(port), action, errno, log: LogTail::now() }
}

/// A configured port, held by its [`Port`] and by every queue of it: stopped and closed when the last of them
/// goes.
#[derive(Debug)]
pub(crate) struct OpenPort<'e> {
    pub(crate) id: PortId,
    pub(crate) name: String,
    pub(crate) eal: EalHandle<'e>,
}

impl Drop for OpenPort<'_> {
    fn drop(&mut self) {
        // No queue is left that could be polled.
        close(self.id);
    }
}

/// Stops and closes a port that nobody polls. There is nobody to tell of a failure: it is gone in any case.
pub(crate) fn close(port: PortId) {
    // SAFETY: DPDK checks the number, and stopping what is not started is allowed. The callers see to it that
    // no queue of the port is in use.
    unsafe {
        dpdk_sys::rte_eth_dev_stop(port.0);
        dpdk_sys::rte_eth_dev_close(port.0);
    }
}

/// A link's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Whether it is up.
    pub up: bool,
    /// Mbit/s. None: the driver does not know.
    pub speed_mbps: Option<u32>,
    /// Whether both sides send at once.
    pub full_duplex: bool,
}

/// Which pause frames a port obeys and sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowControl {
    /// It stops sending when told to.
    pub rx: bool,
    /// It tells the other end to stop.
    pub tx: bool,
}

/// A started port. It is for one thread at a time: the main one.
#[derive(Debug)]
pub struct Port<'e> {
    pub(crate) open: Arc<OpenPort<'e>>,
    pub(crate) chosen: Chosen,
    pub(crate) _one_thread: PhantomData<Cell<()>>,
}

impl Port<'_> {
    /// Its number.
    pub fn id(&self) -> PortId {
        self.open.id
    }

    /// Its name: a PCI address or a vdev.
    pub fn name(&self) -> &str {
        &self.open.name
    }

    /// What was made of its configuration.
    pub fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// What its device says of itself.
    pub fn device_info(&self) -> Result<DevInfo, PortError> {
        device::read(self.id())
    }

    /// Its link, as the driver last saw it. Does not wait.
    pub fn link(&self) -> Result<Link, PortError> {
        /// DPDK's "unknown speed" (`RTE_ETH_SPEED_NUM_UNKNOWN`).
        const UNKNOWN: u32 = u32::MAX;
        let mut raw = dpdk_sys::shim_link { speed_mbps: 0, up: 0, full_duplex: 0 };
        // SAFETY: the port is open; `raw` is a valid place to write to.
        self.check("read the link", unsafe { dpdk_sys::shim_link_get_nowait(self.id().0, &raw mut raw) })?;
        Ok(Link {
            up: raw.up != 0,
            speed_mbps: Some(raw.speed_mbps).filter(|speed| *speed != 0 && *speed != UNKNOWN),
            full_duplex: raw.full_duplex != 0,
        })
    }

    /// Ethernet flow control (802.3x) as the driver tells it; none where it does not.
    pub fn flow_control(&self) -> Option<FlowControl> {
        // SAFETY: plain C data, for which zeroes are valid.
        let mut raw = unsafe { std::mem::MaybeUninit::<dpdk_sys::rte_eth_fc_conf>::zeroed().assume_init() };
        // SAFETY: the port is open; `raw` is a valid place to write to.
        check(unsafe { dpdk_sys::rte_eth_dev_flow_ctrl_get(self.id().0, &raw mut raw) }).ok()?;
        match raw.mode {
            dpdk_sys::SHIM_FC_NONE => Some(FlowControl { rx: false, tx: false }),
            dpdk_sys::SHIM_FC_RX_PAUSE => Some(FlowControl { rx: true, tx: false }),
            dpdk_sys::SHIM_FC_TX_PAUSE => Some(FlowControl { rx: false, tx: true }),
            dpdk_sys::SHIM_FC_FULL => Some(FlowControl { rx: true, tx: true }),
            _ => None,
        }
    }

    /// The version of the NIC's firmware as its driver tells it; none where it does not.
    pub fn firmware(&self) -> Option<String> {
        let mut text = [0u8; FIRMWARE_BYTES];
        // SAFETY: the port is open, and `text` has as many bytes as are said.
        let done = unsafe {
            dpdk_sys::rte_eth_dev_fw_version_get(self.id().0, text.as_mut_ptr().cast(), text.len())
        };
        check(done).ok()?;
        let text = CStr::from_bytes_until_nul(&text).ok()?.to_string_lossy();
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Takes the link up.
    pub fn set_link_up(&self) -> Result<(), PortError> {
        // SAFETY: the port is open.
        self.check("take the link up", unsafe { dpdk_sys::rte_eth_dev_set_link_up(self.id().0) })
    }

    /// Takes the link down.
    pub fn set_link_down(&self) -> Result<(), PortError> {
        // SAFETY: the port is open.
        self.check("take the link down", unsafe { dpdk_sys::rte_eth_dev_set_link_down(self.id().0) })
    }

    /// Receives what is addressed to others, or no longer does.
    pub fn set_promiscuous(&self, on: bool) -> Result<(), PortError> {
        // SAFETY: the port is open.
        let status = unsafe {
            if on {
                dpdk_sys::rte_eth_promiscuous_enable(self.id().0)
            } else {
                dpdk_sys::rte_eth_promiscuous_disable(self.id().0)
            }
        };
        self.check("set promiscuous mode", status)
    }

    /// Whether it receives what is addressed to others.
    pub fn is_promiscuous(&self) -> bool {
        // SAFETY: the port is open.
        unsafe { dpdk_sys::rte_eth_promiscuous_get(self.id().0) == 1 }
    }

    /// Its MTU, bytes.
    pub fn mtu(&self) -> Result<u16, PortError> {
        let mut mtu = 0;
        // SAFETY: the port is open; `mtu` is a valid place to write to.
        self.check("read the MTU", unsafe { dpdk_sys::rte_eth_dev_get_mtu(self.id().0, &raw mut mtu) })?;
        Ok(mtu)
    }

    pub(crate) fn check(&self, action: &'static str, status: i32) -> Result<(), PortError> {
        check(status).map(drop).map_err(|errno| failed(self.id(), action, errno))
    }
}
