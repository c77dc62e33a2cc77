//! One header field's value over time: fixed, or a range stepped once a frame.

use std::fmt;
use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mac::Mac;

/// A value that a range can step through: a number of up to 48 bits with a notation of its own.
pub trait Value: Copy + PartialEq + fmt::Display {
    /// The value as a number, in host order.
    fn to_u64(self) -> u64;
    /// The inverse; `None` when `n` does not fit.
    fn from_u64(n: u64) -> Option<Self>;
    /// What a user may write, for messages.
    const WHAT: &'static str;
    /// The text form, where there is one beside the number.
    fn parse(text: &str) -> Option<Self>;
}

impl Value for Mac {
    fn to_u64(self) -> u64 {
        self.to_u64()
    }
    fn from_u64(n: u64) -> Option<Mac> {
        (n >> 48 == 0).then(|| Mac::from_u64(n))
    }
    const WHAT: &'static str = "a MAC address such as 00:50:56:ab:a2:ef";
    fn parse(text: &str) -> Option<Mac> {
        text.parse().ok()
    }
}

impl Value for Ipv4Addr {
    fn to_u64(self) -> u64 {
        u64::from(u32::from(self))
    }
    fn from_u64(n: u64) -> Option<Ipv4Addr> {
        u32::try_from(n).ok().map(Ipv4Addr::from)
    }
    const WHAT: &'static str = "an IPv4 address such as 192.168.1.1";
    fn parse(text: &str) -> Option<Ipv4Addr> {
        text.parse().ok()
    }
}

impl Value for u16 {
    fn to_u64(self) -> u64 {
        u64::from(self)
    }
    fn from_u64(n: u64) -> Option<u16> {
        u16::try_from(n).ok()
    }
    const WHAT: &'static str = "a number from 0 to 65535";
    fn parse(text: &str) -> Option<u16> {
        text.parse().ok()
    }
}

impl Value for u8 {
    fn to_u64(self) -> u64 {
        u64::from(self)
    }
    fn from_u64(n: u64) -> Option<u8> {
        u8::try_from(n).ok()
    }
    const WHAT: &'static str = "a number from 0 to 255";
    fn parse(text: &str) -> Option<u8> {
        text.parse().ok()
    }
}

/// A field of every frame: one value, or a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "FieldOf_{T}")]
pub enum Field<T> {
    /// The same in every frame.
    Fixed(T),
    /// One step a frame, in lockstep with the stream's other ranges.
    Range(Range<T>),
}

/// Pktgen's range: `start`, then `+ inc` a frame; above `max` it goes on at `min`, below `min` at `max`.
///
/// An `inc` of zero holds `start` for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RangeOf_{T}")]
pub struct Range<T> {
    /// The first frame's value.
    pub start: T,
    /// Where the range goes on after `max`.
    pub min: T,
    /// The last value.
    pub max: T,
    /// The step, in the value's own notation (`0.0.0.1` for addresses).
    pub inc: T,
}

impl<T: Value> Field<T> {
    /// The value of the first frame.
    pub fn start(&self) -> T {
        match self {
            Field::Fixed(v) => *v,
            Field::Range(r) => r.start,
        }
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Field<T> {
        Field::Fixed(value)
    }
}
