//! Every bound of the agent, in one place. Tests shorten the times; the command line does not.

use std::time::Duration;

/// Largest request body: a profile of many streams fits a hundred times over.
pub const REQUEST_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Longest line an engine may write.
pub const ENGINE_LINE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most of an engine's log that is kept.
pub const ENGINE_LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Lines of the log that an error quotes, and characters of each.
pub const LOG_TAIL_LINES: usize = 12;
/// Characters of a quoted line.
pub const LOG_TAIL_LINE_CHARS: usize = 400;
/// Samples kept in memory, a live run's only.
pub const RECENT_SAMPLES_MAX: usize = 4096;
/// Bytes of samples kept in memory, a live run's only.
pub const RECENT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Largest `samples.ndjson`; later samples are in memory only, and the summary says so.
pub const SAMPLES_FILE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Samples in one reply.
pub const REPLY_SAMPLES_MAX: usize = 10_000;
/// Bytes after which a reply ends early; the next request goes on from there.
pub const REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest wait that a request may ask for, milliseconds.
pub const WAIT_MS_MAX: u64 = 30_000;
/// Engines at one time.
pub const LIVE_RUNS_MAX: usize = 32;
/// Finished runs kept in memory, and listed; older ones stay on disk and are read back when asked for by name.
pub const FINISHED_RUNS_MAX: usize = 64;
/// Connections at one time on one listener; more wait in the kernel's queue.
pub const CONNECTIONS_MAX: usize = 256;

/// How long a sender may take to stop sending when the agent ends, before its receivers are told to end too.
pub const SENDERS_STOP: Duration = Duration::from_secs(2);

/// How long the agent waits for what, and how much it keeps.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Runs on disk, live or finished. Nothing that is not acknowledged by DELETE is thrown away to make room:
    /// beyond this, new runs are refused.
    pub kept_runs: usize,
    /// For a request's headers, or for the next request on a connection that is kept open: the orchestrator asks
    /// again within seconds during a run, and within the minute between trials.
    pub header_read: Duration,
    /// For a request's body.
    pub body_read: Duration,
    /// For a client that does not read what it asked for.
    pub write: Duration,
    /// For an engine to be ready: EAL clears hugepages first, which takes seconds for many GiB.
    pub prepare: Duration,
    /// On top of a run's own limits, for an engine that ignores them.
    pub slack: Duration,
    /// For an engine to end after its last word: the driver's teardown.
    pub teardown: Duration,
    /// For engines to stop when their run is deleted or the agent ends; then they are killed.
    pub discard: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            kept_runs: 1024,
            header_read: Duration::from_secs(120),
            body_read: Duration::from_secs(10),
            write: Duration::from_secs(30),
            prepare: Duration::from_secs(120),
            slack: Duration::from_secs(30),
            teardown: Duration::from_secs(10),
            discard: Duration::from_secs(5),
        }
    }
}
