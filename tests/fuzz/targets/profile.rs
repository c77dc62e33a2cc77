//! Any text in any notation gives a profile or faults; a profile that passes compiles, and its first frames can be
//! written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use traffic::generator::Generator;
use traffic::plan::Plan;
use traffic::profile::load::{Format, load_str};

fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let format = [Format::Toml, Format::Json, Format::Yaml][usize::from(*first) % 3];
    let Ok(profile) = load_str(text, format, "fuzz") else { return };
    let plan = Plan::compile(&profile).expect("what the loader lets through compiles");
    for worker in 0..3 {
        let mut frames = Generator::new(&plan, worker, 3, 1);
        for _ in 0..20 {
            let Some((_, frame)) = frames.next_frame() else { break };
            assert!(
                frame.len() <= plan.largest_frame().mbuf_bytes().into(),
                "no frame is longer than the largest"
            );
        }
    }
});
