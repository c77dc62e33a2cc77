//! From a profile to a Pktgen script that imports back to the same profile. What no script can say is an error that
//! names it: nothing is left out in silence.

mod fields;
mod sequence;
mod stream;

use traffic::pacer::Gap;
use traffic::profile::replay::{Replay, Rewrite, Split, Timing, Truncated};
use traffic::profile::{Payload, Profile, Stop};
use traffic::units::Rate;

/// A profile that no script of Pktgen's can say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} can't be said in a Pktgen script: {why}")]
pub struct ExportError {
    /// The setting.
    pub what: String,
    /// What Pktgen has.
    pub why: &'static str,
}

fn refuse<T>(what: impl Into<String>, why: &'static str) -> Result<T, ExportError> {
    Err(ExportError { what: what.into(), why })
}

/// A script under way.
struct Script {
    port: u16,
    text: String,
}

impl Script {
    /// A call with the port first.
    fn call(&mut self, function: &str, args: &[&str]) {
        let args: String = args.iter().map(|arg| format!(", {arg}")).collect();
        self.line(&format!("pktgen.{function}(\"{}\"{args})", self.port));
    }

    fn line(&mut self, line: &str) {
        self.text += line;
        self.text.push('\n');
    }
}

/// A whole script: everything as the profile says on `port`, started, and stopped where the profile ends by time.
pub fn script(profile: &Profile, port: u16) -> Result<String, ExportError> {
    let mut text = String::from("require \"Pktgen\"\n\n");
    if let Some(replay) = &profile.replay {
        text += &format!("-- The frames are those of a capture: run with --pcap {}\n", replay.file.display());
    }
    text += &format!("pktgen.reset(\"{port}\")\n");
    text += &settings(profile, port)?;
    text += &format!("pktgen.start(\"{port}\")\n");
    if let Stop::DurationS(seconds) = profile.stop {
        let ms = (seconds * 1000.0).round();
        if ms / 1000.0 != seconds {
            return refuse(format!("a duration of {seconds} s"), "delays are whole milliseconds");
        }
        text += &format!("pktgen.delay({ms:.0})\npktgen.stop(\"{port}\")\n");
    }
    Ok(text)
}

/// The calls that set `port` to send what the profile says.
pub fn settings(profile: &Profile, port: u16) -> Result<String, ExportError> {
    let mut script = Script { port, text: String::new() };
    if profile.gap != Gap::Constant {
        return refuse("a gap of its own", "Pktgen's frames are evenly apart");
    }
    match profile.rate {
        Rate::Percent(percent) if (0.01..=100.0).contains(&percent) => {
            script.call("set", &["\"rate\"", &percent.to_string()]);
        }
        rate => {
            return refuse(format!("a rate of {rate}"), "Pktgen has percents of the link, from 0.01 to 100");
        }
    }
    let count = if let Stop::Count(count) = profile.stop { count } else { 0 };
    script.call("set", &["\"count\"", &count.to_string()]);
    if let Some(replay) = &profile.replay {
        whole_capture(replay)?;
        script.call("pcap", &["\"on\""]);
        return Ok(script.text);
    }
    if !profile.stamp {
        return refuse(
            "stamp = false",
            "an imported script's frames carry the mark, unless --no-stamp says otherwise",
        );
    }
    match profile.streams.as_slice() {
        [one] => stream::range(&mut script, one)?,
        several => sequence::sequence(&mut script, several)?,
    }
    let first = profile.streams.first().map(|stream| &stream.payload);
    match first {
        None | Some(Payload::Letters) => {}
        Some(Payload::Zero) => script.call("pattern", &["\"zero\""]),
        Some(Payload::Hex(digits)) => {
            let text = letters(digits).ok_or(ExportError {
                what: format!("a payload of {digits}"),
                why: "Pktgen's own pattern is 1 to 16 letters or digits",
            })?;
            script.call("userPattern", &[&format!("\"{text}\"")]);
        }
        Some(Payload::Random(_)) => return refuse("a random payload", "Pktgen repeats a pattern"),
    }
    Ok(script.text)
}

/// The text of a pattern, where it is one that a script can hold without a doubt.
fn letters(digits: &str) -> Option<String> {
    let pairs =
        digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let bytes: Vec<u8> = pairs.collect::<Option<_>>()?;
    let plain = (1..=16).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_alphanumeric);
    let lower = digits.bytes().all(|b| !b.is_ascii_uppercase());
    (plain && lower).then(|| bytes.iter().map(|b| char::from(*b)).collect())
}

fn whole_capture(replay: &Replay) -> Result<(), ExportError> {
    let plain = Replay {
        file: replay.file.clone(),
        timing: Timing::Rate,
        loops: 0,
        limit_frames: None,
        truncated: Truncated::default(),
        split: Split::default(),
        rewrite: Rewrite::default(),
    };
    if *replay == plain {
        return Ok(());
    }
    refuse(
        "this replay",
        "Pktgen sends all of a capture, over and over, at the port's rate: timing = \"rate\", loops = 0",
    )
}
