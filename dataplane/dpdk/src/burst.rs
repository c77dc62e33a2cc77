//! Bursts: a few mbufs that are ours, in order.

use std::marker::PhantomData;
use std::ops::Range;
use std::ptr::{NonNull, null_mut};

use dpdk_sys::rte_mbuf;

use crate::eal::EalHandle;
use crate::mbuf::{FRAME_OFFSET, FrameMut, field};
use crate::mempool::FramePool;

/// Up to `N` frames of one [`FramePool`], on their way out. Dropping it takes them home.
#[derive(Debug)]
pub struct TxBurst<'p, const N: usize> {
    pool: &'p FramePool<'p>,
    room: u16,
    /// Ours are those from `first` to `end`; the others are stale.
    mbufs: [*mut rte_mbuf; N],
    first: usize,
    end: usize,
}

// SAFETY: the burst owns its mbufs and the pool behind it is `Sync`; nothing of it belongs to a thread.
unsafe impl<const N: usize> Send for TxBurst<'_, N> {}

impl<'p, const N: usize> TxBurst<'p, N> {
    pub(crate) fn new(pool: &'p FramePool<'p>) -> Self {
        const { assert!(N > 0 && N <= 512, "a burst has 1 to 512 frames: a mempool's cache holds no more") };
        Self { pool, room: pool.room(), mbufs: [null_mut(); N], first: 0, end: 0 }
    }

    /// Takes up to `count` more frames from the pool, as many as fit and as there are, and says how many:
    /// they are the last ones of the burst. One call into DPDK, a few more when the pool runs low.
    #[inline]
    pub fn take(&mut self, count: usize) -> usize {
        self.compact();
        let count = count.min(N - self.end);
        if count == 0 {
            return 0;
        }
        if self.get(count) { count } else { self.take_fewer(count) }
    }

    /// The pool has fewer than `count`: halves the wish until nothing is left to wish for.
    #[cold]
    fn take_fewer(&mut self, count: usize) -> usize {
        let (mut taken, mut wish) = (0, count / 2);
        while wish > 0 {
            if taken + wish <= count && self.get(wish) {
                taken += wish;
            } else {
                wish /= 2;
            }
        }
        taken
    }

    /// All of `count` or none. There is room for them.
    #[inline]
    fn get(&mut self, count: usize) -> bool {
        let place = &mut self.mbufs[self.end..self.end + count];
        // SAFETY: the pool is alive ('p), and `place` has room for `count` pointers.
        let status =
            unsafe { dpdk_sys::shim_mempool_get_bulk(self.pool.as_ptr(), place.as_mut_ptr(), count as u32) };
        if status == 0 {
            self.end += count;
        }
        status == 0
    }

    /// Moves what was not sent to the front.
    #[inline]
    fn compact(&mut self) {
        if self.first > 0 {
            self.mbufs.copy_within(self.first..self.end, 0);
            self.end -= self.first;
            self.first = 0;
        }
    }

    /// Frames in the burst.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.end - self.first
    }

    /// Whether there are none.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.first == self.end
    }

    /// The frames, in the order in which they are sent.
    #[inline(always)]
    pub fn frames_mut(&mut self) -> impl ExactSizeIterator<Item = FrameMut<'_>> + DoubleEndedIterator {
        self.frames_from(0)
    }

    /// The frames from `index` on: after [`TxBurst::take`] returned `taken`, the new ones are
    /// `frames_from(len() - taken)`. None when `index` is beyond the last.
    #[inline(always)]
    pub fn frames_from(
        &mut self,
        index: usize,
    ) -> impl ExactSizeIterator<Item = FrameMut<'_>> + DoubleEndedIterator {
        let room = self.room;
        let start = self.end.min(self.first + index);
        self.mbufs[start..self.end].iter_mut().map(move |mbuf| {
            // SAFETY: the mbufs of the burst came from the pool, are not NULL and are ours alone; the slice
            // hands each out once, for as long as the burst is borrowed.
            unsafe { FrameMut::new(NonNull::new_unchecked(*mbuf), room) }
        })
    }

    /// The frames of `which`, counted from the first that was not sent, in fours, and those that are left then. Fewer
    /// where the burst has not so many.
    #[inline(always)]
    pub fn fours(
        &mut self,
        which: Range<usize>,
    ) -> (impl ExactSizeIterator<Item = [FrameMut<'_>; 4]>, impl ExactSizeIterator<Item = FrameMut<'_>>) {
        let room = self.room;
        let end = self.end.min(self.first + which.end);
        let start = end.min(self.first + which.start);
        // SAFETY: as in `frames_from`.
        let frame = move |mbuf: *mut rte_mbuf| unsafe { FrameMut::new(NonNull::new_unchecked(mbuf), room) };
        let (fours, rest) = self.mbufs[start..end].as_chunks_mut::<4>();
        (fours.iter_mut().map(move |four| four.map(frame)), rest.iter_mut().map(move |mbuf| frame(*mbuf)))
    }

    /// The frame at `index`, counted from the first that was not sent.
    #[inline(always)]
    pub fn frame_mut(&mut self, index: usize) -> Option<FrameMut<'_>> {
        let mbuf = *self.mbufs[self.first..self.end].get(index)?;
        // SAFETY: as in `frames_from`; the burst is borrowed for as long as the frame lives.
        Some(unsafe { FrameMut::new(NonNull::new_unchecked(mbuf), self.room) })
    }

    /// Takes the frames that are left home, in bulk.
    #[inline]
    pub fn recycle(&mut self) {
        let left = &self.mbufs[self.first..self.end];
        if !left.is_empty() {
            // SAFETY: they came from this pool, are ours, and are as the pool wants them: one segment,
            // referred to once.
            unsafe { dpdk_sys::shim_mempool_put_bulk(self.pool.as_ptr(), left.as_ptr(), left.len() as u32) };
        }
        (self.first, self.end) = (0, 0);
    }

    pub(crate) fn pool(&self) -> &FramePool<'p> {
        self.pool
    }

    /// The mbufs, for a queue to send.
    #[inline(always)]
    pub(crate) fn pending(&mut self) -> &mut [*mut rte_mbuf] {
        &mut self.mbufs[self.first..self.end]
    }

    /// The first `sent` are the driver's now.
    #[inline(always)]
    pub(crate) fn sent(&mut self, sent: usize) {
        self.first += sent.min(self.len());
        if self.first == self.end {
            (self.first, self.end) = (0, 0);
        }
    }
}

impl<const N: usize> Drop for TxBurst<'_, N> {
    fn drop(&mut self) {
        self.recycle();
    }
}

/// Up to `N` received frames, of whatever pool. Dropping it frees them.
#[derive(Debug)]
pub struct RxBurst<'e, const N: usize> {
    /// Ours are those from `first` to `end`; the others are stale.
    mbufs: [*mut rte_mbuf; N],
    first: usize,
    end: usize,
    _eal: PhantomData<&'e ()>,
}

// SAFETY: the burst owns its mbufs, and pools can be given to from any thread.
unsafe impl<const N: usize> Send for RxBurst<'_, N> {}

impl<'e, const N: usize> RxBurst<'e, N> {
    /// An empty burst.
    pub fn new(_eal: EalHandle<'e>) -> Self {
        const { assert!(N > 0 && N <= 512, "a burst has 1 to 512 frames") };
        Self { mbufs: [null_mut(); N], first: 0, end: 0, _eal: PhantomData }
    }

    /// Frames in the burst.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.end - self.first
    }

    /// Whether there are none.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.first == self.end
    }

    /// The frames' bytes, without FCS: of their first segments, where they have several.
    #[inline(always)]
    pub fn frames(&self) -> impl ExactSizeIterator<Item = &[u8]> + DoubleEndedIterator {
        // SAFETY: the mbufs of the burst are not NULL and are ours for as long as the burst is borrowed.
        self.mbufs[self.first..self.end].iter().map(|mbuf| unsafe { bytes(NonNull::new_unchecked(*mbuf)) })
    }

    /// The bytes of the frame at `index`, without FCS: of its first segment, where it has several.
    #[inline(always)]
    pub fn frame(&self, index: usize) -> Option<&[u8]> {
        // SAFETY: as in `frames`.
        self.mbuf(index).map(|mbuf| unsafe { bytes(mbuf) })
    }

    /// The bytes of the frame at `index`, to be changed. None as well when somebody else refers to its mbuf.
    #[inline]
    pub fn frame_mut(&mut self, index: usize) -> Option<&mut [u8]> {
        let mbuf = self.mbuf(index)?;
        // SAFETY: the mbuf is alive and the offsets are C's. One reference means that the data is this
        // burst's alone, which is borrowed for as long as the bytes are.
        unsafe {
            if field::<u16>(mbuf, dpdk_sys::SHIM_MBUF_REFCNT).read() != 1 {
                return None;
            }
            let shared = bytes(mbuf);
            Some(std::slice::from_raw_parts_mut(shared.as_ptr().cast_mut(), shared.len()))
        }
    }

    /// Hands out the bytes of every frame in turn, to be changed, and returns all frames' bytes: `change` sees those of
    /// the first segment, and nothing of a frame whose mbuf somebody else refers to; the sum is over all segments.
    /// Memory is asked for some frames ahead.
    #[inline(always)]
    pub fn change(&mut self, mut change: impl FnMut(&mut [u8])) -> u64 {
        let mut one = |mbuf: *mut rte_mbuf| {
            // SAFETY: as in `frames` and `frame_mut`: not NULL, alive, ours, and handed out once.
            unsafe {
                let mbuf = NonNull::new_unchecked(mbuf);
                if field::<u16>(mbuf, dpdk_sys::SHIM_MBUF_REFCNT).read() == 1 {
                    let shared = bytes(mbuf);
                    change(std::slice::from_raw_parts_mut(shared.as_ptr().cast_mut(), shared.len()));
                }
                u64::from(field::<u32>(mbuf, dpdk_sys::SHIM_MBUF_PKT_LEN).read())
            }
        };
        let mut sum = 0;
        for_each_ahead(&self.mbufs[self.first..self.end], |mbuf| sum += one(mbuf));
        sum
    }

    /// Segments of the frame at `index`.
    #[inline(always)]
    pub fn segments(&self, index: usize) -> Option<u16> {
        // SAFETY: the mbuf is alive, the offset is C's.
        self.mbuf(index).map(|mbuf| unsafe { field::<u16>(mbuf, dpdk_sys::SHIM_MBUF_NB_SEGS).read() })
    }

    /// Bytes of the frame at `index` in all its segments, without FCS.
    #[inline(always)]
    pub fn frame_len(&self, index: usize) -> Option<u32> {
        // SAFETY: the mbuf is alive, the offset is C's.
        self.mbuf(index).map(|mbuf| unsafe { field::<u32>(mbuf, dpdk_sys::SHIM_MBUF_PKT_LEN).read() })
    }

    /// Asks the CPU for the first bytes of the frame at `index`, without waiting for them nor for its mbuf.
    #[inline(always)]
    pub fn prefetch(&self, index: usize) {
        if let Some(mbuf) = self.mbuf(index) {
            prefetch(mbuf.as_ptr());
        }
    }

    /// Frees the frames, in bulk.
    #[inline]
    pub fn free(&mut self) {
        let left = &mut self.mbufs[self.first..self.end];
        if !left.is_empty() {
            // SAFETY: the mbufs are alive and ours, and forgotten right after.
            unsafe { dpdk_sys::rte_pktmbuf_free_bulk(left.as_mut_ptr(), left.len() as u32) };
        }
        (self.first, self.end) = (0, 0);
    }

    #[inline(always)]
    fn mbuf(&self, index: usize) -> Option<NonNull<rte_mbuf>> {
        NonNull::new(*self.mbufs[self.first..self.end].get(index)?)
    }

    /// The mbufs, for a queue to send.
    #[inline(always)]
    pub(crate) fn pending(&mut self) -> &mut [*mut rte_mbuf] {
        &mut self.mbufs[self.first..self.end]
    }

    /// The first `sent` are the driver's now.
    #[inline(always)]
    pub(crate) fn sent(&mut self, sent: usize) {
        self.first += sent.min(self.len());
        if self.first == self.end {
            (self.first, self.end) = (0, 0);
        }
    }

    /// Where a queue may put what it receives: behind what is there.
    #[inline(always)]
    pub(crate) fn vacant(&mut self) -> &mut [*mut rte_mbuf] {
        &mut self.mbufs[self.end..]
    }

    /// A queue has put `count` mbufs there.
    #[inline(always)]
    pub(crate) fn received(&mut self, count: usize) {
        self.end = N.min(self.end + count);
    }
}

impl<const N: usize> Drop for RxBurst<'_, N> {
    fn drop(&mut self) {
        self.free();
    }
}

/// How many frames ahead memory is asked for.
const AHEAD: usize = 4;

/// Each mbuf in turn, the frame of one further on being asked for; no index is checked on the way.
#[inline(always)]
fn for_each_ahead(mbufs: &[*mut rte_mbuf], mut work: impl FnMut(*mut rte_mbuf)) {
    mbufs.iter().take(AHEAD).for_each(|mbuf| prefetch(*mbuf));
    for window in mbufs.windows(AHEAD + 1) {
        prefetch(window[AHEAD]);
        work(window[0]);
    }
    let rest = mbufs.len().saturating_sub(AHEAD);
    mbufs[rest..].iter().for_each(|mbuf| work(*mbuf));
}

/// Asks the CPU for the first bytes of the frame in `mbuf`, without waiting for them nor for the mbuf.
#[inline(always)]
fn prefetch(mbuf: *mut rte_mbuf) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing and faults on no address.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(mbuf.cast::<i8>().wrapping_add(FRAME_OFFSET));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a prefetch reads nothing and faults on no address.
    unsafe {
        let address = mbuf.cast::<u8>().wrapping_add(FRAME_OFFSET);
        core::arch::asm!("prfm pldl1keep, [{0}]", in(reg) address, options(nostack, readonly, preserves_flags));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = (mbuf, FRAME_OFFSET);
}

/// The bytes of an mbuf's own segment.
///
/// # Safety
/// `mbuf` is alive, filled by a driver, and not written to for `'b`.
#[inline(always)]
unsafe fn bytes<'b>(mbuf: NonNull<rte_mbuf>) -> &'b [u8] {
    // SAFETY: the offsets are C's; `data_len` bytes from `data_off` of the buffer are the driver's word to
    // everyone.
    unsafe {
        let buffer = field::<*const u8>(mbuf, dpdk_sys::SHIM_MBUF_BUF_ADDR).read();
        let offset = field::<u16>(mbuf, dpdk_sys::SHIM_MBUF_DATA_OFF).read();
        let len = field::<u16>(mbuf, dpdk_sys::SHIM_MBUF_DATA_LEN).read();
        std::slice::from_raw_parts(buffer.add(usize::from(offset)), usize::from(len))
    }
}
