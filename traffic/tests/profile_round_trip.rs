//! Any sound profile, written as TOML, JSON or YAML, loads back as itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests, which clippy can't see")]

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use proptest::prelude::*;
use traffic::mac::Mac;
use traffic::pacer::Gap;
use traffic::profile::check::{MAX_COUNT, MAX_DURATION_S, check};
use traffic::profile::field::{Bits, Bounds, Random};
use traffic::profile::render::to_toml;
use traffic::profile::sizes::{NamedMix, SizeRange, WeightedSize};
use traffic::profile::value::{TcpFlags, Uint};
use traffic::profile::{
    Arp, Echo, Ethernet, Field, Format, FrameSizes, Gre, Gtpu, Icmp, Inner, Ipv4, Ipv6, List, Mpls, Payload,
    Ports, Profile, Range, Stop, Stream, Tcp, Value, Vlan, Vxlan, load_str,
};
use traffic::units::{FrameSize, Rate};

/// Any kind of field; `bits` is the value's width.
fn field<T: Value + std::fmt::Debug + 'static>(bits: u32) -> BoxedStrategy<Field<T>> {
    let most = u64::MAX >> (64 - bits);
    let number = move |n: u64| T::from_u64(n.min(most)).unwrap();
    prop_oneof![
        (0..=most).prop_map(move |n| Field::Fixed(number(n))),
        (0..=most, 0..64u64, 0..=most, 0..4u64, 0..3u8).prop_map(move |(min, width, start, inc, nest)| {
            let (start, inc) = (number(start), number(inc));
            Field::Range(Range { start, min: number(min), max: number(min.saturating_add(width)), inc, nest })
        }),
        (prop::collection::vec(0..=most, 1..5), 0..3u8).prop_map(move |(list, nest)| Field::List(List {
            list: list.into_iter().map(number).collect(),
            nest
        })),
        (0..=most, 0..64u64, 0u64..1 << 40).prop_map(move |(min, width, seed)| {
            let random = Bounds { min: number(min), max: number(min.saturating_add(width)) };
            Field::Random(Random { random, seed })
        }),
        (0..=most, 0..=most).prop_map(move |(bits, value)| {
            Field::Bits(Bits { bits: number(bits), value: number(value), seed: 0 })
        }),
    ]
    .boxed()
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

fn size() -> impl Strategy<Value = FrameSize> {
    (64u32..=9600).prop_map(|n| FrameSize::new(n).unwrap())
}

fn sizes() -> impl Strategy<Value = FrameSizes> {
    let weighted = (size(), 1u32..=1000).prop_map(|(size, weight)| WeightedSize { size, weight });
    prop_oneof![
        4 => size().prop_map(FrameSizes::One),
        1 => Just(FrameSizes::Named(NamedMix::Imix)),
        1 => prop::collection::vec(weighted, 1..4).prop_map(FrameSizes::Mix),
        1 => (size(), size(), 500u16..9000).prop_map(|(a, b, step)| {
            FrameSizes::Range(SizeRange { min: a.min(b), max: a.max(b), step })
        }),
    ]
}

fn gap() -> impl Strategy<Value = Gap> {
    let burst = (1u32..1000, 1e-6..10.0).prop_map(|(burst, every_s)| Gap::Burst { burst, every_s });
    prop_oneof![Just(Gap::Constant), Just(Gap::Poisson), burst]
}

fn ports() -> impl Strategy<Value = Ports> {
    (field(16), field(16)).prop_map(|(src, dst)| Ports { src, dst })
}

fn ethernet() -> impl Strategy<Value = Ethernet> {
    (field::<Mac>(48), field::<Mac>(48)).prop_map(|(src, dst)| Ethernet { src, dst })
}

prop_compose! {
    fn tcp()(ports in ports(), seq in field(32), flags in field::<TcpFlags>(8), window in field(16)) -> Tcp {
        Tcp { seq, flags, window, ..Tcp::from(ports) }
    }
}

prop_compose! {
    fn ipv4()(src in field::<Ipv4Addr>(32), dst in field::<Ipv4Addr>(32), ttl in field(8), tos in field(8),
              id in field(16), df: bool) -> Ipv4 {
        Ipv4 { src, dst, ttl, tos, id, df }
    }
}

prop_compose! {
    fn ipv6()(src in field::<Ipv6Addr>(64), dst in field::<Ipv6Addr>(64), hop_limit in field(8),
              traffic_class in field(8), flow_label in field::<Uint<20>>(20)) -> Ipv6 {
        Ipv6 { src, dst, hop_limit, traffic_class, flow_label }
    }
}

prop_compose! {
    fn icmp()(reply: bool, id in field(16), seq in field(16)) -> Icmp {
        Icmp { echo: if reply { Echo::Reply } else { Echo::Request }, id, seq }
    }
}

prop_compose! {
    fn arp()(op in field(16), macs in ethernet(), sender_ip in field(32), target_ip in field(32)) -> Arp {
        Arp { op, sender_mac: macs.src, sender_ip, target_mac: macs.dst, target_ip }
    }
}

prop_compose! {
    fn vlan()(id in field::<Uint<12>>(12), priority in field::<Uint<3>>(3), dei: bool, tpid: Option<u16>) -> Vlan {
        Vlan { id, priority, dei, tpid }
    }
}

prop_compose! {
    fn mpls()(label in field::<Uint<20>>(20), tc in field::<Uint<3>>(3), ttl in field(8)) -> Mpls {
        Mpls { label, tc, ttl }
    }
}

/// What stands behind layer 2, of all kinds.
fn packet() -> BoxedStrategy<Stream> {
    let bare = || Stream::new(FrameSize::MAX, Ethernet { src: Field::zero(), dst: Field::zero() });
    let inner = || {
        (proptest::option::of(ethernet()), ipv6(), ports()).prop_map(|(ethernet, ipv6, udp)| {
            Box::new(Inner { ethernet, ipv6: Some(ipv6), udp: Some(udp), ..Inner::default() })
        })
    };
    let gre = proptest::option::of(field(32));
    prop_oneof![
        (ipv4(), ports()).prop_map(move |(ip, udp)| Stream { ipv4: Some(ip), udp: Some(udp), ..bare() }),
        (ipv4(), tcp()).prop_map(move |(ip, tcp)| Stream { ipv4: Some(ip), tcp: Some(tcp), ..bare() }),
        (ipv6(), icmp()).prop_map(move |(ip, icmp)| Stream { ipv6: Some(ip), icmp: Some(icmp), ..bare() }),
        arp().prop_map(move |arp| Stream { arp: Some(arp), ..bare() }),
        (ipv4(), gre, inner()).prop_map(move |(ip, key, inner)| {
            Stream { ipv4: Some(ip), gre: Some(Gre { key }), inner: Some(inner), ..bare() }
        }),
        (ipv4(), field::<Uint<24>>(24), inner()).prop_map(move |(ip, vni, inner)| {
            Stream { ipv4: Some(ip), vxlan: Some(Vxlan { vni }), inner: Some(inner), ..bare() }
        }),
        (ipv6(), field(32), ports(), inner()).prop_map(move |(ip, teid, udp, inner)| {
            Stream { ipv6: Some(ip), gtpu: Some(Gtpu { teid }), udp: Some(udp), inner: Some(inner), ..bare() }
        }),
    ]
    .boxed()
}

fn payload() -> impl Strategy<Value = Payload> {
    let hex = "([0-9a-f]{2}){1,8}".prop_map(Payload::Hex);
    prop_oneof![Just(Payload::Letters), Just(Payload::Zero), hex, (0u64..1 << 40).prop_map(Payload::Random)]
}

prop_compose! {
    fn stream()(
        name in name(), frame_size in sizes(), ethernet in ethernet(), packet in packet(), payload in payload(),
        vlan in prop::collection::vec(vlan(), 0..3), mpls in prop::collection::vec(mpls(), 0..3),
        weight in 1u32..9, own in proptest::option::of((rate(), proptest::option::of(gap()), 0.0..10.0)),
    ) -> Stream {
        let mpls = if packet.arp.is_some() { Vec::new() } else { mpls };
        let (rate, gap, start_delay_s) = match own {
            Some((rate, gap, delay)) => (Some(rate), gap, delay),
            None => (None, None, 0.0),
        };
        Stream { name, frame_size, ethernet, payload, vlan, mpls, weight, rate, gap, start_delay_s, ..packet }
    }
}

prop_compose! {
    fn profile()(
        name in name(), rate in rate(), gap in gap(), stop in stop(), stamp: bool,
        streams in prop::collection::vec(stream(), 1..3),
    ) -> Profile {
        Profile { name, rate, gap, stop, stamp, streams, replay: None }
    }
}

fn sound() -> impl Strategy<Value = Profile> {
    profile().prop_filter("sound", |p| check(p).is_empty())
}

/// Loads `text`, or says what was in it.
fn load(text: &str, format: Format) -> Result<Profile, TestCaseError> {
    load_str(text, format, "round trip").map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))
}

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&traffic::profile::schema::schema()).unwrap());

proptest! {
    #[test]
    fn every_notation_gives_the_profile_back(profile in sound()) {
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
