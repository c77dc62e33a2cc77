//! The only place that knows where an mbuf keeps what. Offsets come from C, so one source serves every DPDK.

use std::marker::PhantomData;
use std::ptr::NonNull;

use dpdk_sys::rte_mbuf;

use crate::offload::FrameOffload;

/// Where the frame begins, counted from the mbuf itself, in every pool of [`crate::Mempool`] (no private
/// area).
pub(crate) const FRAME_OFFSET: usize = (dpdk_sys::SHIM_MBUF_SIZE + dpdk_sys::SHIM_MBUF_HEADROOM) as usize;

/// Bytes before the frame that DPDK keeps free for headers.
pub(crate) const HEADROOM: u16 = dpdk_sys::SHIM_MBUF_HEADROOM as u16;

/// Bytes of frame that every pool has room for at least: 1518, and a whole number of cache lines.
pub const MIN_ROOM: u16 = 1536;

/// The address of the field at `offset`.
///
/// # Safety
/// `mbuf` points to an mbuf, and `offset` is one of the `SHIM_MBUF_*` of a field of type `T`.
#[inline(always)]
pub(crate) unsafe fn field<T>(mbuf: NonNull<rte_mbuf>, offset: u32) -> *mut T {
    // SAFETY: the caller says that the field is there.
    unsafe { mbuf.as_ptr().cast::<u8>().add(offset as usize).cast::<T>() }
}

/// Sets every field that a driver reads of a frame of one segment, so that the mbuf can be sent without being
/// allocated by `rte_pktmbuf_alloc`. Length 0.
///
/// # Safety
/// `mbuf` points to an mbuf of a live pool without private area, and nobody else uses it.
pub(crate) unsafe fn prepare(mbuf: NonNull<rte_mbuf>) {
    // SAFETY: the offsets are C's own for these types; the caller says that the mbuf is alive and ours alone.
    unsafe {
        field::<u16>(mbuf, dpdk_sys::SHIM_MBUF_DATA_OFF).write(HEADROOM);
        field::<u16>(mbuf, dpdk_sys::SHIM_MBUF_REFCNT).write(1);
        field::<u16>(mbuf, dpdk_sys::SHIM_MBUF_NB_SEGS).write(1);
        field::<u16>(mbuf, dpdk_sys::SHIM_MBUF_PORT).write(dpdk_sys::SHIM_MBUF_PORT_NONE as u16);
        field::<u64>(mbuf, dpdk_sys::SHIM_MBUF_OL_FLAGS).write(0);
        field::<u64>(mbuf, dpdk_sys::SHIM_MBUF_TX_OFFLOAD).write(0);
        field::<*mut rte_mbuf>(mbuf, dpdk_sys::SHIM_MBUF_NEXT).write(std::ptr::null_mut());
        field::<u16>(mbuf, dpdk_sys::SHIM_MBUF_DATA_LEN).write(0);
        field::<u32>(mbuf, dpdk_sys::SHIM_MBUF_PKT_LEN).write(0);
    }
}

/// One frame that is ours to write, in a mbuf of a [`crate::FramePool`]. A pointer: free to make and to pass.
#[derive(Debug)]
pub struct FrameMut<'b> {
    mbuf: NonNull<rte_mbuf>,
    room: u16,
    _owned: PhantomData<&'b mut [u8]>,
}

impl<'b> FrameMut<'b> {
    /// # Safety
    /// `mbuf` belongs to a `FramePool` whose frames have `room` bytes, and nobody else uses it for `'b`.
    #[inline(always)]
    pub(crate) unsafe fn new(mbuf: NonNull<rte_mbuf>, room: u16) -> Self {
        Self { mbuf, room, _owned: PhantomData }
    }

    /// The first `W` bytes of the frame's room. `W` is checked when compiling ([`MIN_ROOM`] at most), so
    /// constant indices into it cost nothing. Bytes beyond [`FrameMut::len`] are not sent.
    #[inline(always)]
    pub fn head<const W: usize>(&mut self) -> &mut [u8; W] {
        const {
            assert!(
                W <= MIN_ROOM as usize,
                "a frame has room for MIN_ROOM bytes at least, and no more for sure"
            )
        };
        // SAFETY: the frame starts at FRAME_OFFSET and has `room` >= MIN_ROOM >= W bytes, all initialised
        // when the pool was filled; `&mut self` makes the borrow the only one.
        unsafe { &mut *self.mbuf.as_ptr().cast::<u8>().add(FRAME_OFFSET).cast::<[u8; W]>() }
    }

    /// All the room of the frame, in bytes. The part beyond [`FrameMut::len`] is not sent.
    #[inline(always)]
    pub fn data(&mut self) -> &mut [u8] {
        // SAFETY: as in `head`, for the whole room.
        unsafe {
            let start = self.mbuf.as_ptr().cast::<u8>().add(FRAME_OFFSET);
            std::slice::from_raw_parts_mut(start, usize::from(self.room))
        }
    }

    /// [`FrameMut::head`], for as long as the burst is borrowed.
    #[inline(always)]
    pub fn into_head<const W: usize>(mut self) -> &'b mut [u8; W] {
        let head: *mut [u8; W] = self.head();
        // SAFETY: `self` was the only access to the frame for 'b, and is gone.
        unsafe { &mut *head }
    }

    /// [`FrameMut::data`], for as long as the burst is borrowed.
    #[inline(always)]
    pub fn into_data(mut self) -> &'b mut [u8] {
        let data: *mut [u8] = self.data();
        // SAFETY: as in `into_head`.
        unsafe { &mut *data }
    }

    /// Bytes that fit: the frame without its FCS.
    #[inline(always)]
    pub fn room(&self) -> u16 {
        self.room
    }

    /// Bytes that are sent: the frame without its FCS.
    #[inline(always)]
    #[allow(clippy::len_without_is_empty, reason = "a frame in a pool is never empty")]
    pub fn len(&self) -> u16 {
        // SAFETY: the mbuf is alive for 'b, the offset is C's.
        unsafe { field::<u16>(self.mbuf, dpdk_sys::SHIM_MBUF_DATA_LEN).read() }
    }

    /// Sets how many bytes are sent: the frame without its FCS. More than [`FrameMut::room`] is cut to it.
    #[inline(always)]
    pub fn set_len(&mut self, len: u16) {
        let len = len.min(self.room);
        // SAFETY: the mbuf is alive and ours for 'b, the offsets are C's, and `len` bytes are there.
        unsafe {
            field::<u16>(self.mbuf, dpdk_sys::SHIM_MBUF_DATA_LEN).write(len);
            field::<u32>(self.mbuf, dpdk_sys::SHIM_MBUF_PKT_LEN).write(u32::from(len));
        }
    }

    /// Sets what the NIC shall fill in when it sends this frame. Kept until it is set anew: the pool's mbufs
    /// are recycled as they are.
    #[inline]
    pub fn set_offload(&mut self, offload: FrameOffload) {
        let lengths = offload.lengths();
        // SAFETY: the mbuf is alive and ours for 'b, the offsets are C's.
        unsafe {
            field::<u64>(self.mbuf, dpdk_sys::SHIM_MBUF_OL_FLAGS).write(offload.flags());
            field::<u64>(self.mbuf, dpdk_sys::SHIM_MBUF_TX_OFFLOAD).write(lengths);
        }
    }
}
