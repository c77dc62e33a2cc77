//! `pktgen.range`: the fields that step from packet to packet.

use std::net::IpAddr;

use super::call::Call;
use super::function::Reply;
use crate::backend::{PortOp, RangeField, RangePart};
use crate::report::Severity;

/// `range.ip_proto(ports, protocol)`.
pub(super) fn ip_proto(call: &mut Call<'_>) -> Reply {
    let (ports, proto) = (call.ports()?, call.proto(1)?);
    call.apply(ports, PortOp::RangeProto(proto)).map(|()| None)
}

/// The field that a function is named by.
fn field(name: &str) -> Option<RangeField> {
    use RangeField::{
        Cos, DstIp, DstMac, DstPort, GtpuTeid, HopLimits, PktSize, SrcIp, SrcMac, SrcPort, Tos, TrafficClass,
        Ttl, VlanId,
    };
    let all = [
        DstMac,
        SrcMac,
        DstIp,
        SrcIp,
        DstPort,
        SrcPort,
        Ttl,
        PktSize,
        VlanId,
        Cos,
        Tos,
        HopLimits,
        TrafficClass,
        GtpuTeid,
    ];
    all.into_iter().find(|field| field.name() == name)
}

/// `range.FIELD(ports, what, value)`.
pub(super) fn set(call: &mut Call<'_>) -> Reply {
    let Some(field) = field(call.function.name) else { return Err("this function names no field".into()) };
    let ports = call.ports()?;
    let what = call.text(1)?;
    let value = value(call, field)?;
    let part = match what.as_str() {
        "start" => RangePart::Start,
        "inc" | "increment" => RangePart::Inc,
        "min" | "minimum" => RangePart::Min,
        "max" | "maximum" => RangePart::Max,
        _ => {
            let name = call.function.full_name();
            let text =
                format!("{name}: `{what}` has no effect, as in Pktgen: a range has start, inc, min and max");
            call.note(Severity::Warning, text);
            return Ok(None);
        }
    };
    call.apply(ports, PortOp::Range(field, part, value)).map(|()| None)
}

fn value(call: &Call<'_>, field: RangeField) -> Result<u128, String> {
    let whole = |what, most| call.whole(2, what, 0..=most).map(u128::from);
    match field {
        RangeField::DstMac | RangeField::SrcMac => call.mac(2).map(|mac| mac.to_u64().into()),
        RangeField::DstIp | RangeField::SrcIp => call.any_ip(2).map(|ip| match ip {
            IpAddr::V4(ip) => u32::from(ip).into(),
            IpAddr::V6(ip) => ip.into(),
        }),
        RangeField::DstPort | RangeField::SrcPort => whole("a port", 65535),
        RangeField::Ttl => whole("a time to live", 255),
        RangeField::HopLimits => whole("a hop limit", 255),
        RangeField::PktSize => whole("a frame size", 65535),
        RangeField::VlanId => whole("a VLAN", 4095),
        RangeField::Cos => whole("a priority", 7),
        RangeField::Tos | RangeField::TrafficClass => whole("a number", 255),
        RangeField::GtpuTeid => whole("a tunnel's number", u64::from(u32::MAX)),
    }
}
