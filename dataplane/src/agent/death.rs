//! How an engine ended, in words that help.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// `signal 9 (SIGKILL)`, `exit code 1`.
pub fn in_words(exit: ExitStatus) -> String {
    match (exit.signal(), exit.code()) {
        (Some(signal), _) => format!("died by signal {signal} ({})", signal_name(signal)),
        (None, Some(code)) => format!("ended with exit code {code}"),
        (None, None) => format!("ended ({exit})"),
    }
}

/// What may be behind it, and what to do.
pub fn next_step(exit: ExitStatus) -> &'static str {
    match exit.signal() {
        Some(9) => {
            "Somebody killed it, or the kernel did for want of memory: see `dmesg | grep -i oom` and the \
             pod's memory limit, then run again"
        }
        Some(7) => {
            "The kernel had no page to give: more hugepages were promised than are there, or the pod's \
             hugepage limit is smaller than the memory asked for. Lower socket_mem_mib or raise the limit"
        }
        Some(4 | 6 | 8 | 11) => {
            "That is a crash in the engine or in a driver: keep engine.log and the profile, and try another \
             device or DPDK version"
        }
        Some(2 | 15) => "Somebody ended it: run again",
        _ => "It gave no reason of its own: engine.log holds all it said",
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL, killed",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => "see `kill -l`",
    }
}
