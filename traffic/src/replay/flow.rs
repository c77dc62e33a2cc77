//! Which frames of a capture belong together, as a number that workers are chosen by.

use super::headers::Layers;
use crate::profile::replay::Split;

/// A frame's flow: the same number for all frames of one flow, on every machine.
///
/// The five-tuple of IP frames; addresses and protocol where there are no ports or the datagram is in parts, so that
/// the parts stay together; MAC addresses and type of everything else.
pub fn flow(frame: &[u8], layers: &Layers, split: Split) -> u64 {
    let mut hash = Hash::default();
    let Some(ip) = &layers.ip else {
        let end = |at: usize| frame.get(at..at + 6).unwrap_or_default();
        hash.ends(&[end(6)], &[end(0)], split);
        hash.add(frame.get(12..14).unwrap_or_default());
        return hash.finish();
    };
    let (src, dst, bytes) = ip.addresses();
    let address = |at: usize| frame.get(at..at + bytes).unwrap_or_default();
    let ports = ip.ports().filter(|_| !ip.is_fragment);
    let port =
        |offset: usize| ports.and_then(|at| frame.get(at + offset..at + offset + 2)).unwrap_or_default();
    hash.ends(&[address(src), port(0)], &[address(dst), port(2)], split);
    hash.add(&[ip.protocol]);
    hash.finish()
}

/// FNV-1a with a last mix, so that a remainder depends on all bytes.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Both ends of a conversation, the lesser one first where direction does not matter.
    fn ends(&mut self, from: &[&[u8]], to: &[&[u8]], split: Split) {
        let (a, b) = match split {
            Split::Symmetric if to < from => (to, from),
            _ => (from, to),
        };
        a.iter().chain(b).for_each(|part| self.add(part));
    }

    fn finish(self) -> u64 {
        let mixed = (self.0 ^ self.0 >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ mixed >> 33
    }
}
