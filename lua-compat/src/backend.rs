//! What Pktgen's functions say, as types: the border between the API tables and what becomes of a script.
//!
//! One backend writes down ([`crate::record::Recorder`]); another may drive a running port. The API tables
//! know neither.

use std::net::IpAddr;

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
    /// RFC 792 and 4443: echo requests.
    Icmp,
}

/// What stands behind the Ethernet header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// RFC 791.
    #[default]
    Ipv4,
    /// RFC 8200.
    Ipv6,
    /// RFC 826.
    Arp,
}

/// What fills a frame behind its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The alphabet, over and over.
    Letters,
    /// Zeroes.
    Zero,
    /// What `userPattern` said, over and over.
    User,
}

/// Switches of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A VLAN tag.
    Vlan,
    /// An MPLS label.
    Mpls,
    /// Two tags.
    Qinq,
    /// GRE that carries IPv4.
    Gre,
    /// GRE that carries Ethernet.
    GreEth,
    /// VXLAN.
    Vxlan,
    /// Frames of a capture.
    Pcap,
    /// Frames carry the time.
    Latency,
    /// Samples of the latency go to a file.
    Sampler,
    /// Any source address.
    RandomSrcIp,
    /// Any source port.
    RandomSrcPort,
}

impl Mode {
    /// How many there are.
    pub const COUNT: usize = 11;

    /// The modes that Pktgen switches off when this one is switched on: a frame has one of them.
    pub fn rivals(self) -> &'static [Mode] {
        match self {
            Mode::Vlan => &[Mode::Mpls, Mode::Qinq],
            Mode::Mpls => &[Mode::Vlan, Mode::Qinq],
            Mode::Qinq => &[Mode::Vlan, Mode::Mpls],
            Mode::Gre => &[Mode::GreEth],
            Mode::GreEth => &[Mode::Gre],
            _ => &[],
        }
    }
}

/// 32 bits of a frame that `rnd` changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomBits {
    /// The first byte, from the start of the frame.
    pub offset: u16,
    /// Bits that are drawn for each frame.
    pub random: u32,
    /// Bits that are 1.
    pub ones: u32,
    /// Bits that are 0.
    pub zeros: u32,
}

/// One slot of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeqPacket {
    /// Ethernet destination.
    pub dst_mac: Mac,
    /// Ethernet source.
    pub src_mac: Mac,
    /// Destination address.
    pub dst: IpAddr,
    /// Source address.
    pub src: IpAddr,
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// What stands behind Ethernet.
    pub network: Network,
    /// Layer 4.
    pub proto: Transport,
    /// VLAN, where tags are sent.
    pub vlan: u16,
    /// Bytes with the FCS, as written.
    pub size: u64,
    /// GTP-U tunnel, 0 for none.
    pub teid: u32,
    /// VLAN priority.
    pub cos: u8,
    /// IPv4 TOS or IPv6 traffic class.
    pub tos: u8,
    /// TCP flags.
    pub flags: Option<u8>,
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
#[derive(Clone, Debug, PartialEq)]
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
    /// Address of IPv4 or IPv6.
    Ip(Side, IpAddr),
    /// Layer-4 protocol.
    Proto(Transport),
    /// What stands behind Ethernet.
    Network(Network),
    /// Slots of the sequence that are sent; 0 sends the single packet.
    SeqCount(u64),
    /// Frames that `prime` sends.
    Prime(u64),
    /// TCP flags.
    TcpFlags(u8),
    /// VLAN.
    VlanId(u16),
    /// VLAN priority.
    Cos(u8),
    /// IPv4 TOS or IPv6 traffic class.
    Tos(u8),
    /// MPLS label stack entry, whole.
    MplsEntry(u32),
    /// Outer and inner VLAN.
    QinqIds(u16, u16),
    /// GRE key.
    GreKey(u32),
    /// VXLAN network.
    Vni(u32),
    /// What fills the frame.
    Pattern(Pattern),
    /// Its text.
    UserPattern(String),
    /// A slot of random bits; `None` switches it off.
    Random(u8, Option<RandomBits>),
    /// A switch.
    Mode(Mode, bool),
    /// Microseconds between frames that carry the time.
    LatencyRate(u64),
    /// Jitter above which frames are counted, in microseconds.
    Jitter(u64),
    /// Where and how latency is sampled.
    Sampler(Sampler),
}

/// `latsampler_params`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler {
    /// Samples to take.
    pub samples: u64,
    /// Samples a second.
    pub rate: u64,
    /// The file.
    pub file: String,
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
    /// VLAN.
    VlanId,
    /// VLAN priority.
    Cos,
    /// IPv4 TOS.
    Tos,
    /// IPv6 hop limit.
    HopLimits,
    /// IPv6 traffic class.
    TrafficClass,
    /// GTP-U tunnel.
    GtpuTeid,
}

impl RangeField {
    /// How many fields there are.
    pub const COUNT: usize = 14;

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
            RangeField::VlanId => "vlan_id",
            RangeField::Cos => "cos",
            RangeField::Tos => "tos",
            RangeField::HopLimits => "hop_limits",
            RangeField::TrafficClass => "traffic_class",
            RangeField::GtpuTeid => "gtpu_teid",
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
#[derive(Clone, Debug, PartialEq)]
pub enum PortOp {
    /// Start sending.
    Start,
    /// Stop sending.
    Stop,
    /// Send a few frames now.
    Prime,
    /// Set the counters to zero.
    Clear,
    /// Every setting back to its default.
    Reset,
    /// A setting of the port or its single-packet template.
    Set(Setting),
    /// One value of the range template, as a number in host order.
    Range(RangeField, RangePart, u128),
    /// The layer-4 protocol of range packets.
    RangeProto(Transport),
    /// What stands behind Ethernet in range packets.
    RangeNetwork(Network),
    /// Send range packets (or the single packet).
    RangeMode(bool),
    /// A slot of the sequence.
    Sequence(u16, Box<SeqPacket>),
    /// TCP flags of a slot.
    SequenceFlags(u16, u8),
}

impl PortOp {
    /// Whether a port that sends has to send other frames after this, or at another rate.
    pub fn changes_frames(&self) -> bool {
        use PortOp::{Clear, Prime, Reset, Set, Start, Stop};
        !matches!(
            self,
            Start
                | Stop
                | Prime
                | Clear
                | Reset
                | Set(Setting::Count(_)
                    | Setting::Prime(_)
                    | Setting::Jitter(_)
                    | Setting::LatencyRate(_)
                    | Setting::Sampler(_))
        )
    }
}

/// A question to the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// How many ports are in use.
    PortCount,
    /// What a running port says under the function of this name, for these ports.
    Live(&'static str, PortSet),
    /// The random bits that are set, for these ports.
    Random(PortSet),
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
    /// A table with number keys.
    Rows(Vec<(i64, Answer)>),
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
    /// Whether ports really run, and delays really wait.
    fn is_live(&self) -> bool {
        false
    }
    /// A Lua script that sets `port` as it is set now.
    fn saved(&mut self, ports: PortSet) -> Result<String, BackendError>;
    /// Whether the script has to end now, for a reason that is none of its own.
    fn must_end(&self) -> bool {
        false
    }
}
