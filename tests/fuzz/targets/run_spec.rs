//! Any body of `POST /v1/runs` is a spec or a sentence.
#![no_main]

use dataplane::agent::spec::parse_spec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(spec) = parse_spec(data) {
        let text = serde_json::to_vec(&spec).expect("a spec is JSON");
        assert!(parse_spec(&text).is_ok(), "a spec that was accepted is accepted again");
    }
});
