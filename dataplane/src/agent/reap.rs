//! As a container's process 1 the agent inherits processes whose parents are gone (of `kubectl exec`, say),
//! and must wait for them or they stay as zombies. Its own engines are tokio's to wait for.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, WaitOptions, waitpid};
use tokio::signal::unix::{SignalKind, signal};

use super::log::note;

/// Processes that somebody here waits for already.
static OURS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Starts a child while the reaper looks away, so that it never takes one that ends at once for a stranger.
pub fn spawn_ours<T>(
    spawn: impl FnOnce() -> std::io::Result<T>,
    pid: impl Fn(&T) -> Option<u32>,
) -> std::io::Result<T> {
    let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
    let child = spawn()?;
    ours.extend(pid(&child));
    Ok(child)
}

/// The child has been waited for: its number may become a stranger's.
pub fn release(pid: u32) {
    OURS.lock().unwrap_or_else(PoisonError::into_inner).remove(&pid);
}

/// Waits for strangers whenever a child ends, for ever.
pub async fn reap_strangers() {
    let mut ended = match signal(SignalKind::child()) {
        Ok(ended) => ended,
        Err(error) => return note(&format!("zombies will not be waited for: {error}")),
    };
    loop {
        reap_once();
        if ended.recv().await.is_none() {
            return;
        }
    }
}

/// Waits for each zombie child that is not ours; how many there were.
pub fn reap_once() -> usize {
    let ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(entries) = fs::read_dir("/proc") else { return 0 };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| !ours.contains(pid) && is_zombie_child(*pid))
        .filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?))
        // It is a zombie, so there is nothing to wait long for; by number, so that no engine is taken from
        // tokio.
        .filter(|pid| matches!(waitpid(Some(*pid), WaitOptions::NOHANG), Ok(Some(_))))
        .count()
}

fn is_zombie_child(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The name may hold anything, even parentheses: what follows its last one is `state parent …`.
    let mut words = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    words.next() == Some("Z") && words.next() == Some(std::process::id().to_string().as_str())
}
