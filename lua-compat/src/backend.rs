//! What Pktgen's functions say, as types: the border between the API tables and what becomes of a script.
//!
//! One backend writes down ([`crate::record::Recorder`]); another may drive a running port. The API tables
//! know neither.

use std::net::Ipv4Addr;

use traffic::mac::Mac;

use crate::ports::PortSet;
use crate::report::Severity;

/// The layer-4 protocols that a script can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// RFC 768.
    Udp,
    /// RFC 9293.
    Tcp,
}

/// Source or destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Source.
    Src,
    /// Destination.
    Dst,
}

/// A setting of a port or of its single-packet template.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting {
    /// Frames to send; 0 goes on for ever.
    Count(u64),
    /// Percent of the link, as the script wrote it: not yet clamped.
    Rate(f64),
    /// Frame size in bytes with the FCS, as the script wrote it: not yet clamped.
    Size(u64),
    /// UDP or TCP port.
    Port(Side, u16),
    /// Time to live.
    Ttl(u8),
    /// Ethernet address.
    Mac(Side, Mac),
    /// IPv4 address.
    Ip(Side, Ipv4Addr),
    /// Layer-4 protocol.
    Proto(Transport),
}

/// A field of the range template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeField {
    /// Destination Ethernet address.
    DstMac,
    /// Source Ethernet address.
    SrcMac,
    /// Destination IPv4 address.
    DstIp,
    /// Source IPv4 address.
    SrcIp,
    /// Destination port.
    DstPort,
    /// Source port.
    SrcPort,
    /// Time to live.
    Ttl,
    /// Frame size in bytes with the FCS.
    PktSize,
}

impl RangeField {
    /// How many fields there are.
    pub const COUNT: usize = 8;

    /// The name of the function in `pktgen.range`.
    pub fn name(self) -> &'static str {
        match self {
            RangeField::DstMac => "dst_mac",
            RangeField::SrcMac => "src_mac",
            RangeField::DstIp => "dst_ip",
            RangeField::SrcIp => "src_ip",
            RangeField::DstPort => "dst_port",
            RangeField::SrcPort => "src_port",
            RangeField::Ttl => "ttl",
            RangeField::PktSize => "pkt_size",
        }
    }
}

/// Which value of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangePart {
    /// The first value.
    Start,
    /// The step.
    Inc,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
}

/// One call that concerns ports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PortOp {
    /// Start sending.
    Start,
    /// Stop sending.
    Stop,
    /// Every setting back to its default.
    Reset,
    /// A setting of the port or its single-packet template.
    Set(Setting),
    /// One value of the range template, as a number in host order.
    Range(RangeField, RangePart, u64),
    /// The layer-4 protocol of range packets.
    RangeProto(Transport),
    /// Send range packets (or the single packet).
    RangeMode(bool),
}

/// A question to the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// How many ports are in use.
    PortCount,
    /// What a running port says under the function of this name, for these ports.
    Live(&'static str, PortSet),
}

/// An answer, in a form that every Lua value can be made from.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
    /// A table with text keys.
    Fields(Vec<(String, Answer)>),
    /// A table with port numbers as keys, and `n`, how many they are.
    Ports(Vec<(u16, Answer)>),
}

/// A call that the backend can't carry out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BackendError(pub String);

/// What becomes of a script's calls. Lines are the script's, from 1 (0: unknown).
pub trait Backend {
    /// Carries out `op` on `ports`.
    fn port(&mut self, line: u32, ports: PortSet, op: PortOp) -> Result<(), BackendError>;
    /// Waits `ms` milliseconds of the script's time.
    fn delay(&mut self, line: u32, ms: u64) -> Result<(), BackendError>;
    /// Ends Pktgen.
    fn quit(&mut self, line: u32) -> Result<(), BackendError>;
    /// Answers a question.
    fn query(&mut self, line: u32, query: Query) -> Result<Answer, BackendError>;
    /// Takes note of something that the user should know.
    fn note(&mut self, line: u32, severity: Severity, text: String);
    /// Milliseconds by which the script's clock is ahead of the machine's, because delays were not waited
    /// for.
    fn ahead_ms(&self) -> u64;
}
