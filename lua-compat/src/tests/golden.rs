//! Pktgen's own scripts, whose packets were captured, and a paired profile of the old system.

use std::path::{Path, PathBuf};

use traffic::profile::Field;
use traffic::profile::{Ethernet, Ipv4, Ports, Profile, Stop, Stream};
use traffic::units::{FrameSize, Rate};

use crate::{Import, ImportOptions, Severity, import_file};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name)
}

fn read(name: &str, quirks: bool) -> Import {
    import_file(&path(name), &ImportOptions { quirks, ..ImportOptions::default() }).unwrap()
}

fn range<T: traffic::profile::Value>(start: T, max: T, inc: T) -> Field<T> {
    Field::range(start, start, max, inc)
}

fn ip(text: &str) -> std::net::Ipv4Addr {
    text.parse().unwrap()
}

/// The profile that all three have in common: 100 source addresses, one of everything else.
fn hundred(name: &str, rate: f64, stop: Stop) -> Profile {
    let ports = Ports { src: Field::Fixed(1024), dst: Field::Fixed(1024) };
    let ethernet = Ethernet {
        src: Field::Fixed("00:50:56:ab:60:84".parse().unwrap()),
        dst: Field::Fixed("00:50:56:ab:a2:ef".parse().unwrap()),
    };
    let src = range(ip("192.168.1.1"), ip("192.168.1.100"), ip("0.0.0.1"));
    let stream = Stream {
        ipv4: Some(Ipv4::between(src, ip("192.168.2.1").into())),
        udp: Some(ports),
        ..Stream::new(FrameSize::MIN, ethernet)
    };
    Profile { name: Some(name.into()), rate: Rate::Percent(rate), stop, ..Profile::of(vec![stream]) }
}

#[test]
fn one_field_varies() {
    let import = read("golden/udp_s100_64.lua", false);
    assert_eq!(import.profile, hundred("udp_s100_64", 1.0, Stop::Count(320)));
    assert_eq!(import.ports, [0]);
    let notes: Vec<String> = import.report.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "line 3: note: pktgen.screen has no effect: there is no Pktgen screen; results are shown by the run itself",
            "line 34: note: the stop after 2.5 s is not carried over: the count of 320 ends sending",
        ]
    );
}

#[test]
fn four_fields_vary() {
    let mut expected = hundred("udp_sdSD7_1500", 1.0, Stop::Count(320));
    let stream = &mut expected.streams[0];
    stream.frame_size = FrameSize::new(1500).unwrap().into();
    let src = range(ip("192.168.1.1"), ip("192.168.1.7"), ip("0.0.0.1"));
    let dst = range(ip("192.168.2.1"), ip("192.168.2.5"), ip("0.0.0.1"));
    stream.ipv4 = Some(Ipv4::between(src, dst));
    stream.udp = Some(Ports { src: range(1024, 1026, 1), dst: range(1024, 1034, 1) });
    assert_eq!(read("golden/udp_sdSD7_1500.lua", false).profile, expected);
    // range.ip_proto is set: quirks change nothing.
    assert_eq!(read("golden/udp_sdSD7_1500.lua", true).profile, expected);
}

#[test]
fn a_paired_profile_of_the_old_system() {
    let import = read("profiles/paired_100_flows_64B.lua", false);
    assert_eq!(import.profile, hundred("paired_100_flows_64B", 100.0, Stop::Never));
    assert_eq!(import.output, "test started\n");
    let warnings: Vec<String> = import.report.warnings().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "line 18: warning: pktgen.range.dst_mac: `stop` has no effect, as in Pktgen: a range has start, inc, min and max",
            "line 20: warning: pktgen.range.src_mac: `stop` has no effect, as in Pktgen: a range has start, inc, min and max",
        ]
    );
    let tcp = import.report.notes.iter().find(|n| n.text.contains("would have sent TCP")).unwrap();
    assert_eq!((tcp.line, tcp.severity), (34, Severity::Info));
}

#[test]
fn quirks_send_what_pktgen_sends() {
    let import = read("profiles/paired_100_flows_64B.lua", true);
    let mut expected = hundred("paired_100_flows_64B", 100.0, Stop::Never);
    let stream = &mut expected.streams[0];
    stream.tcp = stream.udp.take().map(Into::into);
    assert_eq!(import.profile, expected);
    assert!(import.report.notes.iter().any(|n| n.text.contains("as Pktgen 23.03 sends them")));
}
