//! Templates into the pool: every mbuf holds the whole frame before the first one is sent.

use dpdk::{EalHandle, FramePool, Mempool, MempoolConfig, MempoolError, SocketId};

/// Frames kept in a worker's own mempool cache: what fits the CPU's caches, so that memory is not the limit.
const CACHE: u32 = 256;
/// Cache overflow (half as much again) and the bursts in hand.
const SLACK: u32 = CACHE / 2 + 128;

/// Mbufs that a sender's pool needs when the driver holds up to `descriptors` of them.
pub fn mbufs(descriptors: u16) -> u32 {
    // One less than a multiple of 512: rings have a power-of-two size and hold one less.
    (u32::from(descriptors) + CACHE + SLACK).next_multiple_of(512) - 1
}

/// Bytes of room that a frame of `mbuf_bytes` gets: whole cache lines.
pub fn room(mbuf_bytes: u16) -> u16 {
    mbuf_bytes.next_multiple_of(64).max(dpdk::MIN_ROOM)
}

/// A pool whose every mbuf is this frame.
pub fn pool<'e>(
    eal: EalHandle<'e>,
    name: &str,
    descriptors: u16,
    socket: Option<SocketId>,
    bytes: &[u8],
) -> Result<FramePool<'e>, MempoolError> {
    let len = bytes.len() as u16;
    let config = MempoolConfig { cache: CACHE, ..MempoolConfig::new(name, mbufs(descriptors)) };
    Mempool::create(eal, config.on(socket).room(room(len)))?.prefill(|_, frame| {
        if let Some(place) = frame.data().get_mut(..bytes.len()) {
            place.copy_from_slice(bytes);
        }
        frame.set_len(len);
    })
}
