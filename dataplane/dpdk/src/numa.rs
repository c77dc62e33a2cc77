//! Numbers that are easily confused, each with a type of its own.

use std::fmt;

/// A NUMA node, as DPDK's "socket".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub u32);

/// A CPU as the operating system numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CpuId(pub u32);

/// A thread as DPDK numbers it: the index of its caches in every mempool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LcoreId(pub u32);

/// Whether the kernel tells this process where its memory is. DPDK refuses every hugepage whose node it can't learn;
/// the seccomp profiles of container runtimes allow the question only to those who have CAP_SYS_NICE.
pub fn may_ask_for_nodes() -> bool {
    let nowhere = std::ptr::null_mut::<libc::c_int>();
    // SAFETY: get_mempolicy(2) writes through none of these null pointers when it is asked for nothing.
    let answer =
        unsafe { libc::syscall(libc::SYS_get_mempolicy, nowhere, nowhere, 0_usize, nowhere, 0_usize) };
    answer == 0 || std::io::Error::last_os_error().raw_os_error() != Some(libc::EPERM)
}

impl SocketId {
    /// What DPDK says of a device: -1 (any) where the machine has one node or the device none.
    pub(crate) fn from_raw(raw: i32) -> Option<Self> {
        u32::try_from(raw).ok().map(Self)
    }

    pub(crate) fn to_raw(socket: Option<Self>) -> i32 {
        socket.and_then(|socket| i32::try_from(socket.0).ok()).unwrap_or(dpdk_sys::SHIM_SOCKET_ANY)
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

impl fmt::Display for CpuId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

impl fmt::Display for LcoreId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}
