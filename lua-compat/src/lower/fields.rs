//! Header fields: Pktgen's ranges and single values, with its defaults where a script leaves them out.

use std::net::{IpAddr, Ipv4Addr};

use traffic::mac::Mac;
use traffic::profile::value::Uint;
use traffic::profile::{Ethernet, Ipv4, Ports};
use traffic::profile::{Field, Value};

use super::{LowerFault, Lowering};
use crate::backend::RangeField;
use crate::record::{At, RangeParts};

/// Pktgen's default ports and TTL.
const SRC_PORT: u16 = 1234;
const DST_PORT: u16 = 5678;
const TTL: u8 = 64;
/// Pktgen 23.03 cuts larger increments of ports down to this.
const MAX_PORT_INC: u128 = 64;

/// Pktgen's default of a range.
#[derive(Clone, Copy)]
struct Defaults {
    start: u64,
    inc: u64,
    min: u64,
    max: u64,
}

/// 192.168.NET.HOST, from which Pktgen's default addresses are.
fn default_ip(net: u16, host: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, u8::try_from(net).unwrap_or(u8::MAX), host)
}

impl Lowering<'_> {
    /// A MAC range. Pktgen's default source is the port's own address, which a profile does not know.
    pub(super) fn range_mac(&mut self, field: RangeField) -> Result<Field<Mac>, LowerFault> {
        let parts = *self.config.range(field);
        let single = if field == RangeField::SrcMac { self.config.macs.src } else { self.config.macs.dst };
        match (parts.start, single) {
            (None, Some(At { value, line })) if !self.quirks => {
                let text = format!(
                    "set_mac holds for range packets too; Pktgen 23.03 itself would not have used it, because only \
                     range.{} changes them",
                    field.name()
                );
                self.report.info(line, text);
                return Ok(Field::Fixed(value));
            }
            (None, _) => {
                let own = if field == RangeField::SrcMac { self.place.mac } else { self.place.peer_mac };
                if let Some(mac) = own {
                    return Ok(Field::Fixed(mac));
                }
                self.no_mac(&format!("range.{}", field.name()));
            }
            _ => {}
        }
        if let (Some(At { value: 1.., line }), None) = (parts.inc, parts.max) {
            let text = format!(
                "range.{} has an increment but no max: Pktgen would send 00:00:00:00:00:00 next, the profile stays at start",
                field.name()
            );
            self.report.warn(line, text);
            let start =
                parts.start.and_then(|start| <Mac as Value>::from_u64(u64::try_from(start.value).ok()?));
            return Ok(Field::Fixed(start.unwrap_or_default()));
        }
        self.range(field, parts, Defaults { start: 0, inc: 0, min: 0, max: 0 })
    }

    /// An address range.
    pub(super) fn range_ip(&mut self, field: RangeField) -> Result<Field<Ipv4Addr>, LowerFault> {
        let source = field == RangeField::SrcIp;
        let net = if source { self.port } else { self.port + 1 };
        let number = |host| default_ip(net, host).to_u64();
        let inc = u64::from(!source);
        let defaults = Defaults { start: number(1), inc, min: number(1), max: number(254) };
        let single = if source { self.config.ips.src } else { self.config.ips.dst };
        self.single_only(field, "set_ipaddr", single.map(|ip| ip.line));
        self.range(field, *self.config.range(field), defaults)
    }

    /// A port range.
    pub(super) fn range_port(&mut self, field: RangeField) -> Result<Field<u16>, LowerFault> {
        let source = field == RangeField::SrcPort;
        let start = u64::from(if source { SRC_PORT } else { DST_PORT });
        let single = if source { self.config.ports.src } else { self.config.ports.dst };
        self.single_only(field, if source { "set sport" } else { "set dport" }, single.map(|port| port.line));
        let mut parts = *self.config.range(field);
        if let Some(inc) = &mut parts.inc
            && inc.value > MAX_PORT_INC
        {
            let name = field.name();
            let (value, line) = (inc.value, inc.line);
            if self.quirks {
                inc.value = MAX_PORT_INC;
                self.report.info(
                    line,
                    format!("range.{name} inc {value} becomes {MAX_PORT_INC}, as in Pktgen 23.03"),
                );
            } else {
                let text = format!(
                    "range.{name} inc {value} is kept; Pktgen 23.03 itself would have stepped by {MAX_PORT_INC}"
                );
                self.report.info(line, text);
            }
        }
        self.range(field, parts, Defaults { start, inc: 1, min: 0, max: 65535 })
    }

    /// The TTL range.
    pub(super) fn range_ttl(&mut self) -> Result<Field<u8>, LowerFault> {
        self.single_only(RangeField::Ttl, "set ttl", self.config.ttl.map(|ttl| ttl.line));
        let parts = *self.config.range(RangeField::Ttl);
        self.range(RangeField::Ttl, parts, Defaults { start: u64::from(TTL), inc: 0, min: 0, max: 255 })
    }

    /// A range of a field that nobody sets who does not mean it: without a start it is `default`.
    pub(super) fn range_small<T: Value>(
        &mut self,
        field: RangeField,
        default: T,
    ) -> Result<Field<T>, LowerFault> {
        let parts = *self.config.range(field);
        if parts.first_line().is_none() {
            return Ok(Field::Fixed(default));
        }
        let most = match field {
            RangeField::VlanId => 4095,
            RangeField::Cos => 7,
            RangeField::GtpuTeid => u64::from(u32::MAX),
            _ => 255,
        };
        let defaults = Defaults { start: default.to_u64(), inc: 0, min: 0, max: most };
        self.range(field, parts, defaults)
    }

    /// The VLAN of single packets, and of range packets without a range.
    pub(super) fn vlan_id(&self) -> Uint<12> {
        let id = self.config.vlan.map_or(1, |at| at.value);
        Uint::new(id.into()).unwrap_or_default()
    }

    /// The VLAN priority.
    pub(super) fn cos(&self) -> Uint<3> {
        Uint::new(self.config.cos.map_or(0, |at| at.value.into())).unwrap_or_default()
    }

    /// The GTP-U tunnel of single packets: Pktgen has one setter for both kinds of packet.
    pub(super) fn teid(&self) -> Field<u32> {
        let start = self.config.range(RangeField::GtpuTeid).start.map_or(0, |at| at.value);
        Field::Fixed(u32::try_from(start).unwrap_or(0))
    }

    /// Says that a setting of the single packet does not reach the range packets whose start is not set.
    fn single_only(&mut self, field: RangeField, what: &str, line: Option<u32>) {
        if let (None, Some(line)) = (self.config.range(field).start, line) {
            let name = field.name();
            let text = format!(
                "{what} reaches only the single packet: range packets take range.{name}, which has no start"
            );
            self.report.warn(line, text);
        }
    }

    fn range<T: Value>(
        &mut self,
        field: RangeField,
        parts: RangeParts,
        defaults: Defaults,
    ) -> Result<Field<T>, LowerFault> {
        let name = field.name();
        let line = parts.first_line().unwrap_or(0);
        let typed = |part: Option<At<u128>>, default: u64| {
            let At { value, line } = part.unwrap_or(At { value: default.into(), line });
            u64::try_from(value).ok().and_then(T::from_u64).ok_or_else(|| LowerFault {
                line,
                message: format!("range.{name}: {value} is not {}", T::WHAT),
            })
        };
        let start = typed(parts.start, defaults.start)?;
        let inc = typed(parts.inc, defaults.inc)?;
        let (min, max) = (typed(parts.min, defaults.min)?, typed(parts.max, defaults.max)?);
        if inc.to_u64() == 0 {
            // Nobody sets a TTL, and an unset MAC has its own note.
            if parts.start.is_none()
                && matches!(
                    field,
                    RangeField::SrcIp | RangeField::DstIp | RangeField::SrcPort | RangeField::DstPort
                )
            {
                self.report.info(line, format!("range.{name} has no start: {start}, Pktgen's default"));
            }
            return Ok(Field::Fixed(start));
        }
        if min.to_u64() > max.to_u64() {
            let at = parts.max.or(parts.min).map_or(line, |part| part.line);
            return Err(LowerFault {
                line: at,
                message: format!("range.{name}: min {min} is above max {max}"),
            });
        }
        self.note_defaults(name, parts, line, &format!("{start}, then from {min} to {max} by {inc}"));
        if start == min && min == max {
            return Ok(Field::Fixed(start));
        }
        if inc.to_u64() > max.to_u64() - min.to_u64() {
            // 255.255.255.255 is a step down by one in Pktgen's 32-bit sums.
            let text = format!(
                "range.{name}: inc {inc} is larger than the range from {min} to {max}, so every step lands on min: \
                 a step down is not carried over"
            );
            self.report.warn(line, text);
        }
        if !(min.to_u64()..=max.to_u64()).contains(&start.to_u64()) {
            let text = format!(
                "range.{name}: start {start} is outside of min {min} and max {max}: it is sent once, then the range"
            );
            self.report.warn(line, text);
        }
        Ok(Field::range(start, min, max, inc))
    }

    /// Says what a range is where the script left a part of it to Pktgen.
    fn note_defaults(&mut self, name: &str, parts: RangeParts, line: u32, range: &str) {
        let all = [("start", parts.start), ("inc", parts.inc), ("min", parts.min), ("max", parts.max)];
        let missing: Vec<&str> =
            all.iter().filter(|(_, part)| part.is_none()).map(|(word, _)| *word).collect();
        if missing.len() == all.len() {
            self.report.info(0, format!("range.{name} is not set: {range}, Pktgen's default"));
        } else if !missing.is_empty() {
            let missing = missing.join(", ");
            self.report
                .info(line, format!("range.{name} has no {missing}: with Pktgen's default it is {range}"));
        }
    }

    fn no_mac(&mut self, what: &str) {
        let text = format!(
            "{what} is not set: the profile says 00:00:00:00:00:00, where Pktgen would take an address of its own ports"
        );
        self.report.warn(0, text);
    }

    /// The single packet's MACs.
    pub(super) fn single_macs(&mut self) -> Ethernet {
        let macs = self.config.macs;
        let (own, peer) = (self.place.mac, self.place.peer_mac);
        let mut mac = |side: Option<At<Mac>>, name: &str, default: Option<Mac>| {
            if side.is_none() && default.is_none() {
                self.no_mac(&format!("set_mac \"{name}\""));
            }
            Field::Fixed(side.map(|at| at.value).or(default).unwrap_or_default())
        };
        Ethernet { src: mac(macs.src, "src", own), dst: mac(macs.dst, "dst", peer) }
    }

    /// The single packet's addresses and TTL.
    pub(super) fn single_ipv4(&mut self) -> Ipv4 {
        let ips = self.config.ips;
        // Pktgen pairs ports: 0 sends to 1, 1 to 0.
        let defaults = (default_ip(self.port, 1), default_ip(self.port ^ 1, 1));
        let mut ip = |side: Option<At<IpAddr>>, name: &str, default: Ipv4Addr| match side.map(|at| at.value) {
            Some(IpAddr::V4(ip)) => Field::Fixed(ip),
            _ => {
                self.report
                    .info(0, format!("set_ipaddr \"{name}\" is not called: {default}, Pktgen's default"));
                Field::Fixed(default)
            }
        };
        let (src, dst) = (ip(ips.src, "src", defaults.0), ip(ips.dst, "dst", defaults.1));
        let ttl = Field::Fixed(self.config.ttl.map_or(TTL, |at| at.value));
        let tos = Field::Fixed(self.config.tos.map_or(0, |at| at.value));
        Ipv4 { ttl, tos, ..Ipv4::between(src, dst) }
    }

    /// The single packet's ports.
    pub(super) fn single_ports(&mut self, is_quiet: bool) -> Ports {
        let ports = self.config.ports;
        let mut port = |side: Option<At<u16>>, name: &str, default: u16| {
            if side.is_none() && !is_quiet {
                self.report.info(0, format!("{name} is not set: {default}, Pktgen's default"));
            }
            Field::Fixed(side.map_or(default, |at| at.value))
        };
        Ports { src: port(ports.src, "sport", SRC_PORT), dst: port(ports.dst, "dport", DST_PORT) }
    }
}
