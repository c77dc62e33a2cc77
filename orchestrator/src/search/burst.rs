//! RFC 9004: the longest burst at the highest rate that passes without loss, by halving.

/// A search under way; bursts are counted in frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bursts {
    /// The longest that passed.
    pub longest: u64,
    /// The shortest that lost a frame.
    pub lossy: Option<u64>,
    max: u64,
}

impl Bursts {
    /// Up to bursts of `max` frames: RFC 9004 §5.3 asks for 2 s.
    pub fn new(max: u64) -> Bursts {
        Bursts { longest: 0, lossy: None, max: max.max(1) }
    }

    /// The next burst's frames; none when the two ends are within 1 % (or a frame).
    pub fn next(&self) -> Option<u64> {
        match self.lossy {
            None if self.longest >= self.max => None,
            None => Some(self.max),
            Some(lossy) if lossy - self.longest <= (lossy / 100).max(1) => None,
            Some(lossy) => Some(self.longest + (lossy - self.longest) / 2),
        }
    }

    /// What came of a burst.
    pub fn tell(&mut self, frames: u64, is_whole: bool) {
        if is_whole {
            self.longest = self.longest.max(frames);
        } else {
            self.lossy = Some(self.lossy.map_or(frames, |lossy| lossy.min(frames)));
            // A longer one that passed before was luck.
            self.longest = self.longest.min(frames.saturating_sub(1));
        }
    }

    /// Bursts that a search takes at most.
    pub fn trials_max(max: u64) -> u32 {
        max.max(1).ilog2() + 3
    }
}

/// RFC 9004 §6.4: the seconds of frames that the device buffers, less what it forwards meanwhile.
pub fn corrected_buffer_s(frames: f64, max_pps: f64, throughput_pps: f64) -> f64 {
    let implied = frames / max_pps;
    (implied * (1.0 - throughput_pps / max_pps)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_burst_is_found_and_the_search_ends() {
        for (max, buffer) in [(1, 1), (1, 0), (1000, 1000), (1_000_000, 123_456), (1_000_000, 0), (77, 3)] {
            let (mut bursts, mut trials) = (Bursts::new(max), 0);
            while let Some(frames) = bursts.next() {
                assert!(frames >= 1 && frames <= max);
                bursts.tell(frames, frames <= buffer);
                trials += 1;
            }
            assert!(trials <= Bursts::trials_max(max), "{trials} for {max}");
            assert!(bursts.longest <= buffer && bursts.longest >= buffer.min(max) * 99 / 100, "{bursts:?}");
        }
    }

    #[test]
    fn what_is_forwarded_meanwhile_is_not_buffered() {
        assert_eq!(corrected_buffer_s(1000.0, 1e6, 0.75e6), 0.00025);
        assert_eq!(corrected_buffer_s(1000.0, 1e6, 2e6), 0.0);
    }
}
