//! Quantities as types: a frame's size and a rate, each with the one place where its overheads are named.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bytes of the Ethernet frame check sequence: part of a frame's size, never in an mbuf.
pub const FCS_BYTES: u16 = 4;
/// Bytes that a frame occupies on the wire beyond its own: preamble 7, start delimiter 1, gap 12 (IEEE 802.3).
pub const WIRE_OVERHEAD_BYTES: u16 = 20;

/// An Ethernet frame's size in bytes **with** the 4-byte FCS, as RFC 2544, Pktgen and users say it: 64…9600.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u32", into = "u32")]
#[schemars(with = "u32", extend("minimum" = 64, "maximum" = 9600))]
pub struct FrameSize(u16);

impl FrameSize {
    /// The smallest legal Ethernet frame.
    pub const MIN: FrameSize = FrameSize(64);
    /// The largest frame this project sends: jumbo payloads of 9000 with headers and tags to spare.
    pub const MAX: FrameSize = FrameSize(9600);

    /// Checks 64 ≤ `bytes` ≤ 9600.
    pub fn new(bytes: u32) -> Result<FrameSize, UnitError> {
        match u16::try_from(bytes) {
            Ok(b) if (Self::MIN.0..=Self::MAX.0).contains(&b) => Ok(FrameSize(b)),
            _ => Err(UnitError::FrameSize(bytes)),
        }
    }

    /// For a frame of `bytes` in the mbuf: the nearest size there is.
    pub fn of_mbuf(bytes: u16) -> FrameSize {
        FrameSize(bytes.saturating_add(FCS_BYTES).clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Bytes with FCS.
    pub fn bytes(self) -> u16 {
        self.0
    }

    /// Bytes in the mbuf: without the FCS, which the NIC adds.
    pub fn mbuf_bytes(self) -> u16 {
        self.0 - FCS_BYTES
    }

    /// Bytes of link time: frame + 20.
    pub fn wire_bytes(self) -> u16 {
        self.0 + WIRE_OVERHEAD_BYTES
    }
}

impl TryFrom<u32> for FrameSize {
    type Error = UnitError;
    fn try_from(bytes: u32) -> Result<Self, UnitError> {
        FrameSize::new(bytes)
    }
}

impl From<FrameSize> for u32 {
    fn from(size: FrameSize) -> u32 {
        u32::from(size.0)
    }
}

impl fmt::Display for FrameSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} B", self.0)
    }
}

/// What a user asks of a port: a share of the link, packets or bits a second, or all that it takes.
///
/// Written `10%`, `1.5Mpps`, `2Gbps` (layer 2: the frame with its FCS), `2GbpsL1` (layer 1: + 20 bytes), `max`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Rate {
    /// Percent of the link's speed in layer-1 bits, above 0 and at most 100.
    Percent(f64),
    /// Packets a second.
    Pps(f64),
    /// Bits a second of frames with FCS (layer 2).
    BpsL2(f64),
    /// Bits a second on the wire (layer 1): preamble, delimiter and gap counted.
    BpsL1(f64),
    /// No pacing: as fast as the port takes frames.
    Max,
}

impl Rate {
    /// Packets a second for frames of `frame_bytes` (with FCS, on the mean) on a link of `link_bps`; `None` for
    /// [`Rate::Max`].
    ///
    /// 100 % of a link that can carry less than the sender could is still paced: it is a rate, not `max`.
    pub fn mean_pps(self, frame_bytes: f64, link_bps: f64) -> Option<f64> {
        let wire_bits = (frame_bytes + f64::from(WIRE_OVERHEAD_BYTES)) * 8.0;
        match self {
            Rate::Percent(p) => Some(p / 100.0 * link_bps / wire_bits),
            Rate::Pps(pps) => Some(pps),
            Rate::BpsL2(bps) => Some(bps / (frame_bytes * 8.0)),
            Rate::BpsL1(bps) => Some(bps / wire_bits),
            Rate::Max => None,
        }
    }
}

type MakeRate = fn(f64) -> Rate;

/// The units a rate may end in, longest first, with what one of each is worth.
const RATE_UNITS: [(&str, MakeRate); 14] = [
    ("GbpsL1", |v| Rate::BpsL1(v * 1e9)),
    ("MbpsL1", |v| Rate::BpsL1(v * 1e6)),
    ("kbpsL1", |v| Rate::BpsL1(v * 1e3)),
    ("bpsL1", Rate::BpsL1),
    ("Gbps", |v| Rate::BpsL2(v * 1e9)),
    ("Mbps", |v| Rate::BpsL2(v * 1e6)),
    ("kbps", |v| Rate::BpsL2(v * 1e3)),
    ("Gpps", |v| Rate::Pps(v * 1e9)),
    ("Mpps", |v| Rate::Pps(v * 1e6)),
    ("kpps", |v| Rate::Pps(v * 1e3)),
    ("bps", Rate::BpsL2),
    ("pps", Rate::Pps),
    ("%", Rate::Percent),
    ("percent", Rate::Percent),
];

impl FromStr for Rate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Rate, UnitError> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("max") {
            return Ok(Rate::Max);
        }
        let fault = || UnitError::Rate(text.to_owned());
        let (number, make) = RATE_UNITS
            .iter()
            .find_map(|(unit, make)| Some((text.strip_suffix(unit)?, make)))
            .ok_or_else(fault)?;
        let value: f64 = number.trim().parse().map_err(|_| fault())?;
        if !value.is_finite() || value <= 0.0 {
            return Err(fault());
        }
        match make(value) {
            Rate::Percent(p) if p > 100.0 => Err(UnitError::Percent(p)),
            rate => Ok(rate),
        }
    }
}

impl TryFrom<String> for Rate {
    type Error = UnitError;
    fn try_from(text: String) -> Result<Self, UnitError> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> String {
        rate.to_string()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scaled = |f: &mut fmt::Formatter<'_>, v: f64, unit: &str| {
            // The largest prefix that leaves the number exactly printable keeps "1.5Mpps" short and "1234567pps" true.
            for (scale, prefix) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] {
                let short = v / scale;
                if short >= 1.0 && short * scale == v && (short * 1e3).fract() == 0.0 {
                    return write!(f, "{short}{prefix}{unit}");
                }
            }
            write!(f, "{v}{unit}")
        };
        match *self {
            Rate::Percent(p) => write!(f, "{p}%"),
            Rate::Pps(v) => scaled(f, v, "pps"),
            Rate::BpsL2(v) => scaled(f, v, "bps"),
            Rate::BpsL1(v) => scaled(f, v, "bpsL1"),
            Rate::Max => f.write_str("max"),
        }
    }
}

/// A quantity that can't be what was written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UnitError {
    /// Outside 64…9600.
    #[error("frame size {0} is not between 64 and 9600 bytes (with the 4-byte FCS)")]
    FrameSize(u32),
    /// Not a number with a known unit, or not above zero.
    #[error("rate `{0}` is not understood: write for example 10%, 1.5Mpps, 2Gbps, 2GbpsL1 or max")]
    Rate(String),
    /// More than the link.
    #[error("rate {0}% is more than the link: percent goes from above 0 to 100")]
    Percent(f64),
}

/// A number with the largest decimal prefix that fits, to four figures: `14.88 Mpps`, `2 pps`, `1.5 Gbit/s`.
pub fn si(value: f64, unit: &str) -> String {
    let (scale, prefix) = match value.abs() {
        v if v >= 1e9 => (1e9, "G"),
        v if v >= 1e6 => (1e6, "M"),
        v if v >= 1e3 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let scaled = value / scale;
    let decimals = match scaled.abs() {
        v if v >= 100.0 => 1,
        v if v >= 10.0 => 2,
        _ => 3,
    };
    let number = format!("{scaled:.decimals$}");
    let number =
        if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { &number };
    format!("{number} {prefix}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let shown: Vec<String> =
            [0.0, 2.0, 999.9, 14_880_952.38, 1.5e9].iter().map(|v| si(*v, "pps")).collect();
        assert_eq!(shown, ["0 pps", "2 pps", "999.9 pps", "14.88 Mpps", "1.5 Gpps"]);
    }

    #[test]
    fn a_64_byte_frame_is_60_in_the_mbuf_and_84_on_the_wire() {
        let s = FrameSize::new(64).unwrap();
        assert_eq!((s.bytes(), s.mbuf_bytes(), s.wire_bytes()), (64, 60, 84));
        assert!(FrameSize::new(63).is_err() && FrameSize::new(9601).is_err());
    }

    #[test]
    fn hundred_percent_of_10g_at_64_bytes_is_14_88_mpps() {
        let pps = Rate::Percent(100.0).mean_pps(64.0, 10e9).unwrap();
        assert!((pps - 14_880_952.38).abs() < 0.01, "{pps}");
        assert_eq!(Rate::Max.mean_pps(64.0, 10e9), None);
        assert_eq!(Rate::BpsL1(672.0).mean_pps(64.0, 1.0), Some(1.0));
        assert_eq!(Rate::BpsL2(512.0).mean_pps(64.0, 1.0), Some(1.0));
    }

    #[test]
    fn rates_print_what_they_parse() {
        for text in ["10%", "0.01%", "1.5Mpps", "999pps", "1234567pps", "2Gbps", "2.5GbpsL1", "max"] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(rate.to_string().parse::<Rate>().unwrap(), rate, "{text}");
        }
        assert_eq!("10 %".parse::<Rate>().unwrap(), Rate::Percent(10.0));
        for text in ["", "10", "0%", "-1pps", "101%", "fast", "NaN%", "infpps"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
