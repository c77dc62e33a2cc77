//! What a profile's values must be, whether they came from a file, from Lua or over the wire.

use super::cycle::{MAX_FLOWS, of_stream};
use super::field::{Field, Range, Value};
use super::model::{Ports, Profile, Stop, Stream, Transport};
use crate::fault::Fault;
use crate::units::{FCS_BYTES, Rate};

/// The longest name, in characters: names become parts of result files' names.
pub const MAX_NAME_CHARS: usize = 100;
/// The longest run by duration: 7 days, in seconds.
pub const MAX_DURATION_S: f64 = 7.0 * 24.0 * 3600.0;
/// The most frames a run may count to: every JSON reader still holds it exactly.
pub const MAX_COUNT: u64 = 1 << 53;
/// Fastest rate, in frames or bits a second: 10 Tbit/s, far beyond any port.
pub const MAX_RATE: f64 = 1e13;

const ETHERNET_BYTES: u16 = 14;
const IPV4_BYTES: u16 = 20;
const STAMP_BYTES: u16 = 18;

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
        c.stream(&format!("streams[{i}]"), stream, profile.stamp);
    }
    c.faults
}

/// Bytes of the smallest frame (with FCS) that holds the headers of `transport` and, if asked for, the stamp.
pub fn least_frame_bytes(transport: Transport, stamp: bool) -> u16 {
    let l4 = match transport {
        Transport::Udp => 8,
        Transport::Tcp => 20,
    };
    ETHERNET_BYTES + IPV4_BYTES + l4 + FCS_BYTES + if stamp { STAMP_BYTES } else { 0 }
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

    fn stream(&mut self, path: &str, stream: &Stream, stamp: bool) {
        self.name(&format!("{path}.name"), stream.name.as_deref());
        let before = self.faults.len();
        self.field(format!("{path}.ethernet.src"), &stream.ethernet.src);
        self.field(format!("{path}.ethernet.dst"), &stream.ethernet.dst);
        self.field(format!("{path}.ipv4.src"), &stream.ipv4.src);
        self.field(format!("{path}.ipv4.dst"), &stream.ipv4.dst);
        self.field(format!("{path}.ipv4.ttl"), &stream.ipv4.ttl);
        self.ports(&format!("{path}.udp"), stream.udp.as_ref());
        self.ports(&format!("{path}.tcp"), stream.tcp.as_ref());
        let ranges_are_sound = self.faults.len() == before;
        match (stream.transport(), &stream.udp) {
            (Some((transport, _)), _) => self.room(path, stream, transport, stamp),
            (None, Some(_)) => self.fault(
                format!("{path}.tcp"),
                "stands beside `udp`: a stream has one of them, remove the other",
            ),
            (None, None) => {
                self.fault(format!("{path}.udp"), "is missing: give `udp` or `tcp`, with src and dst ports")
            }
        }
        if ranges_are_sound && of_stream(stream).is_none() {
            self.fault(
                path,
                format!("its ranges give more than {MAX_FLOWS} (2^40) distinct flows: make their lengths equal or multiples of one another"),
            );
        }
    }

    fn room(&mut self, path: &str, stream: &Stream, transport: Transport, stamp: bool) {
        let (size, least) = (stream.frame_size.bytes(), least_frame_bytes(transport, stamp));
        if size < least {
            let held = if stamp { "its headers and the 18-byte stamp" } else { "its headers" };
            let way_out =
                if stamp { ", or `stamp = false` (then loss and latency are not measured)" } else { "" };
            self.fault(
                format!("{path}.frame_size"),
                format!("{size} bytes are too few for {held}: at least {least}{way_out}"),
            );
        }
    }

    fn ports(&mut self, path: &str, ports: Option<&Ports>) {
        if let Some(ports) = ports {
            self.field(format!("{path}.src"), &ports.src);
            self.field(format!("{path}.dst"), &ports.dst);
        }
    }

    fn field<T: Value>(&mut self, path: String, field: &Field<T>) {
        let Field::Range(Range { start, min, max, inc }) = field else { return };
        if min.to_u64() > max.to_u64() {
            self.fault(format!("{path}.min"), format!("{min} is above max, {max}: swap them"));
        } else if inc.to_u64() != 0 && !(min.to_u64()..=max.to_u64()).contains(&start.to_u64()) {
            self.fault(format!("{path}.start"), format!("{start} is not between min, {min}, and max, {max}"));
        }
    }
}

/// What a file's name can hold everywhere.
pub(super) fn name_may_hold(c: char) -> bool {
    !c.is_control() && c != '/' && c != '\\'
}
