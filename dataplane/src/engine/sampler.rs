//! A tick: every counter read once, with one time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dpdk::Port;
use traffic::account::latency::LatencyHistogram;
use traffic::account::{Expectation, merge};
use traffic::wire::{Latency, PortStats, Sample};

use super::control::Control;
use crate::counters::CoreBlock;
use crate::rx::Books;

/// How long a receiving worker may take to show its books: it looks once a poll.
const BOOKS_LIMIT: Duration = Duration::from_millis(200);

/// Reads one run's counters. Reading changes none of them.
#[derive(Debug)]
pub struct Sampler<'a, 'e> {
    port: &'a Port<'e>,
    cores: &'a [CoreBlock],
    /// A receiver's.
    books: Option<(&'a [Books], &'a Expectation, u64)>,
    began: Instant,
    /// What the port had counted before the start.
    port_before: PortStats,
    n: u64,
}

impl<'a, 'e> Sampler<'a, 'e> {
    /// For a sender.
    pub fn for_tx(port: &'a Port<'e>, cores: &'a [CoreBlock]) -> Sampler<'a, 'e> {
        Sampler { port, cores, books: None, began: Instant::now(), port_before: PortStats::default(), n: 0 }
    }

    /// For a receiver whose clock ticks at `hz`.
    pub fn for_rx(
        port: &'a Port<'e>,
        cores: &'a [CoreBlock],
        books: &'a [Books],
        expect: &'a Expectation,
        hz: u64,
    ) -> Sampler<'a, 'e> {
        Sampler { books: Some((books, expect, hz)), ..Sampler::for_tx(port, cores) }
    }

    /// Time zero.
    pub fn start(&mut self, now: Instant) {
        self.began = now;
        self.port_before = self.port_stats();
    }

    /// The next sample.
    pub fn take(&mut self, control: &Control) -> Sample {
        let tick = self.n + 1;
        if let Some((books, ..)) = self.books {
            books.iter().for_each(|b| b.ask(tick));
            // A worker that shares its CPU may not get to it in time: its last copy serves then.
            control.wait_for(BOOKS_LIMIT, Duration::from_micros(100), || books.iter().all(|b| b.is_shown(tick)));
        }
        let mut sample = self.counters();
        if let Some((books, expect, hz)) = self.books {
            let copies: Vec<_> = books.iter().map(Books::read).collect();
            let accountants: Vec<_> = copies.iter().map(|c| &**c).collect();
            sample.account = Some(merge(&accountants, expect).0);
            sample.latency = latency(accountants.iter().map(|a| a.latency()), expect, hz);
        }
        sample.n = self.n;
        self.n += 1;
        sample
    }

    /// The counters alone.
    pub fn counters(&self) -> Sample {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Sample {
            n: self.n,
            unix_ns: u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX),
            elapsed_ns: u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX),
            cores: self.cores.iter().map(CoreBlock::read).collect(),
            port: since(self.port_stats(), self.port_before),
            account: None,
            latency: None,
        }
    }

    fn port_stats(&self) -> PortStats {
        let Ok(s) = self.port.stats() else { return PortStats::default() };
        PortStats {
            ipackets: s.rx_packets,
            opackets: s.tx_packets,
            ibytes: s.rx_bytes,
            obytes: s.tx_bytes,
            imissed: s.rx_missed,
            ierrors: s.rx_errors,
            oerrors: s.tx_errors,
            rx_nombuf: s.rx_no_mbuf,
        }
    }
}

/// All queues' latency as one; `None` where the clocks differ.
pub fn latency<'a>(
    queues: impl Iterator<Item = &'a LatencyHistogram>,
    expect: &Expectation,
    hz: u64,
) -> Option<Latency> {
    if !expect.same_clock {
        return None;
    }
    let mut all = LatencyHistogram::default();
    queues.for_each(|q| all.add(q));
    Some(all.report("tsc of one host", hz))
}

fn since(now: PortStats, before: PortStats) -> PortStats {
    PortStats {
        ipackets: now.ipackets.saturating_sub(before.ipackets),
        opackets: now.opackets.saturating_sub(before.opackets),
        ibytes: now.ibytes.saturating_sub(before.ibytes),
        obytes: now.obytes.saturating_sub(before.obytes),
        imissed: now.imissed.saturating_sub(before.imissed),
        ierrors: now.ierrors.saturating_sub(before.ierrors),
        oerrors: now.oerrors.saturating_sub(before.oerrors),
        rx_nombuf: now.rx_nombuf.saturating_sub(before.rx_nombuf),
    }
}
