//! The clock of the packet loops: the CPU's own cycle counter.

use crate::eal::EalHandle;

/// Cycles of the time stamp counter since some moment in the past. On x86_64 `rdtsc`, on aarch64
/// `cntvct_el0`, elsewhere nanoseconds of the monotonic clock.
#[inline]
pub fn tsc() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: rdtsc exists on every x86_64 CPU and touches no memory.
        unsafe { core::arch::x86_64::_rdtsc() }
    }
    #[cfg(target_arch = "aarch64")]
    {
        let cycles: u64;
        // SAFETY: Linux lets user space read the virtual counter; the instruction touches no memory.
        unsafe {
            core::arch::asm!("mrs {}, cntvct_el0", out(reg) cycles, options(nomem, nostack, preserves_flags))
        };
        cycles
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `now` is a valid place to write to; this clock always exists on Linux.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
        (now.tv_sec as u64) * 1_000_000_000 + now.tv_nsec as u64
    }
}

/// Cycles of [`tsc`] in a second, as measured by EAL when it started (which is why it needs the handle).
pub fn tsc_hz(_eal: EalHandle<'_>) -> u64 {
    if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        // SAFETY: reads a number that EAL set when it started; the handle says that it has.
        unsafe { dpdk_sys::rte_get_tsc_hz() }
    } else {
        1_000_000_000
    }
}

/// Whether the counter runs at one rate on all cores and through sleep states, so that stamps of two cores of
/// this machine can be compared.
pub fn tsc_is_invariant() -> bool {
    if !cfg!(target_arch = "x86_64") {
        return cfg!(target_arch = "aarch64");
    }
    let Ok(text) = std::fs::read_to_string("/proc/cpuinfo") else { return false };
    let Some(flags) = text.lines().find(|line| line.starts_with("flags")) else { return false };
    ["constant_tsc", "nonstop_tsc"].iter().all(|wanted| flags.split_whitespace().any(|flag| flag == *wanted))
}
