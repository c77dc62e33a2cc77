//! Any sound profile, written as TOML, JSON or YAML, loads back as itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests, which clippy can't see")]

use std::net::Ipv4Addr;
use std::sync::LazyLock;

use proptest::prelude::*;
use traffic::mac::Mac;
use traffic::profile::check::{MAX_COUNT, MAX_DURATION_S, check};
use traffic::profile::field::Value;
use traffic::profile::render::to_toml;
use traffic::profile::{
    Ethernet, Field, Format, Ipv4, Payload, Ports, Profile, Range, Stop, Stream, load_str,
};
use traffic::units::{FrameSize, Rate};

/// Fixed or a short range; `bits` is the value's width.
fn field<T: Value + std::fmt::Debug>(bits: u32) -> impl Strategy<Value = Field<T>> {
    let most = (1u64 << bits) - 1;
    let number = move |n: u64| T::from_u64(n.min(most)).unwrap();
    prop_oneof![
        (0..=most).prop_map(move |n| Field::Fixed(number(n))),
        (0..=most, 0..64u64, 0..=most, 0..4u64).prop_map(move |(min, width, start, inc)| {
            let (start, inc) = (number(start), number(inc));
            Field::Range(Range { start, min: number(min), max: number(min + width), inc })
        }),
    ]
}

fn rate() -> impl Strategy<Value = Rate> {
    prop_oneof![
        Just(Rate::Max),
        (1e-6..=100.0).prop_map(Rate::Percent),
        (1u32..=100).prop_map(|p| Rate::Percent(p.into())),
        (1e-3..1e9).prop_map(Rate::Pps),
        (1u64..1_000_000_000).prop_map(|v| Rate::Pps(v as f64)),
        (1.0..1e13).prop_map(Rate::BpsL2),
        (1u64..400_000).prop_map(|v| Rate::BpsL1(v as f64 * 1e6)),
    ]
}

fn stop() -> impl Strategy<Value = Stop> {
    let seconds = (0.0..=MAX_DURATION_S).prop_filter("not zero", |s| *s > 0.0);
    prop_oneof![Just(Stop::Never), (1..=MAX_COUNT).prop_map(Stop::Count), seconds.prop_map(Stop::DurationS)]
}

/// Names that look like something else are the hard ones.
fn name() -> impl Strategy<Value = Option<String>> {
    let odd = [
        "no",
        "~",
        "null",
        "1e3",
        "0x10",
        ".inf",
        "- a",
        "a: b",
        "#x",
        "it's",
        "say \"so\"",
        "é…漢",
        "2025-01-01",
        " x ",
    ];
    prop_oneof![
        Just(None),
        prop::sample::select(odd.map(str::to_owned).to_vec()).prop_map(Some),
        "[^\\p{C}/\\\\]{1,40}".prop_map(Some),
    ]
}

prop_compose! {
    fn stream()(
        name in name(), size in 64u32..=9600,
        mac_src in field::<Mac>(48), mac_dst in field::<Mac>(48),
        ip_src in field::<Ipv4Addr>(32), ip_dst in field::<Ipv4Addr>(32), ttl in field::<u8>(8),
        src in field::<u16>(16), dst in field::<u16>(16), tcp: bool, zero: bool,
    ) -> Stream {
        let ports = Ports { src, dst };
        Stream {
            name,
            frame_size: FrameSize::new(size).unwrap(),
            ethernet: Ethernet { src: mac_src, dst: mac_dst },
            ipv4: Ipv4 { src: ip_src, dst: ip_dst, ttl },
            udp: (!tcp).then_some(ports),
            tcp: tcp.then_some(ports),
            payload: if zero { Payload::Zero } else { Payload::Letters },
        }
    }
}

prop_compose! {
    fn profile()(name in name(), rate in rate(), stop in stop(), stamp: bool, stream in stream()) -> Profile {
        Profile { name, rate, stop, stamp, streams: vec![stream] }
    }
}

/// Loads `text`, or says what was in it.
fn load(text: &str, format: Format) -> Result<Profile, TestCaseError> {
    load_str(text, format, "round trip").map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))
}

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&traffic::profile::schema::schema()).unwrap());

proptest! {
    #[test]
    fn every_notation_gives_the_profile_back(profile in profile().prop_filter("sound", |p| check(p).is_empty())) {
        prop_assert!(SCHEMA.is_valid(&serde_json::to_value(&profile).unwrap()));
        prop_assert_eq!(&load(&to_toml(&profile), Format::Toml)?, &profile);
        prop_assert_eq!(&load(&toml::to_string(&profile).unwrap(), Format::Toml)?, &profile);
        prop_assert_eq!(&load(&serde_json::to_string(&profile).unwrap(), Format::Json)?, &profile);
        prop_assert_eq!(&load(&serde_json::to_string_pretty(&profile).unwrap(), Format::Json)?, &profile);
        prop_assert_eq!(&load(&serde_saphyr::to_string(&profile).unwrap(), Format::Yaml)?, &profile);
    }

    #[test]
    fn a_damaged_file_gives_a_profile_or_faults(
        profile in profile(), at: prop::sample::Index, cut in 0usize..8, put in "[\\[\\]{}:,.*&!|>#'\"=\\\\\n\t -9a]{0,3}",
    ) {
        let texts = [
            (to_toml(&profile), Format::Toml),
            (serde_json::to_string_pretty(&profile).unwrap(), Format::Json),
            (serde_saphyr::to_string(&profile).unwrap(), Format::Yaml),
        ];
        for (text, format) in texts {
            let mut chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len());
            chars.splice(at..(at + cut).min(chars.len()), put.chars());
            if let Err(e) = load_str(&String::from_iter(chars), format, "damaged") {
                prop_assert!(!e.faults.is_empty());
            }
        }
    }

    #[test]
    fn any_text_gives_a_profile_or_faults(text in "[\\PC\n]{0,200}") {
        for format in [Format::Toml, Format::Json, Format::Yaml] {
            if let Err(e) = load_str(&text, format, "noise") {
                prop_assert!(!e.faults.is_empty());
            }
        }
    }
}
