//! The loop of one live port: obey → send what is due → take and count what came.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dpdk::{FramePool, RxBurst, RxQueue, TxBurst, TxQueue, tsc};
use traffic::cursor::MAX_BURST;
use traffic::stamp::{self, MASK_48};

use super::job::Job;
use super::state::{Count, Counts, Order, PortState, lock};
use crate::clock::RunClock;
use crate::tx::Source;

/// Frames taken at once.
const RX_BURST: usize = 64;
/// Frames sent at once.
const TX_BURST: u64 = 32;
/// Calls of a driver that takes nothing before the frames count as failed.
const SEND_ATTEMPTS: u32 = 64;
/// How long mbufs of the last job may take to come home before the new one copies every frame whole.
const HOME_LIMIT: Duration = Duration::from_millis(5);
/// A rate below so many frames a second leaves the CPU to others between two frames.
const SLOW_PPS: u64 = 20_000;

/// One port's queues, and what its thread knows.
#[derive(Debug)]
pub struct Worker<'a, 'e> {
    /// To send.
    pub tx: TxQueue<'e>,
    /// To receive.
    pub rx: RxQueue<'e>,
    /// Frames to send.
    pub pool: &'e FramePool<'e>,
    /// What it shares.
    pub state: &'a PortState,
    /// The clock of its marks.
    pub clock: &'a RunClock,
    /// The tag of its marks.
    pub tag: u32,
}

/// A job that is being sent.
struct Running {
    source: Box<dyn Source + Send>,
    /// What each mbuf is made of before it is written, where not all could be prepared.
    image: Option<Vec<u8>>,
    is_slow: bool,
}

/// Latency samples that are being taken.
struct Sampling {
    interval: u64,
    next: u64,
    left: usize,
}

/// What the loop changes.
struct Loop<'e> {
    counts: Counts,
    back: RxBurst<'e, RX_BURST>,
    running: Option<Running>,
    sampling: Option<Sampling>,
    closed: bool,
}

impl<'e> Worker<'_, 'e> {
    /// Works until told to close.
    pub fn run(mut self) {
        let mut own = Loop {
            counts: Counts::default(),
            back: self.rx.burst(),
            running: None,
            sampling: None,
            closed: false,
        };
        let mut burst: TxBurst<'_, MAX_BURST> = self.pool.burst();
        let mut taken = 0;
        while !own.closed {
            if self.state.has_orders(taken) {
                let (orders, number) = self.state.take_orders();
                orders.into_iter().for_each(|order| self.obey(order, &mut own));
                taken = number;
                self.state.obeyed(taken);
            }
            let came = self.receive(&mut own);
            let sent = self.send(&mut own, &mut burst);
            let is_slow = own.running.as_ref().is_none_or(|job| job.is_slow);
            match (came + sent, is_slow) {
                (0, true) => std::thread::yield_now(),
                (0, false) => std::hint::spin_loop(),
                _ => {}
            }
        }
        self.state.set_sending(false);
        drop(burst);
        self.pool.flush_cache();
    }

    fn obey(&mut self, order: Order, own: &mut Loop<'e>) {
        match order {
            Order::Send(job) => {
                own.running = None;
                let prepared = self.prepare(*job, own);
                own.running = Some(prepared);
                self.state.set_sending(true);
            }
            Order::Stop => {
                own.running = None;
                self.state.set_sending(false);
            }
            Order::Sample(interval, left) => {
                lock(&self.state.samples).reserve(left);
                own.sampling = (left > 0).then_some(Sampling { interval, next: 0, left });
            }
            Order::Close => own.closed = true,
        }
    }

    /// Writes the job's image into every mbuf. Those that the device still holds are waited for, within a bound; when
    /// some stay away, each frame is written whole before it is sent.
    fn prepare(&mut self, job: Job, own: &mut Loop<'e>) -> Running {
        let limit = Instant::now() + HOME_LIMIT;
        while self.pool.in_use() > 0 && Instant::now() < limit {
            // Drivers that can't are those that give mbufs back at once.
            let _ = self.tx.reclaim(0);
            self.receive(own);
            std::thread::yield_now();
        }
        let mut held: Vec<TxBurst<'_, 512>> = Vec::new();
        let mut filled = 0;
        loop {
            let mut some = self.pool.burst::<512>();
            let count = some.take(512);
            if count == 0 {
                break;
            }
            fill(&mut some, &job.image);
            filled += count;
            held.push(some);
        }
        drop(held);
        let is_whole = filled == self.pool.pool().mbufs() as usize;
        let mut source = job.source;
        source.start(tsc());
        let slow_ticks = self.clock.tsc_hz() / SLOW_PPS;
        let is_slow = source.interval() > slow_ticks;
        Running { source, image: (!is_whole).then_some(job.image), is_slow }
    }

    /// Sends what is due: how many frames that were.
    #[inline]
    fn send(&mut self, own: &mut Loop<'e>, burst: &mut TxBurst<'e, MAX_BURST>) -> usize {
        let Some(job) = &mut own.running else { return 0 };
        if job.source.left() == 0 {
            own.running = None;
            self.state.set_sending(false);
            return 0;
        }
        let now = tsc();
        let granted = job.source.grant(now, TX_BURST);
        if granted == 0 {
            return 0;
        }
        let taken = burst.take(granted as usize) as u64;
        if let Some(image) = &job.image {
            fill(burst, image);
        }
        job.source.write(burst, self.clock.time(now));
        let mut sent = self.tx.tx(burst) as u64;
        let mut attempts = 0;
        while !burst.is_empty() && attempts < SEND_ATTEMPTS {
            let more = self.tx.tx(burst) as u64;
            attempts = if more == 0 { attempts + 1 } else { 0 };
            sent += more;
        }
        own.counts.add(Count::Obytes, job.source.settle(granted, taken, sent));
        own.counts.add(Count::Opackets, sent);
        if sent < taken {
            own.counts.add(Count::TxFailed, taken - sent);
            burst.recycle();
        }
        self.state.store_sent(&own.counts);
        sent as usize
    }

    /// Takes what came: how many frames that were.
    #[inline]
    fn receive(&mut self, own: &mut Loop<'e>) -> usize {
        let count = self.rx.rx(&mut own.back);
        if count == 0 {
            return 0;
        }
        let now = self.clock.time(tsc()) & MASK_48;
        let mut latency = None;
        for frame in own.back.frames() {
            book(&mut own.counts, frame);
            if let Some(mark) = stamp::read(frame, self.tag) {
                let ticks = now.wrapping_sub(mark.time) & MASK_48;
                latency.get_or_insert_with(|| lock(&self.state.latency)).record(ticks);
                let above = ticks > self.state.jitter_ticks.load(Ordering::Relaxed);
                own.counts.add(Count::Jitter, above.into());
                if let Some(sampling) = &mut own.sampling
                    && sampling.left > 0
                    && now >= sampling.next
                {
                    sampling.next = now + sampling.interval;
                    sampling.left -= 1;
                    lock(&self.state.samples).push(ticks);
                }
            }
        }
        drop(latency);
        own.back.free();
        self.state.store(&own.counts);
        count
    }
}

/// Makes every frame of a burst the image.
fn fill<const N: usize>(burst: &mut TxBurst<'_, N>, image: &[u8]) {
    for mut frame in burst.frames_mut() {
        if let Some(place) = frame.data().get_mut(..image.len()) {
            place.copy_from_slice(image);
        }
        frame.set_len(image.len() as u16);
    }
}

/// Counts a received frame by its size and kind, as Pktgen does. Sizes are with the FCS.
#[inline]
fn book(counts: &mut Counts, frame: &[u8]) {
    counts.add(Count::Ipackets, 1);
    counts.add(Count::Ibytes, frame.len() as u64);
    counts.add(Count::by_size(frame.len() + usize::from(traffic::units::FCS_BYTES)), 1);
    match frame.first_chunk::<6>() {
        Some([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) => counts.add(Count::Broadcast, 1),
        Some([first, ..]) if first & 1 == 1 => counts.add(Count::Multicast, 1),
        _ => {}
    }
    let kind = match frame.get(12..14) {
        Some([0x08, 0x00]) if frame.get(23) == Some(&1) => Count::Echo,
        Some([0x08, 0x00]) => Count::Ip,
        Some([0x08, 0x06]) => Count::Arp,
        Some([0x86, 0xdd]) => Count::Ipv6,
        Some([0x81, 0x00] | [0x88, 0xa8]) => Count::Vlan,
        _ => Count::Unknown,
    };
    counts.add(kind, 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_by_size_and_kind() {
        let mut counts = Counts::default();
        let frame = |len: usize, kind: [u8; 2], dst: u8| {
            let mut frame = vec![0; len];
            frame[..6].fill(dst);
            frame[12..14].copy_from_slice(&kind);
            frame
        };
        book(&mut counts, &frame(60, [8, 0], 2));
        book(&mut counts, &frame(61, [8, 6], 0xff));
        book(&mut counts, &frame(1518, [0x81, 0], 1));
        book(&mut counts, &frame(1519, [0x86, 0xdd], 2));
        book(&mut counts, &[0; 20]);
        let one = [
            Count::S64,
            Count::S65To127,
            Count::S1024To1522,
            Count::Jumbo,
            Count::Runt,
            Count::Ip,
            Count::Arp,
            Count::Vlan,
            Count::Ipv6,
            Count::Unknown,
            Count::Broadcast,
            Count::Multicast,
        ];
        assert!(one.iter().all(|count| counts.get(*count) == 1), "{counts:?}");
        assert_eq!(counts.get(Count::Ipackets), 5);
    }
}
