//! What the guide shows is what loads.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests, which clippy can't see")]

use std::path::Path;

use traffic::plan::Plan;
use traffic::profile::{Format, Profile, load_file, load_str};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn the_guides_three_notations_say_what_the_sample_says() {
    let guide = std::fs::read_to_string(root().join("docs/profiles.md")).unwrap();
    let sample = load_file(&root().join("tests/profiles/udp_100_flows_64.toml")).unwrap();
    for (fence, format) in
        [("```toml\n", Format::Toml), ("```yaml\n", Format::Yaml), ("```json\n", Format::Json)]
    {
        let (_, from) = guide.split_once(fence).unwrap();
        let (text, _) = from.split_once("```").unwrap();
        let shown = load_str(text, format, "docs/profiles.md").unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(Profile { name: sample.name.clone(), ..shown }, sample, "{fence}");
    }
}

#[test]
fn ranges_that_step_together_give_the_flows_that_the_guide_states() {
    let flows = |file: &str| {
        let profile = load_file(&root().join("tests/profiles").join(file)).unwrap();
        Plan::compile(&profile).unwrap().flows()
    };
    assert_eq!(flows("udp_100_flows_64.toml"), 100);
    assert_eq!(flows("udp_sdpp_1500.yaml"), 1155);
    assert_eq!(flows("tcp_one_flow_9000.json"), 1);
}
