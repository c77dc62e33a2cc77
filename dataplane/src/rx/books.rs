//! A worker's accountant, shown to the sampler when it asks: a copy a tick instead of shared counters a
//! frame.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_utils::CachePadded;
use traffic::account::{Accountant, Expectation};
use traffic::wire::CoreCounters;

/// Where one worker leaves copies of its books.
#[derive(Debug)]
pub struct Books {
    /// The tick that the sampler asks for; one writer, the sampler.
    asked: CachePadded<AtomicU64>,
    /// The tick that the copy is of; one writer, the worker.
    shown: CachePadded<AtomicU64>,
    copy: Mutex<Copy>,
}

/// One moment of one worker.
#[derive(Debug)]
pub struct Copy {
    /// Its books.
    pub accountant: Accountant,
    /// Its counters, of the same moment.
    pub tally: CoreCounters,
}

impl Books {
    /// Allocates the copy.
    pub fn new(expect: &Expectation) -> Books {
        Books {
            asked: CachePadded::new(AtomicU64::new(0)),
            shown: CachePadded::new(AtomicU64::new(0)),
            copy: Mutex::new(Copy {
                accountant: Accountant::new_copy(expect),
                tally: CoreCounters::default(),
            }),
        }
    }

    /// The sampler wants a copy of this moment.
    pub fn ask(&self, tick: u64) {
        self.asked.store(tick, Ordering::Release);
    }

    /// Whether the copy is of `tick` or later.
    pub fn is_shown(&self, tick: u64) -> bool {
        self.shown.load(Ordering::Acquire) >= tick
    }

    /// The worker copies its books if a copy was asked for since the last one. One relaxed load when not.
    #[inline(always)]
    pub fn show_if_asked(&self, books: &Accountant, tally: &CoreCounters, shown: &mut u64) {
        let asked = self.asked.load(Ordering::Relaxed);
        if asked != *shown {
            self.show(books, tally, asked);
            *shown = asked;
        }
    }

    #[cold]
    fn show(&self, books: &Accountant, tally: &CoreCounters, tick: u64) {
        let mut copy = self.read();
        copy.accountant.copy_from(books);
        copy.tally = *tally;
        drop(copy);
        self.shown.store(tick, Ordering::Release);
    }

    /// The latest copy.
    pub fn read(&self) -> MutexGuard<'_, Copy> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
