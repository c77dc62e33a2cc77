//! The next frames of a worker that sends more than one kind: several streams, sizes, or fields that need a lookup.
//!
//! Any mbuf can become any frame: its headers are copied from the template whole, and the mark that its last frame left
//! in the payload is painted over. So one pool serves all streams and sizes, however many there are.

use crate::frame::step::{HEAD_BYTES, Head};
use crate::mixed_state::{State, Writing};
use crate::plan::Plan;
pub use crate::schedule::Lane;
use crate::shard::Shard;
use crate::stamp::STAMP_BYTES;

/// Frames picked at once at most.
pub const MAX_BURST: usize = crate::cursor::MAX_BURST;

/// An mbuf's frame, to become another one.
pub trait Room {
    /// Bytes of the frame that it held last.
    fn held(&self) -> usize;
    /// Bytes of the frame that it holds now.
    fn set_len(&mut self, bytes: u16);
    /// All that it has room for.
    fn bytes(&mut self) -> &mut [u8];
    /// The first bytes of that, which every room has.
    fn head(&mut self) -> Option<&mut Head>;
}

/// Which frames are next.
#[derive(Clone, Copy, Debug)]
struct Pick {
    lane: u16,
    state: u16,
    bytes: u16,
}

/// The streams of one worker.
#[derive(Debug)]
pub struct Mixed {
    tag: u32,
    states: Vec<State>,
    lanes: Vec<Lane>,
    picks: [Pick; MAX_BURST],
    picked: usize,
    /// What payloads hold where no mark is; none where streams have payloads of their own, so that frames are copied
    /// whole.
    pattern: Option<Box<[u8]>>,
    /// Bytes of headers that are copied.
    head_bytes: usize,
    /// Whether frames differ in length or mark, so that marks must be painted over.
    repaint: bool,
    /// Frames that are left to send of all streams.
    left: u64,
}

impl Mixed {
    /// What `worker` sends of `plan`. `shards` are all of the plan's, `limits` the most frames of each, where the run
    /// ends by count.
    pub fn new(plan: &Plan, shards: &[Shard], worker: u16, tag: u32, limits: Option<&[u64]>) -> Mixed {
        let templates = || plan.streams.iter().flat_map(|s| &s.templates);
        let longest = templates().map(|t| t.bytes.len()).max().unwrap_or(0);
        let pattern = shared_pattern(plan, longest);
        let headers = templates().map(|t| t.header_bytes).max().unwrap_or(0).next_multiple_of(32);
        let own = shards.iter().enumerate().filter(|(_, s)| s.worker == worker);
        let states: Vec<State> = own
            .filter_map(|(i, shard)| {
                let limit = limits.map_or(u64::MAX, |limits| limits.get(i).copied().unwrap_or(0));
                let head_bytes = if pattern.is_some() { headers } else { 0 };
                Some(State::new(plan.streams.get(usize::from(shard.stream))?, *shard, limit, head_bytes))
            })
            .collect();
        let first = templates().next().map(|t| (t.bytes.len(), t.stamp_at));
        Mixed {
            tag,
            lanes: Lane::all(plan, &states),
            picks: [Pick { lane: 0, state: 0, bytes: 0 }; MAX_BURST],
            picked: 0,
            head_bytes: if pattern.is_some() { headers } else { longest },
            repaint: templates().any(|t| Some((t.bytes.len(), t.stamp_at)) != first),
            pattern,
            left: states.iter().fold(0, |sum, s| sum.saturating_add(s.limit())),
            states,
        }
    }

    /// The bytes that a pool's mbufs are filled with once.
    pub fn prefill(plan: &Plan) -> Vec<u8> {
        let longest = usize::from(plan.largest_frame().mbuf_bytes());
        let pattern = shared_pattern(plan, longest).unwrap_or_else(|| vec![0; longest].into());
        pattern.into_vec()
    }

    /// The worker's groups of streams that are paced together.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// Frames that are left to send; none by count.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Picks up to `count` frames of a lane, and says how many it has room and frames for.
    pub fn pick(&mut self, lane: usize, count: u64) -> u64 {
        let Some(source) = self.lanes.get_mut(lane) else { return 0 };
        let room = (MAX_BURST - self.picked) as u64;
        let mut picked = 0;
        while picked < count.min(room).min(self.left) {
            let Some(state) = source.next(|s| self.states[usize::from(s)].take_one()) else { break };
            self.picks[self.picked] = Pick { lane: lane as u16, state, bytes: 0 };
            self.picked += 1;
            self.left -= 1;
            picked += 1;
        }
        picked
    }

    /// Frames that are picked.
    pub fn picked(&self) -> usize {
        self.picked
    }

    /// Gives back picks beyond the first `keep`, last one first; `back` is told the lane of each.
    pub fn unpick(&mut self, keep: usize, mut back: impl FnMut(usize)) {
        while self.picked > keep {
            self.picked -= 1;
            let pick = self.picks[self.picked];
            self.states[usize::from(pick.state)].give_back_one();
            if let Some(lane) = self.lanes.get_mut(usize::from(pick.lane)) {
                lane.step_back();
            }
            self.left += 1;
            back(usize::from(pick.lane));
        }
    }

    /// Writes the picked frames, and goes on. Their marks have the same `time`.
    #[inline]
    pub fn write<R: Room>(&mut self, rooms: impl Iterator<Item = R>, time: u64) {
        let writing = Writing { tag: self.tag, time, head_bytes: self.head_bytes };
        for (mut room, pick) in rooms.zip(&mut self.picks[..self.picked]) {
            let state = &mut self.states[usize::from(pick.state)];
            if self.repaint
                && let Some(pattern) = &self.pattern
            {
                repaint(&mut room, pattern);
            }
            pick.bytes = state.write(&mut room, writing);
        }
    }

    /// The first `sent` of the written frames were sent: their bytes. The cursor goes back over the others, and `back`
    /// is told the lane of each.
    pub fn sent(&mut self, sent: usize, back: impl FnMut(usize)) -> u64 {
        let bytes = self.picks[..sent].iter().map(|p| u64::from(p.bytes)).sum();
        for pick in self.picks[sent..self.picked].iter().rev() {
            self.states[usize::from(pick.state)].rewind_one();
        }
        self.unpick(sent, back);
        self.picked = 0;
        bytes
    }

    /// What has been written and not taken back: (number in the mark, frames) of each part.
    pub fn written(&self) -> impl Iterator<Item = (u16, u64)> {
        self.states.iter().map(|s| (s.shard().id, s.seq()))
    }
}

/// The payload of all streams, where they have it in common by place.
fn shared_pattern(plan: &Plan, longest: usize) -> Option<Box<[u8]>> {
    use crate::frame::template::fill;
    use crate::profile::Payload;
    let first = &plan.streams.first()?.payload;
    let by_place = matches!(first, Payload::Letters | Payload::Zero);
    let alike = plan.streams.iter().all(|s| s.payload == *first);
    (by_place && alike).then(|| (0..longest.max(HEAD_BYTES)).map(|at| fill(first, at, 0)).collect())
}

/// Paints over the mark that the room's last frame may have left.
#[inline(always)]
fn repaint<R: Room>(room: &mut R, pattern: &[u8]) {
    let Some(at) = room.held().checked_sub(STAMP_BYTES).map(|at| at & !1) else { return };
    let old = room.bytes().get_mut(at..).and_then(|b| b.first_chunk_mut::<STAMP_BYTES>());
    if let (Some(old), Some(new)) = (old, pattern.get(at..).and_then(|b| b.first_chunk())) {
        *old = *new;
    }
}

#[cfg(test)]
mod tests;
