//! Addresses and numbers of IPv6 packets.

use std::net::{IpAddr, Ipv6Addr};

use traffic::profile::{Field, Ipv4, Ipv6};

use super::{LowerFault, Lowering};
use crate::backend::RangeField;
use crate::record::At;

/// What stands where a script leaves an address out.
fn default_ip6(port: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfd00, port, 0, 0, 0, 0, 0, 1)
}

fn ipv6(src: Field<Ipv6Addr>, dst: Field<Ipv6Addr>) -> Ipv6 {
    let (traffic_class, flow_label) = (Field::zero(), Field::zero());
    Ipv6 { src, dst, hop_limit: Ipv4::default_ttl(), traffic_class, flow_label }
}

impl Lowering<'_> {
    /// The single packet's.
    pub(super) fn single_ipv6(&mut self) -> Ipv6 {
        let (port, ips) = (self.port, self.config.ips6);
        let mut ip = |side: Option<At<IpAddr>>, name: &str, default: Ipv6Addr| match side.map(|at| at.value) {
            Some(IpAddr::V6(ip)) => Field::Fixed(ip),
            _ => {
                self.report.info(0, format!("set_ipaddr \"{name}\" has no IPv6 address: {default}"));
                Field::Fixed(default)
            }
        };
        let (src, dst) = (ip(ips.src, "src", default_ip6(port)), ip(ips.dst, "dst", default_ip6(port ^ 1)));
        let hop_limit = self.config.ttl.map_or_else(Ipv4::default_ttl, |at| Field::Fixed(at.value));
        let traffic_class = Field::Fixed(self.config.tos.map_or(0, |at| at.value));
        Ipv6 { hop_limit, traffic_class, ..ipv6(src, dst) }
    }

    /// The range packets'.
    pub(super) fn range_ipv6(&mut self) -> Result<Ipv6, LowerFault> {
        let (own, other) = (default_ip6(self.port), default_ip6(self.port ^ 1));
        let (src, dst) = (self.range_ip6(RangeField::SrcIp, own)?, self.range_ip6(RangeField::DstIp, other)?);
        let hop_limit = self.range_small(RangeField::HopLimits, 64)?;
        let tos = self.config.tos.map_or(0, |at| at.value);
        let traffic_class = self.range_small(RangeField::TrafficClass, tos)?;
        Ok(Ipv6 { hop_limit, traffic_class, ..ipv6(src, dst) })
    }

    fn range_ip6(&mut self, field: RangeField, default: Ipv6Addr) -> Result<Field<Ipv6Addr>, LowerFault> {
        let (parts, name) = (*self.config.range(field), field.name());
        let line = parts.first_line().unwrap_or(0);
        let address = |part: Option<At<u128>>, default: Ipv6Addr| part.map_or(default, |at| at.value.into());
        let start = address(parts.start, default);
        if parts.start.is_none() {
            self.report.info(line, format!("range.{name} has no start: {start}"));
        }
        let (min, max) = (address(parts.min, start), address(parts.max, start));
        let Some(At { value: 1.., .. }) = parts.inc else { return Ok(Field::Fixed(start)) };
        if min > max {
            let message = format!("range.{name}: min {min} is above max {max}");
            return Err(LowerFault { line, message });
        }
        if min == max && start == min {
            return Ok(Field::Fixed(start));
        }
        Ok(Field::range(start, min, max, address(parts.inc, Ipv6Addr::UNSPECIFIED)))
    }
}
