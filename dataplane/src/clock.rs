//! The clock of the marks: the CPU's counter as it is, or CLOCK_REALTIME by way of it.
//!
//! A call to the kernel's clock for every burst would cost more than the burst. The main core compares the two clocks
//! once a second and publishes how one follows from the other; workers multiply and add.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering, fence};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dpdk::tsc;
use traffic::wire::MarkClock;

/// How often the clocks are compared.
pub const COMPARE_EVERY: Duration = Duration::from_secs(1);
/// Readings of which the tightest counts: the others were interrupted.
const READINGS: usize = 16;
/// A rate is taken from comparisons at least so far apart: reading errors of 50 ns are then below 1 ppm.
const RATE_FROM_NS: u64 = 100_000_000;
/// CLOCK_REALTIME was set, not disciplined, when it is further off than this after a second; a discipline moves it by
/// 500 ppm at most.
const STEP_NS: u64 = 1_000_000;
/// Time in which the counter's rate can be measured to a few parts in a million.
const METER_FROM: Duration = Duration::from_millis(20);
/// Fractions of a nanosecond a tick.
const FRACTION_BITS: u32 = 32;

/// One run's clock.
#[derive(Debug)]
pub struct RunClock {
    kind: MarkClock,
    hz: u64,
    line: Line,
    /// Whether the counter's rate was measured: DPDK's own figure may be 0.2 % off where it has to estimate.
    is_measured: AtomicBool,
    steps: AtomicU64,
    largest_step_ns: AtomicI64,
}

/// Nanoseconds = `ns` + (ticks − `ticks`) × `rate`. One writer; readers take it whole or again.
#[derive(Debug, Default)]
struct Line {
    version: AtomicU64,
    ticks: AtomicU64,
    ns: AtomicU64,
    rate: AtomicU64,
}

impl Line {
    #[inline]
    fn read(&self) -> (u64, u64, u64) {
        loop {
            let version = self.version.load(Ordering::Acquire);
            let load = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
            let line = (load(&self.ticks), load(&self.ns), load(&self.rate));
            fence(Ordering::Acquire);
            if version & 1 == 0 && self.version.load(Ordering::Relaxed) == version {
                return line;
            }
            std::hint::spin_loop();
        }
    }

    fn write(&self, (ticks, ns, rate): (u64, u64, u64)) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version | 1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.ticks.store(ticks, Ordering::Relaxed);
        self.ns.store(ns, Ordering::Relaxed);
        self.rate.store(rate, Ordering::Relaxed);
        self.version.store((version | 1) + 1, Ordering::Release);
    }
}

fn on(line: (u64, u64, u64), at: u64) -> u64 {
    let (ticks, ns, rate) = line;
    let since = at.wrapping_sub(ticks).cast_signed();
    ns.wrapping_add(((i128::from(since) * i128::from(rate)) >> FRACTION_BITS) as u64)
}

impl RunClock {
    /// For a counter of `hz`; the clocks are compared for the first time.
    pub fn new(kind: MarkClock, hz: u64) -> RunClock {
        let clock = RunClock {
            kind,
            hz,
            line: Line::default(),
            is_measured: AtomicBool::new(false),
            steps: AtomicU64::new(0),
            largest_step_ns: AtomicI64::new(0),
        };
        let (ticks, ns) = read_both();
        clock.line.write((ticks, ns, clock.nominal_rate()));
        clock
    }

    fn nominal_rate(&self) -> u64 {
        ((1_000_000_000u128 << FRACTION_BITS) / u128::from(self.hz.max(1))) as u64
    }

    /// Compares the clocks; the main core does, once a second.
    pub fn compare(&self) {
        if self.kind != MarkClock::Tsc {
            let (ticks, ns) = read_both();
            self.compare_at(ticks, ns);
        }
    }

    fn compare_at(&self, ticks: u64, ns: u64) {
        let line = self.line.read();
        let off = ns.wrapping_sub(on(line, ticks)).cast_signed();
        let (gone_ticks, gone_ns) = (ticks.wrapping_sub(line.0), ns.wrapping_sub(line.1));
        let measured = || ((u128::from(gone_ns) << FRACTION_BITS) / u128::from(gone_ticks.max(1))) as u64;
        let rate = if gone_ns < RATE_FROM_NS {
            // Too soon to tell.
            line.2
        } else if !self.is_measured.swap(true, Ordering::Relaxed) {
            measured()
        } else if off.unsigned_abs() > STEP_NS {
            self.steps.fetch_add(1, Ordering::Relaxed);
            if off.unsigned_abs() > self.largest_step_ns.load(Ordering::Relaxed).unsigned_abs() {
                self.largest_step_ns.store(off, Ordering::Relaxed);
            }
            line.2
        } else {
            measured()
        };
        self.line.write((ticks, ns, rate));
    }

    /// The mark's time for a moment of the counter.
    #[inline(always)]
    pub fn time(&self, ticks: u64) -> u64 {
        match self.kind {
            MarkClock::Tsc => ticks,
            MarkClock::Realtime { .. } => on(self.line.read(), ticks),
        }
    }

    /// The wall clock at a moment of the counter, nanoseconds since 1970.
    pub fn unix_ns(&self, ticks: u64) -> u64 {
        on(self.line.read(), ticks)
    }

    /// Ticks of the counter a second.
    pub fn tsc_hz(&self) -> u64 {
        self.hz
    }

    /// Units of [`Self::time`] a second.
    pub fn hz(&self) -> u64 {
        match self.kind {
            MarkClock::Tsc => self.hz,
            MarkClock::Realtime { .. } => 1_000_000_000,
        }
    }

    /// As users read it.
    pub fn name(&self) -> &'static str {
        match self.kind {
            MarkClock::Tsc => "tsc of one host",
            MarkClock::Realtime { .. } => "CLOCK_REALTIME of both hosts",
        }
    }

    /// How far the two ends' clocks may differ, says the user.
    pub fn error_ns(&self) -> Option<u64> {
        match self.kind {
            MarkClock::Tsc => None,
            MarkClock::Realtime { error_ns } => Some(error_ns),
        }
    }

    /// What went wrong with the clock.
    pub fn warning(&self) -> Option<String> {
        let steps = self.steps.load(Ordering::Relaxed);
        let largest_us = self.largest_step_ns.load(Ordering::Relaxed) / 1000;
        (steps > 0).then(|| {
            format!(
                "CLOCK_REALTIME was set {steps} time(s) during the run, by {largest_us} µs at the most: latencies around \
                 then are wrong; see that it is disciplined (ptp4l and phc2sys) and not set"
            )
        })
    }
}

/// Both clocks at one moment: (ticks, nanoseconds since 1970).
fn read_both() -> (u64, u64) {
    let unix = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let (ticks, ns) = at_once(unix);
    (ticks, u64::try_from(ns).unwrap_or(u64::MAX))
}

/// The counter and another clock at one moment.
fn at_once<T>(read: impl Fn() -> T) -> (u64, T) {
    let reading = || {
        let before = tsc();
        let now = read();
        let width = tsc().wrapping_sub(before);
        (width, (before.wrapping_add(width / 2), now))
    };
    let mut tightest = reading();
    for _ in 1..READINGS {
        let next = reading();
        if next.0 < tightest.0 {
            tightest = next;
        }
    }
    tightest.1
}

/// Measures the counter's rate while an engine starts. DPDK's own figure is rounded to 10 MHz where it has to
/// estimate, as in most virtual machines: 0.2 % off is more than a rate may be.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    ticks: u64,
    began: Instant,
}

impl Meter {
    /// From here on.
    pub fn start() -> Meter {
        let (ticks, began) = at_once(Instant::now);
        Meter { ticks, began }
    }

    /// Ticks a second since the start; `nominal` where too little time has passed to tell, or where the two are too far
    /// apart to be of one counter.
    pub fn hz(&self, nominal: u64) -> u64 {
        let (ticks, now) = at_once(Instant::now);
        let since = now.saturating_duration_since(self.began);
        let measured = ticks.wrapping_sub(self.ticks) as f64 / since.as_secs_f64();
        let is_near = (measured / nominal as f64 - 1.0).abs() < 0.01;
        if since >= METER_FROM && is_near { measured.round() as u64 } else { nominal }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HZ: u64 = 2_000_000_000;
    const REALTIME: MarkClock = MarkClock::Realtime { error_ns: 100 };

    /// A clock that was compared at 0 ticks, 10^18 ns.
    fn at_zero() -> RunClock {
        let clock = RunClock::new(REALTIME, HZ);
        clock.line.write((0, 1_000_000_000_000_000_000, clock.nominal_rate()));
        clock
    }

    #[test]
    fn the_counter_alone_is_itself() {
        let clock = RunClock::new(MarkClock::Tsc, HZ);
        assert_eq!((clock.time(77), clock.hz(), clock.error_ns()), (77, HZ, None));
    }

    #[test]
    fn times_follow_the_rate_that_the_clocks_were_seen_to_have() {
        let clock = at_zero();
        assert_eq!(clock.time(2 * HZ), 1_000_000_002_000_000_000);
        // 0.2 % slower than the counter was said to be: after a second that is known.
        clock.compare_at(HZ, 1_000_000_000_998_000_000);
        assert_eq!(clock.time(HZ), 1_000_000_000_998_000_000);
        let off = clock.time(2 * HZ).abs_diff(1_000_000_001_996_000_000);
        assert!(off <= 1, "{off} ns off");
        // Before the comparison too: a worker may have read the counter a little earlier.
        assert!(clock.time(HZ - 2000).abs_diff(1_000_000_000_997_999_002) <= 1);
        assert_eq!(clock.warning(), None);
    }

    #[test]
    fn a_clock_that_is_set_keeps_its_rate_and_is_told_of() {
        let clock = at_zero();
        clock.compare_at(HZ, 1_000_000_001_000_000_000);
        clock.compare_at(2 * HZ, 1_000_000_007_000_000_000);
        assert_eq!(clock.time(3 * HZ), 1_000_000_008_000_000_000);
        let warning = clock.warning().unwrap();
        assert!(warning.contains("1 time(s)") && warning.contains("5000000 µs"), "{warning}");
    }

    #[test]
    fn it_is_the_wall_clock() {
        let meter = Meter::start();
        while meter.began.elapsed() < METER_FROM {}
        let nominal = ((tsc() - meter.ticks) as f64 / meter.began.elapsed().as_secs_f64()) as u64;
        let hz = meter.hz(nominal);
        assert!(hz.abs_diff(nominal) < nominal / 100, "{hz}, about {nominal}");
        assert_eq!(meter.hz(nominal * 2), nominal * 2, "another counter's");
        assert_eq!(Meter::start().hz(77), 77, "too soon");
        let clock = RunClock::new(REALTIME, hz);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        // Between two readings there may be a turn of another process.
        assert!(clock.time(tsc()).abs_diff(wall) < 1_000_000_000);
    }

    #[test]
    fn readers_never_see_half_a_line() {
        let line = Line::default();
        line.write((0, 0, 0));
        std::thread::scope(|scope| {
            scope.spawn(|| (1..200_000).for_each(|n| line.write((n, n, n))));
            for _ in 0..200_000 {
                let (a, b, c) = line.read();
                assert!(a == b && b == c, "{a} {b} {c}");
            }
        });
    }
}
