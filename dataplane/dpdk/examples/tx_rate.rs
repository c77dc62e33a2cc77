//! How fast frames leave: take a burst → write four bytes into each frame → send. Prints Mpps.
//!
//! `cargo run --release -p dpdk --example tx_rate [vdev] [mbufs] [seconds] [worker CPU]`

use std::time::{Duration, Instant};

use dpdk::{CpuId, Eal, EalConfig, Memory, Mempool, MempoolConfig, Port, PortConfig, register_worker};

const BURST: usize = 32;
/// The source address of an IPv4 header behind an untagged Ethernet header.
const PATCHED: std::ops::Range<usize> = 26..30;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let vdev = args.next().unwrap_or_else(|| "net_null0".to_owned());
    let mbufs = args.next().map_or(Ok(1023), |text| text.parse())?;
    let seconds = args.next().map_or(Ok(2), |text| text.parse())?;
    let cpu = CpuId(args.next().map_or(Ok(1), |text| text.parse())?);

    let began = Instant::now();
    let eal = Eal::init(&EalConfig {
        memory: Memory::NoHuge { mib: 128 },
        file_prefix: Some(format!("tx-rate-{}", std::process::id())),
        vdevs: vec![vdev.clone()],
        ..EalConfig::default()
    })?;
    println!("EAL took {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    let pool = Mempool::create(eal.handle(), MempoolConfig::new("tx", mbufs))?
        .prefill(|_, frame| frame.set_len(60))?;
    let rx_pool = Mempool::create(eal.handle(), MempoolConfig::new("rx", 1023))?;
    let id = eal.port_by_device(&vdev).ok_or("no such port")?;
    let config = PortConfig { tx_queues: 1, rx_queues: 1, fast_free: true, ..PortConfig::default() };
    let mut builder = Port::configure(&eal, id, &config)?;
    builder.rx_queue(&rx_pool)?;
    builder.tx_queue()?;
    let (port, _rx, mut tx) = builder.start()?;
    println!("{:?}", port.chosen());
    let mut queue = tx.remove(0);
    let handle = eal.handle();
    let (sent, elapsed) = std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let _worker = register_worker(handle, cpu)?;
                let mut burst = pool.burst::<BURST>();
                let (mut sent, mut value, began) = (0_u64, 0_u32, Instant::now());
                while began.elapsed() < Duration::from_secs(seconds) {
                    for _ in 0..1024 {
                        let taken = burst.take(BURST);
                        let new = burst.len() - taken;
                        for mut frame in burst.frames_from(new) {
                            value = value.wrapping_add(1);
                            frame.head::<64>()[PATCHED].copy_from_slice(&value.to_be_bytes());
                        }
                        sent += queue.tx(&mut burst) as u64;
                    }
                }
                Ok::<_, dpdk::LcoreError>((sent, began.elapsed()))
            })
            .join()
    })
    .map_err(|_| "the worker panicked")??;
    println!(
        "{:.1} Mpps, port says {}, we say {sent}",
        sent as f64 / elapsed.as_secs_f64() / 1e6,
        port.stats()?.tx_packets
    );
    Ok(())
}
