//! The backend that sends nothing: it writes down what a script sets, in the order in which it happens.

use std::collections::BTreeMap;
use std::net::IpAddr;

use traffic::mac::Mac;

use crate::backend::{
    Answer, Backend, BackendError, Mode, Network, Pattern, PortOp, Query, RandomBits, RangeField, RangePart,
    Sampler, SeqPacket, Setting, Side, Transport,
};
use crate::ports::{MAX_PORTS, PortSet};
use crate::report::{Report, Severity};

/// The longest time that delays may add up to, in ms: a year. Beyond it a script means nothing that can be
/// run.
const MAX_DELAY_MS: u64 = 365 * 24 * 3600 * 1000;

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
    fn set(&mut self, side: Side, value: At<T>) {
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
    fn choose(&mut self, setting: &Setting) {
        match setting {
            Setting::SeqCount(1..) => {
                self.range_mode = None;
                self.modes[Mode::Pcap as usize] = None;
            }
            Setting::Mode(Mode::Pcap, true) => (self.range_mode, self.seq_count) = (None, None),
            _ => {}
        }
    }

    fn set(&mut self, line: u32, setting: Setting) {
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

/// The first time that a port was started.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// The line of `start`.
    pub line: u32,
    /// The port's settings at that moment.
    pub config: Config,
    /// Whether the script named the port, rather than `"all"`.
    pub named: bool,
    /// Script time of the start, in ms.
    pub from_ms: u64,
    /// Script time of the stop, in ms, with the line of `stop` or `quit`.
    pub until_ms: Option<At<u64>>,
    /// The line of the next `start`, which is not carried over.
    pub again_line: Option<u32>,
    /// The first line that changed a setting after the start.
    pub changed_line: Option<u32>,
}

/// One port of the script.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PortRecord {
    /// The settings as they are at the end of the script.
    pub config: Config,
    /// `None` for a port that is never started.
    pub sending: Option<Sending>,
}

/// Writes down a script's calls.
#[derive(Clone, Debug)]
pub struct Recorder {
    ports: Vec<PortRecord>,
    clock_ms: u64,
    port_count: u16,
    /// Notes of the API's functions.
    pub report: Report,
}

impl Recorder {
    /// A recorder that tells the script of `port_count` ports.
    pub fn new(port_count: u16) -> Recorder {
        Recorder {
            ports: vec![PortRecord::default(); usize::from(MAX_PORTS)],
            clock_ms: 0,
            port_count,
            report: Report::default(),
        }
    }

    /// What the script did with `port`; `None` for a port that can't be.
    pub fn port(&self, port: u16) -> Option<&PortRecord> {
        self.ports.get(usize::from(port))
    }

    /// The ports that the script started by name, ascending.
    pub fn started(&self) -> Vec<u16> {
        (0..)
            .zip(&self.ports)
            .filter(|(_, p)| p.sending.as_ref().is_some_and(|s| s.named))
            .map(|(n, _)| n)
            .collect()
    }
}

impl Recorder {
    /// The random bits of these ports, as `rnd_list` gives them.
    pub fn random(&self, ports: PortSet) -> Answer {
        let mask = |bits: &RandomBits| -> String {
            let letter = |bit: u32| match (bits.random & bit, bits.ones & bit, bits.zeros & bit) {
                (1.., ..) => 'X',
                (_, 1.., _) => '1',
                (_, _, 1..) => '0',
                _ => '.',
            };
            (0..32).rev().map(|n| letter(1 << n)).collect()
        };
        let slot = |(slot, at): (&u8, &At<RandomBits>)| {
            let fields = vec![
                ("offset".to_owned(), Answer::Integer(at.value.offset.into())),
                ("mask".to_owned(), Answer::Text(mask(&at.value))),
                ("active".to_owned(), Answer::Text("Yes".to_owned())),
            ];
            (i64::from(*slot), Answer::Fields(fields))
        };
        let of = |record: &PortRecord| Answer::Rows(record.config.random.iter().map(slot).collect());
        let all = (0..).zip(&self.ports).filter(|(n, _)| ports.contains(*n) && *n < self.port_count);
        Answer::Ports(all.map(|(n, record)| (n, of(record))).collect())
    }

    /// Changes what is set on one port, outside of a script's run.
    pub fn apply(&mut self, line: u32, port: u16, op: PortOp) {
        if let Some(record) = self.ports.get_mut(usize::from(port)) {
            record.apply(line, op);
        }
    }
}

impl PortRecord {
    fn start(&mut self, line: u32, named: bool, from_ms: u64) {
        match &mut self.sending {
            Some(first) => {
                first.again_line.get_or_insert(line);
            }
            None => {
                self.sending = Some(Sending {
                    line,
                    config: self.config.clone(),
                    named,
                    from_ms,
                    until_ms: None,
                    again_line: None,
                    changed_line: None,
                });
            }
        }
    }

    fn stop(&mut self, line: u32, now_ms: u64) {
        if let Some(first) = &mut self.sending {
            first.until_ms.get_or_insert(At { value: now_ms, line });
        }
    }

    fn apply(&mut self, line: u32, op: PortOp) {
        if let Some(first) = &mut self.sending
            && first.until_ms.is_none()
        {
            first.changed_line.get_or_insert(line);
        }
        match op {
            PortOp::Reset => self.config = Config::default(),
            PortOp::Set(setting) => {
                self.config.choose(&setting);
                self.config.set(line, setting);
            }
            PortOp::Range(field, part, value) => {
                let parts = &mut self.config.ranges[field as usize];
                let slot = match part {
                    RangePart::Start => &mut parts.start,
                    RangePart::Inc => &mut parts.inc,
                    RangePart::Min => &mut parts.min,
                    RangePart::Max => &mut parts.max,
                };
                *slot = Some(At { value, line });
            }
            PortOp::RangeProto(value) => self.config.range_proto = Some(At { value, line }),
            PortOp::RangeNetwork(value) => self.config.range_network = Some(At { value, line }),
            PortOp::RangeMode(value) => {
                if value {
                    self.config.seq_count = None;
                    self.config.modes[Mode::Pcap as usize] = None;
                }
                self.config.range_mode = Some(At { value, line });
            }
            PortOp::Sequence(slot, value) => {
                self.config.sequence.insert(slot, At { value: *value, line });
            }
            PortOp::SequenceFlags(slot, flags) => {
                if let Some(packet) = self.config.sequence.get_mut(&slot) {
                    packet.value.flags = Some(flags);
                }
            }
            PortOp::Start | PortOp::Stop | PortOp::Prime | PortOp::Clear => {}
        }
    }
}

impl Backend for Recorder {
    fn port(&mut self, line: u32, ports: PortSet, op: PortOp) -> Result<(), BackendError> {
        let now_ms = self.clock_ms;
        for (number, record) in (0..).zip(&mut self.ports) {
            match op {
                _ if !ports.contains(number) => {}
                PortOp::Start => record.start(line, !ports.is_all(), now_ms),
                PortOp::Stop => record.stop(line, now_ms),
                PortOp::Prime | PortOp::Clear => {}
                _ => record.apply(line, op.clone()),
            }
        }
        Ok(())
    }

    fn delay(&mut self, _line: u32, ms: u64) -> Result<(), BackendError> {
        self.clock_ms = self.clock_ms.saturating_add(ms).min(MAX_DELAY_MS);
        Ok(())
    }

    fn quit(&mut self, line: u32) -> Result<(), BackendError> {
        let now_ms = self.clock_ms;
        self.ports.iter_mut().for_each(|p| p.stop(line, now_ms));
        Ok(())
    }

    fn query(&mut self, _line: u32, query: Query) -> Result<Answer, BackendError> {
        match query {
            Query::PortCount => Ok(Answer::Integer(i64::from(self.port_count))),
            Query::Random(ports) => Ok(self.random(ports)),
            Query::Live(name, _) => Err(BackendError(format!(
                "pktgen.{name} asks a running port: a script that reacts to counters or link state can't be imported \
                 as a profile, it has to be run live"
            ))),
        }
    }

    fn note(&mut self, line: u32, severity: Severity, text: String) {
        self.report.add(line, severity, text);
    }

    fn ahead_ms(&self) -> u64 {
        self.clock_ms
    }

    fn saved(&mut self, _: PortSet) -> Result<String, BackendError> {
        Err(BackendError("pktgen.save writes a file: an imported script has none, run it live".into()))
    }
}
