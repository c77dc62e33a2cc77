//! Waiting for a condition, with a limit.

use std::time::{Duration, Instant};

/// For anything that takes a moment on an idle machine: a busy one with two CPUs keeps it too.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is asked.
const STEP: Duration = Duration::from_millis(10);

/// Asks `condition` until it gives something, and panics with `what` when that takes longer than [`PATIENCE`].
pub fn until<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, condition).unwrap_or_else(|| panic!("{what}: not within {} s", PATIENCE.as_secs()))
}

/// Asks `condition` until it gives something or `limit` is over.
pub fn within<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(STEP);
    }
}
