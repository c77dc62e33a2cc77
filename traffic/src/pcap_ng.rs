//! pcapng as far as captures use it: sections, interfaces, enhanced and simple packet blocks.

use std::io::Read;

use crate::pcap_read::{ETHERNET, Input, Order, ReadError, check_lengths};

/// Type of a section header block: the same in both byte orders.
pub(crate) const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;

/// Type, length, and the length once more at the end.
const FRAME_BYTES: u32 = 12;
/// Interface descriptions beyond this are no descriptions.
const MAX_DESCRIPTION_BYTES: u32 = 65_536;
const MAX_INTERFACES: usize = 4096;

/// A section that is being read.
#[derive(Debug)]
pub(crate) struct Section {
    order: Order,
    interfaces: Vec<Interface>,
}

/// What an interface's description says about its frames' times.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: u16,
    snap_bytes: u32,
    units_per_second: u128,
    offset_ns: i128,
    has_fcs: bool,
}

impl Section {
    /// Behind a section's type.
    pub(crate) fn open<R: Read>(input: &mut Input<R>) -> Result<Section, ReadError> {
        let (length, magic) = (input.bytes::<4>()?, input.bytes::<4>()?);
        let order = match (Order::Little.word(magic), Order::Big.word(magic)) {
            (BYTE_ORDER, _) => Order::Little,
            (_, BYTE_ORDER) => Order::Big,
            (other, _) => return Err(input.damaged("a section's byte order", other.into())),
        };
        // Version and the section's length, which is often not known; options behind them.
        let rest = body(input, order.word(length))?.checked_sub(4);
        let rest = rest.ok_or_else(|| input.damaged("a section's length", order.word(length).into()))?;
        input.skip(u64::from(rest) + 4)?;
        Ok(Section { order, interfaces: Vec::new() })
    }

    /// The next frame into the room: its time and its bytes on the wire.
    pub(crate) fn next_record<R: Read>(
        &mut self,
        input: &mut Input<R>,
        last_ns: u64,
    ) -> Result<Option<(u64, u32)>, ReadError> {
        while let Some(kind) = input.head::<4>()? {
            let kind = self.order.word(kind);
            if kind == SECTION {
                *self = Section::open(input)?;
                continue;
            }
            let length = self.order.word(input.bytes()?);
            let body = body(input, length)?;
            match kind {
                INTERFACE => self.interface(input, body)?,
                ENHANCED_PACKET => return self.enhanced(input, body).map(Some),
                SIMPLE_PACKET => return Ok(Some((last_ns, self.simple(input, body)?))),
                OBSOLETE_PACKET => return Err(ReadError::Unsupported("packet blocks of an outdated kind")),
                // Names, statistics, comments, secrets: nothing that is sent.
                _ => input.skip(u64::from(body) + 4)?,
            }
        }
        Ok(None)
    }

    fn interface<R: Read>(&mut self, input: &mut Input<R>, body: u32) -> Result<(), ReadError> {
        if !(8..=MAX_DESCRIPTION_BYTES).contains(&body) {
            return Err(input.damaged("the length of an interface's description", body.into()));
        }
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(input.damaged("the number of interfaces", MAX_INTERFACES as u64 + 1));
        }
        input.fill(body)?;
        let interface = describe(self.order, &input.room);
        input.skip(4)?;
        self.interfaces.push(interface);
        Ok(())
    }

    fn enhanced<R: Read>(&self, input: &mut Input<R>, body: u32) -> Result<(u64, u32), ReadError> {
        let short =
            || ReadError::Damaged { frame: input.frame, what: "a packet's length", value: body.into() };
        let rest = body.checked_sub(20).ok_or_else(short)?;
        let head: [u8; 20] = input.bytes()?;
        let word = |at: usize| self.order.word([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (id, high, low, kept, wire_bytes) = (word(0), word(4), word(8), word(12), word(16));
        let interface = self.find(input, id)?;
        check_lengths(input, kept, wire_bytes)?;
        let behind = rest.checked_sub(kept).ok_or_else(|| input.damaged("a packet's length", body.into()))?;
        input.fill(kept)?;
        input.skip(u64::from(behind) + 4)?;
        let units = u128::from(high) << 32 | u128::from(low);
        let ns = (units * 1_000_000_000 / interface.units_per_second) as i128 + interface.offset_ns;
        let time_ns = u64::try_from(ns).map_err(|_| input.damaged("a packet's time", low.into()))?;
        Ok((time_ns, wire_bytes))
    }

    fn simple<R: Read>(&self, input: &mut Input<R>, body: u32) -> Result<u32, ReadError> {
        let short =
            || ReadError::Damaged { frame: input.frame, what: "a packet's length", value: body.into() };
        let rest = body.checked_sub(4).ok_or_else(short)?;
        let wire_bytes = self.order.word(input.bytes()?);
        let snap = self.find(input, 0)?.snap_bytes;
        let kept = wire_bytes.min(if snap == 0 { u32::MAX } else { snap }).min(rest);
        check_lengths(input, kept, wire_bytes)?;
        input.fill(kept)?;
        input.skip(u64::from(rest - kept) + 4)?;
        Ok(wire_bytes)
    }

    /// A packet's interface, which must be Ethernet.
    fn find<R: Read>(&self, input: &Input<R>, id: u32) -> Result<Interface, ReadError> {
        let found = self.interfaces.get(id as usize).copied();
        let interface = found.ok_or_else(|| input.damaged("a packet's interface", id.into()))?;
        match interface {
            Interface { link, .. } if link != ETHERNET => Err(ReadError::LinkType(link.into())),
            Interface { has_fcs: true, .. } => Err(ReadError::Fcs),
            sound => Ok(sound),
        }
    }
}

/// Bytes between a block's two lengths.
fn body<R: Read>(input: &Input<R>, length: u32) -> Result<u32, ReadError> {
    let is_sound = length >= FRAME_BYTES && length.is_multiple_of(4);
    if is_sound { Ok(length - FRAME_BYTES) } else { Err(input.damaged("a block's length", length.into())) }
}

/// An interface's description, options included; what does not fit is as if it was not there.
fn describe(order: Order, body: &[u8]) -> Interface {
    let half = |at: usize| body.get(at..at + 2).map(|b| order.half([b[0], b[1]]));
    let word = |at: usize| body.get(at..at + 4).map(|b| order.word([b[0], b[1], b[2], b[3]]));
    let mut interface = Interface {
        link: half(0).unwrap_or(0),
        snap_bytes: word(4).unwrap_or(0),
        units_per_second: 1_000_000,
        offset_ns: 0,
        has_fcs: false,
    };
    let mut at = 8;
    while let (Some(code), Some(len)) = (half(at), half(at + 2)) {
        let (value, first) = (at + 4, body.get(at + 4).copied().unwrap_or(0));
        match (code, len) {
            (0, _) => break,
            (9, 1) => interface.units_per_second = resolution(first),
            (13, 1) => interface.has_fcs = first > 0,
            (14, 8) => {
                let low_first = order == Order::Little;
                let (a, b) = (word(value).unwrap_or(0), word(value + 4).unwrap_or(0));
                let (high, low) = if low_first { (b, a) } else { (a, b) };
                let seconds = (u64::from(high) << 32 | u64::from(low)).cast_signed();
                interface.offset_ns = i128::from(seconds) * 1_000_000_000;
            }
            _ => {}
        }
        at = value + usize::from(len).next_multiple_of(4);
    }
    interface
}

/// Units a second: a negative power of 10, or of 2 with the top bit. Finer than 2^-64 or 10^-19 s is kept at that.
fn resolution(value: u8) -> u128 {
    match value {
        0..128 => 10u128.pow(u32::from(value.min(19))),
        _ => 1u128 << (value & 127).min(64),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::pcap_read::Reader;

    fn words(big: bool, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|w| if big { w.to_be_bytes() } else { w.to_le_bytes() }).collect()
    }

    fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
        let length = [12 + body.len() as u32];
        [&words(big, &[kind])[..], &words(big, &length), body, &words(big, &length)].concat()
    }

    /// A section header without options.
    pub(crate) fn header(big: bool) -> Vec<u8> {
        let body = if big { [0, 1, 0, 0] } else { [1, 0, 0, 0] };
        block(big, SECTION, &[&words(big, &[BYTE_ORDER])[..], &body, &[0xff; 8]].concat())
    }

    /// An interface of a link type with one option of one byte.
    fn interface(big: bool, link: u16, option: [u8; 2]) -> Vec<u8> {
        let half = |h: u16| if big { h.to_be_bytes() } else { h.to_le_bytes() };
        let body =
            [half(link), [0, 0], [0, 0], [0, 0], half(option[0].into()), half(1), [option[1], 0], [0, 0]];
        block(big, INTERFACE, &[&body.concat()[..], &[0; 4]].concat())
    }

    fn packet(big: bool, id: u32, units: u64, data: &[u8]) -> Vec<u8> {
        let len = data.len() as u32;
        let head = words(big, &[id, (units >> 32) as u32, units as u32, len, len + 1]);
        let padding = vec![0; data.len().next_multiple_of(4) - data.len()];
        block(big, ENHANCED_PACKET, &[&head[..], data, &padding].concat())
    }

    fn all(file: &[u8]) -> Result<Vec<(u64, u32, Vec<u8>)>, ReadError> {
        let mut reader = Reader::new(file)?;
        let mut out = Vec::new();
        while let Some(r) = reader.next_record()? {
            out.push((r.time_ns, r.wire_bytes, r.data.to_vec()));
        }
        Ok(out)
    }

    #[test]
    fn packets_of_two_interfaces_and_two_sections_come_with_their_times() {
        for big in [false, true] {
            let simple = block(big, SIMPLE_PACKET, &[&words(big, &[2])[..], &[8, 9, 0, 0]].concat());
            let file = [
                header(big),
                // Nanoseconds, and 2^-10 of a second.
                interface(big, 1, [9, 9]),
                interface(big, 1, [9, 0x8a]),
                block(big, 5, &[0; 40]),
                packet(big, 0, 5_000_000_007, &[1, 2, 3]),
                packet(big, 1, 512, &[4]),
                simple,
                header(!big),
                interface(!big, 1, [2, 0]),
                packet(!big, 0, 3, &[5; 8]),
            ];
            let read = all(&file.concat()).unwrap();
            let expected = [
                (5_000_000_007, 4, vec![1, 2, 3]),
                (500_000_000, 2, vec![4]),
                (500_000_000, 2, vec![8, 9]),
                (3000, 9, vec![5; 8]),
            ];
            assert_eq!(read, expected, "big {big}");
        }
    }

    #[test]
    fn faults_are_told_by_frame() {
        let told = |parts: &[Vec<u8>]| all(&parts.concat()).unwrap_err().to_string();
        let good = [header(false), interface(false, 1, [9, 6]), packet(false, 0, 1, &[7; 60])];
        let with = |last: Vec<u8>| told(&[&good[..], &[last]].concat());
        assert!(
            with(packet(false, 1, 1, &[7])).contains("damaged behind its frame 1: a packet's interface is 1")
        );
        assert!(with(block(false, OBSOLETE_PACKET, &[0; 20])).contains("outdated kind"));
        assert!(with(words(false, &[ENHANCED_PACKET, 13])).contains("a block's length is 13"));
        assert!(with(block(false, ENHANCED_PACKET, &[0; 8])).contains("a packet's length is 8"));
        let mut long = packet(false, 0, 1, &[7; 60]);
        long[20..24].copy_from_slice(&61u32.to_le_bytes());
        assert!(with(long).contains("a packet's length is 80"));
        assert!(
            told(&[header(false), interface(false, 113, [9, 6]), packet(false, 0, 1, &[7])]).contains("113")
        );
        assert!(
            told(&[header(false), interface(false, 1, [13, 4]), packet(false, 0, 1, &[7])]).contains("FCS")
        );
        let cut = good.concat();
        assert!(matches!(all(&cut[..cut.len() - 2]), Err(ReadError::Truncated { frame: 0 })));
    }
}
