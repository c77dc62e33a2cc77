//! Frames that are not ours, counted by kind.

use crate::wire::Account;

/// Tags that are looked through.
const TAGS_MAX: usize = 4;

/// Counters of one queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Foreign {
    arp: u64,
    ipv4: u64,
    ipv6: u64,
    lldp: u64,
    other: u64,
    tagged: u64,
    broadcast: u64,
    multicast: u64,
}

impl Foreign {
    /// By the frame's EtherType, that behind its VLAN tags if it has some, and by the address it is sent to.
    #[inline(always)]
    pub fn count(&mut self, frame: &[u8]) {
        let Some(head) = frame.first_chunk::<14>() else {
            self.other += 1;
            return;
        };
        if head[0] & 1 == 1 {
            self.count_group(head);
        }
        match [head[12], head[13]] {
            // 802.1Q, 802.1ad, and what was there before that.
            [0x81, 0x00] | [0x88, 0xa8] | [0x91, 0x00] => self.behind_tags(frame),
            ether_type => self.kind(ether_type),
        }
    }

    #[inline(always)]
    fn kind(&mut self, ether_type: [u8; 2]) {
        match ether_type {
            [0x08, 0x06] => self.arp += 1,
            [0x08, 0x00] => self.ipv4 += 1,
            [0x86, 0xdd] => self.ipv6 += 1,
            [0x88, 0xcc] => self.lldp += 1,
            _ => self.other += 1,
        }
    }

    /// All kinds.
    #[inline(always)]
    pub fn total(&self) -> u64 {
        self.arp + self.ipv4 + self.ipv6 + self.lldp + self.other
    }

    #[cold]
    fn count_group(&mut self, head: &[u8; 14]) {
        let is_broadcast = head.starts_with(&[0xff; 6]);
        self.broadcast += u64::from(is_broadcast);
        self.multicast += u64::from(!is_broadcast);
    }

    /// A tag that nothing follows is of no kind.
    #[cold]
    fn behind_tags(&mut self, frame: &[u8]) {
        self.tagged += 1;
        let mut types = frame.get(12..).unwrap_or_default().chunks(4).take(TAGS_MAX + 1);
        let inner =
            types.find(|word| !matches!(word, [0x81, 0x00, ..] | [0x88, 0xa8, ..] | [0x91, 0x00, ..]));
        self.kind(inner.and_then(|word| word.first_chunk()).copied().unwrap_or_default());
    }

    /// Adds this queue's to a run's.
    pub fn add_to(&self, total: &mut Account) {
        total.foreign_arp += self.arp;
        total.foreign_ipv4 += self.ipv4;
        total.foreign_ipv6 += self.ipv6;
        total.foreign_lldp += self.lldp;
        total.foreign_other += self.other;
        total.foreign_tagged += self.tagged;
        total.foreign_broadcast += self.broadcast;
        total.foreign_multicast += self.multicast;
    }
}
