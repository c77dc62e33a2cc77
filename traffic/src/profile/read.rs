//! Nodes → [`Profile`]: one function a table. Types are read here; what the values must be is
//! [`super::check`]'s.

use super::check;
use super::model::{Ethernet, Ipv4, Payload, Ports, Profile, Stop, Stream};
use super::node::{Kind, Node};
use super::reader::{Reader, Table};
use crate::fault::Fault;
use crate::mac::Mac;
use crate::units::{FrameSize, Rate};

const RATE: &str = "text with a unit, such as \"10%\", \"1.5Mpps\", \"2Gbps\", \"2GbpsL1\" or \"max\"";
const STOP: &str = "\"never\", or a table with count or duration_s";
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
        stop: Stop::Never,
        stamp: Profile::default_stamp(),
        streams: Vec::new(),
    };
    let Some(table) = reader.table(root, "", &["name", "rate", "stop", "stamp", "streams"]) else {
        return profile;
    };
    profile.name = name(reader, &table);
    if let Some(node) = table.get("rate") {
        profile.rate = rate(reader, node).unwrap_or(profile.rate);
    }
    if let Some(node) = table.get("stop") {
        profile.stop = stop(reader, node).unwrap_or_default();
    }
    if let Some(node) = table.get("stamp") {
        profile.stamp = reader.bool(node, "stamp").unwrap_or(profile.stamp);
    }
    if let Some(node) = reader.need(&table, "streams", "a list with one stream") {
        match &node.kind {
            Kind::List(items) => {
                let stream = |(i, item)| stream(reader, item, &format!("streams[{i}]"));
                profile.streams = items.iter().enumerate().map(stream).collect();
            }
            _ => reader.wrong(node, "streams", "a list with one stream"),
        }
    }
    profile
}

fn name(reader: &mut Reader, table: &Table<'_>) -> Option<String> {
    let node = table.get("name")?;
    reader.text(node, &table.path("name"), NAME).map(str::to_owned)
}

fn rate(reader: &mut Reader, node: &Node) -> Option<Rate> {
    let text = reader.text(node, "rate", RATE)?;
    text.parse().map_err(|e: crate::units::UnitError| reader.fault(node.line, "rate", e.to_string())).ok()
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
    let duration = table.get("duration_s").map(|node| seconds(reader, node));
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

fn seconds(reader: &mut Reader, node: &Node) -> Option<f64> {
    match node.kind {
        Kind::Float(s) => Some(s),
        // A week has 604,800 seconds: what i32 can't hold is refused by the check all the same.
        Kind::Int(n) => {
            Some(i32::try_from(n).map_or(f64::MAX.copysign(if n < 0 { -1.0 } else { 1.0 }), f64::from))
        }
        _ => {
            reader.wrong(node, "stop.duration_s", "a number of seconds");
            None
        }
    }
}

fn stream(reader: &mut Reader, node: &Node, path: &str) -> Stream {
    let mut stream = Stream {
        name: None,
        frame_size: FrameSize::MAX,
        ethernet: Ethernet { src: Mac::default().into(), dst: Mac::default().into() },
        ipv4: ipv4_stand_in(),
        udp: None,
        tcp: None,
        payload: Payload::default(),
    };
    let known = ["name", "frame_size", "ethernet", "ipv4", "udp", "tcp", "payload"];
    let Some(table) = reader.table(node, path, &known) else { return stream };
    stream.name = name(reader, &table);
    let (least, most) = (FrameSize::MIN.bytes(), FrameSize::MAX.bytes());
    let size = format!("a frame size from {least} to {most} bytes (with the 4-byte FCS)");
    if let Some(node) = reader.need(&table, "frame_size", &size) {
        let make = |n: u64| FrameSize::new(u32::try_from(n).ok()?).ok();
        let bytes = reader.whole(node, &table.path("frame_size"), &size, make);
        stream.frame_size = bytes.unwrap_or(FrameSize::MAX);
    }
    if let Some(node) = reader.need(&table, "ethernet", "a table with src and dst") {
        stream.ethernet = ethernet(reader, node, &table.path("ethernet")).unwrap_or(stream.ethernet);
    }
    if let Some(node) = reader.need(&table, "ipv4", "a table with src and dst") {
        stream.ipv4 = ipv4(reader, node, &table.path("ipv4")).unwrap_or(stream.ipv4);
    }
    stream.udp = table.get("udp").map(|node| ports(reader, node, &table.path("udp")));
    stream.tcp = table.get("tcp").map(|node| ports(reader, node, &table.path("tcp")));
    if let Some(node) = table.get("payload") {
        stream.payload = payload(reader, node, &table.path("payload"));
    }
    stream
}

fn ethernet(reader: &mut Reader, node: &Node, path: &str) -> Option<Ethernet> {
    let table = reader.table(node, path, &["src", "dst"])?;
    Some(Ethernet { src: reader.field(&table, "src"), dst: reader.field(&table, "dst") })
}

fn ipv4_stand_in() -> Ipv4 {
    let any = std::net::Ipv4Addr::UNSPECIFIED;
    Ipv4 { src: any.into(), dst: any.into(), ttl: Ipv4::default_ttl() }
}

fn ipv4(reader: &mut Reader, node: &Node, path: &str) -> Option<Ipv4> {
    let table = reader.table(node, path, &["src", "dst", "ttl"])?;
    let (src, dst) = (reader.field(&table, "src"), reader.field(&table, "dst"));
    let ttl = if table.get("ttl").is_some() { reader.field(&table, "ttl") } else { Ipv4::default_ttl() };
    Some(Ipv4 { src, dst, ttl })
}

fn ports(reader: &mut Reader, node: &Node, path: &str) -> Ports {
    match reader.table(node, path, &["src", "dst"]) {
        Some(table) => Ports { src: reader.field(&table, "src"), dst: reader.field(&table, "dst") },
        None => Ports { src: 0.into(), dst: 0.into() },
    }
}

fn payload(reader: &mut Reader, node: &Node, path: &str) -> Payload {
    match &node.kind {
        Kind::Text(text) if text == "letters" => Payload::Letters,
        Kind::Text(text) if text == "zero" => Payload::Zero,
        _ => {
            reader.wrong(node, path, "\"letters\" or \"zero\"");
            Payload::default()
        }
    }
}
