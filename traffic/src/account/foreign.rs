//! Frames that are not ours, counted by kind.

use crate::wire::Account;

/// Counters of one queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Foreign {
    arp: u64,
    ipv4: u64,
    ipv6: u64,
    other: u64,
}

impl Foreign {
    /// By the frame's EtherType; tagged and unknown ones are `other`.
    #[inline(always)]
    pub fn count(&mut self, frame: &[u8]) {
        match frame.get(12..14) {
            Some([0x08, 0x06]) => self.arp += 1,
            Some([0x08, 0x00]) => self.ipv4 += 1,
            Some([0x86, 0xdd]) => self.ipv6 += 1,
            _ => self.other += 1,
        }
    }

    /// All kinds.
    #[inline(always)]
    pub fn total(&self) -> u64 {
        self.arp + self.ipv4 + self.ipv6 + self.other
    }

    /// Adds this queue's to a run's.
    pub fn add_to(&self, total: &mut Account) {
        total.foreign_arp += self.arp;
        total.foreign_ipv4 += self.ipv4;
        total.foreign_ipv6 += self.ipv6;
        total.foreign_other += self.other;
    }
}
