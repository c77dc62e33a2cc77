//! `[replay]` in a profile: every notation, every fault, and where its file is.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests, which clippy can't see")]

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::LazyLock;

use proptest::prelude::*;
use traffic::mac::Mac;
use traffic::profile::check::check;
use traffic::profile::render::to_toml;
use traffic::profile::replay::{Replay, Rewrite, Split, Timing, Truncated};
use traffic::profile::schema::schema;
use traffic::profile::{Format, Profile, Stop, load_file, load_str};

const SHORTEST: &str = "[replay]\nfile = \"a.pcap\"\n";

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&schema()).unwrap());

fn rewrite() -> impl Strategy<Value = Rewrite> {
    let macs: [_; 2] = std::array::from_fn(|_| proptest::option::of(any::<[u8; 6]>().prop_map(Mac)));
    let v4: [_; 2] = std::array::from_fn(|_| proptest::option::of(any::<Ipv4Addr>()));
    let v6: [_; 2] = std::array::from_fn(|_| proptest::option::of(any::<Ipv6Addr>()));
    let ports: [_; 2] = std::array::from_fn(|_| proptest::option::of(any::<u16>()));
    (macs, v4, v6, ports, proptest::option::of(0u16..4095)).prop_map(|(macs, v4, v6, ports, vlan_id)| {
        Rewrite {
            src_mac: macs[0],
            dst_mac: macs[1],
            src_ip: v4[0],
            dst_ip: v4[1],
            src_ip6: v6[0],
            dst_ip6: v6[1],
            src_port: ports[0],
            dst_port: ports[1],
            vlan_id,
        }
    })
}

prop_compose! {
    fn replay()(
        file in "[^\\p{C}]{1,30}", rewrite in rewrite(), loops in 0u64..=1 << 32, pad: bool, five: bool,
        limit in proptest::option::of(1u64..=1_000_000),
        timing in prop_oneof![
            Just(Timing::Original), Just(Timing::Rate), (1e-6f64..1e6).prop_map(Timing::Factor),
            (1u32..1000).prop_map(|n| Timing::Factor(n.into())),
        ],
    ) -> Replay {
        Replay {
            file: PathBuf::from(file),
            timing,
            loops,
            limit_frames: limit,
            truncated: if pad { Truncated::Pad } else { Truncated::Refuse },
            split: if five { Split::FiveTuple } else { Split::Symmetric },
            rewrite,
        }
    }
}

proptest! {
    #[test]
    fn every_notation_gives_the_replay_back(replay in replay()) {
        let rate = "5kpps".parse().unwrap();
        let profile = Profile { rate, stop: Stop::Count(7), replay: Some(replay), ..Profile::of(Vec::new()) };
        prop_assert_eq!(check(&profile), []);
        prop_assert!(SCHEMA.is_valid(&serde_json::to_value(&profile).unwrap()));
        let texts = [
            (to_toml(&profile), Format::Toml),
            (toml::to_string(&profile).unwrap(), Format::Toml),
            (serde_json::to_string(&profile).unwrap(), Format::Json),
            (serde_saphyr::to_string(&profile).unwrap(), Format::Yaml),
        ];
        for (text, format) in texts {
            prop_assert_eq!(&load_str(&text, format, "x").unwrap(), &profile, "{}", text);
        }
        prop_assert_eq!(&serde_json::from_value::<Profile>(serde_json::to_value(&profile).unwrap()).unwrap(), &profile);
    }
}

#[test]
fn the_shortest_replay_sends_the_file_once_as_it_was_captured() {
    let profile = load_str(SHORTEST, Format::Toml, "x").unwrap();
    let replay = profile.replay.unwrap();
    assert_eq!((replay.timing, replay.loops, replay.limit_frames), (Timing::Original, 1, None));
    assert_eq!((replay.truncated, replay.split), (Truncated::Refuse, Split::Symmetric));
    assert_eq!(replay.rewrite, Rewrite::default());
    assert!(profile.streams.is_empty());
}

#[test]
fn a_relative_file_is_in_the_profiles_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    std::fs::write(&path, SHORTEST).unwrap();
    assert_eq!(load_file(&path).unwrap().replay.unwrap().file, folder.path().join("a.pcap"));
    std::fs::write(&path, SHORTEST.replace("a.pcap", "/b/c.pcap")).unwrap();
    assert_eq!(load_file(&path).unwrap().replay.unwrap().file, PathBuf::from("/b/c.pcap"));
}

#[test]
fn all_faults_of_a_replay_are_told_at_once_with_their_lines() {
    let text = "rate = \"1kpps\"\n[replay]\ntiming = { factor = 0 }\nloops = -1\nlimit_frames = 1000001\n\
                truncated = \"cut\"\nsplit = 5\nspeed = 2\n[replay.rewrite]\nsrc_mac = \"02:00\"\nsrc_ip = \"fd00::1\"\n\
                dst_ip6 = \"10.0.0.1\"\nsrc_port = 65536\nvlan_id = 4095\nid = 4\n";
    let told = load_str(text, Format::Toml, "x").unwrap_err().to_string();
    let expected = [
        "x:2: replay.file: is missing: give the path of a pcap or pcapng file",
        "x:3: replay.timing.factor: 0 is outside 0.000001…1000000: 2.0 is half as fast, 0.5 twice as fast",
        "x:4: replay.loops: must be a number of rounds, 0 for no end, not -1",
        "x:5: replay.limit_frames: 1000001 is outside 1…1000000: so many are kept in memory at most",
        "x:6: replay.truncated: must be \"refuse\" or \"pad\", not the text \"cut\"",
        "x:7: replay.split: must be \"symmetric\" or \"five_tuple\", not 5",
        "x:8: replay.speed: unknown key",
        "x:10: replay.rewrite.src_mac: must be a MAC address such as 00:50:56:ab:a2:ef, not the text \"02:00\"",
        "x:11: replay.rewrite.src_ip: must be an IPv4 address such as 192.168.1.1, not the text \"fd00::1\"",
        "x:12: replay.rewrite.dst_ip6: must be an IPv6 address such as fd00::1, not the text \"10.0.0.1\"",
        "x:13: replay.rewrite.src_port: must be a number from 0 to 65535, not 65536",
        "x:14: replay.rewrite.vlan_id: must be a number from 0 to 4094, not 4095",
        "x:15: replay.rewrite.id: unknown key",
    ];
    let told: Vec<&str> = told.lines().skip(1).map(str::trim_start).collect();
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}\n{expected}");
    }
}

#[test]
fn a_profile_has_streams_or_a_replay() {
    let sample = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/profiles/udp_100_flows_64.toml"
    ));
    let both = format!("{}\n{SHORTEST}", sample.unwrap());
    let told = load_str(&both, Format::Toml, "x").unwrap_err().to_string();
    assert!(told.contains("replay: stands beside `streams`"), "{told}");
    let told = load_str("rate = \"1kpps\"", Format::Toml, "x").unwrap_err().to_string();
    assert!(told.contains("streams: is missing"), "{told}");
    for (value, ok) in [
        (serde_json::json!({ "replay": { "file": "a.pcap" } }), true),
        (serde_json::json!({ "replay": { "file": "a.pcap" }, "streams": [] }), false),
        (serde_json::json!({ "rate": "1kpps" }), false),
    ] {
        assert_eq!(SCHEMA.is_valid(&value), ok, "{value}");
    }
}

#[test]
fn the_guides_sample_loads() {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/replay.md")).unwrap();
    let (_, from) = guide.split_once("```toml\n").unwrap();
    let (text, _) = from.split_once("```").unwrap();
    let replay = load_str(text, Format::Toml, "docs/replay.md").unwrap().replay.unwrap();
    assert_eq!((replay.timing, replay.loops, replay.rewrite.vlan_id), (Timing::Factor(0.5), 0, Some(100)));
}
