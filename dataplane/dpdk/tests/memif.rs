//! net_memif, both ends in one process: found in this program, with and without hugepages.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::time::{Duration, Instant};

use dpdk::{Eal, EalConfig, Memory, Mempool, MempoolConfig, Port, PortConfig, testing};

/// Sends 320 frames from one end to the other.
fn pass_frames(config: EalConfig) {
    let socket = format!("socket=@dpdk-test-{},socket-abstract=yes", std::process::id());
    let vdevs = vec![format!("net_memif0,role=server,{socket}"), format!("net_memif1,role=client,{socket}")];
    let eal = Eal::init(&EalConfig { vdevs, single_file_segments: true, ..config }).unwrap();
    let frames = Mempool::create(eal.handle(), MempoolConfig::new("tx", 2047)).unwrap();
    let frames = frames.prefill(|_, frame| frame.set_len(60)).unwrap();
    let rx_pool = Mempool::create(eal.handle(), MempoolConfig::new("rx", 2047)).unwrap();
    let open = |name| {
        let config = PortConfig { rx_queues: 1, tx_queues: 1, ..PortConfig::default() };
        let mut builder = Port::configure(&eal, eal.port_by_device(name).unwrap(), &config).unwrap();
        builder.rx_queue(&rx_pool).unwrap();
        builder.tx_queue().unwrap();
        builder.start().unwrap()
    };
    let (server, mut rx, _server_tx) = open("net_memif0");
    let (client, _client_rx, mut tx) = open("net_memif1");
    let limit = Instant::now() + Duration::from_secs(10);
    while !(server.link().unwrap().up && client.link().unwrap().up) {
        assert!(Instant::now() < limit, "the memif ends did not find each other within 10 s");
        std::thread::sleep(Duration::from_millis(5));
    }
    let (mut out, mut back) = (frames.burst::<32>(), rx[0].burst::<64>());
    let (mut sent, mut received) = (0_u32, 0_u32);
    while received < 320 {
        assert!(Instant::now() < limit, "sent {sent}, received {received} of 320 within 10 s");
        if sent < 320 {
            let taken = out.take(32);
            let new = out.len() - taken;
            for (index, mut frame) in out.frames_from(new).enumerate() {
                let value = sent + u32::try_from(new + index).unwrap();
                frame.head::<64>()[26..30].copy_from_slice(&value.to_be_bytes());
            }
            sent += u32::try_from(tx[0].tx(&mut out)).unwrap();
        }
        rx[0].rx(&mut back);
        for bytes in back.frames() {
            assert_eq!(bytes[26..30], received.to_be_bytes());
            received += 1;
        }
        back.free();
    }
    out.recycle();
    assert_eq!(tx[0].tx(&mut out), 0, "nothing to send is nothing sent");
    drop(out);
    assert_eq!(frames.in_use(), 0);
}

#[test]
fn memif_passes_frames_without_hugepages() {
    pass_frames(testing::config(&[]));
}

#[test]
fn memif_passes_frames_with_hugepages() {
    let free = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let free = free.lines().find_map(|line| line.strip_prefix("HugePages_Free:")?.trim().parse::<u32>().ok());
    if free.is_none_or(|pages| pages < 32) {
        eprintln!("skipped: this machine has no 32 free hugepages (echo 64 > /proc/sys/vm/nr_hugepages)");
        return;
    }
    let memory = Memory::Hugepages { socket_mib: Vec::new(), limit_mib: Vec::new() };
    pass_frames(EalConfig { memory, ..testing::config(&[]) });
}
