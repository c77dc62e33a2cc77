//! A frame's headers in words, for people.

use std::fmt::Write as _;
use std::net::Ipv6Addr;

/// What the frame is, from the outside in; as far as it is understood.
pub fn describe(frame: &[u8]) -> String {
    let mut words = Words { frame, at: 0, out: String::new() };
    words.ethernet();
    words.out.trim().to_owned()
}

struct Words<'f> {
    frame: &'f [u8],
    at: usize,
    out: String,
}

impl Words<'_> {
    fn byte(&self, offset: usize) -> u8 {
        self.frame.get(self.at + offset).copied().unwrap_or(0)
    }
    fn word(&self, offset: usize) -> u16 {
        u16::from_be_bytes([self.byte(offset), self.byte(offset + 1)])
    }
    fn long(&self, offset: usize) -> u32 {
        u32::from(self.word(offset)) << 16 | u32::from(self.word(offset + 2))
    }
    fn ipv4_at(&self, offset: usize) -> String {
        [0, 1, 2, 3].map(|i| self.byte(offset + i).to_string()).join(".")
    }
    fn ipv6_at(&self, offset: usize) -> Ipv6Addr {
        Ipv6Addr::from(std::array::from_fn::<u8, 16, _>(|i| self.byte(offset + i)))
    }
    /// Writing to a String can't fail.
    fn say(&mut self, words: std::fmt::Arguments<'_>) {
        let _ = write!(self.out, "{words} ");
    }

    fn ethernet(&mut self) {
        let ether_type = self.word(12);
        self.at += 14;
        self.behind(ether_type);
    }

    fn behind(&mut self, mut ether_type: u16) {
        while matches!(ether_type, 0x8100 | 0x88a8 | 0x9100) {
            self.say(format_args!("vlan {}", self.word(0) & 0xfff));
            ether_type = self.word(2);
            self.at += 4;
        }
        match ether_type {
            0x0800 => self.ipv4(),
            0x86dd => self.ipv6(),
            0x0806 => {
                let (op, from, to) = (self.word(6), self.ipv4_at(14), self.ipv4_at(24));
                self.say(format_args!("ARP op {op} {from} > {to}"));
            }
            0x8847 => self.mpls(),
            other => self.say(format_args!("EtherType 0x{other:04x}")),
        }
    }

    fn mpls(&mut self) {
        while self.at + 4 <= self.frame.len() {
            let label = self.long(0);
            self.at += 4;
            self.say(format_args!("mpls {}", label >> 12));
            if label >> 8 & 1 == 1 {
                break;
            }
        }
        if self.byte(0) >> 4 == 6 { self.ipv6() } else { self.ipv4() }
    }

    fn ipv4(&mut self) {
        let (src, dst, ttl, protocol) = (self.ipv4_at(12), self.ipv4_at(16), self.byte(8), self.byte(9));
        self.at += usize::from(self.byte(0) & 15) * 4;
        self.transport(protocol, &src, &dst);
        self.say(format_args!("ttl {ttl}"));
    }

    fn ipv6(&mut self) {
        let (src, dst) = (format!("[{}]", self.ipv6_at(8)), format!("[{}]", self.ipv6_at(24)));
        let (hop_limit, next) = (self.byte(7), self.byte(6));
        self.at += 40;
        self.transport(next, &src, &dst);
        self.say(format_args!("hop limit {hop_limit}"));
    }

    fn transport(&mut self, protocol: u8, src: &str, dst: &str) {
        let (sport, dport) = (self.word(0), self.word(2));
        match protocol {
            6 => self.say(format_args!("TCP {src}:{sport} > {dst}:{dport}")),
            17 => {
                self.say(format_args!("UDP {src}:{sport} > {dst}:{dport}"));
                self.at += 8;
                self.tunnel(dport);
            }
            1 | 58 => {
                let (kind, id, seq) = (self.byte(0), self.word(4), self.word(6));
                let name = if protocol == 1 { "ICMP" } else { "ICMPv6" };
                self.say(format_args!("{name} {src} > {dst} type {kind} id {id} seq {seq}"));
            }
            47 => {
                self.say(format_args!("GRE {src} > {dst}"));
                let (flags, carried) = (self.word(0), self.word(2));
                self.at += 4;
                if flags & 0x2000 != 0 {
                    self.say(format_args!("key {}", self.long(0)));
                    self.at += 4;
                }
                if carried == 0x6558 { self.ethernet() } else { self.behind(carried) }
            }
            other => self.say(format_args!("IP protocol {other} {src} > {dst}")),
        }
    }

    fn tunnel(&mut self, port: u16) {
        match port {
            4789 if self.byte(0) == 8 => {
                self.say(format_args!("vni {}", self.long(4) >> 8));
                self.at += 8;
                self.ethernet();
            }
            2152 if self.word(0) == 0x30ff => {
                self.say(format_args!("teid {}", self.long(4)));
                self.at += 8;
                if self.byte(0) >> 4 == 6 { self.ipv6() } else { self.ipv4() }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_udp_frame_reads_as_before() {
        let words = describe(&crate::testing::template(60).bytes);
        assert_eq!(words, "UDP 192.168.1.1:1024 > 192.168.2.1:1024 ttl 64");
    }

    proptest! {
        #[test]
        fn any_bytes_are_described(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            describe(&bytes);
        }
    }
}
