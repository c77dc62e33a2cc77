//! The table of functions as the documentation has it.

use super::{FUNCTIONS, Function, Group, Status};

fn word(status: Status) -> String {
    match status {
        Status::Done => "done".to_owned(),
        Status::NoEffect(why) => format!("accepted: {why}"),
        Status::Refused(why) => format!("refused: {why}"),
    }
}

fn heading(group: Group) -> &'static str {
    match group {
        Group::Control => "Control",
        Group::Single => "Settings and the single packet",
        Group::Sequence => "Sequences",
        Group::Mode => "Modes and protocols",
        Group::Display => "Display",
        Group::Query => "Questions",
        Group::Dropped => "Of Pktgen 23.10, dropped since",
        Group::Range => "`pktgen.range`",
        Group::Dpdk => "`dpdk`",
    }
}

fn row(function: &Function) -> String {
    let args = function.args.map_or_else(String::new, |names| {
        let needed = names.len() - function.optional;
        let (needed, more) = names.split_at(needed);
        let more: String = more.iter().map(|name| format!("[, {name}]")).collect();
        needed.join(", ") + &more
    });
    format!("| `{}({args})` | {} | {} |\n", function.name, word(function.live), word(function.import))
}

/// Every function, by group, in Markdown.
pub fn table() -> String {
    let mut text = String::new();
    let mut last = None;
    for function in FUNCTIONS {
        if last != Some(function.group) {
            let heading = heading(function.group);
            text += &format!("\n### {heading}\n\n| function | live | import |\n|---|---|---|\n");
            last = Some(function.group);
        }
        text += &row(function);
    }
    text
}
