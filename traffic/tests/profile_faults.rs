//! Faults are told all at once, each with its place and the next step.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests, which clippy can't see")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use traffic::profile::check::{MAX_COUNT, check};
use traffic::profile::load::MAX_FILE_BYTES;
use traffic::profile::{Format, LoadError, Profile, Stop, load_file, load_str};
use traffic::units::Rate;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/profiles").join(name)
}

/// The faults of `text` as the user sees them, one a line, without the head.
fn faults(text: &str, format: Format) -> Vec<String> {
    let told = load_str(text, format, "x").unwrap_err().to_string();
    told.lines().skip(1).map(|line| line.trim_start().to_owned()).collect()
}

/// A sound profile with one line in place of another.
fn with(line: &str, instead: &str) -> String {
    let text = std::fs::read_to_string(sample("udp_100_flows_64.toml")).unwrap();
    assert!(text.contains(line), "{line}");
    text.replacen(line, instead, 1)
}

#[test]
fn all_faults_of_a_file_are_told_at_once() {
    let text = std::fs::read_to_string(sample("faulty.toml")).unwrap();
    let told = load_str(&text, Format::Toml, "faulty.toml").unwrap_err().to_string();
    let want = std::fs::read_to_string(sample("faulty.expected.txt")).unwrap();
    assert_eq!(told, want.trim_end());
}

#[test]
fn the_same_fault_has_its_own_line_in_each_notation() {
    let toml = "streams = [ { frame_size = 64, ethernet = { src = \"02:00:00:00:00:01\", dst = \"02:00:00:00:00:02\" },\n\
                ipv4 = { src = \"10.0.0.1\", dst = \"10.0.0.2\" },\nudp = { src = 1,\ndst = 65536 } } ]";
    let json = "{ \"streams\": [\n{ \"frame_size\": 64,\n\"ethernet\": { \"src\": \"02:00:00:00:00:01\", \"dst\": \
                \"02:00:00:00:00:02\" },\n\"ipv4\": { \"src\": \"10.0.0.1\", \"dst\": \"10.0.0.2\" },\n\n\"udp\": \
                { \"src\": 1, \"dst\": 65536 } } ] }";
    let yaml = "streams:\n- frame_size: 64\n  ethernet: { src: '02:00:00:00:00:01', dst: 02:00:00:00:00:02 }\n  \
                ipv4:\n    src: 10.0.0.1\n    dst: 10.0.0.2\n  udp:\n    src: 1\n\n    dst: 65536\n";
    for (text, format, line) in [(toml, Format::Toml, 4), (json, Format::Json, 6), (yaml, Format::Yaml, 10)] {
        let want = "streams[0].udp.dst: must be a number from 0 to 65535 or a range (start, min, max, inc), not 65536";
        assert_eq!(faults(text, format), [format!("x:{line}: {want}")]);
    }
}

#[test]
fn syntax_faults_have_a_line() {
    let cases = [
        ("rate = \"1%\"\nstop = = 3\n", Format::Toml, "x:2: not valid TOML: "),
        ("rate = \"1%\"\nrate = \"2%\"\n", Format::Toml, "x:2: not valid TOML: duplicate key `rate`"),
        ("{\n\"rate\": \"1%\",,\n}", Format::Json, "x:2: not valid JSON: key must be a string (column "),
        ("{\n\"name\": \"\\ud800\" }", Format::Json, "x:2: not valid JSON: "),
        ("{}\n}", Format::Json, "x:2: not valid JSON: trailing characters (column 1)"),
        ("name: a\nrate: b: c\n", Format::Yaml, "x:2: not valid YAML: mapping values are not allowed"),
        ("name: a\nstop:\n\tcount: 1\n", Format::Yaml, "x:3: not valid YAML: tabs disallowed"),
        ("--- {}\n--- {}\n", Format::Yaml, "x:2: a profile is one YAML document, here is another"),
        ("name: *who\n", Format::Yaml, "x:1: not valid YAML: while parsing node, found unknown anchor"),
        ("name: !!str 1\n", Format::Yaml, "x:1: the tag !!str is not supported: remove it"),
        ("? [a]\n: b\n", Format::Yaml, "x:1: a key must be text"),
        (" \n", Format::Toml, "x: is empty: a profile needs at least `streams`"),
        ("", Format::Json, "x: is empty: a profile needs at least `streams`"),
        ("# nothing\n", Format::Yaml, "x: is empty: a profile needs at least `streams`"),
        (
            "[1]",
            Format::Json,
            "x:1: must be a table with the keys name, rate, gap, stop, stamp, streams, replay, not a list",
        ),
    ];
    for (text, format, want) in cases {
        let told = faults(text, format);
        assert!(told.len() == 1 && told[0].starts_with(want), "{text}: {told:?}");
    }
}

#[test]
fn what_a_value_must_be_is_said_with_the_value() {
    let cases = [
        (
            "rate = \"100%\"",
            "rate = 10",
            "x:2: rate: must be text with a unit, such as \"10%\", \"1.5Mpps\", \"2Gbps\", \"2GbpsL1\" or \"max\", not 10",
        ),
        (
            "rate = \"100%\"",
            "rate = \"1e-9pps\"",
            "x:2: rate: 0.000000001 frames a second is outside 0.001…10000000000000 frames a second: choose a rate in between, or max",
        ),
        (
            "stop = \"never\"",
            "stop = \"soon\"",
            "x:3: stop: must be \"never\", or a table with count or duration_s, not the text \"soon\"",
        ),
        (
            "stop = \"never\"",
            "stop = { count = 5, duration_s = 5 }",
            "x:3: stop: has both count and duration_s: keep one",
        ),
        (
            "stop = \"never\"",
            "stop = {}",
            "x:3: stop: is empty: give \"never\", or a table with count or duration_s",
        ),
        (
            "stop = \"never\"",
            "stop = { count = -1 }",
            "x:3: stop.count: must be a whole number of frames, not -1",
        ),
        (
            "stop = \"never\"",
            "stop = { duration_s = 0 }",
            "x:3: stop.duration_s: 0 is not a duration above 0 and at most 604800 seconds (7 days)",
        ),
        (
            "stop = \"never\"",
            "stop = { duration_s = 604801 }",
            "x:3: stop.duration_s: 604801 is not a duration above 0 and at most 604800 seconds (7 days)",
        ),
        (
            "stop = \"never\"",
            "stop = { duration_s = nan }",
            "x:3: stop.duration_s: NaN is not a duration above 0 and at most 604800 seconds (7 days)",
        ),
        (
            "stop = \"never\"",
            "name = \"a\\u0007b\"",
            "x:3: name: holds the character `\\u{7}`, which can't stand in a file's name: replace it",
        ),
        (
            "frame_size = 64",
            "frame_size = \"64\"",
            "x:6: streams[0].frame_size: must be a frame size from 64 to 9600 bytes (with the 4-byte FCS), not the text \"64\"; write the number without quotes",
        ),
        (
            "[streams.udp]\nsrc = 1024\ndst = 1024\n",
            "",
            "x:5: streams[0].udp: is missing: give `udp` or `tcp` with src and dst ports, `icmp`, or a tunnel",
        ),
        (
            "[streams.udp]\nsrc = 1024\n",
            "[streams.udp]\n",
            "x:16: streams[0].udp.src: is missing: give a number from 0 to 65535 or a range (start, min, max, inc)",
        ),
    ];
    for (line, instead, want) in cases {
        assert_eq!(faults(&with(line, instead), Format::Toml), [want]);
    }
    let long = format!("name = \"{}\"", "n".repeat(101));
    let told = faults(&with("stop = \"never\"", &long), Format::Toml);
    assert_eq!(told, ["x:3: name: has 101 characters: at most 100 fit into a file's name"]);
}

#[test]
fn a_profile_without_streams_is_refused() {
    assert_eq!(faults("streams = []", Format::Toml), ["x:1: streams: has no stream: give one"]);
}

#[test]
fn headers_that_do_not_go_together_are_told() {
    let cases = [
        ("[streams.udp]", "[streams.icmp]\n[streams.udp]", "streams[0].icmp: stands beside `udp`"),
        ("[streams.udp]", "[streams.arp]\n[streams.udp]", "streams[0].arp.sender_mac: is missing"),
        (
            "[streams.udp]",
            "[streams.ipv6]\nsrc = \"::1\"\ndst = \"::2\"\n[streams.udp]",
            "streams[0].ipv6: stands beside `ipv4`",
        ),
        (
            "[streams.udp]",
            "[streams.vxlan]\nvni = 1\n[streams.tcp]\nsrc = 1\ndst = 2\n[streams.udp]",
            "streams[0].tcp: stands beside `vxlan`",
        ),
        (
            "[streams.udp]\nsrc = 1024\ndst = 1024",
            "[streams.gre]",
            "streams[0].inner: is missing: `gre` carries a packet",
        ),
        (
            "[streams.udp]",
            "[[streams.vlan]]\nid = 4096\n[streams.udp]",
            "streams[0].vlan[0].id: must be a number from 0 to 4095",
        ),
        (
            "frame_size = 64",
            "frame_size = { min = 100, max = 64 }",
            "streams[0].frame_size.min: 100 B is above max, 64 B: swap them",
        ),
        (
            "frame_size = 64",
            "frame_size = 64\nweight = 0",
            "streams[0].weight: must be a whole number from 1 to 1000, not 0",
        ),
        ("frame_size = 64", "frame_size = 64\ngap = \"poisson\"", "streams[0].gap: stands without `rate`"),
        ("frame_size = 64", "frame_size = 64\nrate = \"max\"", "streams[0].rate: is max"),
        (
            "frame_size = 64",
            "frame_size = 64\npayload = { hex = \"abc\" }",
            "streams[0].payload.hex: must be pairs of hexadecimal digits",
        ),
        ("src = 1024", "src = { list = [] }", "streams[0].udp.src.list: is empty: give at least one value"),
        (
            "src = 1024",
            "src = { random = { min = 9, max = 1 } }",
            "streams[0].udp.src.random.min: 9 is above max, 1: swap them",
        ),
        (
            "src = 1024",
            "src = { list = [1], nest = 9 }",
            "streams[0].udp.src.nest: must be a number from 0 to 7, not 9",
        ),
    ];
    for (line, instead, wanted) in cases {
        let told = faults(&with(line, instead), Format::Toml);
        assert!(told.iter().any(|t| t.contains(wanted)), "{instead}: {told:?}");
    }
}

#[test]
fn frames_without_room_for_their_headers_are_refused() {
    let tags = "[[streams.vlan]]\nid = 1\n".repeat(4) + &"[[streams.mpls]]\nlabel = 1\n".repeat(2);
    let told = faults(&with("[streams.udp]", &format!("{tags}[streams.udp]")), Format::Toml);
    assert!(
        told[0]
            .contains("frames of 64 B have no room for 66 bytes of headers and the FCS: use 70 B at least"),
        "{told:?}"
    );
}

#[test]
fn twice_given_keys_are_faults_in_every_notation() {
    let told = faults("{\"name\": \"a\",\n\"name\": \"b\", \"streams\": [] }", Format::Json);
    assert_eq!(told[0], "x:2: name: is given twice, first in line 1: remove one");
    let told = faults("name: a\nname: b\nstreams: []", Format::Yaml);
    assert_eq!(told[0], "x:2: name: is given twice, first in line 1: remove one");
}

#[test]
fn more_flows_than_can_be_counted_are_refused() {
    let range = |max: &str| {
        format!("{{ start = \"0.0.0.0\", min = \"0.0.0.0\", max = \"{max}\", inc = \"0.0.0.1\" }}")
    };
    let src = with("dst = \"192.168.2.1\"", &format!("dst = {}", range("255.255.255.255")));
    // 100 × 2^32 / 4 flows are fine, with 65,535 ports beside them they are not.
    assert!(load_str(&src, Format::Toml, "x").is_ok());
    let text = src.replacen("src = 1024", "src = { start = 0, min = 0, max = 65534, inc = 1 }", 1);
    let want = "x:5: streams[0]: its ranges together give more than 2^40 distinct flows: make their lengths equal, or \
                multiples of one another";
    assert_eq!(faults(&text, Format::Toml), [want]);
}

#[test]
fn a_profile_that_came_in_no_file_is_checked_by_the_same_rules() {
    let sound = load_file(&sample("udp_100_flows_64.toml")).unwrap();
    assert_eq!(check(&sound), []);
    let faulty = Profile {
        name: Some(String::new()),
        rate: Rate::Percent(200.0),
        stop: Stop::Count(MAX_COUNT + 1),
        streams: Vec::new(),
        ..sound.clone()
    };
    let told: Vec<String> = check(&faulty).iter().map(ToString::to_string).collect();
    let want = [
        "name: is empty: give a name or leave the key out",
        "rate: 200% is outside 0.000001…100%: choose a rate in between, or max",
        "stop.count: 9007199254740993 is more than 9007199254740992 frames: use duration_s or \"never\"",
        "streams: has no stream: give one",
    ];
    assert_eq!(told, want);
    for rate in [Rate::Pps(f64::NAN), Rate::BpsL2(f64::INFINITY), Rate::BpsL1(-1.0), Rate::Percent(0.0)] {
        assert_eq!(check(&Profile { rate, ..sound.clone() }).len(), 1, "{rate:?}");
    }
}

#[test]
fn hostile_files_end_quickly() {
    let started = Instant::now();
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    for format in [Format::Json, Format::Yaml] {
        assert_eq!(faults(&deep("[", "]"), format).len(), 1);
    }
    assert_eq!(faults(&format!("a = {}", deep("[", "]")), Format::Toml).len(), 1);

    let bomb: String =
        (1..30).map(|i| format!("a{i}: &a{i} [{0}, {0}, {0}]\n", format_args!("*a{}", i - 1))).collect();
    let told = faults(&format!("a0: &a0 [x, x]\n{bomb}"), Format::Yaml);
    assert!(told[0].contains("more than 100000 values, aliases written out"), "{told:?}");

    let many: String = (0..40_000).map(|i| format!("k{i}: 1\n")).collect();
    let told = faults(&many, Format::Yaml);
    assert_eq!(told.len(), 51);
    assert_eq!(told[50], "x: … and 39951 more: mend these first");

    let large = " ".repeat(MAX_FILE_BYTES + 1);
    assert_eq!(
        faults(&large, Format::Yaml),
        ["x: is larger than 1048576 bytes: a profile is a few lines of text"]
    );
    // Far more than it takes, far less than what a missing bound would cost.
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_file_that_cannot_be_read_says_why_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let told = |name: &str| load_file(&dir.path().join(name)).unwrap_err();
    assert!(matches!(told("profile.lua"), LoadError::UnknownExtension(_)));
    assert!(told("profile.lua").to_string().ends_with("name it .toml, .json, .yaml or .yml"));
    let missing = told("missing.toml").to_string();
    assert!(missing.starts_with("can't read the profile ") && missing.contains("No such file"), "{missing}");
    std::fs::create_dir(dir.path().join("dir.toml")).unwrap();
    assert!(told("dir.toml").to_string().contains("it is not a regular file"));
    std::fs::write(dir.path().join("latin1.yaml"), b"rate: 10%\nname: caf\xe9\n").unwrap();
    let latin1 = told("latin1.yaml").to_string();
    assert!(latin1.ends_with("latin1.yaml:2: is not UTF-8 text: save the file in that encoding"), "{latin1}");
}

#[test]
fn the_name_is_the_files_stem_unless_it_is_given() {
    let profile = load_file(&sample("udp_100_flows_64.toml")).unwrap();
    assert_eq!(profile.name.as_deref(), Some("udp_100_flows_64"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new\nline.TOML");
    std::fs::write(&path, with("stop = \"never\"", "")).unwrap();
    assert_eq!(load_file(&path).unwrap().name.as_deref(), Some("new_line"));
    std::fs::write(&path, format!("\u{feff}{}", with("stop = \"never\"", "name = \"given\""))).unwrap();
    assert_eq!(load_file(&path).unwrap().name.as_deref(), Some("given"));
}
