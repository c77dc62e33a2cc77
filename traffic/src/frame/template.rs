//! A stream's frame as bytes, with the places where frames differ and the sums of everything that does not.

use super::build::{Builder, L4Place};
use super::checksum;
use super::patch::{Patch, whole};
use crate::divisor::lcm;
use crate::profile::{Payload, Stream};
use crate::stamp;
use crate::units::FrameSize;
use crate::values::random_byte;

const IPV4_BYTES: usize = 20;

/// A checksum that frames carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Where it stands.
    pub at: u8,
    /// Sum of what it covers, without varying fields, mark and itself.
    pub sum: u64,
    /// What is stored for a checksum of zero: [`checksum::UDP_ZERO`] for UDP, else 0.
    pub zero: u16,
}

impl Check {
    /// What is to be sent for a checksum of zero. Where all bytes can be zero, both zeros are valid for a sum that is a
    /// multiple of ffff, but only ffff for one that is nothing.
    pub fn zero_sent(&self) -> u16 {
        if self.sum == 0 { checksum::UDP_ZERO } else { self.zero }
    }
}

/// A stream's frame of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The first frame, checksums valid, mark zero. Without FCS.
    pub bytes: Vec<u8>,
    /// Bytes of all headers.
    pub header_bytes: usize,
    /// Varying fields.
    pub patches: Vec<Patch>,
    /// Of a tunnel's own IPv4 header.
    pub outer_ip: Option<Check>,
    /// Of the IPv4 header; of a tunnel, the inner one.
    pub ip: Option<Check>,
    /// Of UDP, TCP or ICMP.
    pub l4: Option<Check>,
    /// Offset of the mark; none when frames carry none.
    pub stamp_at: Option<usize>,
}

impl Template {
    /// Zeros, of which nothing is known but how many they are.
    pub fn unmarked(size: FrameSize) -> Template {
        Template {
            bytes: vec![0; size.mbuf_bytes().into()],
            header_bytes: 0,
            patches: Vec::new(),
            outer_ip: None,
            ip: None,
            l4: None,
            stamp_at: None,
        }
    }

    /// Writes a stream's frame. `None` for a stream that the profile's check refuses.
    pub fn new(stream: &Stream, size: FrameSize, stamped: bool) -> Option<Template> {
        let len = usize::from(size.mbuf_bytes());
        let mut built = Builder::headers(stream, len)?;
        let header_bytes = built.bytes.len();
        len.checked_sub(header_bytes)?;
        let stamp_at = if stamped { stamp::offset(len, header_bytes) } else { None };
        built.bytes.extend((header_bytes..len).map(|at| fill(&stream.payload, at, header_bytes)));
        if let Some(at) = stamp_at {
            built.bytes[at..at + stamp::STAMP_BYTES].fill(0);
        }
        let tunnelled = stream.inner.is_some();
        // The outer header's place first, if there are two.
        let (outer_at, ip_at) = match (tunnelled, stream.ipv4.is_some(), built.ipv4_at.as_slice()) {
            (true, true, [outer, rest @ ..]) => (Some(*outer), rest.first().copied()),
            (_, _, [ip, ..]) => (None, Some(*ip)),
            (_, _, []) => (None, None),
        };
        let check = |at: usize| Check { at: (at + 10) as u8, sum: 0, zero: 0 };
        let l4 = built.l4.map(|l4| Check {
            at: l4.at as u8,
            sum: 0,
            zero: if l4.udp { checksum::UDP_ZERO } else { 0 },
        });
        let mut template = Template {
            header_bytes,
            patches: nested(built.patches),
            outer_ip: outer_at.map(check),
            ip: ip_at.map(check),
            l4,
            stamp_at,
            bytes: built.bytes,
        };
        template.settle_patches();
        template.take_sums(built.l4);
        Some(template)
    }

    /// Patches that have their place to themselves take the constant bits there along.
    fn settle_patches(&mut self) {
        for i in 0..self.patches.len() {
            let range = self.patches[i].bytes();
            let overlaps = |p: &Patch| p.bytes().start < range.end && range.start < p.bytes().end;
            let shared = self.patches.iter().enumerate().any(|(j, p)| j != i && overlaps(p));
            let patch = &mut self.patches[i];
            if !shared {
                patch.low = patch.read(&self.bytes) & !patch.mask;
                patch.mask = whole(patch.width);
            }
        }
    }

    /// Sums what never changes, and makes the first frame's checksums valid.
    fn take_sums(&mut self, l4: Option<L4Place>) {
        let still = self.still();
        let header = |check: Check| {
            let at = usize::from(check.at) - 10;
            Check { sum: checksum::sum(&still[at..at + IPV4_BYTES]), ..check }
        };
        (self.outer_ip, self.ip) = (self.outer_ip.map(header), self.ip.map(header));
        if let (Some(check), Some(place)) = (&mut self.l4, l4) {
            let l4_bytes = &still[place.from..];
            let mut sum = checksum::sum(l4_bytes);
            let (from, to) = place.addresses;
            if to > from {
                // Pseudo header (RFC 768, RFC 9293 §3.1, RFC 8200 §8.1): addresses, protocol, layer-4 length.
                sum += checksum::sum(&still[from..to]);
                sum +=
                    u64::from(u16::from(place.protocol).to_be()) + u64::from((l4_bytes.len() as u16).to_be());
            }
            check.sum = sum;
        }
        self.write_checksums();
    }

    /// The first frame's checksums.
    fn write_checksums(&mut self) {
        for (check, covers) in [
            (self.outer_ip, (|p: &Patch| p.covered.outer_ip) as fn(&Patch) -> bool),
            (self.ip, |p| p.covered.ip),
            (self.l4, |p| p.covered.l4),
        ] {
            let Some(check) = check else { continue };
            let first = |p: &Patch| p.summed(p.stored(p.values.at(0)));
            let sum = check.sum + self.patches.iter().filter(|p| covers(p)).map(first).sum::<u64>();
            let stored = match checksum::finish(sum) {
                0 => check.zero,
                sound => sound,
            };
            self.bytes[usize::from(check.at)..][..2].copy_from_slice(&stored.to_ne_bytes());
        }
    }

    /// The frame with zeros in the bits of varying fields.
    pub fn still(&self) -> Vec<u8> {
        let mut still = self.bytes.clone();
        for p in &self.patches {
            p.write(&mut still, 0);
        }
        still
    }

    /// Frames before the fields repeat. `None` beyond 2^64.
    pub fn flows(&self) -> Option<u64> {
        // Nested fields step once in a whole number of cycles of those within, so that this is the product of nests.
        self.patches.iter().try_fold(1u64, |n, p| {
            let period = p.values.period().checked_mul(p.values.every())?;
            lcm(n, period)
        })
    }

    /// Frames before every field is on its cycle.
    pub fn lead_in(&self) -> u64 {
        self.patches.iter().map(|p| p.values.lead_in()).max().unwrap_or(0)
    }

    /// Whether some field is random, so that frames of one flow differ.
    pub fn is_random(&self) -> bool {
        self.patches.iter().any(|p| p.values.is_random())
    }
}

/// Distinct flows of a stream; `None` beyond 2^64.
pub fn flows(stream: &Stream) -> Option<u64> {
    Template::new(stream, FrameSize::MAX, false)?.flows()
}

/// Gives the fields of each nest their pace: a step for each whole cycle of the nests before.
fn nested(patches: Vec<(u8, Patch)>) -> Vec<Patch> {
    let mut every = [1u64; 9];
    for nest in 0..8 {
        let periods = patches.iter().filter(|(n, _)| usize::from(*n) == nest).map(|(_, p)| p.values.period());
        // What goes beyond 2^64 is refused by the check: any large number shows it.
        let cycle = periods.fold(1, |n, period| lcm(n, period).unwrap_or(u64::MAX));
        every[nest + 1] = every[nest].saturating_mul(cycle);
    }
    let paced = |(nest, patch): (u8, Patch)| {
        let frames = every[usize::from(nest.min(7))];
        Patch { values: patch.values.nested(frames), ..patch }
    };
    patches.into_iter().map(paced).collect()
}

/// Pktgen's `abc` pattern is laid over the whole buffer from its start, so a payload begins in the middle of it:
/// 32 letters and digits, a…z0…5.
pub fn fill(payload: &Payload, at: usize, header_bytes: usize) -> u8 {
    match payload {
        Payload::Letters => b"abcdefghijklmnopqrstuvwxyz012345"[at % 32],
        Payload::Zero => 0,
        Payload::Hex(digits) => {
            let place = (at - header_bytes) % (digits.len() / 2).max(1) * 2;
            digits.get(place..place + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or(0)
        }
        Payload::Random(seed) => random_byte(*seed, at - header_bytes),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{template, valid_checksums};

    #[test]
    fn the_first_frame_is_valid() {
        for len in [60, 61, 100, 1496, 9596] {
            let t = template(len);
            assert_eq!(t.bytes.len(), len as usize);
            assert!(valid_checksums(&t.bytes), "{len}");
        }
    }
}
