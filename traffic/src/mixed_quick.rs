//! Streams whose frames are alike in all but a few bytes: what each needs for its next frame, in one line of the cache.
//!
//! A stream's [`State`] can write any frame; most need far less. Between two leaps of its
//! [`Track`](crate::track::Track) a frame is a piece of headers of its own, one word that goes up, and two checksums
//! that step. Where that is so of all streams of a worker, at the same places, these few numbers of each are kept here,
//! side by side, and go back into the state at a leap, or where somebody asks for it.

use crate::frame::checksum::UDP_ZERO;
use crate::frame::sums::{Falling, Fields, Rising};
use crate::frame::word::put;
use crate::mixed::Room;
use crate::mixed_image::{Canvas, PIECE, Places};
use crate::mixed_state::State;
use crate::stamp::{self, Moment, Origin, STAMP_BYTES};

/// The next frames of all states, by how a checksum of zero is sent.
#[derive(Debug)]
pub enum Quick {
    /// As it is.
    Falling(Lines<Falling>),
    /// As ffff.
    Rising(Lines<Rising>),
}

/// The next frames of all states.
#[derive(Debug)]
pub struct Lines<L> {
    lines: Box<[Line<L>]>,
    at: Places,
    /// Of the word, and of the piece.
    word_at: u8,
    piece_at: u8,
}

/// The next frame of one state, and those up to its next leap.
#[derive(Debug)]
#[repr(C, align(64))]
struct Line<L> {
    /// The word, fields and what is around them, as a big-endian number, and what the next frame has more.
    value: u64,
    stride: u64,
    /// The number of the frame before which the leap is due.
    leap_at: u64,
    /// Checksum fields, without the moment's part.
    ip: Falling,
    l4: L,
    /// Frames before the leap, one at least, and how many of them there were when the line was filled.
    left: u16,
    filled: u16,
    origin: Origin,
    piece: [u8; PIECE],
}

impl Quick {
    /// Of states that can have it; none where one can't.
    pub fn new(states: &mut [State], canvas: &Canvas) -> Option<Quick> {
        let piece_at = canvas.only_piece()?;
        let at = states.first()?.places()?;
        let word_at = states.iter().find_map(State::word_at).unwrap_or(piece_at);
        let is_alike = |state: &State| {
            state.is_simple()
                && state.places() == Some(at)
                && state.words() <= 1
                && state.word_at().is_none_or(|at| at == word_at)
        };
        states.iter().all(is_alike).then(|| match at.zero {
            UDP_ZERO => Quick::Rising(Lines::new(states, at, (word_at, piece_at))),
            _ => Quick::Falling(Lines::new(states, at, (word_at, piece_at))),
        })
    }

    /// Brings a state to where its line is.
    pub fn settle(&mut self, states: &mut [State], state: usize) {
        match self {
            Quick::Falling(lines) => lines.settle(states, state),
            Quick::Rising(lines) => lines.settle(states, state),
        }
    }

    /// Brings all states to where their lines are.
    #[cold]
    pub fn settle_all(&mut self, states: &mut [State]) {
        (0..states.len()).for_each(|state| self.settle(states, state));
    }

    /// Brings a line to where its state is.
    pub fn fill(&mut self, states: &mut [State], state: usize) {
        match self {
            Quick::Falling(lines) => lines.fill(states, state),
            Quick::Rising(lines) => lines.fill(states, state),
        }
    }

    /// Writes the next frames of the `picks`. Their marks have the same `time`.
    #[inline(always)]
    pub fn write<R: Room>(
        &mut self,
        states: &mut [State],
        rooms: impl Iterator<Item = R>,
        picks: &[u16],
        time: u64,
    ) {
        match self {
            Quick::Falling(lines) => lines.write(states, rooms, picks, Moment::new(time)),
            Quick::Rising(lines) => lines.write(states, rooms, picks, Moment::new(time)),
        }
    }
}

impl<L: Fields> Lines<L> {
    fn new(states: &mut [State], at: Places, (word_at, piece_at): (u8, u8)) -> Lines<L> {
        let lines = states.iter_mut().map(|state| Line::new(state, word_at, piece_at)).collect();
        Lines { lines, at, word_at, piece_at }
    }

    fn settle(&mut self, states: &mut [State], state: usize) {
        if let (Some(line), Some(state)) = (self.lines.get_mut(state), states.get_mut(state)) {
            state.go_over(u64::from(line.filled - line.left));
            line.filled = line.left;
        }
    }

    fn fill(&mut self, states: &mut [State], state: usize) {
        if let (Some(line), Some(state)) = (self.lines.get_mut(state), states.get_mut(state)) {
            *line = Line::new(state, self.word_at, self.piece_at);
        }
    }

    #[cold]
    #[inline(never)]
    fn leap(&mut self, states: &mut [State], state: usize) {
        self.settle(states, state);
        self.fill(states, state);
    }

    #[inline(always)]
    fn write<R: Room>(
        &mut self,
        states: &mut [State],
        rooms: impl Iterator<Item = R>,
        picks: &[u16],
        moment: Moment,
    ) {
        match self.at.stamp {
            None => self.write_all::<R, false>(states, rooms, picks, moment),
            Some(_) => self.write_all::<R, true>(states, rooms, picks, moment),
        }
    }

    #[inline(never)]
    fn write_all<R: Room, const MARKED: bool>(
        &mut self,
        states: &mut [State],
        rooms: impl Iterator<Item = R>,
        picks: &[u16],
        moment: Moment,
    ) {
        let (word_at, piece_at, at) = (self.word_at, self.piece_at, self.at);
        let (stamp_at, sum) = (at.stamp.unwrap_or_default(), moment.sum() as u16);
        for (mut room, pick) in rooms.zip(picks) {
            let pick = usize::from(*pick);
            let (Some(line), Some(head)) = (self.lines.get_mut(pick), room.head()) else { return };
            put(head, piece_at, line.piece);
            put(head, word_at, line.value.to_be_bytes());
            line.value = line.value.wrapping_add(line.stride);
            if MARKED && let Some(window) = head[usize::from(stamp_at)..].first_chunk_mut::<STAMP_BYTES>() {
                let seq = line.leap_at - u64::from(line.left);
                stamp::put(window, line.origin, seq, moment);
            }
            put(head, at.ip, line.ip.next().to_ne_bytes());
            let l4 = if MARKED { line.l4.next_of(sum) } else { line.l4.next() };
            put(head, at.l4, l4.to_ne_bytes());
            line.left -= 1;
            if line.left == 0 {
                self.leap(states, pick);
            }
        }
    }
}

impl<L: Fields> Line<L> {
    fn new(state: &mut State, word_at: u8, piece_at: u8) -> Line<L> {
        let next = state.next(word_at);
        Line {
            value: next.value,
            stride: next.stride,
            leap_at: next.leap_at,
            ip: Falling::ip(next.sums, next.step),
            l4: L::l4(next.sums, next.step),
            left: next.left,
            filled: next.left,
            origin: state.origin(),
            piece: state.piece(piece_at),
        }
    }
}
