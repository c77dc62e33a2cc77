//! What EAL is told, as types instead of arguments.

use crate::log::{LogLevel, LogSink};
use crate::numa::CpuId;

/// Where packet memory comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Hugepages, taken as needed.
    Hugepages {
        /// MiB to take at the start on each NUMA node, in order. Empty: none, grow on demand.
        socket_mib: Vec<u32>,
        /// MiB that may be taken on each NUMA node, in order. Empty: no limit.
        limit_mib: Vec<u32>,
    },
    /// Ordinary memory of this many MiB, all taken at the start. No NIC that does DMA works with it, unless
    /// there is an IOMMU.
    NoHuge {
        /// MiB.
        mib: u32,
    },
}

/// How devices see memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Iova {
    /// By physical address; needs root.
    Physical,
    /// By virtual address; needs an IOMMU, or devices that are only software.
    Virtual,
}

impl std::fmt::Display for Iova {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Physical => "physical addresses",
            Self::Virtual => "virtual addresses",
        })
    }
}

/// What EAL is started with.
///
/// Only the main lcore is EAL's. Workers are threads of ours: see [`crate::register_worker`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EalConfig {
    /// The program's name in DPDK's log.
    pub program: String,
    /// The CPU of the main lcore; EAL pins the calling thread to it. None: the first that the process may
    /// use.
    pub main_cpu: Option<CpuId>,
    /// Packet memory.
    pub memory: Memory,
    /// No files on disk or in hugetlbfs: nothing to clean up, several processes side by side. The default.
    /// Without hugepages DPDK has no such mode, and gets `--no-shconf` instead.
    pub in_memory: bool,
    /// One file per NUMA node instead of one a page: memif zero-copy and vhost need it.
    pub single_file_segments: bool,
    /// Names the files of this process apart from other DPDK processes.
    pub file_prefix: Option<String>,
    /// How devices see memory. None: as DPDK finds best.
    pub iova: Option<Iova>,
    /// PCI devices to use, with their arguments if any (`0000:03:00.0`). Empty: no PCI bus at all.
    pub pci: Vec<String>,
    /// Virtual devices to create (`net_null0,size=64`).
    pub vdevs: Vec<String>,
    /// DPDK's log level.
    pub log_level: LogLevel,
    /// Where its log goes.
    pub log_sink: LogSink,
    /// DPDK's telemetry socket and thread.
    pub telemetry: bool,
    /// More arguments, as they are, after all others.
    pub extra: Vec<String>,
}

impl Default for EalConfig {
    fn default() -> Self {
        Self {
            program: "dataplane".to_owned(),
            main_cpu: None,
            memory: Memory::Hugepages { socket_mib: Vec::new(), limit_mib: Vec::new() },
            in_memory: true,
            single_file_segments: false,
            file_prefix: None,
            iova: None,
            pci: Vec::new(),
            vdevs: Vec::new(),
            log_level: LogLevel::default(),
            log_sink: LogSink::default(),
            telemetry: false,
            extra: Vec::new(),
        }
    }
}

impl EalConfig {
    /// The devices that must be there once EAL is up, by the name that their port or device has.
    pub(crate) fn devices(&self) -> impl Iterator<Item = &str> {
        self.pci.iter().chain(&self.vdevs).map(String::as_str)
    }

    /// The command line that this stands for, program name first.
    pub fn argv(&self) -> Vec<String> {
        let mut argv = vec![self.program.clone()];
        let cpu = self.main_cpu.or_else(first_allowed_cpu).unwrap_or(CpuId(0));
        argv.push(format!("--lcores=0@{cpu}"));
        self.push_memory(&mut argv);
        if let Some(prefix) = &self.file_prefix {
            argv.push(format!("--file-prefix={prefix}"));
        }
        match self.iova {
            Some(Iova::Physical) => argv.push("--iova-mode=pa".to_owned()),
            Some(Iova::Virtual) => argv.push("--iova-mode=va".to_owned()),
            None => {}
        }
        if self.pci.is_empty() {
            argv.push("--no-pci".to_owned());
        }
        argv.extend(self.pci.iter().map(|device| format!("--allow={device}")));
        argv.extend(self.vdevs.iter().map(|device| format!("--vdev={device}")));
        argv.push(format!("--log-level={}", self.log_level.name()));
        if !self.telemetry {
            argv.push("--no-telemetry".to_owned());
        }
        argv.extend(self.extra.iter().cloned());
        argv
    }

    fn push_memory(&self, argv: &mut Vec<String>) {
        match &self.memory {
            Memory::Hugepages { socket_mib, limit_mib } => {
                if self.in_memory {
                    argv.push("--in-memory".to_owned());
                }
                if !socket_mib.is_empty() {
                    argv.push(format!("--socket-mem={}", joined(socket_mib)));
                }
                if !limit_mib.is_empty() {
                    argv.push(format!("--socket-limit={}", joined(limit_mib)));
                }
            }
            Memory::NoHuge { mib } => {
                argv.extend(["--no-huge".to_owned(), "-m".to_owned(), mib.to_string()]);
                if self.in_memory {
                    argv.push("--no-shconf".to_owned());
                }
            }
        }
        if self.single_file_segments {
            argv.push("--single-file-segments".to_owned());
        }
    }
}

fn joined(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

fn first_allowed_cpu() -> Option<CpuId> {
    let first = core_affinity::get_core_ids()?.into_iter().map(|core| core.id).min()?;
    u32::try_from(first).ok().map(CpuId)
}
