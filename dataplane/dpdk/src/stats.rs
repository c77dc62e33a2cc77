//! A port's own counters: the cross-check of ours.

use std::ffi::CStr;
use std::mem::MaybeUninit;

use crate::errno::check;
use crate::port::{Port, PortError, failed};

/// A port's counters since it started or was last reset. Bytes are as the driver counts them, mostly without
/// FCS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortStats {
    /// Frames received.
    pub rx_packets: u64,
    /// Frames sent.
    pub tx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Frames that the NIC dropped as no descriptor was free.
    pub rx_missed: u64,
    /// Frames received in error.
    pub rx_errors: u64,
    /// Frames that could not be sent.
    pub tx_errors: u64,
    /// Frames not received as the pool was empty.
    pub rx_no_mbuf: u64,
}

/// One queue's part of a port's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    /// Frames received.
    pub rx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Frames sent.
    pub tx_packets: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Frames in error.
    pub errors: u64,
}

impl Port<'_> {
    /// The port's counters.
    pub fn stats(&self) -> Result<PortStats, PortError> {
        let raw = self.raw_stats()?;
        Ok(PortStats {
            rx_packets: raw.ipackets,
            tx_packets: raw.opackets,
            rx_bytes: raw.ibytes,
            tx_bytes: raw.obytes,
            rx_missed: raw.imissed,
            rx_errors: raw.ierrors,
            tx_errors: raw.oerrors,
            rx_no_mbuf: raw.rx_nombuf,
        })
    }

    /// The counters of the first queues, as many as fit `queues` and as DPDK counts (16 in most builds, none
    /// from 25.11 on, where they are xstats); says how many were written.
    pub fn queue_stats(&self, queues: &mut [QueueStats]) -> Result<usize, PortError> {
        let stats = self.raw_stats()?;
        // SAFETY: returns a constant.
        let max = unsafe { dpdk_sys::shim_queue_stats_max() };
        let mut count = 0;
        for (index, out) in (0..max).zip(queues) {
            let mut raw = dpdk_sys::shim_queue_stats {
                rx_packets: 0,
                rx_bytes: 0,
                tx_packets: 0,
                tx_bytes: 0,
                errors: 0,
            };
            // SAFETY: both structures are valid, and `index` is below the number of queues in them.
            unsafe { dpdk_sys::shim_queue_stats(&raw const stats, index, &raw mut raw) };
            *out = QueueStats {
                rx_packets: raw.rx_packets,
                rx_bytes: raw.rx_bytes,
                tx_packets: raw.tx_packets,
                tx_bytes: raw.tx_bytes,
                errors: raw.errors,
            };
            count += 1;
        }
        Ok(count)
    }

    /// Sets the counters to zero, xstats as well, where the driver can.
    pub fn reset_stats(&self) -> Result<(), PortError> {
        // SAFETY: the port is open.
        let (stats, xstats) = unsafe {
            (dpdk_sys::rte_eth_stats_reset(self.id().0), dpdk_sys::rte_eth_xstats_reset(self.id().0))
        };
        self.check("reset its counters", stats)?;
        self.check("reset its xstats", xstats)
    }

    /// The extended counters, with their names. Reading them again, with [`Xstats::refresh`], allocates
    /// nothing.
    pub fn xstats(&self) -> Result<Xstats, PortError> {
        let mut xstats = Xstats { names: xstat_names(self)?, values: Vec::new(), raw: Vec::new() };
        xstats.values.resize(xstats.names.len(), 0);
        xstats.raw.resize(xstats.names.len(), dpdk_sys::rte_eth_xstat { id: 0, value: 0 });
        xstats.refresh(self)?;
        Ok(xstats)
    }

    fn raw_stats(&self) -> Result<dpdk_sys::rte_eth_stats, PortError> {
        // SAFETY: plain C data, for which zeroes are valid.
        let mut raw = unsafe { MaybeUninit::<dpdk_sys::rte_eth_stats>::zeroed().assume_init() };
        // SAFETY: the port is open; `raw` is a valid place to write to.
        self.check("read its counters", unsafe { dpdk_sys::rte_eth_stats_get(self.id().0, &raw mut raw) })?;
        Ok(raw)
    }
}

/// A port's extended counters.
#[derive(Clone)]
pub struct Xstats {
    names: Vec<String>,
    values: Vec<u64>,
    raw: Vec<dpdk_sys::rte_eth_xstat>,
}

impl Xstats {
    /// Reads the values anew. Of a port whose counters have changed in number, only the first are read.
    pub fn refresh(&mut self, port: &Port<'_>) -> Result<(), PortError> {
        let room = u32::try_from(self.raw.len()).unwrap_or(u32::MAX);
        // SAFETY: the port is open; there is room for that many.
        let count = check(unsafe { dpdk_sys::rte_eth_xstats_get(port.id().0, self.raw.as_mut_ptr(), room) })
            .map_err(|errno| failed(port.id(), "read its xstats", errno))?;
        for stat in self.raw.iter().take(count as usize) {
            if let Some(value) = usize::try_from(stat.id).ok().and_then(|id| self.values.get_mut(id)) {
                *value = stat.value;
            }
        }
        Ok(())
    }

    /// Names and values, in the driver's order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.names.iter().map(String::as_str).zip(self.values.iter().copied())
    }

    /// The names, in the driver's order, the same for as long as this lives.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The values, in the order of the names.
    pub fn values(&self) -> &[u64] {
        &self.values
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<u64> {
        self.iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

impl std::fmt::Debug for Xstats {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_map().entries(self.iter()).finish()
    }
}

fn xstat_names(port: &Port<'_>) -> Result<Vec<String>, PortError> {
    let fail = |errno| failed(port.id(), "read the names of its xstats", errno);
    // SAFETY: the port is open; no room is given, so only their number is returned.
    let count = check(unsafe { dpdk_sys::rte_eth_xstats_get_names(port.id().0, std::ptr::null_mut(), 0) })
        .map_err(fail)?;
    let empty = dpdk_sys::rte_eth_xstat_name { name: [0; dpdk_sys::RTE_ETH_XSTATS_NAME_SIZE as usize] };
    let mut names = vec![empty; count as usize];
    // SAFETY: the port is open; there is room for `count` names.
    let count = check(unsafe { dpdk_sys::rte_eth_xstats_get_names(port.id().0, names.as_mut_ptr(), count) })
        .map_err(fail)?;
    names.truncate(count as usize);
    // SAFETY: DPDK ends each name with a NUL, within its array.
    Ok(names
        .iter()
        .map(|raw| unsafe { CStr::from_ptr(raw.name.as_ptr()) }.to_string_lossy().into_owned())
        .collect())
}
