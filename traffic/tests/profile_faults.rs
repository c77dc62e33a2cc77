//! Faults are told all at once, each with its place and the next step.

use std::path::{Path, PathBuf};

use traffic::fault::Faults;
use traffic::profile::{Format, LoadError, Profile, load_file, load_str};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/profiles").join(name)
}

#[test]
fn dump() {
    let text = std::fs::read_to_string(sample("faulty.toml")).unwrap();
    println!("{}", load_str(&text, Format::Toml, "faulty.toml").unwrap_err());
    for n in ["udp_100_flows_64.toml", "udp_sdpp_1500.yaml", "tcp_one_flow_9000.json"] {
        println!("{:?}", load_file(&sample(n)).unwrap());
    }
    for t in ["a = 1\na = 2\nb = [1,\nc = 3\n=4\nname='x\nrate=3", "streams = [[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]", "stop.count=1\nstop.count=2\n[stop]\nduration_s=5\n[streams]\n", "count = 99999999999999999999999999999999999999999999999999999999999999\nstamp = 1979-05-27\nrate=inf"] {
        println!("{}", load_str(t, Format::Toml, "x.toml").unwrap_err());
    }
    for t in ["{\n\"rate\": 3,,\n}", "{\"a\":1}\n}", "{\n \"name\": \"\\ud800\"}", "", "{\"name\": \"a\",\n\"name\":\"b\", \"streams\": [\n[], {\n}]}", "[1,2", &format!("{}{}", "[".repeat(200), "]".repeat(200))] {
        println!("{}", load_str(t, Format::Json, "x.json").unwrap_err());
    }
    for t in ["a: [1,\nb: 2", "", "a: b: c", "name: a\nname: b\nstreams:\n  - &a {}\n  - *a\n", "name: !!str 1\n", "--- {}\n--- {}\n", "a: *b", "a: &a [*a]", "stop:\n\tcount: 1", "streams:\n- frame_size: 64\n  ethernet:\n    src: 1\n  udp: no\nstop: .inf\n? [a]\n: b", &"[".repeat(5000), "name: ~\nrate: 10"] {
        println!("{}", load_str(t, Format::Yaml, "x.yaml").unwrap_err());
    }
}
