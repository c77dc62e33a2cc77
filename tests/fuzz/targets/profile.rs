//! Any text in any notation gives a profile or faults; a profile that passes compiles, and its first frames can be
//! written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use traffic::cursor::Cursor;
use traffic::plan::Plan;
use traffic::profile::load::{Format, load_str};
use traffic::shard::Shard;

fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let format = [Format::Toml, Format::Json, Format::Yaml][usize::from(*first) % 3];
    let Ok(profile) = load_str(text, format, "fuzz") else { return };
    let plan = Plan::compile(&profile).expect("what the loader lets through compiles");
    let mut bytes = plan.stream.template.bytes.clone();
    let mut cursor = Cursor::new(&plan.stream, Shard::new(1, 3, plan.stream.flows), 1);
    for _ in 0..5 {
        cursor.write_one(&mut bytes, 1);
    }
    cursor.rewind(3);
});
