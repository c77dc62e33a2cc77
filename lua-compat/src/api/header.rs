//! Headers of the frame: tags, labels, tunnels, flags, and what fills the rest.

use super::call::Call;
use super::function::Reply;
use crate::backend::{Mode, Pattern, PortOp, Setting};
use crate::report::Severity;

/// Letters of a user's pattern: Pktgen keeps as many.
const MAX_PATTERN: usize = 16;
/// TCP flags by Pktgen's letters, lowest bit first.
const FLAGS: [&str; 8] = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"];

fn apply(call: &mut Call<'_>, setting: Setting) -> Reply {
    let ports = call.ports()?;
    call.apply(ports, PortOp::Set(setting)).map(|()| None)
}

/// A switch that is named by its function.
pub(super) fn mode(call: &mut Call<'_>) -> Reply {
    let mode = match call.function.name {
        "vlan" => Mode::Vlan,
        "mpls" => Mode::Mpls,
        "qinq" => Mode::Qinq,
        "gre" => Mode::Gre,
        "gre_eth" => Mode::GreEth,
        "vxlan" => Mode::Vxlan,
        "pcap" => Mode::Pcap,
        "latsampler" => Mode::Sampler,
        "rnd_s_ip" => Mode::RandomSrcIp,
        "rnd_s_pt" => Mode::RandomSrcPort,
        other => return Err(format!("{other} is no switch")),
    };
    let on = call.on(1)?;
    apply(call, Setting::Mode(mode, on))
}

/// `vlanid(ports, id)`.
pub(super) fn vlanid(call: &mut Call<'_>) -> Reply {
    let id = call.whole(1, "a VLAN", 0..=4095)?;
    apply(call, Setting::VlanId(id as u16))
}

/// `cos(ports, unused, value)`: Pktgen demands three arguments and reads the third; two are understood as well.
pub(super) fn cos(call: &mut Call<'_>) -> Reply {
    let value = call.whole(call.args.len() - 1, "a priority", 0..=7)?;
    apply(call, Setting::Cos(value as u8))
}

/// `tos(ports, value)`.
pub(super) fn tos(call: &mut Call<'_>) -> Reply {
    let value = call.whole(1, "a type of service", 0..=255)?;
    apply(call, Setting::Tos(value as u8))
}

/// `vxlan_id(ports, flags, group, vni)`: a profile's VXLAN header has the flag of its VNI alone.
pub(super) fn vxlan_id(call: &mut Call<'_>) -> Reply {
    let flags = hex_or_whole(call, 1, 0xffff)?;
    let group = hex_or_whole(call, 2, 0xffff)?;
    let vni = hex_or_whole(call, 3, 0xff_ffff)?;
    if group != 0 || !matches!(flags, 0 | 0x08 | 0x0800) {
        let text = format!(
            "pktgen.vxlan_id: flags {flags:#x} and group {group} are not carried over: the header has the VNI's flag, 0x08"
        );
        call.note(Severity::Warning, text);
    }
    apply(call, Setting::Vni(vni as u32))
}

/// `range.mpls_entry(ports, "hex")`.
pub(super) fn mpls_entry(call: &mut Call<'_>) -> Reply {
    let text = call.text(1)?;
    let digits = text.trim().trim_start_matches("0x");
    let entry = u32::from_str_radix(digits, 16);
    let entry = entry.map_err(|_| call.wrong(1, "an MPLS entry in hex, such as \"00010140\""))?;
    apply(call, Setting::MplsEntry(entry))
}

/// `range.qinqids(ports, outer, inner)`.
pub(super) fn qinqids(call: &mut Call<'_>) -> Reply {
    let (outer, inner) = (call.whole(1, "a VLAN", 0..=4095)?, call.whole(2, "a VLAN", 0..=4095)?);
    apply(call, Setting::QinqIds(outer as u16, inner as u16))
}

/// `range.gre_key(ports, key)`.
pub(super) fn gre_key(call: &mut Call<'_>) -> Reply {
    let key = hex_or_whole(call, 1, u64::from(u32::MAX))?;
    apply(call, Setting::GreKey(key as u32))
}

/// `set_tcp_flags(ports, flags)`.
pub(super) fn tcp_flags(call: &mut Call<'_>) -> Reply {
    let flags = flags(call, 1)?;
    apply(call, Setting::TcpFlags(flags))
}

/// Flags by name, in any order, with whatever between them; or as a number.
pub(super) fn flags(call: &Call<'_>, index: usize) -> Result<u8, String> {
    if let Ok(number) = call.whole(index, "TCP flags", 0..=255) {
        return Ok(number as u8);
    }
    let wrong =
        || call.wrong(index, "TCP flags such as \"syn\" or \"psh,ack\" (fin syn rst psh ack urg ece cwr)");
    let text = call.text(index)?.to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    words.try_fold(0, |flags, word| match word {
        "none" | "clear" => Ok(flags),
        _ => FLAGS.iter().position(|f| *f == word).map(|bit| flags | 1 << bit).ok_or_else(wrong),
    })
}

/// `pattern(ports, "abc" | "none" | "user" | "zero")`.
pub(super) fn pattern(call: &mut Call<'_>) -> Reply {
    let pattern = match call.text(1)?.as_str() {
        "abc" => Pattern::Letters,
        "zero" | "none" => Pattern::Zero,
        "user" => Pattern::User,
        _ => return Err(call.wrong(1, "\"abc\", \"none\", \"user\" or \"zero\"")),
    };
    apply(call, Setting::Pattern(pattern))
}

/// `userPattern(ports, text)`: also switches it on, as in Pktgen.
pub(super) fn user_pattern(call: &mut Call<'_>) -> Reply {
    let text: String = call.text(1)?.chars().take(MAX_PATTERN).collect();
    if text.is_empty() {
        return Err(call.wrong(1, "1 to 16 letters"));
    }
    apply(call, Setting::Pattern(Pattern::User))?;
    apply(call, Setting::UserPattern(text))
}

/// A number, in decimal or with 0x in hex.
fn hex_or_whole(call: &Call<'_>, index: usize, most: u64) -> Result<u64, String> {
    let text = call.text(index)?;
    match text.trim().strip_prefix("0x").map(|digits| u64::from_str_radix(digits, 16)) {
        Some(Ok(n)) if n <= most => Ok(n),
        Some(_) => Err(call.wrong(index, &format!("a number up to {most:#x}"))),
        None => call.whole(index, "a number", 0..=most),
    }
}
