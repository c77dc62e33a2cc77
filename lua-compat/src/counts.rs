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

impl Count {
    /// Pktgen's class of a frame of so many bytes, with FCS.
    #[inline(always)]
    pub fn by_size(bytes: usize) -> Count {
        match bytes {
            0..64 => Count::Runt,
            64 => Count::S64,
            65..128 => Count::S65To127,
            128..256 => Count::S128To255,
            256..512 => Count::S256To511,
            512..1024 => Count::S512To1023,
            1024..=1522 => Count::S1024To1522,
            _ => Count::Jumbo,
        }
    }
}

/// What is told of a port when a script is over.
const TOLD: [(&str, Count); 6] = [
    ("opackets", Count::Opackets),
    ("ipackets", Count::Ipackets),
    ("obytes", Count::Obytes),
    ("ibytes", Count::Ibytes),
    ("tx_failed", Count::TxFailed),
    ("imissed", Count::Imissed),
];

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

    /// What is told of a port when a script is over, by name.
    pub fn told(&self) -> impl Iterator<Item = (&'static str, u64)> {
        TOLD.into_iter().map(|(name, count)| (name, self.get(count)))
    }

    /// The same in a sentence.
    pub fn words(&self) -> String {
        let [sent, received, failed, missed] =
            [Count::Opackets, Count::Ipackets, Count::TxFailed, Count::Imissed].map(|count| self.get(count));
        format!("sent {sent} frames, received {received}, not sent {failed}, missed {missed}")
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
