//! RSS, read back from the port: what it hashes, and which queues its table names.

use std::mem::MaybeUninit;

use crate::errno::check;
use crate::port::{Port, PortError};

/// Entries that DPDK groups under one mask.
const GROUP: usize = dpdk_sys::SHIM_RETA_GROUP as usize;

/// What may be hashed, in words.
const FIELDS: [(u64, &str); 4] = [
    (dpdk_sys::SHIM_RSS_IPV4, "ipv4"),
    (dpdk_sys::SHIM_RSS_IPV6, "ipv6"),
    (dpdk_sys::SHIM_RSS_UDP, "udp ports"),
    (dpdk_sys::SHIM_RSS_TCP, "tcp ports"),
];

/// The words for `RTE_ETH_RSS_*` bits.
pub(crate) fn words(hash: u64) -> Vec<&'static str> {
    FIELDS.iter().filter(|(bits, _)| hash & bits != 0).map(|(_, word)| *word).collect()
}

impl Port<'_> {
    /// What the port hashes to spread frames over its RX queues, as the driver tells it, else as it was configured;
    /// nothing without RSS.
    pub fn rss_fields(&self) -> Vec<&'static str> {
        let asked = self.chosen().rss;
        if asked == 0 {
            return Vec::new();
        }
        // SAFETY: plain C data, for which zeroes are valid: no key is asked for.
        let mut raw = unsafe { MaybeUninit::<dpdk_sys::rte_eth_rss_conf>::zeroed().assume_init() };
        // SAFETY: the port is open; `raw` is a valid place to write to, and its key is NULL.
        let status = unsafe { dpdk_sys::rte_eth_dev_rss_hash_conf_get(self.id().0, &raw mut raw) };
        words(if status == 0 { raw.rss_hf } else { asked })
    }

    /// Sees to it that the port's redirection table names all its RX queues, as the drivers of some virtual functions
    /// leave it all zeroes. True when it does in the end; none without RSS, or where the driver shows no table.
    pub fn spread_over_queues(&self) -> Result<Option<bool>, PortError> {
        let queues = self.chosen().rx_queues;
        let size = self.device_info()?.rss_table;
        if self.chosen().rss == 0 || size == 0 {
            return Ok(None);
        }
        let Some(table) = self.rss_table(size) else { return Ok(None) };
        if names_all(&table, queues) {
            return Ok(Some(true));
        }
        let even: Vec<u16> = (0..size).map(|entry| entry % queues.max(1)).collect();
        let mut groups = groups(&even);
        // SAFETY: the port is open; `groups` has `size` entries, as large as the driver said its table is.
        let status = unsafe { dpdk_sys::rte_eth_dev_rss_reta_update(self.id().0, groups.as_mut_ptr(), size) };
        let is_written = check(status).is_ok();
        Ok(Some(is_written && self.rss_table(size).is_some_and(|table| names_all(&table, queues))))
    }

    /// The redirection table of `size` entries: queues. None where the driver does not show it.
    fn rss_table(&self, size: u16) -> Option<Vec<u16>> {
        let mut groups = groups(&vec![0; usize::from(size)]);
        // SAFETY: the port is open; `groups` has room for `size` entries.
        let status = unsafe { dpdk_sys::rte_eth_dev_rss_reta_query(self.id().0, groups.as_mut_ptr(), size) };
        check(status).ok()?;
        Some(groups.iter().flat_map(|group| group.reta).take(size.into()).collect())
    }
}

/// A table as DPDK takes it, with every entry meant.
fn groups(table: &[u16]) -> Vec<dpdk_sys::rte_eth_rss_reta_entry64> {
    table
        .chunks(GROUP)
        .map(|chunk| {
            let mut group = dpdk_sys::rte_eth_rss_reta_entry64 {
                mask: u64::MAX >> (GROUP - chunk.len()),
                reta: [0; GROUP],
            };
            for (entry, queue) in group.reta.iter_mut().zip(chunk) {
                *entry = *queue;
            }
            group
        })
        .collect()
}

fn names_all(table: &[u16], queues: u16) -> bool {
    (0..queues).all(|queue| table.contains(&queue))
}
