//! Nodes → [`Stream`]: one function a table that is more than a header.

use super::header::{Ethernet, Inner};
use super::keys::Header;
use super::node::{Kind, Node};
use super::read::{gap, name, rate, seconds};
use super::reader::{Reader, Table};
use super::sizes::{FrameSizes, NamedMix, SizeRange, WeightedSize};
use super::stream::{Payload, Stream};
use crate::units::FrameSize;

const KEYS: &[&str] = &[
    "name",
    "weight",
    "rate",
    "gap",
    "start_delay_s",
    "frame_size",
    "ethernet",
    "vlan",
    "mpls",
    "ipv4",
    "ipv6",
    "arp",
    "udp",
    "tcp",
    "icmp",
    "gre",
    "vxlan",
    "gtpu",
    "inner",
    "payload",
];
const INNER_KEYS: &[&str] = &["ethernet", "ipv4", "ipv6", "udp", "tcp", "icmp"];
const WEIGHT: &str = "a whole number from 1 to 1000";
const PAYLOAD: &str = "\"letters\", \"zero\", { hex = \"deadbeef\" } or { random = 1 }";

pub(super) fn stream(reader: &mut Reader, node: &Node, path: &str) -> Stream {
    let nothing = Ethernet::read(&mut Reader::default(), &Table::empty(""));
    let mut stream = Stream::new(FrameSize::MAX, nothing);
    let Some(table) = reader.table(node, path, KEYS) else { return stream };
    stream.name = name(reader, &table);
    if let Some(node) = table.get("weight") {
        stream.weight = weight(reader, node, &table.path("weight"));
    }
    stream.rate = table.get("rate").and_then(|node| rate(reader, node, &table.path("rate")));
    stream.gap = table.get("gap").and_then(|node| gap(reader, node, &table.path("gap")));
    let delay = table.get("start_delay_s").map(|node| seconds(reader, node, &table.path("start_delay_s")));
    stream.start_delay_s = delay.flatten().unwrap_or(0.0);
    if let Some(node) = reader.need(&table, "frame_size", &sizes_wanted()) {
        stream.frame_size = sizes(reader, node, &table.path("frame_size"));
    }
    if let Some(node) = reader.need(&table, "ethernet", Ethernet::WANTED) {
        stream.ethernet = Ethernet::of(reader, node, &table.path("ethernet"));
    }
    stream.vlan = headers(reader, &table, "vlan");
    stream.mpls = headers(reader, &table, "mpls");
    stream.ipv4 = optional(reader, &table, "ipv4");
    stream.ipv6 = optional(reader, &table, "ipv6");
    stream.arp = optional(reader, &table, "arp");
    stream.udp = optional(reader, &table, "udp");
    stream.tcp = optional(reader, &table, "tcp");
    stream.icmp = optional(reader, &table, "icmp");
    stream.gre = optional(reader, &table, "gre");
    stream.vxlan = optional(reader, &table, "vxlan");
    stream.gtpu = optional(reader, &table, "gtpu");
    stream.inner = table.get("inner").map(|node| Box::new(inner(reader, node, &table.path("inner"))));
    if let Some(node) = table.get("payload") {
        stream.payload = payload(reader, node, &table.path("payload"));
    }
    stream
}

fn optional<H: Header>(reader: &mut Reader, table: &Table<'_>, key: &str) -> Option<H> {
    table.get(key).map(|node| H::of(reader, node, &table.path(key)))
}

/// A list of headers; a single table stands for a list of one.
fn headers<H: Header>(reader: &mut Reader, table: &Table<'_>, key: &str) -> Vec<H> {
    let Some(node) = table.get(key) else { return Vec::new() };
    let path = table.path(key);
    match &node.kind {
        Kind::List(items) => {
            items.iter().enumerate().map(|(i, item)| H::of(reader, item, &format!("{path}[{i}]"))).collect()
        }
        Kind::Table(_) => vec![H::of(reader, node, &path)],
        _ => {
            reader.wrong(node, &path, H::WANTED);
            Vec::new()
        }
    }
}

fn inner(reader: &mut Reader, node: &Node, path: &str) -> Inner {
    let Some(table) = reader.table(node, path, INNER_KEYS) else { return Inner::default() };
    Inner {
        ethernet: optional(reader, &table, "ethernet"),
        ipv4: optional(reader, &table, "ipv4"),
        ipv6: optional(reader, &table, "ipv6"),
        udp: optional(reader, &table, "udp"),
        tcp: optional(reader, &table, "tcp"),
        icmp: optional(reader, &table, "icmp"),
    }
}

fn weight(reader: &mut Reader, node: &Node, path: &str) -> u32 {
    let make = |n| u32::try_from(n).ok().filter(|n| (1..=1000).contains(n));
    reader.whole(node, path, WEIGHT, make).unwrap_or(1)
}

fn size_wanted() -> String {
    let (least, most) = (FrameSize::MIN.bytes(), FrameSize::MAX.bytes());
    format!("a frame size from {least} to {most} bytes (with the 4-byte FCS)")
}

fn sizes_wanted() -> String {
    format!("{}, a range (min, max, step), a list of sizes with weights, or \"imix\"", size_wanted())
}

fn size(reader: &mut Reader, node: &Node, path: &str, wanted: &str) -> FrameSize {
    let make = |n: u64| FrameSize::new(u32::try_from(n).ok()?).ok();
    reader.whole(node, path, wanted, make).unwrap_or(FrameSize::MAX)
}

fn sizes(reader: &mut Reader, node: &Node, path: &str) -> FrameSizes {
    match &node.kind {
        Kind::Text(text) if text == "imix" => FrameSizes::Named(NamedMix::Imix),
        Kind::Table(_) => size_range(reader, node, path),
        Kind::List(items) => {
            let sizes = items.iter().enumerate();
            FrameSizes::Mix(sizes.map(|(i, item)| weighted(reader, item, &format!("{path}[{i}]"))).collect())
        }
        _ => FrameSizes::One(size(reader, node, path, &size_wanted())),
    }
}

fn size_range(reader: &mut Reader, node: &Node, path: &str) -> FrameSizes {
    let mut range = SizeRange { min: FrameSize::MAX, max: FrameSize::MAX, step: 1 };
    let Some(table) = reader.table(node, path, &["min", "max", "step"]) else {
        return FrameSizes::Range(range);
    };
    let wanted = size_wanted();
    for (key, place) in [("min", &mut range.min), ("max", &mut range.max)] {
        if let Some(node) = reader.need(&table, key, &wanted) {
            *place = size(reader, node, &table.path(key), &wanted);
        }
    }
    if let Some(node) = table.get("step") {
        let make = |n| u16::try_from(n).ok().filter(|n| (1..=9536).contains(n));
        range.step = reader.whole(node, &table.path("step"), "a number from 1 to 9536", make).unwrap_or(1);
    }
    FrameSizes::Range(range)
}

fn weighted(reader: &mut Reader, node: &Node, path: &str) -> WeightedSize {
    let mut sized = WeightedSize { size: FrameSize::MAX, weight: 1 };
    let wanted = size_wanted();
    if !matches!(node.kind, Kind::Table(_)) {
        sized.size = size(reader, node, path, &wanted);
        return sized;
    }
    let Some(table) = reader.table(node, path, &["size", "weight"]) else { return sized };
    if let Some(node) = reader.need(&table, "size", &wanted) {
        sized.size = size(reader, node, &table.path("size"), &wanted);
    }
    if let Some(node) = table.get("weight") {
        sized.weight = weight(reader, node, &table.path("weight"));
    }
    sized
}

fn payload(reader: &mut Reader, node: &Node, path: &str) -> Payload {
    match &node.kind {
        Kind::Text(text) if text == "letters" => return Payload::Letters,
        Kind::Text(text) if text == "zero" => return Payload::Zero,
        Kind::Table(_) => {}
        _ => {
            reader.wrong(node, path, PAYLOAD);
            return Payload::default();
        }
    }
    let Some(table) = reader.table(node, path, &["hex", "random"]) else { return Payload::default() };
    if let Some(node) = table.get("hex") {
        let text = reader.text(node, &table.path("hex"), "hexadecimal digits, such as deadbeef");
        return Payload::Hex(text.unwrap_or("00").to_owned());
    }
    if let Some(node) = reader.need(&table, "random", "a seed, such as 1") {
        return Payload::Random(
            reader.whole(node, &table.path("random"), "a seed, such as 1", Some).unwrap_or(0),
        );
    }
    Payload::default()
}
