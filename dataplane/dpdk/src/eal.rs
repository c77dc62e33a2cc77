//! The Environment Abstraction Layer: started once a process, from typed settings.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::{EalConfig, Iova};
use crate::errno::Errno;
use crate::log::{self, LogTail};
use crate::port::{self, PortId};

static TRIED: AtomicBool = AtomicBool::new(false);

/// Why EAL did not start.
#[derive(Debug, thiserror::Error)]
pub enum EalError {
    /// DPDK can be started once in the life of a process, even when that failed.
    #[error("EAL was started before in this process; DPDK can do so only once: start a new process")]
    AlreadyTried,
    /// An argument has a NUL byte in it.
    #[error("EAL argument {argument:?} has a NUL byte in it: remove it")]
    Argument {
        /// The argument.
        argument: String,
    },
    /// The log could not be set up.
    #[error("cannot capture DPDK's log: {0}")]
    Log(Errno),
    /// `rte_eal_init` failed.
    #[error("EAL did not start: {errno}\narguments: {}{log}\n{}", argv.join(" "), next_step(log))]
    Init {
        /// What DPDK said.
        errno: Errno,
        /// What it was called with.
        argv: Vec<String>,
        /// Its last log lines.
        log: LogTail,
    },
    /// EAL is up, but a device that was asked for is not there. DPDK itself only logs this.
    #[error("EAL started without the device {device}\narguments: {}{log}\n{}", argv.join(" "), device_step(device, log))]
    Device {
        /// The device, as it was asked for.
        device: String,
        /// What EAL was called with.
        argv: Vec<String>,
        /// Its last log lines.
        log: LogTail,
    },
}

/// What an operator can do about the usual causes, told by the log.
fn next_step(log: &LogTail) -> &'static str {
    let log = log.as_str();
    if log.contains("parse device") {
        "next: no driver knows a device of these arguments: check its name, and that its driver is installed (librte_net_*.so)"
    } else if log.contains("hugepage") || log.contains("Cannot init memory") || log.contains("enough memory")
    {
        "next: check HugePages_Free in /proc/meminfo (in a pod: the limits hugepages-2Mi or hugepages-1Gi and memory), \
         ask for less memory, or run without hugepages"
    } else if log.contains("lcore") || log.contains("cpuset") || log.contains("affinity") {
        "next: the main CPU must be in the process's cpuset (Cpus_allowed_list in /proc/self/status)"
    } else if log.contains("already in use") || log.contains("primary process") || log.contains("lock") {
        "next: another DPDK process uses this file prefix: choose another one, or stop that process"
    } else {
        "next: start with log level debug to see more"
    }
}

fn device_step(device: &str, log: &LogTail) -> &'static str {
    if log.as_str().contains("Address already in use") {
        "next: the device is in use: another process serves this socket; end that process, or name another socket="
    } else if device.starts_with("net_af_packet") || device.starts_with("net_af_xdp") {
        "next: check that the interface exists in this network namespace (ip link) and that the process has CAP_NET_RAW \
         (af_xdp: CAP_NET_ADMIN and CAP_BPF as well)"
    } else if device.starts_with("net_") || device.starts_with("eth_") {
        "next: check the name and the arguments of the vdev, and that its driver is installed (librte_net_*.so)"
    } else {
        "next: check that the PCI address exists (lspci -D), that it is bound to vfio-pci or to its vendor's driver, and that \
         /dev/vfio is visible here"
    }
}

/// EAL, running. The thread that started it is DPDK's main lcore and the only one that this value lives on;
/// workers get an [`EalHandle`]. Dropping it closes all ports and ends DPDK in this process for good.
#[derive(Debug)]
pub struct Eal {
    argv: Vec<String>,
    has_files: bool,
    /// Ports given out; each only once, as closing it takes it away for good.
    taken: RefCell<Vec<PortId>>,
    /// Not `Send`, not `Sync`: EAL is bound to the thread that started it.
    _main_thread: PhantomData<*mut ()>,
}

/// Proof that EAL is up, for any thread that cannot outlive it.
#[derive(Clone, Copy, Debug)]
pub struct EalHandle<'e> {
    _eal: PhantomData<&'e ()>,
}

impl Eal {
    /// Starts EAL and checks that every device that was asked for is there.
    pub fn init(config: &EalConfig) -> Result<Self, EalError> {
        let argv = config.argv();
        let mut pointers = leak_argv(&argv)?;
        if TRIED.swap(true, Ordering::SeqCst) {
            return Err(EalError::AlreadyTried);
        }
        log::capture(config.log_sink).map_err(EalError::Log)?;
        let count = i32::try_from(argv.len()).unwrap_or(i32::MAX);
        // SAFETY: `pointers` are `count` C strings followed by NULL, which live as long as the process
        // because EAL keeps some of them; no other thread is in here, by TRIED.
        if unsafe { dpdk_sys::rte_eal_init(count, pointers.as_mut_ptr()) } < 0 {
            return Err(EalError::Init { errno: Errno::last(), argv, log: LogTail::now() });
        }
        let eal =
            Self { argv, has_files: !config.in_memory, taken: RefCell::default(), _main_thread: PhantomData };
        match config.devices().find(|device| !eal.has_device(device)) {
            None => Ok(eal),
            Some(device) => Err(EalError::Device {
                device: device.to_owned(),
                argv: eal.argv.clone(),
                log: LogTail::now(),
            }),
        }
    }

    /// What DPDK was called with.
    pub fn argv(&self) -> &[String] {
        &self.argv
    }

    /// How devices see memory: what EAL has chosen.
    pub fn iova(&self) -> Iova {
        // SAFETY: EAL is up.
        if unsafe { dpdk_sys::rte_eal_iova_mode() } == dpdk_sys::SHIM_IOVA_VA {
            Iova::Virtual
        } else {
            Iova::Physical
        }
    }

    /// A copy of the proof that EAL is up, for worker threads.
    pub fn handle(&self) -> EalHandle<'_> {
        EalHandle { _eal: PhantomData }
    }

    /// All ports that DPDK knows, in its order.
    pub fn ports(&self) -> Vec<PortId> {
        let mut ports = Vec::new();
        let mut next = 0;
        loop {
            // SAFETY: EAL is up; any number is a valid place to start from.
            next = unsafe { dpdk_sys::rte_eth_find_next(next) };
            if u32::from(next) >= dpdk_sys::RTE_MAX_ETHPORTS {
                return ports;
            }
            ports.push(PortId(next));
            next += 1;
        }
    }

    /// The port of a device: a PCI address (`0000:03:00.0`) or a vdev (`net_null0`; arguments after a comma
    /// do not count). The first one where a device has several.
    pub fn port_by_device(&self, device: &str) -> Option<PortId> {
        let name = device.split(',').next().unwrap_or(device);
        self.ports().into_iter().find(|port| {
            port.name().is_some_and(|found| found == name)
                || self.device_info(*port).is_ok_and(|info| info.device.as_deref() == Some(name))
        })
    }

    fn has_device(&self, device: &str) -> bool {
        self.port_by_device(device).is_some()
    }

    /// Gives a port out, once.
    pub(crate) fn take_port(&self, port: PortId) -> bool {
        let mut taken = self.taken.borrow_mut();
        let free = !taken.contains(&port);
        if free {
            taken.push(port);
        }
        free
    }
}

impl Drop for Eal {
    fn drop(&mut self) {
        for port in self.ports() {
            port::close(port);
        }
        // rte_eal_cleanup unmaps memory under DPDK's own interrupt thread, without a word to it: a process
        // with a memif crashed there once in thirty (22.11). What it is for, files that other processes
        // share, is not there when all is in memory; the end of the process does the rest.
        if self.has_files {
            // SAFETY: ports, pools, bursts and guards borrow from this value, so none of them is left.
            unsafe { dpdk_sys::rte_eal_cleanup() };
        }
    }
}

/// The arguments as C wants them: one NULL-terminated array of strings, never freed, since EAL keeps pointers
/// into it.
fn leak_argv(argv: &[String]) -> Result<Vec<*mut c_char>, EalError> {
    let strings = argv
        .iter()
        .map(|argument| {
            CString::new(argument.as_str()).map_err(|_| EalError::Argument { argument: argument.clone() })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut pointers: Vec<_> = strings.into_iter().map(CString::into_raw).collect();
    pointers.push(std::ptr::null_mut());
    Ok(pointers)
}

/// The version of the DPDK that this program was built with, as "DPDK 22.11.3".
pub fn version() -> String {
    // SAFETY: returns a static C string and needs no EAL.
    let text = unsafe { std::ffi::CStr::from_ptr(dpdk_sys::shim_version()) };
    text.to_string_lossy().into_owned()
}
