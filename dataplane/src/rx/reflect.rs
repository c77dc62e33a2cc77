//! The reflecting loop: poll → prefetch → swap addresses → send back → count. testpmd calls it macswap.

use dpdk::{RxBurst, RxQueue, TxQueue};
use traffic::swap::{self, Swap};
use traffic::wire::CoreCounters;

use super::worker::MAX_BURST;
use crate::counters::{CoreBlock, Gate};

/// Calls of a driver that takes nothing before frames are given up: they count as unsent.
const SEND_ATTEMPTS: u32 = 64;

/// Everything one reflecting worker owns or looks at.
#[derive(Debug)]
pub struct ReflectWorker<'a, 'e> {
    /// Where frames come from.
    pub rx: RxQueue<'e>,
    /// Where they go.
    pub tx: TxQueue<'e>,
    /// Its counters.
    pub counters: &'a CoreBlock,
    /// Start and stop.
    pub gate: &'a Gate,
    /// What is swapped.
    pub swap: Swap,
}

impl<'e> ReflectWorker<'_, 'e> {
    /// Reflects from the start until told to stop.
    pub fn run(self) {
        match self.swap {
            Swap::Mac => self.reflect(swap::mac),
            Swap::Ip => self.reflect(swap::ip::<false>),
            Swap::Port => self.reflect(swap::ip::<true>),
        }
    }

    /// A loop of its own for each kind of swap: nothing is decided a frame.
    fn reflect(mut self, swap: impl Fn(&mut [u8])) {
        if self.gate.wait().is_none() {
            return;
        }
        self.gate.enter();
        let mut burst = self.rx.burst::<MAX_BURST>();
        let mut tally = CoreCounters::default();
        while !self.gate.is_closed() {
            let count = self.rx.rx(&mut burst);
            if count == 0 {
                continue;
            }
            let bytes = burst.change(&swap);
            tally.rx_packets += count as u64;
            tally.rx_bytes += bytes;
            tally.bursts += 1;
            let left = self.send(&mut burst);
            tally.tx_packets += count as u64 - left.0;
            tally.tx_bytes += bytes - left.1;
            tally.unsent_packets += left.0;
            self.counters.store_rx(&tally);
            self.counters.store_tx(&tally);
        }
    }

    /// Sends a burst back and frees what the driver does not take: how many frames and bytes those were.
    fn send(&mut self, burst: &mut RxBurst<'e, MAX_BURST>) -> (u64, u64) {
        let mut attempts = 0;
        while !burst.is_empty() && attempts < SEND_ATTEMPTS {
            attempts = if self.tx.tx_received(burst) == 0 { attempts + 1 } else { 0 };
        }
        let bytes = (0..burst.len()).filter_map(|i| burst.frame_len(i)).map(u64::from).sum();
        let left = (burst.len() as u64, bytes);
        burst.free();
        left
    }
}
