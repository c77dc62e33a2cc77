//! Why a run can't be: each with the value and the next step.

use traffic::device::DeviceError;
use traffic::fault::Faults;

use crate::inventory::cpus::CpuError;

/// A run's failure.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another release on the other side.
    #[error(
        "the run was asked in version {theirs} of the protocol, this dataplane speaks {ours}: use one release on both sides"
    )]
    Version {
        /// The spec's.
        theirs: u32,
        /// This binary's.
        ours: u32,
    },
    /// A number outside its bounds.
    #[error("{what} is {value}: it must be {allowed}")]
    Spec {
        /// The setting.
        what: &'static str,
        /// As given.
        value: String,
        /// As it must be.
        allowed: &'static str,
    },
    /// A receiver's queue without a ring of its own would read another's again.
    #[error(
        "a memif joins each queue of its receiver to one of its sender: {workers} receiving workers are too many for {tx_workers} sending \
         ones (--tx-workers; --tx-num-core of the orchestrator): receive with at most {tx_workers}, or send with {workers}"
    )]
    MemifQueues {
        /// That were asked to receive.
        workers: u16,
        /// That send.
        tx_workers: u16,
    },
    /// The profile has faults: all of them.
    #[error(transparent)]
    Profile(#[from] Faults),
    /// The profile's capture.
    #[error(transparent)]
    Replay(#[from] traffic::replay::ReplayError),
    /// Not in the project's notation.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// `env` without variables.
    #[error(
        "device env: no PCIDEVICE_* variable is set, so the SR-IOV device plugin gave this container no device: ask for the \
         resource in the pod's limits, or name a device (--device pci:…, iface:eth0 or vdev:…)"
    )]
    NoEnvDevice,
    /// No such kernel interface.
    #[error("device {device}: there is no interface `{name}` here (there are: {there}); name one of them")]
    NoInterface {
        /// As given.
        device: String,
        /// The interface.
        name: String,
        /// What there is.
        there: String,
    },
    /// DPDK can't use the device, and it is known why.
    #[error("device {device} can't be used: {why}{log}")]
    Unusable {
        /// As given.
        device: String,
        /// What stands in the way, and what mends it.
        why: String,
        /// What EAL said to it, on lines of its own; empty where it was not asked.
        log: String,
    },
    /// Another engine has it.
    #[error(
        "device {device} is in use by another dataplane process ({source}): end that one (ss -xlp | grep dpdk-k8s-bench shows it), or \
         name another device"
    )]
    DeviceInUse {
        /// As given.
        device: String,
        /// What the kernel says.
        source: std::io::Error,
    },
    /// Kernel interface is down.
    #[error("device {device}: interface `{name}` is down; bring it up first: ip link set {name} up")]
    InterfaceDown {
        /// As given.
        device: String,
        /// The interface.
        name: String,
    },
    /// The interface's MTU is too small.
    #[error(
        "device {device}: frames of {frame_bytes} B need an MTU of {needed} on `{name}`, which has {mtu}: \
         ip link set {name} mtu {needed}, or send smaller frames"
    )]
    InterfaceMtu {
        /// As given.
        device: String,
        /// The interface.
        name: String,
        /// With FCS.
        frame_bytes: u16,
        /// Payload bytes.
        needed: u16,
        /// Payload bytes.
        mtu: u32,
    },
    /// The port has fewer queues. Fewer are not taken instead: how many workers share the load is part of what is
    /// measured.
    #[error(
        "device {device}: {asked} {direction} queues were asked for, one for each worker, and its driver {driver} has {max} at most: \
         use at most {max} workers (--workers of dataplane; --tx-num-core, --rx-num-core of the orchestrator)"
    )]
    PortQueues {
        /// As given.
        device: String,
        /// Its driver.
        driver: String,
        /// RX or TX.
        direction: &'static str,
        /// Queues asked for.
        asked: u16,
        /// Queues there are.
        max: u16,
    },
    /// The port's MTU is too small.
    #[error(
        "device {device}: frames of {frame_bytes} B need an MTU of {needed}, its driver {driver} has {max} at most: \
         send frames of {largest} B or less (frame_size), or use another device"
    )]
    PortMtu {
        /// As given.
        device: String,
        /// Its driver.
        driver: String,
        /// With FCS.
        frame_bytes: u16,
        /// Payload bytes.
        needed: u16,
        /// Payload bytes.
        max: u16,
        /// With FCS, the largest that fit.
        largest: u16,
    },
    /// The port does not fill in checksums.
    #[error(
        "device {device}: its driver {driver} does not fill in checksums of {lacks} when sending: leave them to software \
         (--checksum software, which sends the same bytes), or use another device"
    )]
    ChecksumPort {
        /// As given.
        device: String,
        /// Its driver.
        driver: String,
        /// Protocols.
        lacks: String,
    },
    /// Frames whose checksums no port fills in for us.
    #[error(
        "checksums are left to the port (--checksum nic) for profiles of one stream and one frame size only, of Ethernet (with VLAN \
         tags or not), IPv4 and UDP or TCP, at the port's rate, whose fields are fixed or step without nesting: leave this one's to software \
         (--checksum software, which sends the same bytes)"
    )]
    ChecksumPlan,
    /// CPUs.
    #[error(transparent)]
    Cpus(#[from] CpuError),
    /// Hugepages.
    #[error(
        "the run needs {needed_mib} MiB of hugepages and {free_mib} MiB are free: reserve more (as root: echo {pages} > \
         /proc/sys/vm/nr_hugepages; in a pod: the limit hugepages-2Mi or hugepages-1Gi), or run with --no-huge{why}"
    )]
    Hugepages {
        /// By the formula, or as asked.
        needed_mib: u32,
        /// On all nodes.
        free_mib: u64,
        /// Of 2 MiB, in all, for the remedy.
        pages: u64,
        /// Who has those that are not free, a line each.
        why: String,
    },
    /// A seccomp profile in the way.
    #[error(
        "hugepages can't be used: this container's seccomp profile bars get_mempolicy, by which DPDK learns where its pages \
         are; add the capability SYS_NICE to the container (`orchestrator pods create` does), or run with --no-huge"
    )]
    NodesHidden,
    /// Ordinary memory.
    #[error(
        "the run needs {needed_mib} MiB of memory and {available_mib} MiB are available: ask for less (--socket-mem), or free some"
    )]
    Memory {
        /// By the formula, or as asked.
        needed_mib: u32,
        /// As the kernel estimates.
        available_mib: u64,
    },
    /// EAL.
    #[error(transparent)]
    Eal(#[from] dpdk::EalError),
    /// The device is no Ethernet port.
    #[error(
        "device {device}: DPDK started but shows no such port ({ports} others): is it a network device bound to a DPDK driver?"
    )]
    NoPort {
        /// As given.
        device: String,
        /// Ports there are.
        ports: usize,
    },
    /// The port.
    #[error(transparent)]
    Port(#[from] dpdk::PortError),
    /// A pool.
    #[error(transparent)]
    Pool(#[from] dpdk::MempoolError),
    /// Link down.
    #[error("device {device}: the link is down, still after {waited_ms} ms: {remedy}")]
    LinkDown {
        /// As given.
        device: String,
        /// Milliseconds.
        waited_ms: u128,
        /// What to look at.
        remedy: &'static str,
    },
    /// A worker could not begin.
    #[error("{0}")]
    Worker(String),
    /// A bug.
    #[error("a worker panicked: this is a bug; please report it with the log above")]
    Panic,
    /// Nobody said start.
    #[error("no start came within {0} s of being ready: the run was given up")]
    NoStart(u32),
    /// Told to stop before the start.
    #[error("stopped before it was started")]
    StoppedEarly,
}
