//! Any script ends, with a profile or an error, within its limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lua_compat::{ImportOptions, import_str};
use traffic::plan::Plan;

fuzz_target!(|data: &[u8]| {
    let Ok(script) = std::str::from_utf8(data) else { return };
    // Half of the inputs get the preamble that every profile has, so that the API is reached.
    let script = match data.len() % 2 {
        0 => format!("require 'Pktgen'\n{script}\npktgen.start(0)"),
        _ => script.to_owned(),
    };
    if let Ok(import) = import_str("fuzz.lua", &script, &ImportOptions::default()) {
        Plan::compile(&import.profile).expect("what is imported can be sent");
    }
});
