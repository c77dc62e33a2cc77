//! One end's samples as Pktgen's counters of a port. Runs begin at zero; a port's counters go on over all of them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use lua_compat::counts::{Count, Counts, Rates};
use traffic::profile::Profile;
use traffic::units::FCS_BYTES;
use traffic::wire::{Latency, Sample};

/// What a rate is of.
const SECOND_NS: u64 = 1_000_000_000;
/// Less time than this says nothing of a rate.
const RATE_NS_MIN: u64 = 10_000_000;

/// What is sent, as far as the receiver's counters tell it apart.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sort {
    /// Bytes of every frame with FCS, where all are of one size.
    pub size: Option<u16>,
    /// The kind of frames that carry the mark: receivers tell the others apart themselves.
    pub kind: Option<Count>,
}

impl Sort {
    /// Of what a profile sends.
    pub fn of(profile: &Profile) -> Sort {
        let sizes = || profile.streams.iter().map(|s| s.frame_size.bounds());
        let (least, most) = (sizes().map(|b| b.0).min(), sizes().map(|b| b.1).max());
        let kind = profile.streams.first().map(|stream| match () {
            () if !stream.vlan.is_empty() => Count::Vlan,
            () if stream.ipv6.is_some() => Count::Ipv6,
            () if stream.ipv4.is_some() => Count::Ip,
            () => Count::Unknown,
        });
        Sort { size: least.filter(|least| Some(*least) == most).map(|size| size.bytes()), kind }
    }
}

/// One port's counters.
#[derive(Debug, Default)]
pub struct Books {
    /// Of the runs that are over.
    before: Counts,
    /// Of the one that is not.
    now: Counts,
    cleared: Counts,
    /// The number of the next sample.
    next: u64,
    sort: Sort,
    /// The samples of the last second: nanoseconds and counters.
    window: VecDeque<(u64, Counts)>,
    rates: Rates,
    ended: Option<Instant>,
    /// Of the last run.
    latency: Latency,
    /// Mean latencies between samples, in nanoseconds, while somebody wants them: so many more.
    pub means: Vec<u64>,
    wanted: usize,
}

impl Books {
    /// A run begins.
    pub fn begin(&mut self, sort: Sort) {
        (self.next, self.sort, self.ended) = (0, sort, None);
        self.window = VecDeque::from([(0, Counts::default())]);
        self.latency = Latency::default();
    }

    /// The number of the next sample.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Takes a sample, once.
    pub fn take(&mut self, sample: &Sample) {
        if sample.n < self.next {
            return;
        }
        self.next = sample.n + 1;
        self.update(sample);
        let at = sample.elapsed_ns;
        self.window.push_back((at, self.now));
        while self.window.get(1).is_some_and(|(then, _)| then + SECOND_NS <= at) {
            self.window.pop_front();
        }
        let Some((then, counts)) = self.window.front().filter(|(then, _)| then + RATE_NS_MIN <= at) else {
            return;
        };
        let mut rate = self.now.since(counts);
        let seconds = (at - then) as f64 / SECOND_NS as f64;
        rate.0.iter_mut().for_each(|n| *n = (*n as f64 / seconds).round() as u64);
        let (received, sent) = self.rates.most;
        self.rates.most = (received.max(rate.get(Count::Ipackets)), sent.max(rate.get(Count::Opackets)));
        self.rates.last = rate;
    }

    /// The run is over; its last word where it had one.
    pub fn close(&mut self, totals: Option<&Sample>) {
        if let Some(totals) = totals {
            self.update(totals);
        }
        for (sum, n) in self.before.0.iter_mut().zip(&self.now.0) {
            *sum += n;
        }
        (self.now, self.ended) = (Counts::default(), Some(Instant::now()));
    }

    fn update(&mut self, sample: &Sample) {
        self.now = counts(sample, self.sort);
        let Some(latency) = &sample.latency else { return };
        let more = latency.count.saturating_sub(self.latency.count);
        if more > 0 && self.means.len() < self.wanted {
            let sum = |l: &Latency| l.mean_ns * l.count as f64;
            self.means.push(((sum(latency) - sum(&self.latency)) / more as f64).round() as u64);
        }
        self.latency = latency.clone();
    }

    /// Since the first run.
    pub fn all(&self) -> Counts {
        let mut all = self.before;
        all.0.iter_mut().zip(&self.now.0).for_each(|(sum, n)| *sum += n);
        all
    }

    /// Since the last `clear`.
    pub fn counts(&self) -> Counts {
        self.all().since(&self.cleared)
    }

    /// Of the last second: none once a run has been over for longer.
    pub fn rates(&self) -> Rates {
        let is_over = self.ended.is_some_and(|at| at.elapsed() > Duration::from_nanos(SECOND_NS));
        Rates { last: if is_over { Counts::default() } else { self.rates.last }, most: self.rates.most }
    }

    /// Of the last run's frames.
    pub fn latency(&self) -> Latency {
        self.latency.clone()
    }

    /// Counters to zero.
    pub fn clear(&mut self) {
        (self.cleared, self.rates) = (self.all(), Rates::default());
    }

    /// So many means are wanted from here on.
    pub fn want(&mut self, means: usize) {
        (self.means, self.wanted) = (Vec::new(), means);
    }
}

/// A sample in Pktgen's words.
fn counts(sample: &Sample, sort: Sort) -> Counts {
    let mut counts = Counts::default();
    for core in &sample.cores {
        counts.add(Count::Opackets, core.tx_packets);
        counts.add(Count::Obytes, core.tx_bytes);
        counts.add(Count::TxFailed, core.unsent_packets);
        counts.add(Count::Ipackets, core.rx_packets);
        counts.add(Count::Ibytes, core.rx_bytes);
    }
    counts.add(Count::Imissed, sample.port.imissed);
    counts.add(Count::Ierrors, sample.port.ierrors);
    counts.add(Count::Oerrors, sample.port.oerrors);
    counts.add(Count::RxNombuf, sample.port.rx_nombuf);
    let (frames, bytes) = (counts.get(Count::Ipackets), counts.get(Count::Ibytes));
    // Receivers count no sizes: it is known where all frames have one.
    if let Some(size) = sort.size
        && bytes == frames * u64::from(size.saturating_sub(FCS_BYTES))
    {
        counts.add(Count::by_size(size.into()), frames);
    }
    if let Some(account) = &sample.account {
        counts.add(Count::Arp, account.foreign_arp);
        counts.add(Count::Ip, account.foreign_ipv4.saturating_sub(account.foreign_tagged));
        counts.add(Count::Ipv6, account.foreign_ipv6);
        counts.add(Count::Vlan, account.foreign_tagged);
        counts.add(Count::Unknown, account.foreign_lldp + account.foreign_other);
        counts.add(Count::Broadcast, account.foreign_broadcast);
        counts.add(Count::Multicast, account.foreign_multicast);
        if let Some(kind) = sort.kind {
            counts.add(kind, frames.saturating_sub(account.foreign()));
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::wire::CoreCounters;

    fn sample(n: u64, frames: u64, latency: Option<(u64, f64)>) -> Sample {
        let core = CoreCounters { rx_packets: frames, rx_bytes: frames * 60, ..CoreCounters::default() };
        let latency = latency.map(|(count, mean_ns)| Latency { count, mean_ns, ..Latency::default() });
        Sample { n, elapsed_ns: (n + 1) * 500_000_000, cores: vec![core], latency, ..Sample::default() }
    }

    #[test]
    fn counters_go_on_over_runs_and_start_again_when_cleared() {
        let mut books = Books::default();
        let sort = Sort { size: Some(64), kind: None };
        books.begin(sort);
        books.take(&sample(0, 10, None));
        books.take(&sample(0, 10, None));
        books.take(&sample(1, 30, None));
        assert_eq!((books.counts().get(Count::Ipackets), books.counts().get(Count::S64)), (30, 30));
        books.close(Some(&sample(2, 40, None)));
        books.begin(sort);
        books.take(&sample(0, 5, None));
        assert_eq!(books.counts().get(Count::Ipackets), 45);
        books.clear();
        books.take(&sample(1, 7, None));
        assert_eq!(books.counts().get(Count::Ipackets), 2);
    }

    #[test]
    fn rates_are_of_the_last_second_and_means_of_what_came_between_two_samples() {
        let mut books = Books::default();
        books.begin(Sort::default());
        books.want(2);
        for (n, frames, latency) in
            [(0, 100, (100, 10.0)), (1, 200, (200, 20.0)), (2, 600, (600, 20.0)), (3, 1000, (900, 9.0))]
        {
            books.take(&sample(n, frames, Some(latency)));
        }
        assert_eq!(books.rates().last.get(Count::Ipackets), 800);
        assert_eq!(books.rates().most, (800, 0));
        assert_eq!(books.means, [10, 30], "as many as were wanted");
        assert_eq!(books.latency().count, 900);
    }
}
