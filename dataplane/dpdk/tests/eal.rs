//! Starting EAL: once a process, and with errors that quote DPDK.

use dpdk::{
    CpuId, Eal, EalConfig, EalError, Iova, LogLevel, LogTail, Memory, testing, tsc, tsc_hz, tsc_is_invariant,
};

#[test]
fn a_second_start_is_refused() {
    let _eal = testing::eal(&[]).unwrap();
    let error = testing::eal(&[]).unwrap_err();
    assert!(matches!(error, EalError::AlreadyTried));
    assert!(error.to_string().contains("new process"), "{error}");
}

#[test]
fn an_unknown_interface_is_named_with_the_drivers_words_and_a_next_step() {
    let error = testing::eal(&["net_af_packet0,iface=nosuch0"]).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, EalError::Device { .. }), "{text}");
    for part in ["net_af_packet0,iface=nosuch0", "--vdev=", "last log lines", "ip link", "CAP_NET_RAW"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn an_unknown_driver_is_named() {
    let text = testing::eal(&["net_nosuch0"]).unwrap_err().to_string();
    assert!(text.contains("net_nosuch0") && text.contains("librte_net_"), "{text}");
}

#[test]
fn an_unknown_pci_device_is_named() {
    let config = EalConfig { pci: vec!["0000:ff:1f.7".to_owned()], ..testing::config(&[]) };
    let text = Eal::init(&config).unwrap_err().to_string();
    assert!(text.contains("0000:ff:1f.7") && text.contains("lspci"), "{text}");
}

#[test]
fn a_failed_start_quotes_the_log_and_the_arguments() {
    let config = EalConfig { main_cpu: Some(CpuId(9999)), ..testing::config(&[]) };
    let error = Eal::init(&config).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, EalError::Init { .. }), "{text}");
    assert!(text.contains("--lcores=0@9999") && text.contains("EAL:"), "{text}");
    assert!(matches!(testing::eal(&[]), Err(EalError::AlreadyTried)));
}

#[test]
fn a_nul_byte_is_refused_before_anything_is_started() {
    let config = EalConfig { extra: vec!["a\0b".to_owned()], ..testing::config(&[]) };
    assert!(matches!(Eal::init(&config), Err(EalError::Argument { .. })));
    assert!(testing::eal(&[]).is_ok());
}

#[test]
fn settings_become_arguments() {
    let config = EalConfig {
        program: "p".to_owned(),
        main_cpu: Some(CpuId(3)),
        memory: Memory::Hugepages { socket_mib: vec![64, 0], limit_mib: vec![128, 128] },
        single_file_segments: true,
        file_prefix: Some("x".to_owned()),
        iova: Some(Iova::Virtual),
        pci: vec!["0000:03:00.0".to_owned()],
        extra: vec!["--foo".to_owned()],
        ..EalConfig::default()
    };
    let expected = "p --lcores=0@3 --in-memory --socket-mem=64,0 --socket-limit=128,128 --single-file-segments \
                    --file-prefix=x --iova-mode=va --allow=0000:03:00.0 --log-level=notice --no-telemetry --foo";
    assert_eq!(config.argv().join(" "), expected);
    let config = EalConfig { memory: Memory::NoHuge { mib: 64 }, ..EalConfig::default() };
    let argv = config.argv().join(" ");
    assert!(argv.contains("--no-huge -m 64 --no-shconf") && argv.contains("--no-pci"), "{argv}");
}

#[test]
fn the_clock_runs_and_the_log_is_kept() {
    let config = EalConfig { log_level: LogLevel::Info, ..testing::config(&["net_null0"]) };
    let eal = Eal::init(&config).unwrap();
    let hz = tsc_hz(eal.handle());
    let outer = std::time::Instant::now();
    let (began, inner) = (tsc(), std::time::Instant::now());
    std::thread::sleep(std::time::Duration::from_millis(50));
    let inner = inner.elapsed().as_secs_f64();
    let seconds = (tsc() - began) as f64 / hz as f64;
    // Wide, as this is about the unit; between two clocks, as this thread may be kept waiting between any two lines.
    let limits = inner / 2.0..outer.elapsed().as_secs_f64() * 2.0;
    assert!(limits.contains(&seconds), "{seconds} s, not in {limits:?}");
    let _ = tsc_is_invariant();
    assert!(LogTail::now().as_str().contains("EAL"), "{:?}", LogTail::now());
    assert!(dpdk::version().starts_with("DPDK "));
}
