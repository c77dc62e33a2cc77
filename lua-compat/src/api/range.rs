//! `pktgen.range`: the fields that step from packet to packet.

use traffic::profile::Value as _;

use super::call::Call;
use crate::backend::{Answer, PortOp, RangeField, RangePart};
use crate::report::Severity;

type Reply = Result<Option<Answer>, String>;

pub(super) fn dst_mac(call: &mut Call<'_>) -> Reply {
    set(call, RangeField::DstMac)
}
pub(super) fn src_mac(call: &mut Call<'_>) -> Reply {
    set(call, RangeField::SrcMac)
}
pub(super) fn dst_ip(call: &mut Call<'_>) -> Reply {
    set(call, RangeField::DstIp)
}
pub(super) fn src_ip(call: &mut Call<'_>) -> Reply {
    set(call, RangeField::SrcIp)
}
pub(super) fn dst_port(call: &mut Call<'_>) -> Reply {
    set(call, RangeField::DstPort)
}
pub(super) fn src_port(call: &mut Call<'_>) -> Reply {
    set(call, RangeField::SrcPort)
}
pub(super) fn ttl(call: &mut Call<'_>) -> Reply {
    set(call, RangeField::Ttl)
}
pub(super) fn pkt_size(call: &mut Call<'_>) -> Reply {
    set(call, RangeField::PktSize)
}

/// `range.ip_proto(ports, protocol)`.
pub(super) fn ip_proto(call: &mut Call<'_>) -> Reply {
    let (ports, proto) = (call.ports()?, call.proto(1)?);
    call.apply(ports, PortOp::RangeProto(proto)).map(|()| None)
}

/// `range.FIELD(ports, what, value)`.
fn set(call: &mut Call<'_>, field: RangeField) -> Reply {
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

fn value(call: &Call<'_>, field: RangeField) -> Result<u64, String> {
    match field {
        RangeField::DstMac | RangeField::SrcMac => call.mac(2).map(|mac| mac.to_u64()),
        RangeField::DstIp | RangeField::SrcIp => call.ip(2).map(|ip| ip.to_u64()),
        RangeField::DstPort | RangeField::SrcPort => call.whole(2, "a port", 0..=65535),
        RangeField::Ttl => call.whole(2, "a time to live", 0..=255),
        RangeField::PktSize => call.whole(2, "a frame size", 0..=65535),
    }
}
