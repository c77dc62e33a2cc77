//! Process 1's duty: waiting for processes that nobody else waits for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;
use std::time::{Duration, Instant};

use dataplane::agent::reap::{reap_once, release, spawn_ours};
use rustix::process::{getpid, set_child_subreaper};

#[test]
fn strangers_are_waited_for_and_our_own_are_left_to_their_owner() {
    // Orphans come to this process as they would come to process 1.
    set_child_subreaper(Some(getpid())).unwrap();
    let mut ours = spawn_ours(|| Command::new("true").spawn(), |child| Some(child.id())).unwrap();
    assert!(Command::new("sh").args(["-c", "true & true & exec true"]).status().unwrap().success());
    let limit = Instant::now() + Duration::from_secs(20);
    let mut reaped = 0;
    while reaped < 2 {
        assert!(Instant::now() < limit, "{reaped} of 2 orphans were waited for");
        reaped += reap_once();
        std::thread::yield_now();
    }
    assert!(ours.wait().unwrap().success(), "its exit was left for us to read");
    release(ours.id());
}
