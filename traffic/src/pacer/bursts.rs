//! Bursts of frames at fixed times: when each frame is due.

/// One worker's part of every burst.
#[derive(Clone, Copy, Debug)]
pub struct BurstTimes {
    /// Frames a burst; a worker's part need not be whole in each.
    size: f64,
    /// The parts of the workers before this one: together all parts are whole in every burst.
    ahead: f64,
    /// Ticks from burst to burst.
    period: f64,
    /// The burst of the next frame to be granted.
    burst: u64,
    /// Its number within the burst.
    index: u64,
}

impl BurstTimes {
    /// `size` frames every `period` ticks.
    pub fn new(size: f64, period: f64) -> BurstTimes {
        BurstTimes { size, ahead: 0.0, period: period.max(1.0), burst: 0, index: 0 }
    }

    /// Behind workers that take `size` frames of each burst.
    pub fn behind(&mut self, size: f64) {
        self.ahead = size;
    }

    /// From its first frame again.
    pub fn restart(&mut self) {
        (self.burst, self.index) = (0, 0);
    }

    fn start_of(&self, burst: u64) -> u64 {
        (burst as f64 * self.period).ceil() as u64
    }

    /// Frames of all bursts before number `burst`.
    fn before(&self, burst: u64) -> u64 {
        // What should be whole and is a hair less is whole.
        let whole = |size: f64| (burst as f64 * size + 1e-6) as u64;
        whole(self.ahead + self.size) - whole(self.ahead)
    }

    /// How many frames are due in all at `elapsed`.
    #[inline]
    pub fn due_by(&self, elapsed: u64) -> u64 {
        let burst = (elapsed as f64 / self.period) as u64;
        // The quotient is rounded, the start of a burst decides.
        let begun = if self.start_of(burst) > elapsed {
            burst
        } else if self.start_of(burst + 1) <= elapsed {
            burst + 2
        } else {
            burst + 1
        };
        self.before(begun)
    }

    /// The next frame is granted: when it was due.
    #[inline]
    pub fn take(&mut self) -> u64 {
        self.skip(0);
        self.index += 1;
        self.start_of(self.burst)
    }

    /// Passes over `frames` frames, and over bursts that are behind.
    pub fn skip(&mut self, frames: u64) {
        self.index += frames;
        loop {
            let size = self.before(self.burst + 1) - self.before(self.burst);
            if self.index < size {
                return;
            }
            self.index -= size;
            self.burst += 1;
        }
    }
}
