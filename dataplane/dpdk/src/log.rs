//! DPDK's log, kept so that an error can quote the driver's own words.

use std::collections::VecDeque;
use std::ffi::{c_char, c_void};
use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::errno::Errno;

/// How much of the log is kept, in bytes. The oldest goes first.
const KEPT_BYTES: usize = 16 * 1024;

/// How many lines an error quotes.
const QUOTED_LINES: usize = 12;

/// Where DPDK's log lines go. Either way the last 16 KiB are kept for error texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogSink {
    /// To standard error as well.
    Stderr,
    /// Only kept.
    #[default]
    Kept,
}

/// DPDK's log levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Failures only.
    Error,
    /// Failures and what looks wrong.
    Warning,
    /// What DPDK prints unasked.
    #[default]
    Notice,
    /// A line per step.
    Info,
    /// Everything.
    Debug,
}

impl LogLevel {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

static KEPT: Mutex<VecDeque<u8>> = Mutex::new(VecDeque::new());
static TO_STDERR: AtomicBool = AtomicBool::new(false);

fn kept() -> MutexGuard<'static, VecDeque<u8>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The last lines of DPDK's log, oldest first.
#[derive(Clone, PartialEq, Eq)]
pub struct LogTail(String);

impl LogTail {
    /// The last lines logged so far.
    pub fn now() -> Self {
        let text = String::from_utf8_lossy(kept().make_contiguous()).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        Self(lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n"))
    }

    /// The lines, joined by line breaks; empty when DPDK said nothing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LogTail {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(out, "\nDPDK's last log lines:")?;
        self.0.lines().try_for_each(|line| write!(out, "\n  {line}"))
    }
}

impl fmt::Debug for LogTail {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

/// Sends DPDK's log through [`KEPT`] from now on. The stream stays open for the life of the process.
pub(crate) fn capture(sink: LogSink) -> Result<(), Errno> {
    TO_STDERR.store(sink == LogSink::Stderr, Ordering::Relaxed);
    let functions =
        dpdk_sys::cookie_io_functions_t { read: None, write: Some(write), seek: None, close: None };
    // SAFETY: the mode is a C string, the callback has the signature glibc asks for and uses no cookie.
    let stream = unsafe { dpdk_sys::fopencookie(std::ptr::null_mut(), c"w".as_ptr(), functions) };
    if stream.is_null() {
        return Err(Errno(libc::ENOMEM));
    }
    // SAFETY: the stream is open and is never closed, so DPDK may keep it.
    crate::errno::check(unsafe { dpdk_sys::rte_openlog_stream(stream) }).map(drop)
}

/// glibc's write callback: DPDK flushes after every message, so lines arrive whole.
unsafe extern "C" fn write(_cookie: *mut c_void, bytes: *const c_char, count: usize) -> dpdk_sys::__ssize_t {
    // SAFETY: glibc passes `count` readable bytes, which outlive the call.
    let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), count) };
    if TO_STDERR.load(Ordering::Relaxed) {
        // A closed standard error must not fail DPDK's own work.
        let _ = std::io::stderr().write_all(bytes);
    }
    let mut kept = kept();
    let surplus = (kept.len() + bytes.len()).saturating_sub(KEPT_BYTES).min(kept.len());
    kept.drain(..surplus);
    kept.extend(&bytes[bytes.len().saturating_sub(KEPT_BYTES)..]);
    count as dpdk_sys::__ssize_t
}
