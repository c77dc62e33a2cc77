//! Frames and captures for the tests of replays, with checksums by a reference that shares nothing with the code.

mod capture;
mod clock;
mod cursor;
mod rewrite;
mod split;

use std::path::PathBuf;

use super::Capture;
use crate::pcap::PcapWriter;
use crate::profile::replay::{Replay, Rewrite, Split, Timing, Truncated};

/// A frame of one of the kinds that captures are full of.
#[derive(Clone, Copy, Debug)]
struct Kind {
    /// IPv6, not IPv4.
    v6: bool,
    /// 6, 17, 1 or 58.
    protocol: u8,
    /// VLAN tags before the IP header.
    tags: usize,
    /// Last bytes of the addresses, and the ports.
    ends: [u8; 2],
    ports: [u16; 2],
    payload: usize,
}

const UDP: Kind = Kind { v6: false, protocol: 17, tags: 0, ends: [1, 2], ports: [1000, 2000], payload: 31 };

impl Kind {
    fn ip_at(&self) -> usize {
        14 + 4 * self.tags
    }

    fn l4_at(&self) -> usize {
        self.ip_at() + if self.v6 { 40 } else { 20 }
    }

    fn frame(&self) -> Vec<u8> {
        let mut out = vec![2, 0, 0, 0, 0, self.ends[1], 2, 0, 0, 0, 0, self.ends[0]];
        for tag in 0..self.tags {
            out.extend([0x81, 0, 0xa0, 7 + tag as u8]);
        }
        out.extend(if self.v6 { [0x86, 0xdd] } else { [8, 0] });
        let mut l4: Vec<u8> = self.ports.iter().flat_map(|p| p.to_be_bytes()).collect();
        match self.protocol {
            6 => l4.extend([0, 0, 0, 9, 0, 0, 0, 8, 0x50, 0x10, 0x20, 0, 0, 0, 0, 0]),
            17 => l4.extend([&(8 + self.payload as u16).to_be_bytes()[..], &[0, 0]].concat()),
            _ => l4 = vec![128, 0, 0, 0, 0, 5, 0, 6],
        }
        l4.extend((0..self.payload).map(|n| n as u8 ^ 0x5a));
        if self.v6 {
            out.extend([0x60, 0, 0, 0]);
            out.extend((l4.len() as u16).to_be_bytes());
            out.extend([self.protocol, 64]);
            self.ends
                .iter()
                .for_each(|end| out.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, *end]));
        } else {
            out.extend([0x45, 0]);
            out.extend((20 + l4.len() as u16).to_be_bytes());
            out.extend([0, 7, 0x40, 0, 64, self.protocol, 0, 0]);
            self.ends.iter().for_each(|end| out.extend([10, 0, 1, *end]));
        }
        out.extend(l4);
        self.seal(&mut out);
        out
    }

    /// Offset of layer 4's checksum in it.
    fn checksum_at(&self) -> usize {
        self.l4_at() + [16, 6, 2][[6, 17].iter().position(|p| *p == self.protocol).unwrap_or(2)]
    }

    /// Writes all checksums.
    fn seal(&self, frame: &mut [u8]) {
        let (ip, at) = (self.ip_at(), self.checksum_at());
        if !self.v6 {
            frame[ip + 10..ip + 12].fill(0);
            let sum = !ones(&frame[ip..ip + 20]);
            frame[ip + 10..ip + 12].copy_from_slice(&sum.to_be_bytes());
        }
        frame[at..at + 2].fill(0);
        let sum = !ones(&self.covered(frame));
        let sum = if sum == 0 && self.protocol == 17 { 0xffff } else { sum };
        frame[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }

    /// What layer 4's checksum covers: ICMP has no pseudo header.
    fn covered(&self, frame: &[u8]) -> Vec<u8> {
        let l4 = &frame[self.l4_at()..];
        let addresses =
            if self.v6 { self.ip_at() + 8..self.ip_at() + 40 } else { self.ip_at() + 12..self.ip_at() + 20 };
        let pseudo =
            [&frame[addresses], &(l4.len() as u32).to_be_bytes(), &[0, 0, 0, self.protocol]].concat();
        if self.protocol == 1 { l4.to_vec() } else { [&pseudo, l4].concat() }
    }

    fn is_valid(&self, frame: &[u8]) -> bool {
        let ip = self.v6 || ones(&frame[self.ip_at()..self.ip_at() + 20]) == 0xffff;
        ip && ones(&self.covered(frame)) == 0xffff
    }
}

/// RFC 1071's sum, big-endian, word by word.
fn ones(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for w in bytes.chunks(2) {
        sum += u32::from(u16::from_be_bytes([w[0], *w.get(1).unwrap_or(&0)]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

fn replay() -> Replay {
    Replay {
        file: PathBuf::from("x.pcap"),
        timing: Timing::Original,
        loops: 1,
        limit_frames: None,
        truncated: Truncated::Refuse,
        split: Split::Symmetric,
        rewrite: Rewrite::default(),
    }
}

/// A capture with these times in microseconds.
fn file(frames: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut pcap = PcapWriter::new(Vec::new()).unwrap();
    frames.iter().for_each(|(us, frame)| pcap.write(us * 1000, frame).unwrap());
    pcap.finish().unwrap()
}

fn load(file: &[u8], replay: &Replay) -> Result<Capture, super::ReplayError> {
    Capture::read(file, file.len() as u64, replay)
}
