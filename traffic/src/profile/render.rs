//! [`Profile`] → TOML that loads back as the same profile, written as a person would write it.

use std::fmt::{Display, Write as _};

use super::field::Field;
use super::header::Inner;
use super::keys::Header;
use super::model::{Profile, Stop};
use super::reader::Notation;
use super::render_replay;
use super::sizes::{FrameSizes, NamedMix};
use super::stream::{Payload, Stream};
use crate::pacer::Gap;

/// TOML: a range in one line, a table for each header; settings that are as they would be by themselves are left out
/// but for the first few.
pub fn to_toml(profile: &Profile) -> String {
    let mut out = Text(String::new());
    if let Some(name) = &profile.name {
        out.set("name", quoted(name));
    }
    out.set("rate", quoted(profile.rate));
    if profile.gap != Gap::Constant {
        out.set("gap", gap(profile.gap));
    }
    out.set(
        "stop",
        match profile.stop {
            Stop::Never => quoted("never"),
            Stop::Count(n) => format!("{{ count = {n} }}"),
            Stop::DurationS(s) => format!("{{ duration_s = {} }}", float(s)),
        },
    );
    out.set("stamp", profile.stamp);
    for stream in &profile.streams {
        out.stream(stream);
    }
    if let Some(replay) = &profile.replay {
        out.head("[replay]");
        render_replay::settings(replay, |key, value| out.set(key, value));
    }
    out.0
}

/// The text so far. Writing to a String can't fail: the results of `writeln!` say nothing.
pub(super) struct Text(String);

impl Text {
    pub(super) fn set(&mut self, key: &str, value: impl Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn head(&mut self, head: &str) {
        let _ = writeln!(self.0, "\n{head}");
    }

    fn stream(&mut self, stream: &Stream) {
        self.head("[[streams]]");
        if let Some(name) = &stream.name {
            self.set("name", quoted(name));
        }
        if stream.weight != Stream::default_weight() {
            self.set("weight", stream.weight);
        }
        if let Some(rate) = stream.rate {
            self.set("rate", quoted(rate));
        }
        if let Some(own) = stream.gap {
            self.set("gap", gap(own));
        }
        if stream.start_delay_s != 0.0 {
            self.set("start_delay_s", float(stream.start_delay_s));
        }
        self.set("frame_size", sizes(&stream.frame_size));
        self.set("payload", payload(&stream.payload));
        self.table("streams.ethernet", Some(&stream.ethernet));
        for tag in &stream.vlan {
            self.head("[[streams.vlan]]");
            tag.render(self);
        }
        for label in &stream.mpls {
            self.head("[[streams.mpls]]");
            label.render(self);
        }
        self.table("streams.ipv4", stream.ipv4.as_ref());
        self.table("streams.ipv6", stream.ipv6.as_ref());
        self.table("streams.arp", stream.arp.as_ref());
        self.table("streams.udp", stream.udp.as_ref());
        self.table("streams.tcp", stream.tcp.as_ref());
        self.table("streams.icmp", stream.icmp.as_ref());
        self.table("streams.gre", stream.gre.as_ref());
        self.table("streams.vxlan", stream.vxlan.as_ref());
        self.table("streams.gtpu", stream.gtpu.as_ref());
        if let Some(inner) = &stream.inner {
            self.inner(inner);
        }
    }

    fn inner(&mut self, inner: &Inner) {
        self.head("[streams.inner]");
        self.table("streams.inner.ethernet", inner.ethernet.as_ref());
        self.table("streams.inner.ipv4", inner.ipv4.as_ref());
        self.table("streams.inner.ipv6", inner.ipv6.as_ref());
        self.table("streams.inner.udp", inner.udp.as_ref());
        self.table("streams.inner.tcp", inner.tcp.as_ref());
        self.table("streams.inner.icmp", inner.icmp.as_ref());
    }

    fn table<H: Header>(&mut self, name: &str, header: Option<&H>) {
        if let Some(header) = header {
            self.head(&format!("[{name}]"));
            header.render(self);
        }
    }

    pub(super) fn field<T: Notation>(&mut self, key: &str, field: &Field<T>) {
        let show = |value: T| if T::NUMBER { value.to_string() } else { quoted(value) };
        let nest = |nest: u8| if nest > 0 { format!(", nest = {nest}") } else { String::new() };
        let seed = |seed: u64| if seed > 0 { format!(", seed = {seed}") } else { String::new() };
        let text = match field {
            Field::Fixed(value) => show(*value),
            Field::Range(r) => {
                let [start, min, max, inc] = [r.start, r.min, r.max, r.inc].map(show);
                format!("{{ start = {start}, min = {min}, max = {max}, inc = {inc}{} }}", nest(r.nest))
            }
            Field::List(l) => {
                let values: Vec<String> = l.list.iter().map(|v| show(*v)).collect();
                format!("{{ list = [{}]{} }}", values.join(", "), nest(l.nest))
            }
            Field::Random(r) => {
                let (min, max) = (show(r.random.min), show(r.random.max));
                format!("{{ random = {{ min = {min}, max = {max} }}{} }}", seed(r.seed))
            }
            Field::Bits(b) => {
                format!("{{ bits = {}, value = {}{} }}", show(b.bits), show(b.value), seed(b.seed))
            }
        };
        self.set(key, text);
    }
}

fn gap(gap: Gap) -> String {
    match gap {
        Gap::Constant => quoted("constant"),
        Gap::Poisson => quoted("poisson"),
        Gap::Burst { burst, every_s } => format!("{{ burst = {burst}, every_s = {} }}", float(every_s)),
    }
}

fn sizes(sizes: &FrameSizes) -> String {
    match sizes {
        FrameSizes::One(size) => size.bytes().to_string(),
        FrameSizes::Range(r) => {
            format!("{{ min = {}, max = {}, step = {} }}", r.min.bytes(), r.max.bytes(), r.step.max(1))
        }
        FrameSizes::Mix(mix) => {
            let sizes: Vec<String> = mix
                .iter()
                .map(|s| format!("{{ size = {}, weight = {} }}", s.size.bytes(), s.weight))
                .collect();
            format!("[{}]", sizes.join(", "))
        }
        FrameSizes::Named(NamedMix::Imix) => quoted("imix"),
    }
}

fn payload(payload: &Payload) -> String {
    match payload {
        Payload::Letters => quoted("letters"),
        Payload::Zero => quoted("zero"),
        Payload::Hex(digits) => format!("{{ hex = {} }}", quoted(digits)),
        Payload::Random(seed) => format!("{{ random = {seed} }}"),
    }
}

fn float(value: f64) -> toml::Value {
    toml::Value::Float(value)
}

/// A TOML string, escaped.
pub(super) fn quoted(text: impl Display) -> String {
    toml::Value::String(text.to_string()).to_string()
}
