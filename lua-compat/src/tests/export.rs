//! A profile as a script, and back.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use traffic::mac::Mac;
use traffic::profile::field::Bits;
use traffic::profile::render::to_toml;
use traffic::profile::sizes::SizeRange;
use traffic::profile::value::{TcpFlags, Uint};
use traffic::profile::{
    Ethernet, Field, FrameSizes, Gre, Gtpu, Icmp, Inner, Ipv4, Ipv6, Mpls, Payload, Ports, Profile, Stop,
    Stream, Tcp, Value, Vlan, Vxlan, check,
};
use traffic::units::{FrameSize, Rate};

use crate::export::script;
use crate::{ImportOptions, import_str};

fn back(profile: &Profile) -> Profile {
    let text = script(profile, 0).unwrap();
    let import = import_str("t.lua", &text, &ImportOptions::default());
    import.unwrap_or_else(|e| panic!("{e}\n{text}")).profile
}

/// A value or a range of numbers up to `most` that is really one.
fn stepped<T: Value + std::fmt::Debug + 'static>(most: u64) -> BoxedStrategy<Field<T>> {
    let number = move |n: u64| T::from_u64(n).unwrap();
    let range = (0..=most, 0..=most, 0..=most, 1..=most.min(1000)).prop_filter_map(
        "a range",
        move |(a, b, c, inc)| {
            let mut all = [a, b, c];
            all.sort_unstable();
            let [min, start, max] = all;
            (min < max).then(|| Field::range(number(start), number(min), number(max), number(inc)))
        },
    );
    prop_oneof![(0..=most).prop_map(move |n| Field::Fixed(number(n))), range].boxed()
}

fn fixed<T: Value + std::fmt::Debug + 'static>(most: u64) -> BoxedStrategy<Field<T>> {
    (0..=most).prop_map(|n| Field::Fixed(T::from_u64(n).unwrap())).boxed()
}

/// As above, or with random bits, whose seed says the slot.
fn drawn<T: Value + std::fmt::Debug + 'static>(most: u64, seed: u64) -> BoxedStrategy<Field<T>> {
    let bits = (1..=most, 0..=most).prop_map(move |(bits, value)| {
        let of = |n| T::from_u64(n).unwrap();
        Field::Bits(Bits { bits: of(bits), value: of(value & !bits), seed })
    });
    prop_oneof![3 => stepped(most), 1 => bits].boxed()
}

fn ipv4() -> impl Strategy<Value = Ipv4> {
    let most = u32::MAX.into();
    (drawn::<Ipv4Addr>(most, 1), drawn::<Ipv4Addr>(most, 2), stepped(255), stepped(255))
        .prop_map(|(src, dst, ttl, tos)| Ipv4 { ttl, tos, ..Ipv4::between(src, dst) })
}

fn ipv6() -> impl Strategy<Value = Ipv6> {
    let address = || {
        prop_oneof![
            any::<u128>().prop_map(|n| Field::Fixed(Ipv6Addr::from(n))),
            (any::<u64>(), 0..1000u64, 1..1000u64, 1..50u64).prop_map(|(high, low, more, inc)| {
                let of = |n: u64| Ipv6Addr::from(u128::from(high) << 64 | u128::from(n));
                Field::range(of(low), of(low), of(low + more), Ipv6Addr::from(u128::from(inc)))
            }),
        ]
    };
    (address(), address(), stepped(255), stepped(255)).prop_map(|(src, dst, hop_limit, traffic_class)| Ipv6 {
        src,
        dst,
        hop_limit,
        traffic_class,
        flow_label: Field::zero(),
    })
}

#[derive(Clone, Debug)]
enum Layer4 {
    Udp(Ports),
    Tcp(Tcp),
    Icmp(Icmp),
}

fn layer4(src: BoxedStrategy<Field<u16>>, dst: BoxedStrategy<Field<u16>>) -> impl Strategy<Value = Layer4> {
    let dst = dst.prop_filter("GTP-U's port is another thing", |dst| !dst.is(2152));
    (src, dst, 0..3, any::<u8>()).prop_map(|(src, dst, kind, flags)| {
        let ports = Ports { src, dst };
        match kind {
            0 => Layer4::Udp(ports),
            1 => Layer4::Tcp(Tcp { flags: Field::Fixed(TcpFlags(flags)), ..ports.into() }),
            _ => Layer4::Icmp(Icmp { echo: Default::default(), id: Field::zero(), seq: Field::zero() }),
        }
    })
}

fn put(stream: &mut Stream, layer: Layer4) {
    match layer {
        Layer4::Udp(ports) => stream.udp = Some(ports),
        Layer4::Tcp(tcp) => stream.tcp = Some(tcp),
        Layer4::Icmp(icmp) => stream.icmp = Some(icmp),
    }
}

fn tagged(id: Field<Uint<12>>, priority: Field<Uint<3>>, tpid: Option<u16>) -> Vlan {
    Vlan { id, priority, dei: false, tpid }
}

/// Tags or a label.
fn tags() -> impl Strategy<Value = (Vec<Vlan>, Vec<Mpls>)> {
    let label = (fixed(0xf_ffff), fixed(7), fixed(255)).prop_map(|(label, tc, ttl)| Mpls { label, tc, ttl });
    prop_oneof![
        2 => Just((vec![], vec![])),
        1 => (stepped(4095), stepped(7)).prop_map(|(id, cos)| (vec![tagged(id, cos, None)], vec![])),
        1 => (fixed(4095), fixed(4095)).prop_map(|(outer, inner)| {
            let zero = Field::zero();
            (vec![tagged(outer, zero.clone(), Some(0x88a8)), tagged(inner, zero, Some(0x8100))], vec![])
        }),
        1 => label.prop_map(|label| (vec![], vec![label])),
    ]
}

fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        Just(Payload::Letters),
        Just(Payload::Zero),
        "[a-zA-Z0-9]{1,16}".prop_map(|t| Payload::Hex(t.bytes().map(|b| format!("{b:02x}")).collect())),
    ]
}

fn sizes() -> impl Strategy<Value = FrameSizes> {
    let size = |n| FrameSize::new(n).unwrap();
    prop_oneof![
        (200u32..=9600).prop_map(move |n| size(n).into()),
        (200u32..5000, 1u32..4000, 1u16..100).prop_map(move |(min, more, step)| {
            FrameSizes::Range(SizeRange { min: size(min), max: size(min + more), step })
        }),
    ]
}

fn macs() -> impl Strategy<Value = Ethernet> {
    let mac = || stepped::<Mac>((1 << 48) - 1);
    (mac(), mac()).prop_map(|(src, dst)| Ethernet { src, dst })
}

/// What a range script can say, tunnels included.
fn stream() -> impl Strategy<Value = Stream> {
    let ports = layer4(drawn(65535, 3), drawn(65535, 4));
    let plain =
        (macs(), tags(), sizes(), payload(), prop_oneof![ipv4().prop_map(Ok), ipv6().prop_map(Err)], ports);
    (plain, 0..6, any::<u32>()).prop_filter_map("packets that a tunnel can carry", |(plain, kind, key)| {
        let (ethernet, (vlan, mpls), sizes, payload, ip, layer) = plain;
        let mut s = Stream { vlan, mpls, payload, ..Stream::new(sizes, ethernet.clone()) };
        let (ipv4, ipv6) = (ip.clone().ok(), ip.err());
        let has_bits = format!("{ipv4:?}{layer:?}").contains("Bits");
        let mut inner = Inner { ipv4: ipv4.clone(), ipv6: ipv6.clone(), ..Inner::default() };
        match (kind, layer) {
            (0 | 1, layer) if !has_bits => {
                let ends = ["10.10.1.1", "10.10.1.2"].map(|ip| Field::Fixed(ip.parse::<Ipv4Addr>().unwrap()));
                let [src, dst] = ends;
                s.ipv4 = Some(Ipv4::between(src, dst));
                s.gre = Some(Gre { key: Some(key.into()) });
                inner.ethernet = (kind == 1).then(|| ethernet.clone());
                match layer {
                    Layer4::Udp(p) => inner.udp = Some(p),
                    Layer4::Tcp(p) => inner.tcp = Some(p),
                    Layer4::Icmp(p) => inner.icmp = Some(p),
                }
                s.inner = Some(Box::new(inner));
            }
            (2, Layer4::Udp(ports)) if !has_bits => {
                (s.ipv4, s.ipv6) = (ipv4, ipv6);
                s.udp = Some(Ports { src: ports.src, dst: 4789.into() });
                s.vxlan = Some(Vxlan { vni: Uint::new(key & 0xff_ffff).unwrap().into() });
            }
            (3, Layer4::Udp(ports)) if !has_bits => {
                (s.ipv4, s.ipv6) = (ipv4, ipv6);
                s.udp = Some(Ports { src: ports.src, dst: 2152.into() });
                s.gtpu = Some(Gtpu { teid: key.into() });
            }
            (0..=3, _) => return None,
            (_, layer) => {
                if ipv6.is_some() && has_bits {
                    return None;
                }
                (s.ipv4, s.ipv6) = (ipv4, ipv6);
                put(&mut s, layer);
            }
        }
        Some(s)
    })
}

/// One slot of a sequence.
fn slot(is_tagged: bool) -> impl Strategy<Value = Stream> {
    let macs = (fixed::<Mac>((1 << 48) - 1), fixed::<Mac>((1 << 48) - 1));
    let ports =
        layer4(fixed(65535), fixed(65535)).prop_filter("with ports", |l| !matches!(l, Layer4::Icmp(_)));
    let numbers = (64u32..=9600, fixed::<u8>(255), fixed(4095), fixed(7));
    let addresses = prop_oneof![
        (fixed(u32::MAX.into()), fixed(u32::MAX.into())).prop_map(Ok),
        (any::<u128>(), any::<u128>()).prop_map(Err),
    ];
    (macs, ports, numbers, addresses).prop_map(move |((src, dst), ports, (size, tos, id, cos), ip)| {
        let size = FrameSize::new(size.max(100)).unwrap();
        let mut s = Stream::new(size, Ethernet { src, dst });
        match ip {
            Ok((src, dst)) => s.ipv4 = Some(Ipv4 { tos, ..Ipv4::between(src, dst) }),
            Err((src, dst)) => {
                s.ipv6 = Some(Ipv6 {
                    src: Field::Fixed(src.into()),
                    dst: Field::Fixed(dst.into()),
                    hop_limit: Ipv4::default_ttl(),
                    traffic_class: tos,
                    flow_label: Field::zero(),
                });
            }
        }
        if is_tagged {
            s.vlan = vec![tagged(id, cos, None)];
        }
        put(&mut s, ports);
        s
    })
}

fn profile() -> impl Strategy<Value = Profile> {
    let streams = prop_oneof![
        3 => stream().prop_map(|s| vec![s]),
        1 => any::<bool>().prop_flat_map(|tagged| proptest::collection::vec(slot(tagged), 2..20)),
    ];
    let stop = prop_oneof![
        Just(Stop::Never),
        (1u64..1 << 40).prop_map(Stop::Count),
        (1u64..1_000_000).prop_map(|ms| Stop::DurationS(ms as f64 / 1000.0)),
    ];
    (streams, stop, 1u32..=10_000).prop_map(|(streams, stop, hundredths)| Profile {
        name: Some("t".into()),
        rate: Rate::Percent(f64::from(hundredths) / 100.0),
        stop,
        ..Profile::of(streams)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn a_profile_comes_back_as_it_went(profile in profile()) {
        prop_assume!(check::check(&profile).is_empty());
        let (text, came) = (script(&profile, 0).unwrap(), back(&profile));
        prop_assert!(came == profile, "{text}\n{}\n--- instead of\n{}", to_toml(&came), to_toml(&profile));
    }
}

#[test]
fn what_pktgen_cannot_say_is_named() {
    let refused = |change: &dyn Fn(&mut Profile)| {
        let mut profile =
            import_str("t.lua", "pktgen.set_proto('0', 'udp')\npktgen.start(0)", &ImportOptions::default())
                .unwrap()
                .profile;
        change(&mut profile);
        script(&profile, 0).unwrap_err().to_string()
    };
    let rate = refused(&|p| p.rate = Rate::Pps(5.0));
    assert_eq!(
        rate,
        "a rate of 5pps can't be said in a Pktgen script: Pktgen has percents of the link, from 0.01 to 100"
    );
    assert!(refused(&|p| p.streams[0].weight = 2).starts_with("a stream's own weight"));
    assert!(refused(&|p| p.streams[0].payload = Payload::Random(1)).starts_with("a random payload"));
    assert!(refused(&|p| p.stamp = false).starts_with("stamp = false"));
    assert!(refused(&|p| p.streams.clear()).starts_with("0 streams"));
    assert!(refused(&|p| p.stop = Stop::DurationS(0.0005)).starts_with("a duration of 0.0005 s"));
}
