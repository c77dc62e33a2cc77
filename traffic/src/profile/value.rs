//! What a header field can hold: numbers of up to 64 bits (IPv6: 128) with a notation of their own.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::mac::Mac;

/// A value that a field can step through.
pub trait Value: Copy + PartialEq + fmt::Display {
    /// What a user may write, for messages.
    const WHAT: &'static str;
    /// The value as a number, in host order: of an IPv6 address, the lower half.
    fn to_u64(self) -> u64;
    /// The inverse; `None` when `n` does not fit.
    fn from_u64(n: u64) -> Option<Self>;
    /// The text form, where there is one beside the number.
    fn parse(text: &str) -> Option<Self>;
    /// The upper half of an IPv6 address.
    fn high(self) -> u64 {
        0
    }
    /// All bits zero.
    fn zero() -> Self;
}

impl Value for Mac {
    const WHAT: &'static str = "a MAC address such as 00:50:56:ab:a2:ef";
    fn to_u64(self) -> u64 {
        self.to_u64()
    }
    fn from_u64(n: u64) -> Option<Mac> {
        (n >> 48 == 0).then(|| Mac::from_u64(n))
    }
    fn parse(text: &str) -> Option<Mac> {
        text.parse().ok()
    }
    fn zero() -> Mac {
        Mac::default()
    }
}

impl Value for Ipv4Addr {
    const WHAT: &'static str = "an IPv4 address such as 192.168.1.1";
    fn to_u64(self) -> u64 {
        u64::from(u32::from(self))
    }
    fn from_u64(n: u64) -> Option<Ipv4Addr> {
        u32::try_from(n).ok().map(Ipv4Addr::from)
    }
    fn parse(text: &str) -> Option<Ipv4Addr> {
        text.parse().ok()
    }
    fn zero() -> Ipv4Addr {
        Ipv4Addr::UNSPECIFIED
    }
}

impl Value for Ipv6Addr {
    const WHAT: &'static str = "an IPv6 address such as 2001:db8::1";
    fn to_u64(self) -> u64 {
        u128::from(self) as u64
    }
    fn from_u64(n: u64) -> Option<Ipv6Addr> {
        Some(Ipv6Addr::from(u128::from(n)))
    }
    fn parse(text: &str) -> Option<Ipv6Addr> {
        text.parse().ok()
    }
    fn high(self) -> u64 {
        (u128::from(self) >> 64) as u64
    }
    fn zero() -> Ipv6Addr {
        Ipv6Addr::UNSPECIFIED
    }
}

/// Plain numbers.
macro_rules! number {
    ($type:ty, $what:literal) => {
        impl Value for $type {
            const WHAT: &'static str = $what;
            fn to_u64(self) -> u64 {
                u64::from(self)
            }
            fn from_u64(n: u64) -> Option<$type> {
                <$type>::try_from(n).ok()
            }
            fn parse(text: &str) -> Option<$type> {
                text.parse().ok()
            }
            fn zero() -> $type {
                0
            }
        }
    };
}
number!(u8, "a number from 0 to 255");
number!(u16, "a number from 0 to 65535");
number!(u32, "a number from 0 to 4294967295");

/// A number of `BITS` bits, fewer than 32: a VLAN's id, an MPLS label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Uint<const BITS: u32>(u32);

impl<const BITS: u32> Uint<BITS> {
    /// `None` when `n` has more bits.
    pub fn new(n: u32) -> Option<Self> {
        (n >> BITS == 0).then_some(Uint(n))
    }
}

impl<const BITS: u32> TryFrom<u32> for Uint<BITS> {
    type Error = String;
    fn try_from(n: u32) -> Result<Self, String> {
        Uint::new(n).ok_or_else(|| format!("{n} is more than {}", (1u32 << BITS) - 1))
    }
}

impl<const BITS: u32> From<Uint<BITS>> for u32 {
    fn from(n: Uint<BITS>) -> u32 {
        n.0
    }
}

impl<const BITS: u32> fmt::Display for Uint<BITS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const BITS: u32> JsonSchema for Uint<BITS> {
    fn schema_name() -> Cow<'static, str> {
        format!("Uint{BITS}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": (1u32 << BITS) - 1 })
    }
}

impl<const BITS: u32> Value for Uint<BITS> {
    const WHAT: &'static str = match BITS {
        3 => "a number from 0 to 7",
        12 => "a number from 0 to 4095",
        20 => "a number from 0 to 1048575",
        _ => "a number from 0 to 16777215",
    };
    fn to_u64(self) -> u64 {
        self.0.into()
    }
    fn from_u64(n: u64) -> Option<Self> {
        Uint::new(u32::try_from(n).ok()?)
    }
    fn parse(text: &str) -> Option<Self> {
        Uint::new(text.parse().ok()?)
    }
    fn zero() -> Self {
        Uint(0)
    }
}

/// The flags of a TCP segment, RFC 9293 §3.1: written `"syn+ack"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TcpFlags(pub u8);

/// Names by bit, from the lowest.
const FLAGS: [&str; 8] = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"];

impl TcpFlags {
    /// What Pktgen sends.
    pub const ACK: TcpFlags = TcpFlags(0x10);
}

impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: Vec<&str> = FLAGS
            .iter()
            .enumerate()
            .filter(|(bit, _)| self.0 >> bit & 1 == 1)
            .map(|(_, name)| *name)
            .collect();
        if set.is_empty() { f.write_str("none") } else { f.write_str(&set.join("+")) }
    }
}

impl TryFrom<String> for TcpFlags {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        TcpFlags::parse(&text).ok_or_else(|| format!("{text} is not {}", TcpFlags::WHAT))
    }
}

impl From<TcpFlags> for String {
    fn from(flags: TcpFlags) -> String {
        flags.to_string()
    }
}

impl JsonSchema for TcpFlags {
    fn schema_name() -> Cow<'static, str> {
        "TcpFlags".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": TcpFlags::WHAT })
    }
}

impl Value for TcpFlags {
    const WHAT: &'static str =
        "TCP flags such as \"syn\" or \"psh+ack\" (fin, syn, rst, psh, ack, urg, ece, cwr, none)";
    fn to_u64(self) -> u64 {
        self.0.into()
    }
    fn from_u64(n: u64) -> Option<TcpFlags> {
        u8::try_from(n).ok().map(TcpFlags)
    }
    fn parse(text: &str) -> Option<TcpFlags> {
        if text == "none" {
            return Some(TcpFlags(0));
        }
        text.split('+').try_fold(TcpFlags(0), |flags, name| {
            let bit = FLAGS.iter().position(|flag| *flag == name)?;
            Some(TcpFlags(flags.0 | 1 << bit))
        })
    }
    fn zero() -> TcpFlags {
        TcpFlags(0)
    }
}
