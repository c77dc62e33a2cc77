//! C's error numbers, translated once, at the border.

use std::ffi::CStr;
use std::fmt;

/// An error number of C or of DPDK (which adds some above 1000), always positive.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(pub i32);

impl Errno {
    /// No such device.
    pub const NODEV: Self = Self(libc::ENODEV);
    /// The driver does not implement the call.
    pub const NOTSUP: Self = Self(libc::ENOTSUP);

    /// DPDK's per-thread error number, after a call that failed with NULL or -1.
    pub(crate) fn last() -> Self {
        // SAFETY: reads a thread-local integer; valid before EAL starts as well.
        Self(unsafe { dpdk_sys::shim_errno() })
    }
}

/// A call that returns a negative error number on failure, and a count or zero else.
pub(crate) fn check(status: i32) -> Result<u32, Errno> {
    u32::try_from(status).map_err(|_| Errno(status.saturating_neg()))
}

impl fmt::Display for Errno {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: rte_strerror returns a valid C string in a per-thread buffer for any number; it is copied
        // at once.
        let text = unsafe { CStr::from_ptr(dpdk_sys::rte_strerror(self.0)) };
        write!(out, "{} (errno {})", text.to_string_lossy(), self.0)
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl std::error::Error for Errno {}
