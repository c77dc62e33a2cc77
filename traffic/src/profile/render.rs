//! [`Profile`] → TOML that loads back as the same profile, written as a person would write it.

use std::fmt::{Display, Write as _};

use super::field::{Field, Value};
use super::model::{Payload, Profile, Stop, Stream};

/// TOML with every setting said, defaults included: a range in one line, a table for each header.
pub fn to_toml(profile: &Profile) -> String {
    let mut out = Text(String::new());
    if let Some(name) = &profile.name {
        out.set("name", quoted(name));
    }
    out.set("rate", quoted(profile.rate));
    out.set(
        "stop",
        match profile.stop {
            Stop::Never => quoted("never"),
            Stop::Count(n) => format!("{{ count = {n} }}"),
            Stop::DurationS(s) => format!("{{ duration_s = {} }}", toml::Value::Float(s)),
        },
    );
    out.set("stamp", profile.stamp);
    for stream in &profile.streams {
        out.stream(stream);
    }
    out.0
}

/// The text so far. Writing to a String can't fail: the results of `writeln!` say nothing.
struct Text(String);

impl Text {
    fn set(&mut self, key: &str, value: impl Display) {
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
        self.set("frame_size", stream.frame_size.bytes());
        let payload = match stream.payload {
            Payload::Letters => "letters",
            Payload::Zero => "zero",
        };
        self.set("payload", quoted(payload));
        self.head("[streams.ethernet]");
        self.field("src", &stream.ethernet.src, quoted);
        self.field("dst", &stream.ethernet.dst, quoted);
        self.head("[streams.ipv4]");
        self.field("src", &stream.ipv4.src, quoted);
        self.field("dst", &stream.ipv4.dst, quoted);
        self.field("ttl", &stream.ipv4.ttl, |v| v.to_string());
        for (protocol, ports) in [("udp", &stream.udp), ("tcp", &stream.tcp)] {
            if let Some(ports) = ports {
                self.head(&format!("[streams.{protocol}]"));
                self.field("src", &ports.src, |v| v.to_string());
                self.field("dst", &ports.dst, |v| v.to_string());
            }
        }
    }

    fn field<T: Value>(&mut self, key: &str, field: &Field<T>, show: impl Fn(T) -> String) {
        match field {
            Field::Fixed(value) => self.set(key, show(*value)),
            Field::Range(r) => {
                let [start, min, max, inc] = [r.start, r.min, r.max, r.inc].map(show);
                self.set(key, format_args!("{{ start = {start}, min = {min}, max = {max}, inc = {inc} }}"));
            }
        }
    }
}

/// A TOML string, escaped.
fn quoted(text: impl Display) -> String {
    toml::Value::String(text.to_string()).to_string()
}
