//! Pktgen's tables, filled from the ports' counters.

use std::sync::atomic::Ordering;

use lua_compat::answers::{self, PortView};
use lua_compat::backend::Answer;

use super::backend::Live;
use super::state::{PortState, lock};

/// The answer of the function `name` for these ports.
pub fn of(live: &Live, name: &str, ports: &[u16]) -> Answer {
    let answers = ports.iter().filter_map(|port| {
        let state = live.ports.get(usize::from(*port))?;
        Some((*port, answers::of(name, &view(live, *port, state))))
    });
    Answer::Ports(answers.collect())
}

fn view(live: &Live, port: u16, state: &PortState) -> PortView {
    let jitter = match state.jitter_ticks.load(Ordering::Relaxed) {
        u64::MAX => 0.0,
        ticks => ticks as f64 * 1e6 / live.hz.max(1) as f64,
    };
    PortView {
        port,
        config: live.config(port),
        device: state.facts.device.clone(),
        mac: state.facts.mac,
        link_up: state.link_up.load(Ordering::Relaxed),
        link_mbps: state.facts.link_mbps,
        is_sending: state.is_sending(),
        counts: state.counts(),
        rates: *lock(&state.rates),
        latency: lock(&state.latency).report("tsc", live.hz),
        jitter_us: jitter.round() as u64,
        hz: live.hz,
    }
}
