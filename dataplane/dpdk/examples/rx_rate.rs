//! How fast frames come in: receive 64 → read one byte of each → free. Prints Mpps every second.
//!
//! `cargo run --release -p dpdk --example rx_rate [vdev] [seconds] [worker CPU]`

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use dpdk::{CpuId, Eal, EalConfig, Memory, Mempool, MempoolConfig, Port, PortConfig, register_worker};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let vdev = args.next().unwrap_or_else(|| "net_null0".to_owned());
    let seconds: u32 = args.next().map_or(Ok(3), |text| text.parse())?;
    let cpu = CpuId(args.next().map_or(Ok(1), |text| text.parse())?);

    let eal = Eal::init(&EalConfig {
        memory: Memory::NoHuge { mib: 128 },
        single_file_segments: true,
        file_prefix: Some(format!("rx-rate-{}", std::process::id())),
        vdevs: vec![vdev.clone()],
        ..EalConfig::default()
    })?;
    let pool = Mempool::create(eal.handle(), MempoolConfig::new("rx", 8191))?;
    let id = eal.port_by_device(&vdev).ok_or("no such port")?;
    let mut builder =
        Port::configure(&eal, id, &PortConfig { rx_queues: 1, tx_queues: 1, ..PortConfig::default() })?;
    builder.rx_queue(&pool)?;
    builder.tx_queue()?;
    let (port, mut rx, _tx) = builder.start()?;
    let mut queue = rx.remove(0);
    let (handle, stop, total) = (eal.handle(), AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let _worker = register_worker(handle, cpu)?;
            let mut burst = queue.burst::<64>();
            let (mut received, mut sum) = (0, 0_u64);
            while !stop.load(Ordering::Relaxed) {
                received += queue.rx(&mut burst) as u64;
                for index in 0..burst.len() {
                    burst.prefetch(index + 4);
                    sum +=
                        burst.frame(index).and_then(|bytes| bytes.get(26)).map_or(0, |byte| u64::from(*byte));
                }
                burst.free();
                total.store(received, Ordering::Relaxed);
            }
            Ok::<u64, dpdk::LcoreError>(sum)
        });
        let mut before = 0;
        for _ in 0..seconds {
            std::thread::sleep(Duration::from_secs(1));
            let now = total.load(Ordering::Relaxed);
            println!("{:.2} Mpps, link {:?}", (now - before) as f64 / 1e6, port.link().map(|link| link.up));
            before = now;
        }
        stop.store(true, Ordering::Relaxed);
        worker
            .join()
            .map_err(|_| "the worker panicked")?
            .map_err(Box::<dyn std::error::Error>::from)
            .map(drop)
    })
}
