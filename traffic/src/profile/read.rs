//! Nodes → [`Profile`]: one function a table. Types are read here; what the values must be is
//! [`super::check`]'s.

use super::check;
use super::model::{Profile, Stop};
use super::node::{Kind, Node};
use super::read_replay::replay;
use super::read_stream::stream;
use super::reader::{Reader, Table};
use crate::fault::Fault;
use crate::pacer::Gap;
use crate::units::Rate;

const RATE: &str = "text with a unit, such as \"10%\", \"1.5Mpps\", \"2Gbps\", \"2GbpsL1\" or \"max\"";
const STOP: &str = "\"never\", or a table with count or duration_s";
const GAP: &str = "\"constant\", \"poisson\", or a table with burst and every_s";
const NAME: &str = "text";

/// The profile, or everything that is wrong with it in the order of the file.
pub(super) fn profile(root: &Node) -> Result<Profile, Vec<Fault>> {
    let mut reader = Reader::default();
    if matches!(root.kind, Kind::Null) {
        reader.fault(0, "", "is empty: a profile needs at least `streams`");
        return Err(reader.told());
    }
    let profile = whole(&mut reader, root);
    if reader.is_full() {
        return Err(reader.told());
    }
    // What stands in for a faulty value must not be blamed for anything.
    let blamed =
        check::check(&profile).into_iter().filter(|f| !reader.stands_in(&f.path)).collect::<Vec<_>>();
    for fault in blamed {
        reader.fault(root.line_of(&fault.path), &fault.path, fault.message);
    }
    if reader.faults.is_empty() { Ok(profile) } else { Err(reader.told()) }
}

fn whole(reader: &mut Reader, root: &Node) -> Profile {
    let mut profile = Profile {
        name: None,
        rate: Profile::default_rate(),
        gap: Gap::Constant,
        stop: Stop::Never,
        stamp: Profile::default_stamp(),
        streams: Vec::new(),
        replay: None,
    };
    let Some(table) = reader.table(root, "", &["name", "rate", "gap", "stop", "stamp", "streams", "replay"])
    else {
        return profile;
    };
    profile.name = name(reader, &table);
    if let Some(node) = table.get("rate") {
        profile.rate = rate(reader, node, "rate").unwrap_or(profile.rate);
    }
    if let Some(node) = table.get("gap") {
        profile.gap = gap(reader, node, "gap").unwrap_or_default();
    }
    if let Some(node) = table.get("stop") {
        profile.stop = stop(reader, node).unwrap_or_default();
    }
    if let Some(node) = table.get("stamp") {
        profile.stamp = reader.bool(node, "stamp").unwrap_or(profile.stamp);
    }
    profile.replay = table.get("replay").map(|node| replay(reader, node));
    if profile.replay.is_some() && table.get("streams").is_none() {
        return profile;
    }
    if let Some(node) = reader.need(&table, "streams", "a list of streams") {
        match &node.kind {
            Kind::List(items) => {
                let stream = |(i, item)| stream(reader, item, &format!("streams[{i}]"));
                profile.streams = items.iter().enumerate().map(stream).collect();
            }
            _ => reader.wrong(node, "streams", "a list of streams"),
        }
    }
    profile
}

pub(super) fn name(reader: &mut Reader, table: &Table<'_>) -> Option<String> {
    let node = table.get("name")?;
    reader.text(node, &table.path("name"), NAME).map(str::to_owned)
}

pub(super) fn rate(reader: &mut Reader, node: &Node, path: &str) -> Option<Rate> {
    let text = reader.text(node, path, RATE)?;
    text.parse().map_err(|e: crate::units::UnitError| reader.fault(node.line, path, e.to_string())).ok()
}

pub(super) fn gap(reader: &mut Reader, node: &Node, path: &str) -> Option<Gap> {
    match &node.kind {
        Kind::Text(text) if text == "constant" => Some(Gap::Constant),
        Kind::Text(text) if text == "poisson" => Some(Gap::Poisson),
        Kind::Table(_) => {
            let table = reader.table(node, path, &["burst", "every_s"])?;
            let burst = reader.need(&table, "burst", "a number of frames")?;
            let every = reader.need(&table, "every_s", "a number of seconds")?;
            let make = |n| u32::try_from(n).ok();
            let burst = reader.whole(burst, &table.path("burst"), "a number of frames", make);
            let every_s = seconds(reader, every, &table.path("every_s"));
            Some(Gap::Burst { burst: burst?, every_s: every_s? })
        }
        _ => {
            reader.wrong(node, path, GAP);
            None
        }
    }
}

fn stop(reader: &mut Reader, node: &Node) -> Option<Stop> {
    match &node.kind {
        Kind::Text(text) if text == "never" => return Some(Stop::Never),
        Kind::Table(_) => {}
        _ => {
            reader.wrong(node, "stop", STOP);
            return None;
        }
    }
    let table = reader.table(node, "stop", &["count", "duration_s"])?;
    let count =
        table.get("count").map(|node| reader.whole(node, "stop.count", "a whole number of frames", Some));
    let duration = table.get("duration_s").map(|node| seconds(reader, node, "stop.duration_s"));
    match (count, duration) {
        (Some(count), None) => count.map(Stop::Count),
        (None, Some(duration)) => duration.map(Stop::DurationS),
        (Some(_), Some(_)) => {
            reader.fault(node.line, "stop", "has both count and duration_s: keep one");
            None
        }
        (None, None) => {
            if table.is_empty() {
                reader.fault(node.line, "stop", format!("is empty: give {STOP}"));
            }
            None
        }
    }
}

pub(super) fn seconds(reader: &mut Reader, node: &Node, path: &str) -> Option<f64> {
    match node.kind {
        Kind::Float(s) => Some(s),
        // A week has 604,800 seconds: what i32 can't hold is refused by the check all the same.
        Kind::Int(n) => {
            Some(i32::try_from(n).map_or(f64::MAX.copysign(if n < 0 { -1.0 } else { 1.0 }), f64::from))
        }
        _ => {
            reader.wrong(node, path, "a number of seconds");
            None
        }
    }
}
