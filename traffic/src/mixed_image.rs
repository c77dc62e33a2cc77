//! What the frames of one stream and size have in common, to be laid over whatever an mbuf held before.

use crate::frame::sums::Sums;
use crate::frame::template::fill;
use crate::frame::word::{HEAD_BYTES, Head, Word, put};
use crate::frame::{Check, Template, checksum};
use crate::mixed::Room;
use crate::plan::Plan;
use crate::profile::Payload;
use crate::stamp::{Origin, STAMP_BYTES};

/// What all frames of a worker have in common, and where they differ.
#[derive(Debug)]
pub struct Canvas {
    /// A whole frame's bytes: what any frame has wherever not every frame has its own.
    bytes: Box<[u8]>,
    /// Where pieces begin that frames have of their own, fields and marks aside.
    own: Box<[u8]>,
    /// The first of them, and the last one again and again.
    few: [u8; Canvas::FEW],
    /// The payload by place. None where that is not the same for all streams, so that frames are copied whole.
    payload: Option<Box<Head>>,
}

/// Bytes copied at once.
pub const PIECE: usize = 16;

impl Canvas {
    /// So many pieces of a frame's own are few: they are copied without a loop.
    pub const FEW: usize = 3;

    /// How many pieces frames have of their own.
    pub fn pieces(&self) -> usize {
        self.own.len()
    }

    /// The place of the only one; the frame's begin where there is none.
    pub fn only_piece(&self) -> Option<u8> {
        (self.payload.is_some() && self.own.len() <= 1).then_some(self.few[0])
    }

    /// For all frames of a plan.
    pub fn new(plan: &Plan) -> Canvas {
        let templates: Vec<&Template> = plan.streams.iter().flat_map(|s| &s.templates).collect();
        let longest = templates.iter().map(|t| t.bytes.len()).max().unwrap_or(0);
        let Some(payload) = shared_payload(plan) else {
            return Canvas {
                bytes: vec![0; longest].into(),
                own: Box::default(),
                few: [0; _],
                payload: None,
            };
        };
        let mut bytes: Vec<u8> = (0..longest.max(HEAD_BYTES)).map(|at| fill(payload, at, 0)).collect();
        let mut first: Head = [0; HEAD_BYTES];
        first.copy_from_slice(&bytes[..HEAD_BYTES]);
        let payload = Box::new(first);
        let heads: Vec<Head> = templates.iter().map(|t| head(t, &payload)).collect();
        first = heads.first().copied().unwrap_or(first);
        bytes[..HEAD_BYTES].copy_from_slice(&first);
        bytes.truncate(longest);
        let own = pieces(|at| {
            let written = templates.iter().filter(|t| is_written(t, at)).count();
            heads.iter().any(|head| head[at] != first[at]) || (written > 0 && written < templates.len())
        });
        let last = own.last().copied().unwrap_or(0);
        let few = std::array::from_fn(|i| own.get(i).copied().unwrap_or(last));
        Canvas { bytes: bytes.into(), own, few, payload: Some(payload) }
    }

    /// The bytes that a pool's mbufs are filled with once: as many as the longest frame has.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes.into_vec()
    }

    /// Paints over the mark that the room's last frame may have left.
    #[inline(always)]
    pub fn repaint<R: Room>(&self, room: &mut R) {
        let Some(at) = room.held().checked_sub(STAMP_BYTES).map(|at| at & !1) else { return };
        let old = room.bytes().get_mut(at..).and_then(|b| b.first_chunk_mut::<STAMP_BYTES>());
        if let (Some(old), Some(new)) = (old, self.bytes.get(at..).and_then(|b| b.first_chunk())) {
            *old = *new;
        }
    }
}

/// A template's first bytes: zeros where fields vary and checksums stand, payload where the mark is and behind the
/// frame's end.
fn head(t: &Template, payload: &Head) -> Head {
    let mut still = t.still();
    still.truncate(t.stamp_at.unwrap_or(usize::MAX));
    let mut head = *payload;
    let there = still.len().min(HEAD_BYTES);
    head[..there].copy_from_slice(&still[..there]);
    for check in [t.outer_ip, t.ip, t.l4].into_iter().flatten() {
        put(&mut head, check.at, [0; 2]);
    }
    head
}

/// Whether a field or a checksum of every frame of a template is written there.
fn is_written(t: &Template, at: usize) -> bool {
    let checks = [t.outer_ip, t.ip, t.l4].into_iter().flatten();
    t.patches.iter().any(|p| p.bytes().contains(&at))
        || checks.map(|c| usize::from(c.at)).any(|c| at == c || at == c + 1)
}

/// The payload of all streams, where they have it in common by place.
fn shared_payload(plan: &Plan) -> Option<&Payload> {
    let first = &plan.streams.first()?.payload;
    let by_place = matches!(first, Payload::Letters | Payload::Zero);
    (by_place && plan.streams.iter().all(|s| s.payload == *first)).then_some(first)
}

/// Pieces that cover all places which are `own`.
fn pieces(own: impl Fn(usize) -> bool) -> Box<[u8]> {
    let (mut pieces, mut at) = (Vec::new(), 0);
    while at <= usize::from(u8::MAX) {
        if own(at) {
            pieces.push(at as u8);
            at += PIECE;
        } else {
            at += 1;
        }
    }
    pieces.into()
}

/// A frame of one stream and size.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Image {
    /// Its first bytes, zeros where fields vary.
    head: Head,
    /// What every frame needs beside them.
    pub foot: Foot,
    /// Whether pieces of the head are all that is copied, and there are both checksums and no others.
    pub is_simple: bool,
    outer: u64,
    has_checks: bool,
    /// Where a tunnel's own IPv4 header has its checksum.
    outer_at: Option<u8>,
    /// All of the frame, where more than its head is copied.
    whole: Box<[u8]>,
}

/// What every frame of an image needs beside its head, in few bytes: states have that of their next frame with them.
#[derive(Clone, Copy, Debug)]
pub struct Foot {
    /// The sums of all that never changes.
    base: Sums,
    /// Bytes of the frame, without FCS.
    pub len: u16,
    /// Of the mark; [`NOWHERE`] without.
    stamp_at: u16,
    /// What is sent for a layer-4 checksum of zero.
    zero: u16,
    /// Where both checksums stand: at the same place where there is one, and there it is layer 4's.
    ip_at: u8,
    l4_at: u8,
}

/// No place of a mark.
const NOWHERE: u16 = u16::MAX;

/// Where frames have their mark and checksums, within their first bytes, and how a checksum of zero is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// The mark; none without.
    pub stamp: Option<u8>,
    /// IPv4's checksum.
    pub ip: u8,
    /// Layer 4's.
    pub l4: u8,
    /// What is sent for a checksum of zero there.
    pub zero: u16,
}

impl Foot {
    /// Its places; none where the mark is further back.
    pub fn places(&self) -> Option<Places> {
        let stamp = match self.stamp_at {
            NOWHERE => None,
            at => Some(u8::try_from(at).ok()?),
        };
        Some(Places { stamp, ip: self.ip_at, l4: self.l4_at, zero: self.zero })
    }

    /// The sums of all that never changes and of these.
    pub fn sums(&self, of_frame: Sums) -> Sums {
        self.base.plus(of_frame)
    }

    /// The mark's place.
    #[inline(always)]
    pub fn window<'r>(&self, room: &'r mut [u8]) -> Option<&'r mut [u8; STAMP_BYTES]> {
        room.get_mut(self.stamp_at.into()..)?.first_chunk_mut()
    }

    /// Writes both checksums for these sums of fields and marks.
    #[inline(always)]
    pub fn finish(&self, head: &mut Head, sums: Sums) {
        let (ip, l4) = self.base.plus(sums).finish();
        put(head, self.ip_at, ip.to_ne_bytes());
        put(head, self.l4_at, if l4 == 0 { self.zero } else { l4 }.to_ne_bytes());
    }
}

impl Image {
    /// Of a template, marked by `origin`.
    pub fn new(t: &Template, canvas: &Canvas, origin: Origin) -> Image {
        let sum = |check: Option<Check>| check.map_or(0, |check| check.sum);
        let marks = if t.stamp_at.is_some() { origin.sum() } else { 0 };
        let checks = t.l4.or(t.ip);
        let l4_at = checks.map_or(0, |check| check.at);
        Image {
            head: head(t, canvas.payload.as_deref().unwrap_or(&[0; HEAD_BYTES])),
            foot: Foot {
                base: Sums::new(sum(t.ip), sum(t.l4) + marks),
                len: t.bytes.len() as u16,
                stamp_at: t.stamp_at.map_or(NOWHERE, |at| at as u16),
                zero: t.l4.map_or(0, |l4| l4.zero_sent()),
                ip_at: t.ip.map_or(l4_at, |ip| ip.at),
                l4_at,
            },
            is_simple: checks.is_some() && t.outer_ip.is_none() && canvas.payload.is_some(),
            outer: checksum::fold(sum(t.outer_ip)),
            has_checks: checks.is_some(),
            outer_at: t.outer_ip.map(|check| check.at),
            whole: if canvas.payload.is_some() { Box::default() } else { t.still().into() },
        }
    }

    /// Bytes of its head from there on.
    pub fn own<const N: usize>(&self, at: u8) -> [u8; N] {
        self.head[usize::from(at)..].first_chunk().copied().unwrap_or([0; N])
    }

    /// Copies what this frame has of its own: `PIECES` of those that come first, or more than [`Canvas::FEW`].
    #[inline(always)]
    pub fn copy_pieces<const PIECES: usize>(&self, head: &mut Head, canvas: &Canvas) {
        if PIECES > Canvas::FEW {
            return self.copy_into(head, canvas);
        }
        for at in canvas.few.iter().take(PIECES) {
            let own = self.head[usize::from(*at)..].first_chunk::<PIECE>();
            put(head, *at, own.copied().unwrap_or_default());
        }
    }

    /// Copies what this frame has of its own.
    #[inline(always)]
    pub fn copy_into(&self, head: &mut Head, canvas: &Canvas) {
        for at in &canvas.own {
            let own = self.head[usize::from(*at)..].first_chunk::<PIECE>();
            put(head, *at, own.copied().unwrap_or_default());
        }
    }

    /// Copies all of the frame, where that must be.
    pub fn copy_whole(&self, room: &mut [u8]) {
        if let Some(to) = room.get_mut(..self.whole.len()) {
            to.copy_from_slice(&self.whole);
        }
    }

    /// Writes the words, and goes on.
    #[inline(always)]
    pub fn write_words(&self, head: &mut Head, words: &mut [Word]) {
        if let [word] = words {
            return word.write_over(head, &self.head);
        }
        for word in words {
            word.write_over(head, &self.head);
        }
    }

    /// Writes the checksums that there are, a tunnel's own for this sum of its fields.
    pub fn finish_any(&self, head: &mut Head, sums: Sums, outer: u64) {
        if self.has_checks {
            self.foot.finish(head, sums);
        }
        if let Some(at) = self.outer_at {
            put(head, at, checksum::finish(self.outer + outer).to_ne_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_what_differs_and_little_more() {
        let own = |at: usize| (16..18).contains(&at) || (30..40).contains(&at) || at == 255;
        assert_eq!(*pieces(own), [16, 32, 255]);
        assert!(pieces(|_| false).is_empty());
    }
}
