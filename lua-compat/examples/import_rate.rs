//! How long it takes to import 10,000 generated profiles: `cargo run --release -p lua-compat --example import_rate`.
#![allow(clippy::print_stdout, reason = "a figure for people")]

use std::time::Instant;

use lua_compat::paired::{FlowMode, PairedFlow, render};
use lua_compat::{ImportOptions, import_str};
use traffic::units::FrameSize;

const PROFILES: u64 = 10_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base = PairedFlow {
        flows: 1,
        frame_size: FrameSize::MIN,
        rate_percent: 10,
        mode: FlowMode::S,
        base_src_ip: "192.168.1.1".parse()?,
        base_dst_ip: "192.168.2.1".parse()?,
        base_src_port: 1024,
        base_dst_port: 1024,
        src_mac: "02:00:00:00:00:01".parse()?,
        dst_mac: "02:00:00:00:00:02".parse()?,
    };
    let script = |n: u64| -> Result<String, Box<dyn std::error::Error>> {
        let frame_size = FrameSize::new(64 + (n % 1400) as u32)?;
        let mode = FlowMode::ALL[(n % 7) as usize];
        let rate_percent = 1 + (n % 100) as u32;
        Ok(render(&PairedFlow { flows: 1 + n, frame_size, rate_percent, mode, ..base })?)
    };
    let scripts: Vec<String> = (0..PROFILES).map(script).collect::<Result<_, _>>()?;
    let began = Instant::now();
    for text in &scripts {
        import_str("t.lua", text, &ImportOptions::default())?;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{PROFILES} profiles in {seconds:.2} s: {:.0} us each", seconds * 1e6 / PROFILES as f64);
    Ok(())
}
