//! Two captures compared field by field, as sets of flows or as sequences, with a report that a person can read.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::decode::{Fields, PER_PACKET, decode};

/// Differences told at most; the rest is a number.
const TOLD_MAX: usize = 5;

/// Distinct frames by all their fields but those that change from packet to packet.
pub fn distinct<'a>(frames: impl IntoIterator<Item = &'a [u8]>) -> BTreeSet<Fields> {
    frames.into_iter().map(without_per_packet).collect()
}

/// The fields without the IP id, and without the IP checksum that follows from it (its validity stays a field).
pub fn without_per_packet(frame: &[u8]) -> Fields {
    let mut fields = decode(frame);
    PER_PACKET.iter().for_each(|name| drop(fields.remove(name)));
    fields
}

/// Panics unless every frame of `some` is in `all`, and tells in which fields the nearest one differs.
pub fn assert_within(some: &BTreeSet<Fields>, some_name: &str, all: &BTreeSet<Fields>, all_name: &str) {
    let missing: Vec<&Fields> = some.difference(all).collect();
    if missing.is_empty() {
        return;
    }
    let mut report = format!(
        "{} of {} distinct frames of {some_name} are not in {all_name}, which has {}:\n",
        missing.len(),
        some.len(),
        all.len()
    );
    for frame in missing.iter().take(TOLD_MAX) {
        let nearest = all.iter().min_by_key(|other| differences(frame, other).len());
        let flow = ["ip.src", "ip.dst", "udp.src", "udp.dst"].map(|name| frame.get(name).map_or("-", |v| v));
        let _ = writeln!(report, "  flow {}:", flow.join(" "));
        let told = nearest.map_or_else(Vec::new, |other| differences(frame, other));
        for (name, mine, theirs) in told {
            let _ = writeln!(
                report,
                "    {name}: {} in {some_name}, {} in the nearest",
                short(&mine),
                short(&theirs)
            );
        }
    }
    panic!("{report}");
}

/// Panics unless both hold the same bytes in the same order, and tells the first difference by field.
pub fn assert_same_sequence(one: &[Vec<u8>], one_name: &str, other: &[Vec<u8>], other_name: &str) {
    for (n, (a, b)) in one.iter().zip(other).enumerate() {
        if a != b {
            let told: Vec<String> = differences(&decode(a), &decode(b))
                .iter()
                .map(|(name, a, b)| format!("{name}: {} / {}", short(a), short(b)))
                .collect();
            panic!("frame {n} differs between {one_name} and {other_name}: {}", told.join("; "));
        }
    }
    assert_eq!(one.len(), other.len(), "frames of {one_name} and of {other_name}");
}

/// Fields that differ: name, mine, theirs.
fn differences(mine: &Fields, theirs: &Fields) -> Vec<(&'static str, String, String)> {
    let names: BTreeSet<&'static str> = mine.keys().chain(theirs.keys()).copied().collect();
    let value = |fields: &Fields, name| fields.get(name).cloned().unwrap_or_else(|| "(none)".to_owned());
    names
        .into_iter()
        .map(|name| (name, value(mine, name), value(theirs, name)))
        .filter(|(_, mine, theirs)| mine != theirs)
        .collect()
}

/// Payloads are long.
fn short(value: &str) -> String {
    const SHOWN: usize = 48;
    if value.len() <= SHOWN {
        value.to_owned()
    } else {
        format!("{}… ({} digits)", &value[..SHOWN], value.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "eth.dst: 02:02:02:02:02:02 in ours, 03:02:02:02:02:02 in the nearest")]
    fn the_field_that_differs_is_named() {
        let (mut one, other) = ([2; 60], [2; 60]);
        one[0] = 3;
        assert_within(&distinct([&other[..]]), "ours", &distinct([&one[..]]), "theirs");
    }

    #[test]
    #[should_panic(expected = "frame 1 differs between a and b: eth.src")]
    fn the_frame_that_differs_is_named() {
        let (one, mut other) = (vec![vec![2; 60]; 3], vec![vec![2; 60]; 3]);
        other[1][7] = 9;
        assert_same_sequence(&one, "a", &other, "b");
    }
}
