//! Worker threads: our own, pinned to a CPU and known to DPDK.

use std::marker::PhantomData;

use crate::eal::EalHandle;
use crate::errno::Errno;
use crate::numa::{CpuId, LcoreId};

/// What DPDK calls `LCORE_ID_ANY`.
const NOT_AN_LCORE: u32 = u32::MAX;

/// Why a thread could not become a worker.
#[derive(Debug, thiserror::Error)]
pub enum LcoreError {
    /// The operating system refused.
    #[error(
        "cannot pin a worker to CPU {cpu}: {source}. \
         The CPU must be in the process's cpuset (see Cpus_allowed_list in /proc/self/status)"
    )]
    Pin {
        /// The CPU asked for.
        cpu: CpuId,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// It is one already.
    #[error(
        "this thread is lcore {lcore} of DPDK already: give each worker a thread of its own, never EAL's main thread"
    )]
    Already {
        /// What the thread is.
        lcore: LcoreId,
    },
    /// DPDK refused.
    #[error(
        "cannot register the worker on CPU {cpu} with DPDK: {errno}. DPDK knows at most {max} threads, \
         and none beside its own once a secondary process has attached",
        max = dpdk_sys::RTE_MAX_LCORE
    )]
    Register {
        /// The CPU the thread is pinned to.
        cpu: CpuId,
        /// What DPDK said.
        errno: Errno,
    },
}

/// The calling thread is a worker for as long as this lives. It stays on its thread.
#[derive(Debug)]
#[must_use = "the thread is unregistered when this is dropped"]
pub struct WorkerGuard<'e> {
    cpu: CpuId,
    lcore: LcoreId,
    /// Not `Send`: unregistering is for the thread that registered.
    _on_this_thread: PhantomData<(&'e (), *mut ())>,
}

/// Pins the calling thread to a CPU and registers it with DPDK, which gives it mempool caches of its own.
pub fn register_worker(_eal: EalHandle<'_>, cpu: CpuId) -> Result<WorkerGuard<'_>, LcoreError> {
    // SAFETY: reads a thread-local integer.
    let lcore = unsafe { dpdk_sys::shim_lcore_id() };
    if lcore != NOT_AN_LCORE {
        return Err(LcoreError::Already { lcore: LcoreId(lcore) });
    }
    if !core_affinity::set_for_current(core_affinity::CoreId { id: cpu.0 as usize }) {
        return Err(LcoreError::Pin { cpu, source: std::io::Error::last_os_error() });
    }
    // SAFETY: EAL is up (the handle says so), and this thread is neither EAL's own nor registered (checked
    // above).
    if unsafe { dpdk_sys::rte_thread_register() } != 0 {
        return Err(LcoreError::Register { cpu, errno: Errno::last() });
    }
    // SAFETY: reads a thread-local integer.
    let lcore = LcoreId(unsafe { dpdk_sys::shim_lcore_id() });
    Ok(WorkerGuard { cpu, lcore, _on_this_thread: PhantomData })
}

impl WorkerGuard<'_> {
    /// The CPU that this thread is pinned to.
    pub fn cpu(&self) -> CpuId {
        self.cpu
    }

    /// The number that DPDK gave to this thread.
    pub fn lcore(&self) -> LcoreId {
        self.lcore
    }
}

impl Drop for WorkerGuard<'_> {
    fn drop(&mut self) {
        // SAFETY: this thread registered itself and the guard cannot leave it; EAL outlives the guard.
        unsafe { dpdk_sys::rte_thread_unregister() };
    }
}
