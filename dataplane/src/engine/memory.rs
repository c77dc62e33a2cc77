//! How much DPDK memory a run needs: a stated formula, checked before EAL starts.

use traffic::wire::Memory;

use super::error::EngineError;
use crate::inventory::Sources;
use crate::{rx, tx};

/// EAL's own structures, a driver's rings and the pools' heads, over all drivers tried.
const BASE_MIB: u64 = 16;
/// Beside its room an mbuf takes its header (128), the headroom (128) and the pool's object header and
/// trailer.
const MBUF_OVERHEAD_BYTES: u64 = 128 + 128 + 64 + 64;
/// What a page of 2 MiB wastes at most at its end, in hundredths.
const PAGE_WASTE_PERCENT: u64 = 5;

/// What takes memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Sending workers, each with a pool.
    pub tx_workers: u16,
    /// RX queues, each with a pool.
    pub rx_queues: u16,
    /// Of each queue.
    pub descriptors: u16,
    /// Without FCS.
    pub frame_bytes: u16,
}

/// Room of an RX mbuf for frames of `frame_bytes`: the largest that the port lets through, tags included. Above an
/// ordinary mbuf's in whole pages, since af_packet wants room for a whole slot of its rings.
pub fn rx_room(frame_bytes: u16) -> u16 {
    const ORDINARY: u16 = 2048;
    let needed = frame_bytes + 64;
    if needed <= ORDINARY { ORDINARY } else { needed.next_multiple_of(4096) }
}

/// Mbufs of an RX queue's pool: the ring, what a worker holds, and what its cache may keep.
pub fn rx_mbufs(descriptors: u16) -> u32 {
    (u32::from(descriptors) + 2 * rx::worker::MAX_BURST as u32 + 512).next_multiple_of(512) - 1
}

/// MiB that `demand` takes.
pub fn needed_mib(demand: Demand) -> u32 {
    let pool = |mbufs: u32, room: u16| u64::from(mbufs) * (u64::from(room) + MBUF_OVERHEAD_BYTES);
    let tx = pool(tx::fill::mbufs(demand.descriptors), tx::fill::room(demand.frame_bytes));
    let rx = pool(rx_mbufs(demand.descriptors), rx_room(demand.frame_bytes));
    let bytes = u64::from(demand.tx_workers) * tx + u64::from(demand.rx_queues) * rx;
    let mib = (bytes * (100 + PAGE_WASTE_PERCENT) / 100).div_ceil(1 << 20) + BASE_MIB;
    u32::try_from(mib).unwrap_or(u32::MAX)
}

/// What this host or pod has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// MiB of free hugepages.
    pub huge_mib: u64,
    /// MiB of ordinary memory.
    pub ordinary_mib: u64,
    /// Whether DPDK may learn on which node its pages are, without which it takes no hugepage.
    pub nodes_known: bool,
}

/// MiB of ordinary memory that the kernel thinks can be had (`MemAvailable`).
pub fn available_mib(sources: &Sources) -> u64 {
    let text = sources.text("proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|kib| kib.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .map_or(u64::MAX, |kib| kib / 1024)
}

/// Which memory EAL gets, and why not hugepages when not. `must_be_huge` leaves `auto` no way out.
pub fn choose(
    asked: Memory,
    needed_mib: u32,
    offer: Offer,
    must_be_huge: bool,
) -> Result<(dpdk::Memory, Option<String>), EngineError> {
    let huge = dpdk::Memory::Hugepages { socket_mib: Vec::new(), limit_mib: Vec::new() };
    let needed = u64::from(needed_mib);
    let is_enough = offer.huge_mib >= needed;
    match asked {
        Memory::Hugepages if !offer.nodes_known => Err(EngineError::NodesHidden),
        Memory::Auto if !offer.nodes_known && must_be_huge => Err(EngineError::NodesHidden),
        Memory::Auto if !offer.nodes_known && offer.ordinary_mib >= needed => {
            let why = format!("{}; it uses ordinary pages, which is slower", EngineError::NodesHidden);
            Ok((dpdk::Memory::NoHuge { mib: needed_mib }, Some(why)))
        }
        Memory::Auto | Memory::Hugepages if is_enough => Ok((huge, None)),
        Memory::Hugepages => Err(too_few(needed_mib, offer)),
        Memory::Auto if must_be_huge => Err(too_few(needed_mib, offer)),
        Memory::Auto | Memory::NoHuge if offer.ordinary_mib < needed => {
            Err(EngineError::Memory { needed_mib, available_mib: offer.ordinary_mib })
        }
        Memory::NoHuge => Ok((dpdk::Memory::NoHuge { mib: needed_mib }, None)),
        Memory::Auto => {
            let why = format!(
                "{} MiB of hugepages are free and the run needs {needed_mib}: it uses ordinary pages, which is slower",
                offer.huge_mib
            );
            Ok((dpdk::Memory::NoHuge { mib: needed_mib }, Some(why)))
        }
    }
}

fn too_few(needed_mib: u32, offer: Offer) -> EngineError {
    let pages = u64::from(needed_mib).div_ceil(2);
    EngineError::Hugepages { needed_mib, free_mib: offer.huge_mib, pages, why: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `preflight::need::the_figures_are_the_engines` holds the same of the orchestrator's own formula.
    #[test]
    fn the_orchestrator_counts_on_these_figures() {
        let figures = [
            ((1, 1, 1024, 64), 24),
            ((1, 1, 1024, 1518), 24),
            ((4, 1, 2048, 9000), 152),
            ((0, 8, 512, 2000), 72),
        ];
        for ((tx_workers, rx_queues, descriptors, frame), expected) in figures {
            let demand = Demand { tx_workers, rx_queues, descriptors, frame_bytes: frame - 4 };
            assert_eq!(needed_mib(demand), expected, "{demand:?}");
        }
    }

    #[test]
    fn a_worker_stays_within_the_promise() {
        let demand = |frame_bytes| Demand { tx_workers: 1, rx_queues: 1, descriptors: 1024, frame_bytes };
        assert!(needed_mib(demand(60)) <= 64, "{}", needed_mib(demand(60)));
        assert!(needed_mib(demand(8996)) <= 256, "{}", needed_mib(demand(8996)));
    }

    #[test]
    fn too_few_hugepages_fall_back_only_where_that_works() {
        let offer = |huge_mib| Offer { huge_mib, ordinary_mib: 1000, nodes_known: true };
        assert!(matches!(
            choose(Memory::Auto, 40, offer(64), true),
            Ok((dpdk::Memory::Hugepages { .. }, None))
        ));
        assert!(matches!(
            choose(Memory::Auto, 40, offer(0), false),
            Ok((dpdk::Memory::NoHuge { mib: 40 }, Some(_)))
        ));
        let error = choose(Memory::Hugepages, 41, offer(10), false).unwrap_err().to_string();
        assert!(
            error.contains("41 MiB") && error.contains("10 MiB") && error.contains("echo 21 >"),
            "{error}"
        );
        assert!(choose(Memory::Auto, 40, offer(0), true).is_err());
        let hidden = Offer { nodes_known: false, ..offer(64) };
        assert!(matches!(choose(Memory::Auto, 40, hidden, true), Err(EngineError::NodesHidden)));
        assert!(matches!(choose(Memory::Hugepages, 40, hidden, false), Err(EngineError::NodesHidden)));
        let (memory, why) = choose(Memory::Auto, 40, hidden, false).unwrap();
        assert!(memory == dpdk::Memory::NoHuge { mib: 40 } && why.unwrap().contains("SYS_NICE"));
        let error = choose(Memory::NoHuge, 2000, offer(0), false).unwrap_err().to_string();
        assert!(error.contains("2000 MiB") && error.contains("1000 MiB"), "{error}");
    }
}
