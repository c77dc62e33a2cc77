//! `rnd`: bits of the frame become bits of the header fields that they are in.

use traffic::profile::field::Bits;
use traffic::profile::{Field, Stream, Value};

use super::Lowering;
use crate::backend::{Mode, RandomBits};

/// One slot of random bits over a frame, and which of its bits have found their field.
struct Slot {
    bits: RandomBits,
    seed: u64,
    found: u32,
    refused: bool,
}

impl Slot {
    /// Puts what it has for the `bytes` bytes at `at` into a field.
    fn put<T: Value>(&mut self, field: &mut Field<T>, at: usize, bytes: usize) {
        let (mut random, mut ones, mut zeros) = (0u64, 0u64, 0u64);
        for byte in 0..4 {
            let place = usize::from(self.bits.offset) + byte;
            if !(at..at + bytes).contains(&place) {
                continue;
            }
            let (down, up) = (24 - 8 * byte, 8 * (at + bytes - 1 - place));
            let of = |mask: u32| u64::from(mask >> down & 0xff) << up;
            random |= of(self.bits.random);
            ones |= of(self.bits.ones);
            zeros |= of(self.bits.zeros);
            self.found |= 0xff << down;
        }
        if random | ones | zeros == 0 {
            return;
        }
        let (before, value) = match field {
            Field::Fixed(value) => (0, value.to_u64()),
            Field::Bits(bits) => (bits.bits.to_u64(), bits.value.to_u64()),
            _ => {
                self.refused = true;
                return;
            }
        };
        let random = (before | random) & !(ones | zeros);
        let value = (value | ones) & !zeros & !random;
        let (Some(bits), Some(value)) = (T::from_u64(random), T::from_u64(value)) else { return };
        *field = if random == 0 {
            Field::Fixed(value)
        } else {
            Field::Bits(Bits { bits, value, seed: self.seed })
        };
    }
}

impl Lowering<'_> {
    pub(super) fn random_bits(&mut self, stream: &mut Stream) {
        let l3 = 14 + 4 * stream.vlan.len() + 4 * stream.mpls.len();
        for (number, at) in &self.config.random {
            let mut slot = Slot { bits: at.value, seed: u64::from(*number) + 1, found: 0, refused: false };
            slot.put(&mut stream.ethernet.dst, 0, 6);
            slot.put(&mut stream.ethernet.src, 6, 6);
            if let Some(ip) = &mut stream.ipv4 {
                slot.put(&mut ip.tos, l3 + 1, 1);
                slot.put(&mut ip.id, l3 + 4, 2);
                slot.put(&mut ip.ttl, l3 + 8, 1);
                slot.put(&mut ip.src, l3 + 12, 4);
                slot.put(&mut ip.dst, l3 + 16, 4);
                let ports = match (&mut stream.udp, &mut stream.tcp) {
                    (Some(udp), _) => Some((&mut udp.src, &mut udp.dst)),
                    (None, Some(tcp)) => Some((&mut tcp.src, &mut tcp.dst)),
                    _ => None,
                };
                if let Some((src, dst)) = ports {
                    slot.put(src, l3 + 20, 2);
                    slot.put(dst, l3 + 22, 2);
                }
            }
            let RandomBits { offset, random, ones, zeros } = at.value;
            if (random | ones | zeros) & !slot.found != 0 {
                let text = format!(
                    "rnd slot {number}: some of its bits from byte {offset} are in no header field that can vary: those stay as they are"
                );
                self.report.warn(at.line, text);
            }
            if slot.refused {
                let text =
                    format!("rnd slot {number}: the field at byte {offset} steps already: it stays so");
                self.report.warn(at.line, text);
            }
        }
        self.random_sources(stream);
    }

    /// `rnd_s_ip` and `rnd_s_pt`: every value there is.
    fn random_sources(&mut self, stream: &mut Stream) {
        let all = |offset| RandomBits { offset, random: u32::MAX, ones: 0, zeros: 0 };
        if self.config.has(Mode::RandomSrcIp)
            && let Some(ip) = &mut stream.ipv4
        {
            ip.src = Field::Fixed(ip.src.start());
            Slot { bits: all(0), seed: 101, found: 0, refused: false }.put(&mut ip.src, 0, 4);
        }
        if self.config.has(Mode::RandomSrcPort) {
            let mut slot = Slot { bits: all(0), seed: 102, found: 0, refused: false };
            if let Some(udp) = &mut stream.udp {
                udp.src = Field::Fixed(udp.src.start());
                slot.put(&mut udp.src, 0, 2);
            }
            if let Some(tcp) = &mut stream.tcp {
                tcp.src = Field::Fixed(tcp.src.start());
                slot.put(&mut tcp.src, 0, 2);
            }
        }
    }
}
