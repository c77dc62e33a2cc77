//! A profile as what a worker sends: compiled by whoever asks, handed over whole.

use std::fmt;

use traffic::cursor::Cursor;
use traffic::fault::Faults;
use traffic::mixed::Mixed;
use traffic::pacer::{Departures, Gap, Pacer};
use traffic::plan::Plan;
use traffic::profile::{Profile, Stop};
use traffic::replay::{Capture, ReplayError};

use crate::tx::source::Burst;
use crate::tx::{Plain, Source, Streams};

/// What is sent, and what all mbufs must hold before.
pub struct Job {
    /// The frames by the clock.
    pub source: Box<dyn Source + Send>,
    /// Every mbuf's bytes before the first frame.
    pub image: Vec<u8>,
    /// For the user's eyes.
    pub warnings: Vec<String>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("image", &self.image.len()).finish_non_exhaustive()
    }
}

/// Why a profile can't be sent.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The profile.
    #[error(transparent)]
    Profile(#[from] Faults),
    /// Its capture.
    #[error(transparent)]
    Capture(#[from] ReplayError),
    /// Frames are larger than the ports were opened for.
    #[error("frames of {frame} B are larger than the ports were opened for: give --max-frame {frame}")]
    Frame {
        /// With FCS.
        frame: u16,
    },
}

impl Job {
    /// Compiles a profile for a port of `link_mbps`, opened for frames of `room` bytes without FCS.
    pub fn new(profile: &Profile, link_mbps: u32, hz: u64, tag: u32, room: u16) -> Result<Job, JobError> {
        if let Some(replay) = &profile.replay {
            let capture = Capture::load(replay)?;
            return Job::of_capture(profile, capture, link_mbps, hz, room);
        }
        let plan = Plan::compile(profile)?;
        let frame = plan.largest_frame();
        if frame.mbuf_bytes() > room {
            return Err(JobError::Frame { frame: frame.bytes() });
        }
        let shards = plan.shards(1);
        let limits = match plan.stop {
            Stop::Count(count) => Some(plan.count_shares(count, &shards)),
            Stop::Never | Stop::DurationS(_) => None,
        };
        let warnings = plan.warnings.clone();
        if let (Some(template), Some(shard)) = (plan.plain_template(), shards.first()) {
            let limit = limits.and_then(|limits| limits.first().copied()).unwrap_or(u64::MAX);
            let pacer = Pacer::with_gap(plan.requested_pps(link_mbps), hz, plan.gap, 0);
            let frame_bytes = template.bytes.len() as u64;
            let cursor = Cursor::new(template, *shard, tag);
            let source = Plain { cursor, pacer, shard: shard.id, limit, frame_bytes };
            return Ok(Job { source: Box::new(source), image: template.bytes.clone(), warnings });
        }
        let mixed = Mixed::new(&plan, &shards, 0, tag, limits.as_deref());
        let lanes = mixed.lanes().iter().enumerate().map(|(number, lane)| {
            let own = lane.stream.and_then(|own| plan.streams.get(usize::from(own)));
            let pps = own.map_or_else(|| plan.shared_pps(link_mbps), |own| plan.own_pps(own, link_mbps));
            let pacer = Pacer::with_gap(pps.map(|pps| pps * lane.share), hz, lane.gap, number as u64);
            (pacer, (lane.start_delay_s * hz as f64) as u64)
        });
        let lanes = lanes.collect();
        let image = Mixed::prefill(&plan);
        Ok(Job { source: Box::new(Streams::new(mixed, lanes)), image, warnings })
    }

    /// A capture's frames at the port's rate, over and over, as Pktgen's pcap mode sends them.
    fn of_capture(
        profile: &Profile,
        capture: Capture,
        link_mbps: u32,
        hz: u64,
        room: u16,
    ) -> Result<Job, JobError> {
        let longest = capture.longest();
        if longest > room {
            return Err(JobError::Frame { frame: longest + traffic::units::FCS_BYTES });
        }
        let link_bps = f64::from(if link_mbps == 0 { 10_000 } else { link_mbps }) * 1e6;
        let frame_bytes = capture.mean_frame_bytes();
        let pacer = Pacer::with_gap(profile.rate.mean_pps(frame_bytes, link_bps), hz, Gap::Constant, 0);
        let limit = if let Stop::Count(count) = profile.stop { count } else { u64::MAX };
        let warnings = capture.warnings.clone();
        let image = vec![0; longest.into()];
        Ok(Job { source: Box::new(Looped { capture, pacer, next: 0, done: 0, limit }), image, warnings })
    }
}

/// A capture over and over.
#[derive(Debug)]
struct Looped {
    capture: Capture,
    pacer: Pacer,
    next: usize,
    done: u64,
    limit: u64,
}

impl Looped {
    fn frame(&self, ahead: usize) -> &[u8] {
        let frames = self.capture.frames();
        let index = (self.next + ahead) % frames.len().max(1);
        frames.get(index).map_or(&[], |frame| self.capture.frame(frame))
    }
}

impl Source for Looped {
    fn start(&mut self, epoch: u64) {
        self.pacer.start(epoch);
    }
    #[cold]
    fn rescale(&mut self, now: u64, per_mille: u32) {
        self.pacer.rescale(now, per_mille);
    }
    fn is_timed(&self) -> bool {
        true
    }
    fn grant(&mut self, now: u64, burst: u64) -> u64 {
        self.pacer.grant(now, burst.min(self.left()))
    }
    fn write(&mut self, burst: &mut Burst<'_>, _: u64) {
        for (ahead, mut mbuf) in burst.frames_mut().enumerate() {
            let frame = self.frame(ahead);
            if let Some(place) = mbuf.data().get_mut(..frame.len()) {
                place.copy_from_slice(frame);
            }
            mbuf.set_len(frame.len() as u16);
        }
    }
    fn book(&self, _: &mut Departures, _: u64, _: u64) {}
    fn settle(&mut self, granted: u64, taken: u64, sent: u64) -> u64 {
        if taken < granted {
            self.pacer.return_grant(granted - taken);
        }
        let bytes = (0..sent as usize).map(|ahead| self.frame(ahead).len() as u64).sum();
        self.next = (self.next + sent as usize) % self.capture.frames().len().max(1);
        self.done += sent;
        bytes
    }
    fn left(&self) -> u64 {
        if self.capture.frames().is_empty() { 0 } else { self.limit - self.done }
    }
    fn interval(&self) -> u64 {
        self.pacer.interval()
    }
    fn given_up(&self) -> u64 {
        self.pacer.given_up()
    }
    fn sent(&mut self) -> Vec<(u16, u64)> {
        vec![(0, self.done)]
    }
}
