//! Templates into the pool: every mbuf holds the whole frame before the first one is sent.

use dpdk::{
    EalHandle, FrameOffload, FramePool, L4Checksum, Mempool, MempoolConfig, MempoolError, SocketId,
    TxOffloads,
};
use traffic::frame::{NicFrame, Transport};

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

/// What is asked of the port for such frames.
pub fn tx_offloads(frame: &NicFrame) -> TxOffloads {
    TxOffloads::IPV4_CHECKSUM
        | match frame.transport {
            Transport::Udp => TxOffloads::UDP_CHECKSUM,
            Transport::Tcp => TxOffloads::TCP_CHECKSUM,
        }
}

/// What each mbuf tells the port.
pub fn frame_offload(frame: &NicFrame) -> FrameOffload {
    FrameOffload {
        l2_len: frame.l2_bytes,
        l3_len: frame.l3_bytes.into(),
        l4_len: frame.l4_bytes,
        ipv6: false,
        ipv4_checksum: true,
        l4_checksum: match frame.transport {
            Transport::Udp => L4Checksum::Udp,
            Transport::Tcp => L4Checksum::Tcp,
        },
    }
}

/// A pool whose every mbuf is this frame, with this to be filled in by the port: mbufs keep both.
pub fn pool<'e>(
    eal: EalHandle<'e>,
    name: &str,
    descriptors: u16,
    socket: Option<SocketId>,
    (bytes, offload): (&[u8], FrameOffload),
) -> Result<FramePool<'e>, MempoolError> {
    let len = bytes.len() as u16;
    let config = MempoolConfig { cache: CACHE, ..MempoolConfig::new(name, mbufs(descriptors)) };
    Mempool::create(eal, config.on(socket).room(room(len)))?.prefill(|_, frame| {
        if let Some(place) = frame.data().get_mut(..bytes.len()) {
            place.copy_from_slice(bytes);
        }
        frame.set_len(len);
        frame.set_offload(offload);
    })
}
