//! Pools of mbufs: plain ones for receiving, and pools whose every mbuf is a frame that is ready to be sent.

use std::ffi::{CString, c_uint, c_void};
use std::marker::PhantomData;
use std::ptr::NonNull;

use dpdk_sys::{rte_mbuf, rte_mempool};

use crate::burst::TxBurst;
use crate::eal::EalHandle;
use crate::errno::Errno;
use crate::mbuf::{self, FRAME_OFFSET, FrameMut, HEADROOM, MIN_ROOM};
use crate::numa::SocketId;

/// What a pool is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MempoolConfig {
    /// Its name, once a process; 25 bytes at most.
    pub name: String,
    /// How many mbufs. 2ⁿ-1 wastes least. A pool that is small enough for the CPU's cache is far faster to
    /// send from.
    pub mbufs: u32,
    /// How many mbufs each worker keeps to itself; 512 and two thirds of `mbufs` at most. 0: none.
    pub cache: u32,
    /// Bytes of frame (without FCS) that an mbuf holds; raised to [`MIN_ROOM`].
    pub room: u16,
    /// The NUMA node of the memory. None: any.
    pub socket: Option<SocketId>,
}

impl MempoolConfig {
    /// A pool of 2048-byte mbufs on any node, with as large a cache as is allowed, 256 at most.
    pub fn new(name: impl Into<String>, mbufs: u32) -> Self {
        Self { name: name.into(), mbufs, cache: 256.min(mbufs / 2), room: 2048, socket: None }
    }

    /// On this NUMA node.
    #[must_use]
    pub fn on(mut self, socket: Option<SocketId>) -> Self {
        self.socket = socket;
        self
    }

    /// With room for frames of this many bytes, without FCS.
    #[must_use]
    pub fn room(mut self, room: u16) -> Self {
        self.room = room;
        self
    }
}

/// Why there is no such pool.
#[derive(Debug, thiserror::Error)]
pub enum MempoolError {
    /// The name has a NUL byte.
    #[error("mempool name {0:?} has a NUL byte in it: remove it")]
    Name(String),
    /// The cache is too large.
    #[error("mempool {name}: a cache of {cache} is too large for {mbufs} mbufs; {max} at most")]
    Cache {
        /// The pool.
        name: String,
        /// What was asked for.
        cache: u32,
        /// Mbufs in the pool.
        mbufs: u32,
        /// What would do.
        max: u32,
    },
    /// The room of a frame is too large for an mbuf.
    #[error("mempool {name}: room for {room} bytes is more than an mbuf can have; {max} at most")]
    Room {
        /// The pool.
        name: String,
        /// What was asked for.
        room: u16,
        /// What would do.
        max: u16,
    },
    /// DPDK has no memory for it, or refused it.
    #[error(
        "mempool {name} of {mbufs} mbufs × {room} bytes ({mib} MiB): {errno}. Give EAL more memory, or take fewer mbufs",
        mib = (u64::from(*mbufs) * (u64::from(*room) + FRAME_OFFSET as u64)).div_ceil(1 << 20)
    )]
    Create {
        /// The pool.
        name: String,
        /// Mbufs asked for.
        mbufs: u32,
        /// Bytes of frame in each.
        room: u16,
        /// What DPDK said.
        errno: Errno,
    },
    /// A frame was left empty.
    #[error("mempool {name}: frame {index} was left without a length: call set_len when filling it")]
    Empty {
        /// The pool.
        name: String,
        /// Which mbuf.
        index: usize,
    },
}

/// Mbufs for receiving. Shared by reference; workers take and give through caches of their own.
///
/// Dropping it frees it only when all mbufs are home: one that a driver or a leaked burst still holds keeps
/// the memory in place, as everything else would be a use after free.
#[derive(Debug)]
pub struct Mempool<'e> {
    pool: NonNull<rte_mempool>,
    config: MempoolConfig,
    _eal: PhantomData<&'e ()>,
}

// SAFETY: DPDK's default pool operations are safe for many producers and consumers, and caches belong to one
// thread.
unsafe impl Send for Mempool<'_> {}
// SAFETY: as above; all methods with `&self` either read counters or use those operations.
unsafe impl Sync for Mempool<'_> {}

impl<'e> Mempool<'e> {
    /// Makes a pool.
    pub fn create(_eal: EalHandle<'e>, config: MempoolConfig) -> Result<Self, MempoolError> {
        let config = MempoolConfig { room: config.room.max(MIN_ROOM), ..config };
        let Ok(name) = CString::new(config.name.as_str()) else {
            return Err(MempoolError::Name(config.name));
        };
        // DPDK may fill a cache to one and a half times its size, and refuses one that could swallow the
        // pool.
        let max = dpdk_sys::SHIM_MEMPOOL_CACHE_MAX.min((u64::from(config.mbufs) * 2 / 3) as u32);
        if config.cache > max {
            let MempoolConfig { name, cache, mbufs, .. } = config;
            return Err(MempoolError::Cache { name, cache, mbufs, max });
        }
        let Some(data_room) = config.room.checked_add(HEADROOM) else {
            return Err(MempoolError::Room {
                name: config.name,
                room: config.room,
                max: u16::MAX - HEADROOM,
            });
        };
        let socket = SocketId::to_raw(config.socket);
        // SAFETY: EAL is up (the handle), the name is a C string that DPDK copies, all else are numbers it
        // checks.
        let pool = unsafe {
            dpdk_sys::rte_pktmbuf_pool_create(name.as_ptr(), config.mbufs, config.cache, 0, data_room, socket)
        };
        match NonNull::new(pool) {
            Some(pool) => Ok(Self { pool, config, _eal: PhantomData }),
            None => {
                let MempoolConfig { name, mbufs, room, .. } = config;
                Err(MempoolError::Create { name, mbufs, room, errno: Errno::last() })
            }
        }
    }

    /// Writes a frame into every mbuf, once: `fill` gets the mbuf's index and its zeroed frame, and must set
    /// its length. From then on the pool's mbufs are taken and sent as they are.
    pub fn prefill(
        self,
        mut fill: impl FnMut(usize, &mut FrameMut<'_>),
    ) -> Result<FramePool<'e>, MempoolError> {
        let mut mbufs: Vec<NonNull<rte_mbuf>> = Vec::with_capacity(self.config.mbufs as usize);
        // SAFETY: the pool is alive; `collect` has the type asked for and gets a pointer to the vector that
        // it expects.
        unsafe {
            dpdk_sys::rte_mempool_obj_iter(
                self.pool.as_ptr(),
                Some(collect),
                (&raw mut mbufs).cast::<c_void>(),
            );
        }
        for (index, mbuf) in mbufs.into_iter().enumerate() {
            // SAFETY: `self` is owned, so no queue and no burst can have borrowed it: all mbufs are home and
            // ours.
            let mut frame = unsafe {
                mbuf::prepare(mbuf);
                mbuf.as_ptr().cast::<u8>().add(FRAME_OFFSET).write_bytes(0, usize::from(self.config.room));
                FrameMut::new(mbuf, self.config.room)
            };
            fill(index, &mut frame);
            if frame.len() == 0 {
                return Err(MempoolError::Empty { name: self.config.name.clone(), index });
            }
        }
        Ok(FramePool { pool: self })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Mbufs in all.
    pub fn mbufs(&self) -> u32 {
        self.config.mbufs
    }

    /// Bytes of frame (without FCS) in each mbuf.
    pub fn room(&self) -> u16 {
        self.config.room
    }

    /// Mbufs that are home, in the pool itself and in all workers' caches. A snapshot; slow, not for the
    /// packet path.
    pub fn avail(&self) -> u32 {
        // SAFETY: the pool is alive.
        unsafe { dpdk_sys::rte_mempool_avail_count(self.as_ptr()) }
    }

    /// Mbufs that are away: in bursts and in devices. A snapshot; slow, not for the packet path.
    pub fn in_use(&self) -> u32 {
        // SAFETY: the pool is alive.
        unsafe { dpdk_sys::rte_mempool_in_use_count(self.as_ptr()) }
    }

    /// Gives what the calling thread's cache holds to all. For a worker that ends while the pool lives on.
    pub fn flush_cache(&self) {
        // SAFETY: the pool is alive; the cache is that of the calling thread, or none.
        unsafe { dpdk_sys::shim_mempool_cache_flush(self.as_ptr()) }
    }

    pub(crate) fn as_ptr(&self) -> *mut rte_mempool {
        self.pool.as_ptr()
    }
}

impl Drop for Mempool<'_> {
    fn drop(&mut self) {
        if self.in_use() == 0 {
            // SAFETY: no mbuf is away, and whoever could take one has borrowed the pool, so nobody is left
            // who could.
            unsafe { dpdk_sys::rte_mempool_free(self.as_ptr()) };
        }
    }
}

/// Called by DPDK for each mbuf of a pool.
unsafe extern "C" fn collect(_: *mut rte_mempool, mbufs: *mut c_void, mbuf: *mut c_void, _: c_uint) {
    // SAFETY: `mbufs` is the vector that `prefill` passed, used by nobody else meanwhile. Its capacity is the
    // number of mbufs, so this does not allocate (and could not unwind into C).
    let mbufs = unsafe { &mut *mbufs.cast::<Vec<NonNull<rte_mbuf>>>() };
    mbufs.extend(NonNull::new(mbuf.cast::<rte_mbuf>()));
}

/// A pool whose every mbuf is a frame, ready to be sent. Made by [`Mempool::prefill`]. No RX queue can have
/// it, so nobody but its bursts ever changes its frames.
#[derive(Debug)]
pub struct FramePool<'e> {
    pool: Mempool<'e>,
}

impl FramePool<'_> {
    /// An empty burst of up to `N` of this pool's frames. Keep it: making one writes `N` pointers.
    pub fn burst<const N: usize>(&self) -> TxBurst<'_, N> {
        TxBurst::new(self)
    }

    /// The pool: its counts, its name.
    pub fn pool(&self) -> &Mempool<'_> {
        &self.pool
    }

    /// Bytes of frame (without FCS) in each mbuf.
    #[inline]
    pub fn room(&self) -> u16 {
        self.pool.config.room
    }

    /// Mbufs that are home. See [`Mempool::avail`].
    pub fn avail(&self) -> u32 {
        self.pool.avail()
    }

    /// Mbufs that are away. See [`Mempool::in_use`].
    pub fn in_use(&self) -> u32 {
        self.pool.in_use()
    }

    /// See [`Mempool::flush_cache`].
    pub fn flush_cache(&self) {
        self.pool.flush_cache();
    }

    #[inline]
    pub(crate) fn as_ptr(&self) -> *mut rte_mempool {
        self.pool.as_ptr()
    }
}
