//! The next frames of a worker that sends more than one kind: several streams, sizes, or fields that need a lookup.
//!
//! Any mbuf can become any frame: its headers are copied from the template whole, and the mark that its last frame left
//! in the payload is painted over. So one pool serves all streams and sizes, however many there are.

use crate::frame::word::Head;
use crate::mixed_image::Canvas;
use crate::mixed_quick::Quick;
use crate::mixed_state::{State, Writing};
use crate::plan::Plan;
pub use crate::schedule::Lane;
use crate::shard::Shard;

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

/// The streams of one worker.
#[derive(Debug)]
pub struct Mixed {
    states: Vec<State>,
    lanes: Vec<Lane>,
    /// Which frames are next: the state of each, its lane, and, once written, its bytes.
    picks: [u16; MAX_BURST],
    lane_of: [u16; MAX_BURST],
    lens: [u16; MAX_BURST],
    picked: usize,
    canvas: Canvas,
    /// Where all states' frames are alike enough.
    quick: Option<Quick>,
    /// Whether frames differ in length or mark, so that old marks must be painted over, or are of no simple kind.
    differ: bool,
    is_marked: bool,
    /// Frames that are left to send of all streams.
    left: u64,
}

impl Mixed {
    /// What `worker` sends of `plan`. `shards` are all of the plan's, `limits` the most frames of each, where the run
    /// ends by count.
    pub fn new(plan: &Plan, shards: &[Shard], worker: u16, tag: u32, limits: Option<&[u64]>) -> Mixed {
        let templates = || plan.streams.iter().flat_map(|s| &s.templates);
        let longest = templates().map(|t| t.bytes.len()).max().unwrap_or(0);
        let canvas = Canvas::new(plan);
        let first = templates().next().map(|t| (t.bytes.len(), t.stamp_at.is_some()));
        let alike = templates().all(|t| Some((t.bytes.len(), t.stamp_at.is_some())) == first);
        let own = shards.iter().enumerate().filter(|(_, s)| s.worker == worker);
        let mut states: Vec<State> = own
            .filter_map(|(i, shard)| {
                let limit = limits.map_or(u64::MAX, |limits| limits.get(i).copied().unwrap_or(0));
                let stream = plan.streams.get(usize::from(shard.stream))?;
                State::new(stream, *shard, tag, limit, &canvas)
            })
            .collect();
        let quick = if alike { Quick::new(&mut states, &canvas) } else { None };
        Mixed {
            lanes: Lane::all(plan, &states),
            quick,
            picks: [0; MAX_BURST],
            lane_of: [0; MAX_BURST],
            lens: [longest as u16; MAX_BURST],
            picked: 0,
            canvas,
            differ: !states.iter().all(State::is_simple) || !alike,
            is_marked: templates().any(|t| t.stamp_at.is_some()),
            left: states.iter().fold(0, |sum, s| sum.saturating_add(s.limit())),
            states,
        }
    }

    /// The bytes that a pool's mbufs are filled with once.
    pub fn prefill(plan: &Plan) -> Vec<u8> {
        Canvas::new(plan).into_bytes()
    }

    /// The worker's groups of streams that are paced together.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// Whether some frames carry the mark.
    pub fn is_marked(&self) -> bool {
        self.is_marked
    }

    /// Frames that are left to send; none by count.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Picks up to `count` frames of a lane, and says how many it has room and frames for.
    #[inline]
    pub fn pick(&mut self, lane: usize, count: u64) -> u64 {
        let Some(source) = self.lanes.get_mut(lane) else { return 0 };
        let count = count.min((MAX_BURST - self.picked) as u64).min(self.left);
        if source.certain < count && !source.counted {
            if let Some(quick) = &mut self.quick {
                quick.settle_all(&mut self.states);
            }
            look_ahead(source, &mut self.states, &self.picks[..self.picked], count);
        }
        let place = self.picked..self.picked + count as usize;
        let picked = match source.counted {
            false => {
                source.certain -= count;
                source.fill(&mut self.picks[place.clone()]);
                count
            }
            true => {
                let next = || source.next(|s| self.states[usize::from(s)].take_one());
                let picks = self.picks[place.clone()].iter_mut().zip(std::iter::from_fn(next));
                picks.map(|(pick, state)| *pick = state).count() as u64
            }
        };
        self.lane_of[place].fill(lane as u16);
        self.picked += picked as usize;
        self.left -= picked;
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
            let (state, lane) = (self.picks[self.picked], usize::from(self.lane_of[self.picked]));
            self.states[usize::from(state)].give_back_one();
            if let Some(lane) = self.lanes.get_mut(lane) {
                lane.step_back();
                lane.certain += u64::from(!lane.counted);
            }
            self.left += 1;
            back(lane);
        }
    }

    /// Writes the picked frames, and goes on. Their marks have the same `time`.
    #[inline]
    pub fn write<R: Room>(&mut self, rooms: impl Iterator<Item = R>, time: u64) {
        if let Some(quick) = &mut self.quick {
            return quick.write(&mut self.states, rooms, &self.picks[..self.picked], time);
        }
        match (self.differ, self.canvas.pieces()) {
            (false, 0) => self.write_alike::<R, 0>(rooms, time),
            (false, 1) => self.write_alike::<R, 1>(rooms, time),
            (false, 2..=Canvas::FEW) => self.write_alike::<R, { Canvas::FEW }>(rooms, time),
            (false, _) => self.write_alike::<R, { usize::MAX }>(rooms, time),
            (true, 0..=Canvas::FEW) => self.write_differing::<R, { Canvas::FEW }>(rooms, time),
            (true, _) => self.write_differing::<R, { usize::MAX }>(rooms, time),
        }
    }

    /// Frames of one length, which have `PIECES` of their own. A function for its registers, as is the next one.
    #[inline(never)]
    fn write_alike<R: Room, const PIECES: usize>(&mut self, rooms: impl Iterator<Item = R>, time: u64) {
        let writing = Writing::new(&self.canvas, time);
        for (mut room, state) in rooms.zip(&self.picks[..self.picked]) {
            if let Some(state) = self.states.get_mut(usize::from(*state)) {
                state.write::<R, false, PIECES>(&mut room, &writing);
            }
        }
    }

    /// Frames of any length.
    #[inline(never)]
    fn write_differing<R: Room, const PIECES: usize>(&mut self, rooms: impl Iterator<Item = R>, time: u64) {
        let writing = Writing::new(&self.canvas, time);
        for (mut room, (state, len)) in rooms.zip(self.picks[..self.picked].iter().zip(&mut self.lens)) {
            self.canvas.repaint(&mut room);
            if let Some(state) = self.states.get_mut(usize::from(*state)) {
                *len = state.write::<R, true, PIECES>(&mut room, &writing);
            }
        }
    }

    /// The first `sent` of the written frames were sent: their bytes. The cursor goes back over the others, and `back`
    /// is told the lane of each.
    #[inline]
    pub fn sent(&mut self, sent: usize, back: impl FnMut(usize)) -> u64 {
        let bytes = match self.differ {
            false => sent as u64 * u64::from(self.lens[0]),
            true => self.lens[..sent].iter().map(|len| u64::from(*len)).sum(),
        };
        for refused in (sent..self.picked).rev() {
            self.rewind_one(self.picks[refused].into());
        }
        self.unpick(sent, back);
        self.picked = 0;
        bytes
    }

    /// A frame of this state was not sent.
    #[cold]
    fn rewind_one(&mut self, state: usize) {
        if let Some(quick) = &mut self.quick {
            quick.settle(&mut self.states, state);
        }
        self.states[state].rewind_one();
        if let Some(quick) = &mut self.quick {
            quick.fill(&mut self.states, state);
        }
    }

    /// What has been written and not taken back: (number in the mark, frames) of each part.
    pub fn written(&mut self) -> impl Iterator<Item = (u16, u64)> {
        if let Some(quick) = &mut self.quick {
            quick.settle_all(&mut self.states);
        }
        self.states.iter().map(|s| (s.shard().id, s.seq()))
    }
}

/// How many frames of a lane every state surely has; where they may be fewer than are wanted, they are counted from
/// here on. `picks` are frames that are picked already and not written.
#[cold]
fn look_ahead(lane: &mut Lane, states: &mut [State], picks: &[u16], wanted: u64) {
    let left = |state: u16| {
        let picked = picks.iter().filter(|pick| **pick == state).count() as u64;
        states.get(usize::from(state)).map_or(0, |s| s.limit().saturating_sub(s.seq() + picked))
    };
    lane.certain = lane.states().iter().map(|state| left(*state)).min().unwrap_or(u64::MAX);
    if lane.certain >= wanted {
        return;
    }
    (lane.counted, lane.certain) = (true, 0);
    for state in lane.states() {
        let picked = picks.iter().filter(|pick| *pick == state).count() as u64;
        if let Some(state) = states.get_mut(usize::from(*state)) {
            state.count_from(state.seq() + picked);
        }
    }
}

#[cfg(test)]
mod tests;
