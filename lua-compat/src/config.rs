//! What a script set on one port, each value with the line that set it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use traffic::mac::Mac;

use crate::backend::{
    Mode, Network, Pattern, RandomBits, RangeField, Sampler, SeqPacket, Setting, Side, Transport,
};

/// A value with the line that set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// The script's line, from 1.
    pub line: u32,
}

/// One value for the source, one for the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides<T> {
    /// Source.
    pub src: Option<At<T>>,
    /// Destination.
    pub dst: Option<At<T>>,
}

impl<T> Default for Sides<T> {
    fn default() -> Self {
        Sides { src: None, dst: None }
    }
}

impl<T> Sides<T> {
    pub(crate) fn set(&mut self, side: Side, value: At<T>) {
        match side {
            Side::Src => self.src = Some(value),
            Side::Dst => self.dst = Some(value),
        }
    }
}

/// What a script set of one range: nothing where Pktgen's default holds. Values are numbers in host order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RangeParts {
    /// The first value.
    pub start: Option<At<u128>>,
    /// The step.
    pub inc: Option<At<u128>>,
    /// The smallest value.
    pub min: Option<At<u128>>,
    /// The largest value.
    pub max: Option<At<u128>>,
}

impl RangeParts {
    /// The first line that set anything; `None` when nothing is set.
    pub fn first_line(&self) -> Option<u32> {
        [self.start, self.inc, self.min, self.max].iter().flatten().map(|a| a.line).min()
    }
}

/// What a script set on one port: nothing where Pktgen's default holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Frames to send, 0 for ever.
    pub count: Option<At<u64>>,
    /// Percent of the link, as written.
    pub rate: Option<At<f64>>,
    /// Bytes with FCS of the single packet, as written.
    pub size: Option<At<u64>>,
    /// Single packet: UDP or TCP ports.
    pub ports: Sides<u16>,
    /// Single packet: time to live.
    pub ttl: Option<At<u8>>,
    /// Single packet: Ethernet addresses.
    pub macs: Sides<Mac>,
    /// Single packet: addresses of IPv4.
    pub ips: Sides<IpAddr>,
    /// Single packet: addresses of IPv6.
    pub ips6: Sides<IpAddr>,
    /// Single packet: layer-4 protocol.
    pub proto: Option<At<Transport>>,
    /// Single packet: what stands behind Ethernet.
    pub network: Option<At<Network>>,
    /// TCP flags.
    pub tcp_flags: Option<At<u8>>,
    /// VLAN.
    pub vlan: Option<At<u16>>,
    /// VLAN priority.
    pub cos: Option<At<u8>>,
    /// TOS or traffic class.
    pub tos: Option<At<u8>>,
    /// MPLS label stack entry.
    pub mpls: Option<At<u32>>,
    /// Outer and inner VLAN.
    pub qinq: Option<At<(u16, u16)>>,
    /// GRE key.
    pub gre_key: Option<At<u32>>,
    /// VXLAN network.
    pub vni: Option<At<u32>>,
    /// What fills frames.
    pub pattern: Option<At<Pattern>>,
    /// The text of it.
    pub user_pattern: Option<At<String>>,
    /// Random bits, by slot.
    pub random: BTreeMap<u8, At<RandomBits>>,
    /// Switches, by [`Mode`].
    pub modes: [Option<At<bool>>; Mode::COUNT],
    /// Slots of the sequence that are sent.
    pub seq_count: Option<At<u64>>,
    /// The slots.
    pub sequence: BTreeMap<u16, At<SeqPacket>>,
    /// Frames of `prime`.
    pub prime: Option<At<u64>>,
    /// Microseconds between frames that carry the time.
    pub latency_rate: Option<At<u64>>,
    /// Microseconds of jitter.
    pub jitter: Option<At<u64>>,
    /// Latency samples.
    pub sampler: Option<Sampler>,
    /// Range template, by [`RangeField`].
    pub ranges: [RangeParts; RangeField::COUNT],
    /// Range template: layer-4 protocol.
    pub range_proto: Option<At<Transport>>,
    /// Range template: what stands behind Ethernet.
    pub range_network: Option<At<Network>>,
    /// Whether range packets are sent.
    pub range_mode: Option<At<bool>>,
}

impl Config {
    /// What was set of one range.
    pub fn range(&self, field: RangeField) -> &RangeParts {
        &self.ranges[field as usize]
    }

    /// Whether a mode is on.
    pub fn has(&self, mode: Mode) -> bool {
        self.modes[mode as usize].is_some_and(|at| at.value)
    }

    /// Range packets, sequence and capture switch each other off: the last one counts.
    pub(crate) fn choose(&mut self, setting: &Setting) {
        match setting {
            Setting::SeqCount(1..) => {
                self.range_mode = None;
                self.modes[Mode::Pcap as usize] = None;
            }
            Setting::Mode(Mode::Pcap, true) => (self.range_mode, self.seq_count) = (None, None),
            _ => {}
        }
    }

    pub(crate) fn set(&mut self, line: u32, setting: Setting) {
        match setting {
            Setting::Count(value) => self.count = Some(At { value, line }),
            Setting::Rate(value) => self.rate = Some(At { value, line }),
            Setting::Size(value) => self.size = Some(At { value, line }),
            Setting::Port(side, value) => self.ports.set(side, At { value, line }),
            Setting::Ttl(value) => self.ttl = Some(At { value, line }),
            Setting::Mac(side, value) => self.macs.set(side, At { value, line }),
            Setting::Ip(side, value @ IpAddr::V4(_)) => self.ips.set(side, At { value, line }),
            Setting::Ip(side, value @ IpAddr::V6(_)) => self.ips6.set(side, At { value, line }),
            Setting::Proto(value) => self.proto = Some(At { value, line }),
            Setting::Network(value) => self.network = Some(At { value, line }),
            Setting::SeqCount(value) => self.seq_count = Some(At { value, line }),
            Setting::Prime(value) => self.prime = Some(At { value, line }),
            Setting::LatencyRate(value) => self.latency_rate = Some(At { value, line }),
            Setting::Jitter(value) => self.jitter = Some(At { value, line }),
            Setting::Sampler(value) => self.sampler = Some(value),
            header => self.set_header(line, header),
        }
    }

    fn set_header(&mut self, line: u32, setting: Setting) {
        match setting {
            Setting::TcpFlags(value) => self.tcp_flags = Some(At { value, line }),
            Setting::VlanId(value) => self.vlan = Some(At { value, line }),
            Setting::Cos(value) => self.cos = Some(At { value, line }),
            Setting::Tos(value) => self.tos = Some(At { value, line }),
            Setting::MplsEntry(value) => self.mpls = Some(At { value, line }),
            Setting::QinqIds(outer, inner) => self.qinq = Some(At { value: (outer, inner), line }),
            Setting::GreKey(value) => self.gre_key = Some(At { value, line }),
            Setting::Vni(value) => self.vni = Some(At { value, line }),
            Setting::Pattern(value) => self.pattern = Some(At { value, line }),
            Setting::UserPattern(value) => self.user_pattern = Some(At { value, line }),
            Setting::Random(slot, Some(value)) => drop(self.random.insert(slot, At { value, line })),
            Setting::Random(slot, None) => drop(self.random.remove(&slot)),
            Setting::Mode(mode, value) => {
                if value {
                    mode.rivals().iter().for_each(|rival| self.modes[*rival as usize] = None);
                }
                self.modes[mode as usize] = Some(At { value, line });
            }
            // The others are `set`'s.
            _ => {}
        }
    }
}
