//! What a profile's values must be, whether they came from a file, from Lua or over the wire.

use super::check_stream;
use super::field::{Field, Range};
use super::model::{Profile, Stop};
use super::replay;
use super::value::Value;
use crate::fault::Fault;
use crate::pacer::Gap;
use crate::units::Rate;

/// The longest name, in characters: names become parts of result files' names.
pub const MAX_NAME_CHARS: usize = 100;
/// The longest run by duration: 7 days, in seconds.
pub const MAX_DURATION_S: f64 = 7.0 * 24.0 * 3600.0;
/// The most frames a run may count to: every JSON reader still holds it exactly.
pub const MAX_COUNT: u64 = 1 << 53;
/// Fastest rate, in frames or bits a second: 10 Tbit/s, far beyond any port.
pub const MAX_RATE: f64 = 1e13;
/// The most streams: every worker of each has a number of 16 bits in the mark.
pub const MAX_STREAMS: usize = 4096;
/// The most values of a list.
pub const MAX_LIST: usize = 65_536;
/// The most flows of a stream: a receiver can't count more of them apart.
pub const MAX_FLOWS: u64 = 1 << 40;

/// Everything that is wrong with `profile`, with paths and without lines; empty when it can be planned.
pub fn check(profile: &Profile) -> Vec<Fault> {
    let mut c = Checker { faults: Vec::new() };
    c.name("name", profile.name.as_deref());
    c.rate("rate", profile.rate);
    c.gap("gap", profile.gap);
    c.stop(profile.stop);
    match profile.streams.len() {
        0 if profile.replay.is_some() => {}
        0 => c.fault("streams", "has no stream: give one"),
        n if n > MAX_STREAMS => c.fault("streams", format!("has {n} streams, more than {MAX_STREAMS}")),
        _ => {}
    }
    for (i, stream) in profile.streams.iter().enumerate().take(MAX_STREAMS) {
        check_stream::check(&mut c, &format!("streams[{i}]"), stream);
    }
    if let Some(replay) = &profile.replay {
        c.faults.extend(replay::check(replay));
        if profile.gap != Gap::Constant {
            c.fault("gap", "is for streams: frames of a replay leave by replay.timing, remove it");
        }
        if !profile.streams.is_empty() {
            c.fault("replay", "stands beside `streams`: a profile has one of them, remove the other");
        }
    }
    c.faults
}

/// The faults so far.
pub(super) struct Checker {
    faults: Vec<Fault>,
}

impl Checker {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.faults.len()
    }

    pub(super) fn fault(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault { line: 0, path: path.into(), message: message.into() });
    }

    pub(super) fn name(&mut self, path: &str, name: Option<&str>) {
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

    pub(super) fn rate(&mut self, path: &str, rate: Rate) {
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
                path,
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

    pub(super) fn gap(&mut self, path: &str, gap: Gap) {
        let Gap::Burst { burst, every_s } = gap else { return };
        if burst == 0 || burst > 1_000_000 {
            self.fault(
                format!("{path}.burst"),
                format!("{burst} is not a number of frames from 1 to 1000000"),
            );
        }
        // Written so that a NaN is refused too.
        if !(1e-6..=3600.0).contains(&every_s) {
            self.fault(
                format!("{path}.every_s"),
                format!("{every_s} is not a number of seconds from 0.000001 to 3600"),
            );
        }
    }

    pub(super) fn field<T: Value>(&mut self, path: String, field: &Field<T>) {
        match field {
            Field::Fixed(_) | Field::Bits(_) => {}
            Field::Range(Range { start, min, max, inc, .. }) => {
                self.in_order(&format!("{path}.min"), *min, *max);
                if start.high() != min.high() || min.high() != max.high() || inc.high() != 0 {
                    self.fault(path, "must step within the lower 64 bits: start, min and max have the upper ones in common");
                }
            }
            Field::List(list) if list.list.is_empty() => {
                self.fault(format!("{path}.list"), "is empty: give at least one value");
            }
            Field::List(list) if list.list.len() > MAX_LIST => {
                let n = list.list.len();
                self.fault(format!("{path}.list"), format!("has {n} values, more than {MAX_LIST}"));
            }
            Field::List(_) => {}
            Field::Random(r) => {
                self.in_order(&format!("{path}.random.min"), r.random.min, r.random.max);
                if r.random.min.high() != r.random.max.high() {
                    self.fault(
                        path,
                        "must be random in the lower 64 bits: min and max have the upper ones in common",
                    );
                }
            }
        }
    }

    fn in_order<T: Value>(&mut self, path: &str, min: T, max: T) {
        if (min.high(), min.to_u64()) > (max.high(), max.to_u64()) {
            self.fault(path, format!("{min} is above max, {max}: swap them"));
        }
    }
}

/// What a file's name can hold everywhere.
pub(super) fn name_may_hold(c: char) -> bool {
    !c.is_control() && c != '/' && c != '\\'
}
