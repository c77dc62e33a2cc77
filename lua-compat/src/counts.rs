//! Pktgen's counters of a port, whoever counts them.

/// One number a kind of frame or byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "Pktgen's names, which its users know")]
pub enum Count {
    Ipackets,
    Ibytes,
    Opackets,
    Obytes,
    TxFailed,
    S64,
    S65To127,
    S128To255,
    S256To511,
    S512To1023,
    S1024To1522,
    Broadcast,
    Multicast,
    Jumbo,
    Runt,
    Arp,
    Echo,
    Ip,
    Ipv6,
    Vlan,
    Unknown,
    /// Frames whose latency is above the jitter threshold.
    Jitter,
    Imissed,
    Ierrors,
    Oerrors,
    RxNombuf,
}

/// How many kinds there are.
pub const COUNTS: usize = 26;

/// All counters of a port at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts(pub [u64; COUNTS]);

impl Default for Counts {
    fn default() -> Counts {
        Counts([0; COUNTS])
    }
}

impl Counts {
    /// One of them.
    pub fn get(&self, count: Count) -> u64 {
        self.0[count as usize]
    }

    /// Adds to one of them.
    #[inline(always)]
    pub fn add(&mut self, count: Count, n: u64) {
        self.0[count as usize] += n;
    }

    /// What was counted since.
    #[must_use]
    pub fn since(&self, before: &Counts) -> Counts {
        let mut all = *self;
        all.0.iter_mut().zip(&before.0).for_each(|(now, then)| *now = now.saturating_sub(*then));
        all
    }
}

/// The last second, and the best one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// Of the last second.
    pub last: Counts,
    /// The most frames of any second: received and sent.
    pub most: (u64, u64),
}
