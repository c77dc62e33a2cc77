//! The DPDK memory that an engine takes: the formula of dataplane/src/engine/memory.rs, which this program may not
//! link. A test at each side holds the same figures.

/// EAL's own structures, a driver's rings and the pools' heads.
const BASE_MIB: u64 = 16;
const MBUF_OVERHEAD_BYTES: u64 = 384;
const PAGE_WASTE_PERCENT: u64 = 5;
const FCS_BYTES: u32 = 4;
/// Where no profile says more: an ordinary mbuf holds it.
const ORDINARY_FRAME_BYTES: u32 = 1518;

/// What takes memory.
#[derive(Debug, Clone, Copy)]
pub struct Demand {
    /// Sending workers, each with a pool.
    pub tx_workers: u16,
    /// RX queues, each with a pool.
    pub rx_queues: u16,
    /// Of each queue.
    pub descriptors: u16,
    /// The largest frame with its FCS.
    pub frame_bytes: Option<u32>,
}

/// MiB that it takes.
pub fn needed_mib(demand: Demand) -> u32 {
    let frame = u64::from(demand.frame_bytes.unwrap_or(ORDINARY_FRAME_BYTES).saturating_sub(FCS_BYTES));
    let descriptors = u64::from(demand.descriptors);
    let pool = |mbufs: u64, room: u64| mbufs * (room + MBUF_OVERHEAD_BYTES);
    let whole = |mbufs: u64| mbufs.next_multiple_of(512) - 1;
    let tx = pool(whole(descriptors + 512), frame.next_multiple_of(64).max(1536));
    let rx_room = if frame + 64 <= 2048 { 2048 } else { (frame + 64).next_multiple_of(4096) };
    let rx = pool(whole(descriptors + 640), rx_room);
    let bytes = u64::from(demand.tx_workers) * tx + u64::from(demand.rx_queues) * rx;
    let mib = (bytes * (100 + PAGE_WASTE_PERCENT) / 100).div_ceil(1 << 20) + BASE_MIB;
    u32::try_from(mib).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `memory::the_orchestrator_counts_on_these_figures` holds the same of the engine's own formula.
    #[test]
    fn the_figures_are_the_engines() {
        let figures = [
            ((1, 1, 1024, 64), 24),
            ((1, 1, 1024, 1518), 24),
            ((4, 1, 2048, 9000), 152),
            ((0, 8, 512, 2000), 72),
        ];
        for ((tx_workers, rx_queues, descriptors, frame), expected) in figures {
            let demand = Demand { tx_workers, rx_queues, descriptors, frame_bytes: Some(frame) };
            assert_eq!(needed_mib(demand), expected, "{demand:?}");
        }
    }
}
