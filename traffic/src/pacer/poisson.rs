//! Exponential gaps: when the frames of a Poisson process are due.

/// Fractions of a tick that gaps are kept in.
const FRACTION_BITS: u32 = 16;

/// Seeded and repeatable. Two places in one endless list of due times: up to where frames are due, and up to where
/// they were granted.
#[derive(Clone, Debug)]
pub struct Poisson {
    /// Mean gap, in fractions of a tick.
    mean: f64,
    /// The first frame that is not due yet.
    front: Place,
    /// The first frame that was not granted yet.
    back: Place,
    /// More than this much behind, the process starts anew from here on.
    jump_ticks: u64,
    lost: u64,
    seed: u64,
}

/// A frame of the list.
#[derive(Clone, Copy, Debug)]
struct Place {
    number: u64,
    ticks: u64,
    fraction: u64,
    random: u64,
}

impl Place {
    fn first(seed: u64, mean: f64) -> Place {
        let mut place = Place { number: 0, ticks: 0, fraction: 0, random: seed };
        place.gap(mean);
        place
    }

    fn next(&mut self, mean: f64) {
        self.number += 1;
        self.gap(mean);
    }

    #[inline]
    fn gap(&mut self, mean: f64) {
        // SplitMix64 (Steele, Lea, Flood 2014); its top 53 bits, moved off zero, are a number in (0, 1].
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let uniform = (((z ^ (z >> 31)) >> 11) + 1) as f64 * 2f64.powi(-53);
        let gap = self.fraction + (-uniform.ln() * mean) as u64;
        self.ticks += gap >> FRACTION_BITS;
        self.fraction = gap & ((1 << FRACTION_BITS) - 1);
    }
}

impl Poisson {
    /// For gaps of `mean_ticks`; a stall of more than `jump_ticks` is not made up for frame by frame.
    pub fn new(mean_ticks: f64, seed: u64, jump_ticks: u64) -> Poisson {
        let mean = mean_ticks * f64::from(1u32 << FRACTION_BITS);
        let first = Place::first(seed, mean);
        Poisson { mean, front: first, back: first, jump_ticks, lost: 0, seed }
    }

    /// From its first frame again.
    pub fn restart(&mut self) {
        self.front = Place::first(self.seed, self.mean);
        (self.back, self.lost) = (self.front, 0);
    }

    /// How many frames are due in all at `elapsed`.
    #[inline]
    pub fn due_by(&mut self, elapsed: u64) -> u64 {
        if elapsed.saturating_sub(self.front.ticks) > self.jump_ticks {
            self.jump(elapsed - self.jump_ticks);
        }
        while self.front.ticks <= elapsed {
            self.front.next(self.mean);
        }
        self.front.number
    }

    /// The process forgets: begun anew at any time it is the same process. What was due until then is lost.
    #[cold]
    fn jump(&mut self, to: u64) {
        let skipped = (to - self.front.ticks) as f64 * f64::from(1u32 << FRACTION_BITS) / self.mean;
        self.front.number += skipped as u64;
        self.front.ticks = to;
        self.front.gap(self.mean);
        self.lost += self.front.number - self.back.number;
        self.back = self.front;
    }

    /// Frames that were passed over since last asked.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// The next frame is granted: when it was due.
    #[inline]
    pub fn take(&mut self) -> u64 {
        let due = self.back.ticks;
        self.back.next(self.mean);
        due
    }

    /// Passes over `frames` frames.
    pub fn skip(&mut self, frames: u64) {
        (0..frames).for_each(|_| self.back.next(self.mean));
    }
}
