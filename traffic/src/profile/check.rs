//! What a profile's values must be, whether they came from a file, from Lua or over the wire.

use super::field::{Field, Range, Value};
use super::model::{Ports, Profile, Stop, Stream};
use crate::fault::Fault;
use crate::frame::Template;
use crate::units::Rate;

/// The longest name, in characters: names become parts of result files' names.
pub const MAX_NAME_CHARS: usize = 100;
/// The longest run by duration: 7 days, in seconds.
pub const MAX_DURATION_S: f64 = 7.0 * 24.0 * 3600.0;
/// The most frames a run may count to: every JSON reader still holds it exactly.
pub const MAX_COUNT: u64 = 1 << 53;
/// Fastest rate, in frames or bits a second: 10 Tbit/s, far beyond any port.
pub const MAX_RATE: f64 = 1e13;
/// The most flows of a stream: a receiver can't count more of them apart.
pub const MAX_FLOWS: u64 = 1 << 40;

/// Everything that is wrong with `profile`, with paths and without lines; empty when it can be planned.
pub fn check(profile: &Profile) -> Vec<Fault> {
    let mut c = Checker { faults: Vec::new() };
    c.name("name", profile.name.as_deref());
    c.rate(profile.rate);
    c.stop(profile.stop);
    match profile.streams.len() {
        0 => c.fault("streams", "has no stream: give one"),
        1 => {}
        n => c.fault("streams", format!("has {n} streams: this version sends one stream")),
    }
    for (i, stream) in profile.streams.iter().enumerate() {
        c.stream(&format!("streams[{i}]"), stream);
    }
    c.faults
}

struct Checker {
    faults: Vec<Fault>,
}

impl Checker {
    fn fault(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault { line: 0, path: path.into(), message: message.into() });
    }

    fn name(&mut self, path: &str, name: Option<&str>) {
        let Some(name) = name else { return };
        let chars = name.chars().count();
        if chars == 0 {
            self.fault(path, "is empty: give a name or leave the key out");
        } else if chars > MAX_NAME_CHARS {
            self.fault(
                path,
                format!("has {chars} characters: at most {MAX_NAME_CHARS} fit into a file's name"),
            );
        } else if let Some(bad) = name.chars().find(|c| !name_may_hold(*c)) {
            let bad = bad.escape_default();
            self.fault(
                path,
                format!("holds the character `{bad}`, which can't stand in a file's name: replace it"),
            );
        }
    }

    fn rate(&mut self, rate: Rate) {
        let (value, least, most) = match rate {
            Rate::Max => return,
            Rate::Percent(p) => (p, 1e-6, 100.0),
            Rate::Pps(v) => (v, 1e-3, MAX_RATE),
            Rate::BpsL2(v) | Rate::BpsL1(v) => (v, 1.0, MAX_RATE),
        };
        // Written so that a NaN is refused too.
        if !(least..=most).contains(&value) {
            let unit = match rate {
                Rate::Percent(_) => "%",
                Rate::Pps(_) => " frames a second",
                _ => " bits a second",
            };
            self.fault(
                "rate",
                format!("{value}{unit} is outside {least}…{most}{unit}: choose a rate in between, or max"),
            );
        }
    }

    fn stop(&mut self, stop: Stop) {
        match stop {
            Stop::Never => {}
            Stop::Count(0) => {
                self.fault("stop.count", "is 0: give at least 1, or `stop = \"never\"` for no end")
            }
            Stop::Count(n) if n > MAX_COUNT => {
                self.fault(
                    "stop.count",
                    format!("{n} is more than {MAX_COUNT} frames: use duration_s or \"never\""),
                );
            }
            Stop::Count(_) => {}
            Stop::DurationS(s) if s > 0.0 && s <= MAX_DURATION_S => {}
            Stop::DurationS(s) => self.fault(
                "stop.duration_s",
                format!("{s} is not a duration above 0 and at most {MAX_DURATION_S} seconds (7 days)"),
            ),
        }
    }

    fn stream(&mut self, path: &str, stream: &Stream) {
        self.name(&format!("{path}.name"), stream.name.as_deref());
        let before = self.faults.len();
        self.field(format!("{path}.ethernet.src"), &stream.ethernet.src);
        self.field(format!("{path}.ethernet.dst"), &stream.ethernet.dst);
        self.field(format!("{path}.ipv4.src"), &stream.ipv4.src);
        self.field(format!("{path}.ipv4.dst"), &stream.ipv4.dst);
        self.field(format!("{path}.ipv4.ttl"), &stream.ipv4.ttl);
        self.ports(&format!("{path}.udp"), stream.udp.as_ref());
        self.ports(&format!("{path}.tcp"), stream.tcp.as_ref());
        match (&stream.udp, &stream.tcp) {
            (Some(_), Some(_)) => {
                self.fault(
                    format!("{path}.tcp"),
                    "stands beside `udp`: a stream has one of them, remove the other",
                );
            }
            (None, None) => {
                self.fault(format!("{path}.udp"), "is missing: give `udp` or `tcp`, with src and dst ports");
            }
            _ => {}
        }
        // Flows can be counted only where the ranges make sense.
        if self.faults.len() == before {
            let flows = Template::new(stream, false).and_then(|t| t.flows());
            if flows.is_none_or(|n| n > MAX_FLOWS) {
                let most = "its ranges together give more than 2^40 distinct flows";
                self.fault(path, format!("{most}: make their lengths equal, or multiples of one another"));
            }
        }
    }

    fn ports(&mut self, path: &str, ports: Option<&Ports>) {
        if let Some(ports) = ports {
            self.field(format!("{path}.src"), &ports.src);
            self.field(format!("{path}.dst"), &ports.dst);
        }
    }

    fn field<T: Value>(&mut self, path: String, field: &Field<T>) {
        let Field::Range(Range { min, max, .. }) = field else { return };
        if min.to_u64() > max.to_u64() {
            self.fault(format!("{path}.min"), format!("{min} is above max, {max}: swap them"));
        }
    }
}

/// What a file's name can hold everywhere.
pub(super) fn name_may_hold(c: char) -> bool {
    !c.is_control() && c != '/' && c != '\\'
}

#[cfg(test)]
mod tests {
    use crate::frame::template::header_bytes;
    use crate::profile::Transport;
    use crate::units::FrameSize;

    #[test]
    fn the_smallest_frame_holds_all_headers_so_no_rule_is_needed() {
        for transport in [Transport::Udp, Transport::Tcp] {
            assert!(header_bytes(transport) <= usize::from(FrameSize::MIN.mbuf_bytes()));
        }
    }
}
