//! What is known of the ends of pairs when they are judged.

use traffic::wire::{Inventory, MarkClock, Memory};

/// What a trial asks of one end.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// Where DPDK's memory comes from.
    pub memory: Memory,
    /// What marks' times are read from.
    pub clock: MarkClock,
    /// Of each queue.
    pub descriptors: u16,
    /// MiB, where the user names them.
    pub socket_mem_mib: Option<u32>,
    /// The largest frame with its FCS, where the profile is known.
    pub frame_bytes: Option<u32>,
}

/// One end of a pair.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    /// `tx0`.
    pub pod: &'a str,
    /// Its machine.
    pub node: &'a str,
    /// In the project's notation.
    pub device: &'a str,
    /// What its agent says.
    pub inventory: &'a Inventory,
    /// Main first, then workers; empty where they could not be divided.
    pub lcores: &'a [u32],
    /// How many of them poll.
    pub workers: u16,
    /// How many send, at the other end for a receiver.
    pub tx_workers: u16,
    /// Whether it is the sender.
    pub sends: bool,
    /// What is asked of it.
    pub ask: Ask,
}

impl End<'_> {
    /// The CPUs that its workers poll on; those that they could, where they were not divided.
    pub fn polled(&self) -> Vec<u32> {
        match self.lcores {
            [] => self.inventory.cores.iter().skip(1).map(|core| core.cpu).collect(),
            [_, workers @ ..] => workers.to_vec(),
        }
    }

    /// The CPUs that it may use.
    pub fn cpus(&self) -> Vec<u32> {
        self.inventory.cores.iter().map(|core| core.cpu).collect()
    }

    /// One kernel is one machine, whatever its pods and nodes are called.
    pub fn machine(&self) -> &str {
        let boot = self.inventory.clock.boot_id.as_str();
        if boot.is_empty() { self.node } else { boot }
    }

    /// Whether it has a capability.
    pub fn has(&self, capability: &str) -> bool {
        self.inventory.capabilities.iter().any(|one| one == capability)
    }
}

/// Both ends of a pair.
#[derive(Debug, Clone, Copy)]
pub struct Ends<'a> {
    /// The sender.
    pub tx: End<'a>,
    /// The receiver.
    pub rx: End<'a>,
}
