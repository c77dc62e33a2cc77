//! Answers and announcements on the wire: what `traffic::respond` says, sent from a small pool of its own.

use dpdk::{EalHandle, FramePool, Mempool, MempoolConfig, MempoolError, RxBurst, SocketId, TxBurst, TxQueue};
use traffic::respond::{Kind, Responded, Responder};
use traffic::stamp;

/// Answers to one look at a queue at most: whoever got none asks again.
const ANSWERS_MAX: usize = 32;
/// Calls of a driver that takes nothing before answers are given up.
const SEND_ATTEMPTS: u32 = 64;

/// The pool that answers are sent from, of `mbufs`: more than the descriptors of its queue, since a driver keeps what
/// it has sent until it is given more.
pub fn pool<'e>(
    eal: EalHandle<'e>,
    mbufs: u32,
    socket: Option<SocketId>,
    room: u16,
) -> Result<FramePool<'e>, MempoolError> {
    // No worker keeps any to itself: answers are rare, and workers many.
    let config = MempoolConfig { cache: 0, ..MempoolConfig::new("answers", mbufs) };
    Mempool::create(eal, config.on(socket).room(room))?.prefill(|_, frame| frame.set_len(dpdk::MIN_ROOM))
}

/// One who answers. Everything is allocated before the start.
#[derive(Debug)]
pub struct Replier<'e> {
    responder: Responder,
    tag: u32,
    burst: TxBurst<'e, ANSWERS_MAX>,
    kinds: [Kind; ANSWERS_MAX],
    scratch: Box<[u8]>,
    is_announced: bool,
}

impl<'e> Replier<'e> {
    /// For the port that `responder` answers for; frames marked with `tag` are traffic and ask nothing.
    pub fn new(responder: Responder, tag: u32, pool: &'e FramePool<'e>) -> Replier<'e> {
        Replier {
            responder,
            tag,
            burst: pool.burst(),
            kinds: [Kind::Announcement; ANSWERS_MAX],
            scratch: vec![0; pool.room().into()].into_boxed_slice(),
            is_announced: false,
        }
    }

    /// Tells everybody whose addresses are the port's, the first time it is called.
    pub fn announce_once(&mut self, queue: &mut TxQueue<'e>, responded: &mut Responded) {
        if std::mem::replace(&mut self.is_announced, true) {
            return;
        }
        for n in 0..self.responder.announcements() {
            if let Some(bytes) = self.responder.announce(n, &mut self.scratch) {
                self.put(Kind::Announcement, bytes);
            }
            if self.burst.len() == ANSWERS_MAX {
                self.send(queue, responded);
            }
        }
        self.send(queue, responded);
    }

    /// Answers what the frames of a burst ask.
    pub fn answer<const N: usize>(
        &mut self,
        frames: &RxBurst<'_, N>,
        queue: &mut TxQueue<'e>,
        responded: &mut Responded,
    ) {
        for frame in frames.frames() {
            if self.burst.len() == ANSWERS_MAX {
                break;
            }
            if stamp::read(frame, self.tag).is_none()
                && let Some((kind, bytes)) = self.responder.reply(frame, &mut self.scratch)
            {
                self.put(kind, bytes);
            }
        }
        self.send(queue, responded);
    }

    /// Puts what was written into the burst. Where there is no mbuf, nothing is said.
    fn put(&mut self, kind: Kind, bytes: usize) {
        let place = self.burst.len();
        if self.burst.take(1) == 0 {
            return;
        }
        if let (Some(mut frame), Some(text)) = (self.burst.frame_mut(place), self.scratch.get(..bytes)) {
            if let Some(room) = frame.data().get_mut(..bytes) {
                room.copy_from_slice(text);
            }
            frame.set_len(bytes as u16);
        }
        if let Some(slot) = self.kinds.get_mut(place) {
            *slot = kind;
        }
    }

    /// Sends what is there and counts what the driver took.
    fn send(&mut self, queue: &mut TxQueue<'e>, responded: &mut Responded) {
        let (mut sent, mut attempts) = (0, 0);
        while !self.burst.is_empty() && attempts < SEND_ATTEMPTS {
            let more = queue.tx(&mut self.burst);
            attempts = if more == 0 { attempts + 1 } else { 0 };
            sent += more;
        }
        self.burst.recycle();
        self.kinds.iter().take(sent).for_each(|kind| responded.count(*kind));
    }
}

/// A replier with a queue of its own, for workers that only receive: they share it.
#[derive(Debug)]
pub struct Desk<'e> {
    queue: TxQueue<'e>,
    replier: Replier<'e>,
}

impl<'e> Desk<'e> {
    /// Answers go out by `queue`.
    pub fn new(queue: TxQueue<'e>, replier: Replier<'e>) -> Desk<'e> {
        Desk { queue, replier }
    }

    /// See [`Replier::announce_once`].
    pub fn announce_once(&mut self, responded: &mut Responded) {
        self.replier.announce_once(&mut self.queue, responded);
    }

    /// See [`Replier::answer`].
    pub fn answer<const N: usize>(&mut self, frames: &RxBurst<'_, N>, responded: &mut Responded) {
        self.replier.answer(frames, &mut self.queue, responded);
    }
}
