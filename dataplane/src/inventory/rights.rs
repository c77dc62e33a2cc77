//! What this process may do: capabilities, locked memory, device files.

use rustix::fs::{Access, access};

use super::sources::Sources;

/// Capability 13: packet sockets.
pub const CAP_NET_RAW: &str = "NET_RAW";

/// The kernel's capabilities by their number (linux/capability.h), without their `CAP_`.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// Effective capabilities by name; one that this list is too old for by its number. None where /proc does not say.
pub fn capabilities(sources: &Sources) -> Option<Vec<String>> {
    let status = sources.text("proc/self/status")?;
    let mask =
        status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok())?;
    let name = |bit: usize| NAMES.get(bit).map_or_else(|| bit.to_string(), |name| (*name).to_owned());
    Some((0..64).filter(|bit| mask >> bit & 1 == 1).map(name).collect())
}

/// Whether this process has a capability; assumed where /proc does not say.
pub fn has_capability(sources: &Sources, name: &str) -> bool {
    capabilities(sources).is_none_or(|all| all.iter().any(|one| one == name))
}

/// RLIMIT_MEMLOCK in bytes; none when unlimited.
pub fn memlock_bytes(sources: &Sources) -> Option<u64> {
    let limits = sources.text("proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max locked memory"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Whether this process may read and write a file below the root. Asked of the kernel rather than tried: whoever opens
/// an IOMMU group's file keeps an engine from it.
pub fn may_open(sources: &Sources, at: &str) -> bool {
    access(sources.path(at), Access::READ_OK | Access::WRITE_OK).is_ok()
}
