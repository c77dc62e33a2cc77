//! A tick: every counter read once, with one time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dpdk::{Port, Xstats};
use traffic::account::latency::LatencyHistogram;
use traffic::account::{Expectation, by_stream, merge};
use traffic::wire::{CoreCounters, Latency, PortStats, Sample};

use super::control::Control;
use crate::counters::CoreBlock;
use crate::rx::Books;

/// How long a receiving worker may take to show its books: it looks once a poll.
const BOOKS_LIMIT: Duration = Duration::from_millis(200);

/// The clock that latency is measured by.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// As users read it.
    pub name: &'static str,
    /// Ticks a second.
    pub hz: u64,
    /// How far the two ends' clocks may differ, says the user.
    pub error_ns: Option<u64>,
}

impl Clock {
    /// There and back, by the sender's counter alone.
    pub const ROUND_TRIP: &'static str = "round trip, tsc of the sender";
}

/// Reads one run's counters. Reading changes none of them.
#[derive(Debug)]
pub struct Sampler<'a, 'e> {
    port: &'a Port<'e>,
    cores: &'a [CoreBlock],
    /// Of those who book what they receive.
    books: Option<(&'a [Books], &'a Expectation, Clock)>,
    began: Instant,
    meter: PortMeter,
    /// None where the driver has no extended statistics.
    xmeter: Option<XstatsMeter>,
    n: u64,
    link: LinkWatch,
}

/// The link from look to look.
#[derive(Clone, Copy, Debug, Default)]
struct LinkWatch {
    was_up: bool,
    losses: u64,
}

impl<'a, 'e> Sampler<'a, 'e> {
    /// For a worker that books nothing.
    pub fn for_tx(port: &'a Port<'e>, cores: &'a [CoreBlock]) -> Sampler<'a, 'e> {
        Sampler {
            port,
            cores,
            books: None,
            began: Instant::now(),
            meter: PortMeter::default(),
            xmeter: None,
            n: 0,
            link: LinkWatch::default(),
        }
    }

    /// For a receiver, or a sender that books what comes back: worker and books have one number.
    pub fn for_rx(
        port: &'a Port<'e>,
        cores: &'a [CoreBlock],
        books: &'a [Books],
        expect: &'a Expectation,
        clock: Clock,
    ) -> Sampler<'a, 'e> {
        Sampler { books: Some((books, expect, clock)), ..Sampler::for_tx(port, cores) }
    }

    /// Time zero.
    pub fn start(&mut self, now: Instant) {
        self.began = now;
        self.look_at_link();
        self.meter = PortMeter { last: self.port_stats(), ..PortMeter::default() };
        self.xmeter = self.port.xstats().ok().map(XstatsMeter::new);
    }

    /// The next sample.
    pub fn take(&mut self, control: &Control) -> Sample {
        let tick = self.n + 1;
        if let Some((books, ..)) = self.books {
            books.iter().for_each(|b| b.ask(tick));
            // A worker that shares its CPU may not get to it in time: its last copy serves then.
            control
                .wait_for(BOOKS_LIMIT, Duration::from_micros(100), || books.iter().all(|b| b.is_shown(tick)));
        }
        let mut sample = self.counters();
        if let Some((books, expect, clock)) = self.books {
            let copies: Vec<_> = books.iter().map(Books::read).collect();
            let accountants: Vec<_> = copies.iter().map(|c| &c.accountant).collect();
            // Of the same moment as the books; the blocks have gone on since.
            for (core, copy) in sample.cores.iter_mut().zip(&copies) {
                *core = CoreCounters { cpu: core.cpu, ..copy.tally };
            }
            let (account, shards) = merge(&accountants, expect);
            sample.account = Some(account);
            sample.streams = by_stream(&shards);
            sample.latency = latency(accountants.iter().flat_map(|a| a.latency()), expect, clock);
        }
        sample.n = self.n;
        self.n += 1;
        sample
    }

    /// The counters alone.
    pub fn counters(&mut self) -> Sample {
        self.look_at_link();
        let port = self.meter.read(self.port_stats());
        let xstats = self.xmeter.as_mut().map(|meter| meter.read(self.port)).unwrap_or_default();
        Sample {
            n: self.n,
            unix_ns: unix_ns(),
            elapsed_ns: u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX),
            cores: self.cores.iter().map(CoreBlock::read).collect(),
            port,
            xstats,
            account: None,
            latency: None,
            streams: Vec::new(),
        }
    }

    /// Whether the driver set its counters to zero meanwhile: what it had counted since the last sample is
    /// then missing.
    pub fn port_was_reset(&self) -> bool {
        self.meter.was_reset
    }

    /// How often the link was up at one look and down at the next.
    pub fn link_losses(&self) -> u64 {
        self.link.losses
    }

    fn look_at_link(&mut self) {
        let is_up = self.port.link().is_ok_and(|link| link.up);
        self.link.losses += u64::from(self.link.was_up && !is_up);
        self.link.was_up = is_up;
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

/// The wall clock, nanoseconds since 1970; 0 where it stands before.
pub fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// All these as one; `None` where the clocks differ.
pub fn latency<'a>(
    parts: impl Iterator<Item = &'a LatencyHistogram>,
    expect: &Expectation,
    clock: Clock,
) -> Option<Latency> {
    if !expect.same_clock {
        return None;
    }
    let all = sum(parts);
    Some(Latency { clock_error_ns: clock.error_ns, ..all.report(clock.name, clock.hz) })
}

/// How the latency of all these is spread; empty where the clocks differ.
pub fn latency_steps<'a>(
    parts: impl Iterator<Item = &'a LatencyHistogram>,
    expect: &Expectation,
    clock: Clock,
) -> Vec<(u64, u64)> {
    if expect.same_clock { sum(parts).steps(clock.hz) } else { Vec::new() }
}

fn sum<'a>(parts: impl Iterator<Item = &'a LatencyHistogram>) -> LatencyHistogram {
    let mut all = LatencyHistogram::default();
    parts.for_each(|part| all.add(part));
    all
}

/// The driver's extended statistics since the start. Names are asked for once.
#[derive(Debug)]
struct XstatsMeter {
    now: Xstats,
    last: Vec<u64>,
    total: Vec<u64>,
}

impl XstatsMeter {
    fn new(now: Xstats) -> XstatsMeter {
        XstatsMeter { last: now.values().to_vec(), total: vec![0; now.values().len()], now }
    }

    /// Those that are not zero.
    fn read(&mut self, port: &Port<'_>) -> BTreeMap<String, u64> {
        if self.now.refresh(port).is_ok() {
            advance(&mut self.total, &mut self.last, self.now.values());
        }
        let named = self.now.names().iter().zip(&self.total);
        named.filter(|(_, value)| **value > 0).map(|(name, value)| (name.clone(), *value)).collect()
    }
}

/// Adds what was counted since `last`; a counter that fell was set to zero meanwhile.
fn advance(total: &mut [u64], last: &mut [u64], now: &[u64]) {
    for ((total, last), now) in total.iter_mut().zip(last).zip(now) {
        *total += now.checked_sub(*last).unwrap_or(*now);
        *last = *now;
    }
}

/// The port's counters since the start, though a driver may set them to zero meanwhile (memif does when its
/// peer leaves).
#[derive(Clone, Copy, Debug, Default)]
struct PortMeter {
    last: PortStats,
    total: PortStats,
    was_reset: bool,
}

impl PortMeter {
    fn read(&mut self, now: PortStats) -> PortStats {
        let mut was_reset = false;
        let mut advance = |total: &mut u64, last: u64, now: u64| {
            was_reset |= now < last;
            *total += now.checked_sub(last).unwrap_or(now);
        };
        let (total, last) = (&mut self.total, &self.last);
        advance(&mut total.ipackets, last.ipackets, now.ipackets);
        advance(&mut total.opackets, last.opackets, now.opackets);
        advance(&mut total.ibytes, last.ibytes, now.ibytes);
        advance(&mut total.obytes, last.obytes, now.obytes);
        advance(&mut total.imissed, last.imissed, now.imissed);
        advance(&mut total.ierrors, last.ierrors, now.ierrors);
        advance(&mut total.oerrors, last.oerrors, now.oerrors);
        advance(&mut total.rx_nombuf, last.rx_nombuf, now.rx_nombuf);
        self.was_reset |= was_reset;
        self.last = now;
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_statistics_count_from_the_start_and_over_resets() {
        let (mut total, mut last) = ([0; 3], [5, 0, 9]);
        advance(&mut total, &mut last, &[7, 0, 9]);
        advance(&mut total, &mut last, &[1, 0, 12]);
        assert_eq!(total, [3, 0, 3]);
    }

    #[test]
    fn a_driver_that_starts_anew_loses_no_counted_frame() {
        let mut meter =
            PortMeter { last: PortStats { ipackets: 100, ..PortStats::default() }, ..PortMeter::default() };
        let at = |ipackets| PortStats { ipackets, ..PortStats::default() };
        assert_eq!(meter.read(at(150)).ipackets, 50);
        assert!(!meter.was_reset);
        assert_eq!(meter.read(at(20)).ipackets, 70);
        assert_eq!(meter.read(at(20)).ipackets, 70);
        assert!(meter.was_reset);
    }
}
