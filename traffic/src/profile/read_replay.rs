//! Nodes → [`Replay`].

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::node::{Kind, Node};
use super::reader::{Reader, Table};
use super::replay::{MAX_VLAN_ID, Replay, Rewrite, Split, Timing, Truncated};
use crate::mac::Mac;
use crate::replay::rewrite::NAMES;

const FILE: &str = "the path of a pcap or pcapng file";
const TIMING: &str = "\"original\", \"rate\", or a table with factor";
const KNOWN: [&str; 7] = ["file", "timing", "loops", "limit_frames", "truncated", "split", "rewrite"];

/// The table `replay`; what is faulty in it has a stand-in.
pub(super) fn replay(reader: &mut Reader, node: &Node) -> Replay {
    let path = "replay";
    let mut replay = Replay {
        // Not empty: the check would blame it.
        file: PathBuf::from("-"),
        timing: Timing::default(),
        loops: Replay::default_loops(),
        limit_frames: None,
        truncated: Truncated::default(),
        split: Split::default(),
        rewrite: Rewrite::default(),
    };
    let Some(table) = reader.table(node, path, &KNOWN) else { return replay };
    if let Some(node) = reader.need(&table, "file", FILE)
        && let Some(text) = reader.text(node, "replay.file", FILE)
    {
        replay.file = PathBuf::from(text);
    }
    if let Some(node) = table.get("timing") {
        replay.timing = timing(reader, node).unwrap_or_default();
    }
    if let Some(node) = table.get("loops") {
        let wanted = "a number of rounds, 0 for no end";
        replay.loops = reader.whole(node, "replay.loops", wanted, Some).unwrap_or(replay.loops);
    }
    if let Some(node) = table.get("limit_frames") {
        replay.limit_frames = reader.whole(node, "replay.limit_frames", "a number of frames", Some);
    }
    if let Some(node) = table.get("truncated") {
        let named = [("refuse", Truncated::Refuse), ("pad", Truncated::Pad)];
        replay.truncated = word(reader, node, "replay.truncated", named).unwrap_or_default();
    }
    if let Some(node) = table.get("split") {
        let named = [("symmetric", Split::Symmetric), ("five_tuple", Split::FiveTuple)];
        replay.split = word(reader, node, "replay.split", named).unwrap_or_default();
    }
    if let Some(node) = table.get("rewrite") {
        replay.rewrite = rewrite(reader, node).unwrap_or_default();
    }
    replay
}

fn timing(reader: &mut Reader, node: &Node) -> Option<Timing> {
    match &node.kind {
        Kind::Text(text) if text == "original" => return Some(Timing::Original),
        Kind::Text(text) if text == "rate" => return Some(Timing::Rate),
        Kind::Table(_) => {}
        _ => {
            reader.wrong(node, "replay.timing", TIMING);
            return None;
        }
    }
    let table = reader.table(node, "replay.timing", &["factor"])?;
    let wanted = "a number that gaps are multiplied by";
    let factor = reader.need(&table, "factor", wanted)?;
    match factor.kind {
        Kind::Float(factor) => Some(Timing::Factor(factor)),
        // What i32 can't hold is refused by the check all the same.
        Kind::Int(n) => Some(Timing::Factor(i32::try_from(n).map_or(f64::MAX, f64::from))),
        _ => {
            reader.wrong(factor, "replay.timing.factor", wanted);
            None
        }
    }
}

/// One of two words.
fn word<T: Copy>(reader: &mut Reader, node: &Node, path: &str, named: [(&str, T); 2]) -> Option<T> {
    let found = match &node.kind {
        Kind::Text(text) => named.iter().find(|(name, _)| name == text),
        _ => None,
    };
    if found.is_none() {
        let [(a, _), (b, _)] = named;
        reader.wrong(node, path, &format!("\"{a}\" or \"{b}\""));
    }
    found.map(|(_, value)| *value)
}

fn rewrite(reader: &mut Reader, node: &Node) -> Option<Rewrite> {
    let table = reader.table(node, "replay.rewrite", &NAMES)?;
    let mac = "a MAC address such as 00:50:56:ab:a2:ef";
    let v4 = "an IPv4 address such as 192.168.1.1";
    let v6 = "an IPv6 address such as fd00::1";
    Some(Rewrite {
        src_mac: parsed::<Mac>(reader, &table, "src_mac", mac),
        dst_mac: parsed::<Mac>(reader, &table, "dst_mac", mac),
        src_ip: parsed::<Ipv4Addr>(reader, &table, "src_ip", v4),
        dst_ip: parsed::<Ipv4Addr>(reader, &table, "dst_ip", v4),
        src_ip6: parsed::<Ipv6Addr>(reader, &table, "src_ip6", v6),
        dst_ip6: parsed::<Ipv6Addr>(reader, &table, "dst_ip6", v6),
        src_port: number(reader, &table, "src_port", u16::MAX),
        dst_port: number(reader, &table, "dst_port", u16::MAX),
        vlan_id: number(reader, &table, "vlan_id", MAX_VLAN_ID),
    })
}

fn parsed<T: std::str::FromStr>(
    reader: &mut Reader,
    table: &Table<'_>,
    key: &str,
    wanted: &str,
) -> Option<T> {
    let node = table.get(key)?;
    let value = match &node.kind {
        Kind::Text(text) => text.parse().ok(),
        _ => None,
    };
    if value.is_none() {
        reader.wrong(node, &table.path(key), wanted);
    }
    value
}

fn number(reader: &mut Reader, table: &Table<'_>, key: &str, most: u16) -> Option<u16> {
    let node = table.get(key)?;
    let make = |n: u64| u16::try_from(n).ok().filter(|n| *n <= most);
    reader.whole(node, &table.path(key), &format!("a number from 0 to {most}"), make)
}
