//! Paired profiles: what is rendered is what is imported.

use traffic::profile::field::{Field, Range};
use traffic::units::FrameSize;

use crate::paired::{FlowMode, PairedError, PairedFlow, profile, render};
use crate::{ImportOptions, import_str};

fn flow(flows: u64, mode: FlowMode) -> PairedFlow {
    PairedFlow {
        flows,
        frame_size: FrameSize::new(512).unwrap(),
        rate_percent: 50,
        mode,
        base_src_ip: "192.168.1.1".parse().unwrap(),
        base_dst_ip: "192.168.2.1".parse().unwrap(),
        base_src_port: 1024,
        base_dst_port: 1025,
        src_mac: "00:50:56:ab:60:84".parse().unwrap(),
        dst_mac: "00:50:56:ab:a2:ef".parse().unwrap(),
    }
}

#[test]
fn rendered_scripts_import_to_the_profile() {
    for mode in FlowMode::ALL {
        for flows in [1, 2, 7, 100, 1_000, 10_000, 64_512, 64_513, 100_000, 129_023, 1_000_000] {
            let flow = flow(flows, mode);
            let import =
                import_str(&flow.file_name(), &render(&flow).unwrap(), &ImportOptions::default()).unwrap();
            assert_eq!(import.profile, profile(&flow).unwrap(), "{flow:?}");
            assert_eq!(import.report.warnings().count(), 0, "{:?}", import.report);
            let quirks = ImportOptions { quirks: true, ..ImportOptions::default() };
            let import = import_str(&flow.file_name(), &render(&flow).unwrap(), &quirks).unwrap();
            assert_eq!(import.profile, profile(&flow).unwrap());
        }
    }
}

/// How many values a field takes; it must divide the flows for the fields to step in lockstep.
fn values<T: traffic::profile::Value + std::fmt::Debug>(field: Field<T>) -> u64 {
    match field {
        Field::Fixed(_) => 1,
        Field::Range(Range { min, max, .. }) => max.to_u64() - min.to_u64() + 1,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mode_gives_exactly_so_many_flows() {
    for (mode, expected) in [
        (FlowMode::S, [100, 1, 1, 1]),
        (FlowMode::Sd, [100, 100, 1, 1]),
        (FlowMode::Sp, [100, 1, 100, 1]),
        (FlowMode::Dp, [100, 1, 1, 100]),
        (FlowMode::Spd, [100, 100, 100, 1]),
        (FlowMode::Sdpp, [100, 100, 100, 100]),
        (FlowMode::Sdpd, [100, 100, 100, 100]),
    ] {
        let stream = profile(&flow(100, mode)).unwrap().streams.remove(0);
        let ports = stream.udp.unwrap();
        let ip = stream.ipv4.unwrap();
        let found = [values(ip.src), values(ip.dst), values(ports.src), values(ports.dst)];
        assert_eq!(found, expected, "{mode}");
    }
    for (flows, ports) in [(100_000, 50_000), (64_512, 64_512), (64_513, 31 * 2081), (129_023, 1)] {
        let stream = profile(&flow(flows, FlowMode::Sp)).unwrap().streams.remove(0);
        let found = values(stream.udp.unwrap().src);
        assert_eq!(flows % found, 0);
        if flows != 64_513 && flows != 129_023 {
            assert_eq!(found, ports, "{flows}");
        }
    }
}

#[test]
fn what_can_not_be_is_an_error() {
    assert_eq!(render(&flow(0, FlowMode::S)), Err(PairedError::NoFlows));
    assert_eq!(
        profile(&PairedFlow { rate_percent: 101, ..flow(1, FlowMode::S) }),
        Err(PairedError::Rate(101))
    );
    let high = PairedFlow { base_dst_ip: "255.255.255.0".parse().unwrap(), ..flow(257, FlowMode::Sd) };
    assert_eq!(
        render(&high).unwrap_err().to_string(),
        "257 flows from destination address 255.255.255.0 go beyond 255.255.255.255: at most 256 fit, take fewer or a lower base"
    );
    assert!(render(&PairedFlow { flows: 256, ..high }).is_ok());
    assert!(render(&PairedFlow { mode: FlowMode::S, ..high }).is_ok());
    assert!(matches!(render(&flow(u64::MAX, FlowMode::S)), Err(PairedError::Addresses { .. })));
}

#[test]
fn names_and_modes() {
    assert_eq!(flow(100, FlowMode::Spd).file_name(), "profile_100_flows_pkt_size_512B_50_rate_spd.lua");
    for mode in FlowMode::ALL {
        assert_eq!(mode.to_string().parse(), Ok(mode));
    }
    assert_eq!("SD".parse(), Ok(FlowMode::Sd));
    assert_eq!(
        "x".parse::<FlowMode>().unwrap_err().to_string(),
        "flow mode `x` is not known: write s, sd, sp, dp, spd, sdpp or sdpd"
    );
}
