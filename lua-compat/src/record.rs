//! The backend that sends nothing: it writes down what a script sets, in the order in which it happens.

use crate::backend::{Answer, Backend, BackendError, Mode, PortOp, Query, RandomBits, RangePart};
pub use crate::config::{At, Config, RangeParts, Sides};
use crate::ports::{MAX_PORTS, PortSet};
use crate::report::{Report, Severity};

/// The longest time that delays may add up to, in ms: a year. Beyond it a script means nothing that can be
/// run.
const MAX_DELAY_MS: u64 = 365 * 24 * 3600 * 1000;

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
