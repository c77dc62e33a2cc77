//! The profiles of pairs that `flows generate` writes: N flows of one frame size at one rate.
//!
//! The fields that a mode varies step together by one, so there are exactly N flows: the source address takes
//! N values in every mode, and whatever varies beside it repeats in step. Ports have at most 65,536 − base
//! values; for more flows than that a port takes the largest number of values that divides N, so that it
//! still ends where the addresses end.

mod mode;
mod reactive;
mod render;

use std::net::Ipv4Addr;

use traffic::mac::Mac;
use traffic::profile::Field;
use traffic::profile::{Ethernet, Ipv4, Ports, Profile, Stream};
use traffic::units::{FrameSize, Rate};

pub use mode::{FlowMode, FlowModeError};
pub use reactive::GenMode;
pub use render::{render, render_as};

/// What one paired profile sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairedFlow {
    /// How many distinct flows, from 1.
    pub flows: u64,
    /// Bytes with the FCS.
    pub frame_size: FrameSize,
    /// Percent of the link, from 1 to 100.
    pub rate_percent: u32,
    /// Which fields vary.
    pub mode: FlowMode,
    /// The first source address.
    pub base_src_ip: Ipv4Addr,
    /// The first destination address.
    pub base_dst_ip: Ipv4Addr,
    /// The first source port.
    pub base_src_port: u16,
    /// The first destination port.
    pub base_dst_port: u16,
    /// The sending port's MAC.
    pub src_mac: Mac,
    /// The receiving port's MAC.
    pub dst_mac: Mac,
}

/// A paired profile that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairedError {
    /// No flow at all.
    #[error("0 flows send nothing: ask for at least 1")]
    NoFlows,
    /// Not a percentage.
    #[error("rate {0} % is not between 1 and 100")]
    Rate(u32),
    /// The addresses end before the flows do.
    #[error(
        "{flows} flows from {side} address {base} go beyond 255.255.255.255: at most {most} fit, take fewer or a lower base"
    )]
    Addresses {
        /// `source` or `destination`.
        side: &'static str,
        /// The first address.
        base: Ipv4Addr,
        /// How many were asked for.
        flows: u64,
        /// How many there are from the base.
        most: u64,
    },
}

/// The values that the fields take.
struct Fields {
    src_ip: Field<Ipv4Addr>,
    dst_ip: Field<Ipv4Addr>,
    src_port: Field<u16>,
    dst_port: Field<u16>,
}

impl PairedFlow {
    /// The name that the profile's file has in `flows/txN-rxN/`.
    pub fn file_name(&self) -> String {
        format!("{}.lua", self.stem())
    }

    /// The name of a script of another kind.
    pub fn file_name_as(&self, mode: GenMode) -> String {
        format!("{}{}.lua", self.stem(), mode.suffix())
    }

    /// The profile's own name: the file's without `.lua`.
    pub fn stem(&self) -> String {
        let PairedFlow { flows, frame_size, rate_percent, mode, .. } = self;
        let size = frame_size.bytes();
        format!("profile_{flows}_flows_pkt_size_{size}B_{rate_percent}_rate_{mode}")
    }

    fn fields(&self) -> Result<Fields, PairedError> {
        if self.flows == 0 {
            return Err(PairedError::NoFlows);
        }
        if !(1..=100).contains(&self.rate_percent) {
            return Err(PairedError::Rate(self.rate_percent));
        }
        let vary = self.mode.varies();
        Ok(Fields {
            src_ip: addresses("source", self.base_src_ip, self.flows)?,
            dst_ip: addresses("destination", self.base_dst_ip, if vary.dst_ip { self.flows } else { 1 })?,
            src_port: ports(self.base_src_port, if vary.src_port { self.flows } else { 1 }),
            dst_port: ports(self.base_dst_port, if vary.dst_port { self.flows } else { 1 }),
        })
    }
}

/// The profile itself, for `--format toml`: the same that importing [`render`]'s script gives.
pub fn profile(flow: &PairedFlow) -> Result<Profile, PairedError> {
    let fields = flow.fields()?;
    let ethernet = Ethernet { src: Field::Fixed(flow.src_mac), dst: Field::Fixed(flow.dst_mac) };
    let stream = Stream {
        ipv4: Some(Ipv4::between(fields.src_ip, fields.dst_ip)),
        udp: Some(Ports { src: fields.src_port, dst: fields.dst_port }),
        ..Stream::new(flow.frame_size, ethernet)
    };
    let rate = Rate::Percent(f64::from(flow.rate_percent));
    Ok(Profile { name: Some(flow.stem()), rate, ..Profile::of(vec![stream]) })
}

fn addresses(side: &'static str, base: Ipv4Addr, values: u64) -> Result<Field<Ipv4Addr>, PairedError> {
    let most = (1 << 32) - u64::from(u32::from(base));
    let last = u32::try_from(u64::from(u32::from(base)).saturating_add(values - 1));
    match last {
        Ok(_) if values == 1 => Ok(Field::Fixed(base)),
        Ok(last) => Ok(Field::range(base, base, last.into(), Ipv4Addr::new(0, 0, 0, 1))),
        Err(_) => Err(PairedError::Addresses { side, base, flows: values, most }),
    }
}

/// A port range of the largest divisor of `flows` that fits above `base`.
fn ports(base: u16, flows: u64) -> Field<u16> {
    let room = u16::MAX - base;
    let offset = (0..=room).rev().find(|offset| flows.is_multiple_of(u64::from(*offset) + 1));
    match offset {
        None | Some(0) => Field::Fixed(base),
        Some(offset) => Field::range(base, base, base + offset, 1),
    }
}
