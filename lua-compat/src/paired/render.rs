//! A paired profile as the Lua script that Pktgen and `import` both read.

use std::fmt::{Display, Write};

use traffic::profile::{Field, Value};

use super::reactive::{GenMode, tail};
use super::{PairedError, PairedFlow};

/// What every paired profile starts with.
const HEAD: &str = r#"package.path = package.path .. ";?.lua;test/?.lua;app/?.lua;"
require "Pktgen"

pktgen.clear("all")
pktgen.cls()
pktgen.reset("all")
pktgen.stop(0)
"#;

/// What stands between the rate and the ranges.
const PREPARE: &str = r#"pktgen.mac_from_arp("on")
pktgen.ping4("all")
pktgen.prime("all")
pktgen.screen("on")
pktgen.page("range")
"#;

/// What every paired profile ends with.
const TAIL: &str = r#"pktgen.clear("all")
pktgen.cls()
pktgen.page("stats")
pktgen.delay(1000)

pktgen.start(0)
"#;

/// The Lua text of a paired profile. UDP is set for range packets too, so that Pktgen itself sends UDP.
pub fn render(flow: &PairedFlow) -> Result<String, PairedError> {
    render_as(flow, GenMode::Paired)
}

/// As [`render`], of another kind.
pub fn render_as(flow: &PairedFlow, kind: GenMode) -> Result<String, PairedError> {
    let fields = flow.fields()?;
    let mut lua = String::with_capacity(2048);
    let PairedFlow { flows, rate_percent, mode, .. } = flow;
    let size = flow.frame_size.bytes();
    line(&mut lua, format_args!("-- {flows} flows ({mode}), {size} B, {rate_percent} % of the link."));
    lua.push_str(HEAD);
    line(&mut lua, format_args!("pktgen.set(\"all\", \"rate\", {rate_percent})"));
    lua.push_str(PREPARE);
    lua.push('\n');
    line(&mut lua, format_args!("pktgen.range.dst_mac(\"0\", \"start\", \"{}\")", flow.dst_mac));
    line(&mut lua, format_args!("pktgen.range.src_mac(\"0\", \"start\", \"{}\")", flow.src_mac));
    lua.push('\n');
    range(&mut lua, "dst_ip", fields.dst_ip, "\"0.0.0.0\"", "\"");
    range(&mut lua, "src_ip", fields.src_ip, "\"0.0.0.0\"", "\"");
    line(&mut lua, format_args!("pktgen.set_proto(\"0\", \"udp\")"));
    line(&mut lua, format_args!("pktgen.range.ip_proto(\"0\", \"udp\")"));
    lua.push('\n');
    range(&mut lua, "dst_port", fields.dst_port, "0", "");
    range(&mut lua, "src_port", fields.src_port, "0", "");
    range(&mut lua, "pkt_size", Field::Fixed(size), "0", "");
    line(&mut lua, format_args!("pktgen.set_range(\"0\", \"on\")"));
    line(&mut lua, format_args!("pktgen.set(\"0\", \"count\", 0)"));
    line(&mut lua, format_args!("pktgen.set(\"0\", \"size\", {size})"));
    match kind {
        GenMode::Paired => lua.push_str(TAIL),
        _ => lua.push_str(&tail(kind, *rate_percent)),
    }
    Ok(lua)
}

/// The four lines of a range, and an empty one. `zero` is the increment of a fixed field, `quote` stands
/// around values.
fn range<T: Value>(lua: &mut String, name: &str, field: Field<T>, zero: &str, quote: &str) {
    let (start, min, max, inc) = match field {
        Field::Fixed(value) => (value, value, value, zero.to_owned()),
        Field::Range(r) => (r.start, r.min, r.max, format!("{quote}{}{quote}", r.inc)),
        // A paired flow has no other fields.
        other => (other.start(), other.start(), other.start(), zero.to_owned()),
    };
    let quoted = |value: T| format!("{quote}{value}{quote}");
    for (what, value) in [("start", quoted(start)), ("inc", inc), ("min", quoted(min)), ("max", quoted(max))]
    {
        line(lua, format_args!("pktgen.range.{name}(\"0\", \"{what}\", {value})"));
    }
    lua.push('\n');
}

fn line(lua: &mut String, text: impl Display) {
    // Writing into a String can't fail.
    let _ = writeln!(lua, "{text}");
}
