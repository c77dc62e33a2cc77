//! `[replay]` → TOML.

use std::fmt::Display;

use super::replay::{Replay, Split, Timing, Truncated};

/// Says every setting, defaults included, with those of `rewrite` in one line.
pub(super) fn settings(replay: &Replay, mut set: impl FnMut(&str, String)) {
    set("file", quoted(replay.file.display()));
    set(
        "timing",
        match replay.timing {
            Timing::Original => quoted("original"),
            Timing::Rate => quoted("rate"),
            Timing::Factor(factor) => format!("{{ factor = {} }}", toml::Value::Float(factor)),
        },
    );
    set("loops", replay.loops.to_string());
    if let Some(limit) = replay.limit_frames {
        set("limit_frames", limit.to_string());
    }
    let truncated = match replay.truncated {
        Truncated::Refuse => "refuse",
        Truncated::Pad => "pad",
    };
    set("truncated", quoted(truncated));
    let split = match replay.split {
        Split::Symmetric => "symmetric",
        Split::FiveTuple => "five_tuple",
    };
    set("split", quoted(split));
    let to = &replay.rewrite;
    let fields = [
        ("src_mac", to.src_mac.map(quoted)),
        ("dst_mac", to.dst_mac.map(quoted)),
        ("src_ip", to.src_ip.map(quoted)),
        ("dst_ip", to.dst_ip.map(quoted)),
        ("src_ip6", to.src_ip6.map(quoted)),
        ("dst_ip6", to.dst_ip6.map(quoted)),
        ("src_port", to.src_port.map(|n| n.to_string())),
        ("dst_port", to.dst_port.map(|n| n.to_string())),
        ("vlan_id", to.vlan_id.map(|n| n.to_string())),
    ];
    let said: Vec<String> =
        fields.iter().filter_map(|(k, v)| Some(format!("{k} = {}", v.as_ref()?))).collect();
    if !said.is_empty() {
        set("rewrite", format!("{{ {} }}", said.join(", ")));
    }
}

/// A TOML string, escaped.
fn quoted(text: impl Display) -> String {
    toml::Value::String(text.to_string()).to_string()
}
