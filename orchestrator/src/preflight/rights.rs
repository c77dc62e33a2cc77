//! Capabilities and lockable memory that the port of a pod takes.

use super::check::{Check, Level};
use super::facts::End;
use super::memory::needed;
use super::port::Port;

/// Drivers whose NIC DPDK uses through the kernel's own one.
const BIFURCATED: [&str; 3] = ["mlx4_core", "mlx5_core", "mana"];

/// All of it.
pub fn checks(end: &End<'_>, port: &Port<'_>) -> Vec<Check> {
    let mut checks = vec![capabilities(end, port)];
    checks.extend(memlock(end, port));
    checks
}

fn capabilities(end: &End<'_>, port: &Port<'_>) -> Check {
    const NAME: &str = "capabilities";
    // What it can't do without, and what it does better with.
    let (must, should): (&[&str], &[&str]) = match port {
        Port::Virtual => (&[], &[]),
        Port::Kernel(_) => (&["NET_RAW"], &["NET_ADMIN"]),
        Port::Xdp(_) if end.has("SYS_ADMIN") => (&["NET_RAW", "NET_ADMIN"], &[]),
        Port::Xdp(_) => (&["NET_RAW", "NET_ADMIN", "BPF"], &[]),
        Port::Pci(device) if device.driver.as_deref().is_some_and(|d| BIFURCATED.contains(&d)) => {
            (&[], &["NET_RAW", "IPC_LOCK"])
        }
        // Without it the limit on locked memory counts: below.
        Port::Pci(_) => (&[], &["IPC_LOCK"]),
    };
    let lacking = |names: &[&str]| -> Vec<String> {
        names.iter().filter(|name| !end.has(name)).map(|&name| name.to_owned()).collect()
    };
    let remedy = |names: &[String]| {
        format!(
            "add {} to the container's capabilities, as root: `orchestrator pods create --device …` does for the device \
             that it is told",
            names.join(", ")
        )
    };
    let (missing, useful) = (lacking(must), lacking(should));
    if !missing.is_empty() {
        let found = format!("{} takes {}, which the pod does not have", end.device, missing.join(", "));
        return Check::error(end.pod, NAME, found, remedy(&missing));
    }
    if !useful.is_empty() {
        let found = format!("{} works better with {}", short(end.device), useful.join(", "));
        return Check::warning(end.pod, NAME, found, remedy(&useful));
    }
    let all = [must, should].concat();
    let found = if all.is_empty() { "none needed".to_owned() } else { format!("has {}", all.join(", ")) };
    Check::ok(end.pod, NAME, found)
}

/// What VFIO maps and what af_xdp shares is locked, unless IPC_LOCK lifts the limit.
fn memlock(end: &End<'_>, port: &Port<'_>) -> Option<Check> {
    const NAME: &str = "memlock";
    let level = match port {
        Port::Pci(_) => Level::Error,
        Port::Xdp(_) => Level::Warning,
        Port::Kernel(_) | Port::Virtual => return None,
    };
    let Some(bytes) = end.inventory.memlock_bytes else {
        return Some(Check::ok(end.pod, NAME, "unlimited"));
    };
    if end.has("IPC_LOCK") {
        return Some(Check::ok(end.pod, NAME, "not limited, by IPC_LOCK"));
    }
    let (mib, needed) = (bytes >> 20, needed(end));
    Some(if mib < u64::from(needed) {
        Check::at(
            level,
            end.pod,
            NAME,
            format!("{mib} MiB may be locked and {needed} MiB are needed"),
            "give the container IPC_LOCK, as root (`orchestrator pods create` does), or raise the runtime's memlock limit",
        )
    } else {
        Check::ok(end.pod, NAME, format!("{mib} MiB may be locked, {needed} MiB are needed"))
    })
}

fn short(device: &str) -> &str {
    device.split(',').next().unwrap_or(device)
}
