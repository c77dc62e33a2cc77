//! What settings mean.

use traffic::profile::Field;
use traffic::profile::{Profile, Stop, Stream};
use traffic::units::{FrameSize, Rate};

use super::{error, import, notes};
use crate::{ImportOptions, import_str};

/// A range script for port 0 with `more` in it.
fn range(more: &str) -> String {
    format!(
        "pktgen.range.dst_mac('0', 'start', '02:00:00:00:00:01')\npktgen.range.src_mac('0', 'start', '02:00:00:00:00:02')\n\
         pktgen.range.ip_proto('0', 'udp')\npktgen.set_range('0', 'on')\n{more}\npktgen.start(0)"
    )
}

fn profile(text: &str) -> Profile {
    import(text).unwrap().profile
}

fn stream(text: &str) -> Stream {
    profile(text).streams.remove(0)
}

fn has(text: &str, note: &str) {
    let found = notes(&import(text).unwrap());
    assert!(found.iter().any(|n| n == note), "{found:#?}");
}

#[test]
fn pktgens_defaults_fill_a_range_script() {
    let stream = stream(&range(""));
    assert_eq!(stream.ipv4.clone().unwrap().src, Field::Fixed("192.168.0.1".parse().unwrap()));
    let dst = |host: &str| format!("192.168.1.{host}").parse().unwrap();
    let inc = "0.0.0.1".parse().unwrap();
    assert_eq!(stream.ipv4.clone().unwrap().dst, Field::range(dst("1"), dst("1"), dst("254"), inc));
    assert_eq!(stream.udp.clone().unwrap().src, Field::range(1234, 0, 65535, 1));
    assert_eq!(stream.udp.clone().unwrap().dst, Field::range(5678, 0, 65535, 1));
    assert_eq!(
        (stream.ipv4.clone().unwrap().ttl, stream.frame_size.clone()),
        (Field::Fixed(64), FrameSize::MIN.into())
    );
    has(&range(""), "note: range.src_port is not set: 1234, then from 0 to 65535 by 1, Pktgen's default");
    has(
        &range("pktgen.range.src_port('0', 'max', 9)\npktgen.range.src_port('0', 'start', 1)"),
        "line 5: note: range.src_port has no inc, min: with Pktgen's default it is 1, then from 0 to 9 by 1",
    );
}

#[test]
fn pktgens_defaults_fill_a_single_script() {
    let stream = stream("pktgen.start(1)");
    assert_eq!(stream.ipv4.clone().unwrap().src, Field::Fixed("192.168.1.1".parse().unwrap()));
    assert_eq!(stream.ipv4.clone().unwrap().dst, Field::Fixed("192.168.0.1".parse().unwrap()));
    let ports = stream.tcp.clone().unwrap();
    assert_eq!((ports.src, ports.dst, stream.udp), (Field::Fixed(1234), Field::Fixed(5678), None));
    has("pktgen.start(0)", "note: no protocol is set: TCP, Pktgen's default");
    has(
        "pktgen.start(0)",
        "warning: set_mac \"src\" is not set: the profile says 00:00:00:00:00:00, where Pktgen would take an address of its own ports",
    );
}

#[test]
fn the_single_packet() {
    let text = "pktgen.set_mac('0', 'dst', '02:00:00:00:00:01')\npktgen.set_mac('0', 'src', '02:00:00:00:00:02')\n\
                pktgen.set_ipaddr('0', 'src', '10.0.0.1/24')\npktgen.set_ipaddr('0', 'dst', '10.0.0.2')\n\
                pktgen.set('0', 'sport', 7)\npktgen.set('0', 'dport', 8)\npktgen.set('0', 'ttl', 9)\npktgen.set('0', 'size', 128)\n\
                pktgen.set_proto('0', 'udp')\npktgen.set_type('0', 'ipv4')\npktgen.start('0')";
    let import = import(text).unwrap();
    assert!(import.report.notes.is_empty(), "{:?}", import.report);
    let stream = &import.profile.streams[0];
    assert_eq!(stream.ethernet.dst, Field::Fixed("02:00:00:00:00:01".parse().unwrap()));
    assert_eq!(stream.ipv4.clone().unwrap().src, Field::Fixed("10.0.0.1".parse().unwrap()));
    assert_eq!(stream.ipv4.clone().unwrap().ttl, Field::Fixed(9));
    assert_eq!(stream.udp.clone().unwrap().dst, Field::Fixed(8));
    assert_eq!(stream.frame_size.bounds().1.bytes(), 128);
}

#[test]
fn values_are_clamped_as_pktgen_does_and_said_so() {
    assert_eq!(profile("pktgen.set('0', 'rate', 0)\npktgen.start(0)").rate, Rate::Percent(0.01));
    has(
        "pktgen.set('0', 'rate', 250)\npktgen.start(0)",
        "line 1: note: rate 250 becomes 100 %, as in Pktgen",
    );
    has(
        "pktgen.set('0', 'size', 20)\npktgen.start(0)",
        "line 1: note: set size 20 becomes 64, the smallest frame, as in Pktgen",
    );
    let large = range("pktgen.range.pkt_size('0', 'start', 10000)");
    has(&large, "line 5: warning: range.pkt_size 10000 becomes 9600, the largest frame");
    assert_eq!(stream(&large).frame_size, FrameSize::MAX.into());
    let sizes = range("pktgen.range.pkt_size('0', 'start', 128)\npktgen.range.pkt_size('0', 'inc', 4)");
    has(&sizes, "line 6: note: range.pkt_size starts at 128 B: the profile starts at 64 B");
    let (least, most) = stream(&sizes).frame_size.bounds();
    assert_eq!((least.bytes(), most.bytes()), (64, 1518));
}

#[test]
fn when_sending_ends() {
    let stop = |text: &str| profile(&range(text)).stop;
    let timed = |text: &str| profile(&format!("{}\n{text}", range(""))).stop;
    assert_eq!(stop("pktgen.set('0', 'count', 320)"), Stop::Count(320));
    assert_eq!(stop("pktgen.set('0', 'count', 0)"), Stop::Never);
    assert_eq!(timed("pktgen.delay(2500)\npktgen.sleep(1)\npktgen.stop('all')"), Stop::DurationS(3.5));
    assert_eq!(timed("pktgen.delay(2500)\npktgen.quit()"), Stop::DurationS(2.5));
    assert_eq!(timed("pktgen.delay(2500)\npktgen.stop(1)"), Stop::Never);
    assert_eq!(timed("pktgen.stop(0)"), Stop::Never);
    has(
        &format!("{}\npktgen.delay(2500)\npktgen.stop(0)", range("")),
        "line 8: note: stopped 2.5 s after start: the profile runs for 2.5 s",
    );
}

#[test]
fn a_port_is_chosen_and_said() {
    let text = "pktgen.set('0', 'rate', 5)\npktgen.set('1', 'rate', 7)\npktgen.start('0,1')";
    let import = import(text).unwrap();
    assert_eq!((import.profile.rate, import.ports.as_slice()), (Rate::Percent(5.0), &[0, 1][..]));
    assert!(
        notes(&import)[0].starts_with("note: the script starts ports 0, 1: this is the profile of port 0")
    );
    let options = |port| ImportOptions { port: Some(port), ..ImportOptions::default() };
    assert_eq!(import_str("t.lua", text, &options(1)).unwrap().profile.rate, Rate::Percent(7.0));
    assert_eq!(
        import_str("t.lua", text, &options(32)).unwrap_err().to_string(),
        "t.lua: port 32 can't be: ports go from 0 to 31"
    );
    assert_eq!(profile("pktgen.set('1', 'rate', 7)\npktgen.start(1)").rate, Rate::Percent(7.0));
    has("pktgen.set('1', 'rate', 7)", "warning: the script never starts port 0: this is what it would send");
    has(
        "pktgen.start(0)\npktgen.stop(0)\npktgen.start(0)",
        "line 3: warning: only the first start (line 1) is carried over: run the script live for the others",
    );
    has(
        "pktgen.start(0)\npktgen.set('all', 'rate', 3)",
        "line 2: warning: settings changed while the port sends are not carried over",
    );
    assert_eq!(
        profile("pktgen.set('all', 'rate', 3)\npktgen.reset('all')\npktgen.start('all')").rate,
        Rate::Percent(100.0)
    );
}

#[test]
fn ranges_that_are_odd() {
    assert_eq!(
        error(&range(
            "pktgen.range.src_ip('0', 'inc', '0.0.0.1')\npktgen.range.src_ip('0', 'min', '10.0.0.9')\npktgen.range.src_ip('0', 'max', '10.0.0.1')"
        )),
        "t.lua:7: range.src_ip: min 10.0.0.9 is above max 10.0.0.1"
    );
    let outside = "pktgen.range.dst_port('0', 'start', 1)\npktgen.range.dst_port('0', 'min', 5)";
    has(
        &range(outside),
        "line 5: warning: range.dst_port: start 1 is outside of min 5 and max 65535: it is sent once, then the range",
    );
    let mac = "pktgen.range.src_mac('0', 'inc', '00:00:00:00:00:01')";
    assert_eq!(stream(&range(mac)).ethernet.src, Field::Fixed("02:00:00:00:00:02".parse().unwrap()));
    let alone =
        "pktgen.set_mac('0', 'src', '02:00:00:00:00:03')\npktgen.set_range('0', 'on')\npktgen.start(0)";
    assert_eq!(stream(alone).ethernet.src, Field::Fixed("02:00:00:00:00:03".parse().unwrap()));
    has(
        "pktgen.range.ttl('0', 'inc', 1)\npktgen.start(0)",
        "line 1: warning: range packets are set but not switched on (set_range): the single packet is sent",
    );
    has(
        &range("pktgen.set('0', 'size', 1500)"),
        "line 5: warning: set size 1500 reaches only the single packet: range packets have 64 bytes, Pktgen's default, until range.pkt_size says otherwise",
    );
    has(
        &range("pktgen.set('0', 'sport', 9)"),
        "line 5: warning: set sport reaches only the single packet: range packets take range.src_port, which has no start",
    );
}

#[test]
fn large_port_steps() {
    let text = range("pktgen.range.src_port('0', 'start', 0)\npktgen.range.src_port('0', 'inc', 100)");
    assert_eq!(stream(&text).udp.unwrap().src, Field::range(0, 0, 65535, 100));
    let options = ImportOptions { quirks: true, ..ImportOptions::default() };
    let quirky = import_str("t.lua", &text, &options).unwrap().profile.streams.remove(0);
    assert_eq!(quirky.udp.unwrap().src, Field::range(0, 0, 65535, 64));
}

#[test]
fn steps_down_are_not_carried_over() {
    let text = range("pktgen.range.dst_ip('0', 'inc', '255.255.255.255')");
    has(
        &text,
        "line 5: warning: range.dst_ip: inc 255.255.255.255 is larger than the range from 192.168.1.1 to 192.168.1.254, \
         so every step lands on min: a step down is not carried over",
    );
}

#[test]
fn what_no_profile_can_hold_is_an_error() {
    let text = format!("{}\npktgen.delay(30 * 24 * 3600 * 1000)\npktgen.stop(0)", range(""));
    assert_eq!(
        error(&text),
        "t.lua: the script's settings make no profile: stop.duration_s: 2592000 is not a duration above 0 and at most \
         604800 seconds (7 days)"
    );
}
