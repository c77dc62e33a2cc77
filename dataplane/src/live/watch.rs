//! The main thread's look at the ports: drivers' counters, links, and what went through in the last second.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dpdk::Port;

use super::backend::Live;
use super::state::{Count, Counts, lock};

/// What a rate is of.
const SECOND: Duration = Duration::from_secs(1);

/// All ports, with what they were at the last full second.
#[derive(Debug)]
pub struct Watch<'a, 'e> {
    ports: &'a [Port<'e>],
    live: &'a Live,
    last: Vec<Counts>,
    at: Instant,
}

impl<'a, 'e> Watch<'a, 'e> {
    /// From now on.
    pub fn new(ports: &'a [Port<'e>], live: &'a Live) -> Watch<'a, 'e> {
        Watch { ports, live, last: vec![Counts::default(); ports.len()], at: Instant::now() }
    }

    /// Reads what only this thread may read.
    pub fn look(&mut self) {
        for (port, state) in self.ports.iter().zip(&self.live.ports) {
            if let Ok(stats) = port.stats() {
                state.store_one(Count::Imissed, stats.rx_missed);
                state.store_one(Count::Ierrors, stats.rx_errors);
                state.store_one(Count::Oerrors, stats.tx_errors);
                state.store_one(Count::RxNombuf, stats.rx_no_mbuf);
            }
            state.link_up.store(port.link().is_ok_and(|link| link.up), Ordering::Relaxed);
        }
        let gone = self.at.elapsed();
        if gone < SECOND {
            return;
        }
        self.at = Instant::now();
        for (state, last) in self.live.ports.iter().zip(&mut self.last) {
            let now = state.all();
            let mut rate = now.since(last);
            rate.0.iter_mut().for_each(|n| *n = (*n as f64 / gone.as_secs_f64()).round() as u64);
            *last = now;
            let mut rates = lock(&state.rates);
            let (received, sent) = rates.most;
            rates.most = (received.max(rate.get(Count::Ipackets)), sent.max(rate.get(Count::Opackets)));
            rates.last = rate;
        }
    }
}
