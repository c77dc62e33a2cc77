//! Loads as whole numbers: steps of equal ratio between the lowest and the highest, so that halving never drifts and a
//! width is the same everywhere.

/// Between two loads, both above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Frames a second, step 0.
    pub min_pps: f64,
    /// Frames a second, the last step.
    pub max_pps: f64,
    /// Of the last step.
    pub max: i64,
    /// Natural logarithm of one step's ratio.
    pub unit: f64,
}

/// How much of a goal's width a whole number of steps has to fill. Rounding down makes an answer narrower, never wider.
const FILLED: f64 = 0.99;
/// So many steps are enough for any widths whose ratio is not absurd.
const STEPS_MAX: i64 = 1 << 32;

impl Grid {
    /// As coarse as it may be for these `widths`, each a share: goals that measure the same loads share their trials.
    pub fn new(min_pps: f64, max_pps: f64, widths: &[f64]) -> Grid {
        let range = (max_pps / min_pps).ln().max(f64::MIN_POSITIVE);
        let mut max = 1i64;
        loop {
            // The next number of steps that could do for the first width that is not filled.
            let next = widths.iter().find_map(|width| {
                let steps = -(-width).ln_1p() / range * max as f64;
                let is_filled = steps >= 1.0 && steps.floor() / steps >= FILLED;
                (!is_filled).then(|| (max as f64 * (steps.floor() + 1.0) / steps).ceil() as i64)
            });
            match next {
                Some(next) if max < STEPS_MAX => max = next.max(max + 1),
                _ => break,
            }
        }
        Grid { min_pps, max_pps, max, unit: range / max as f64 }
    }

    /// Frames a second.
    pub fn pps(&self, step: i64) -> f64 {
        match step {
            i64::MIN..=0 => self.min_pps,
            step if step >= self.max => self.max_pps,
            step => self.min_pps * (step as f64 * self.unit).exp(),
        }
    }

    /// The highest step that is no more than `pps`; the lowest for less than that.
    pub fn step(&self, pps: f64) -> i64 {
        if pps <= self.min_pps {
            return 0;
        }
        let step = ((pps / self.min_pps).ln() / self.unit) as i64;
        // A load that is a step's own must not fall to the one below for a rounding error.
        let step = if self.pps(step + 1) <= pps * (1.0 + 1e-12) { step + 1 } else { step };
        step.clamp(0, self.max)
    }

    /// Between `lo` and `hi`, such that one part is a power of two times `width`, as even as that allows, and the lower
    /// part is the smaller one: what is halved again later then ends at the width without a remainder.
    pub fn middle(lo: i64, hi: i64, width: i64) -> i64 {
        let (all, mut width) = (hi - lo, width.max(1));
        while all < 2 * width && width % 2 == 0 {
            width /= 2;
        }
        if all < 2 * width {
            return lo + all / 2;
        }
        let mut part = width;
        while all - 2 * part > 2 * part {
            part *= 2;
        }
        let evenness = |part: i64| part.min(all - part);
        let part = if all > 2 * part && evenness(2 * part) > evenness(part) { 2 * part } else { part };
        lo + part.min(all - part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_width_is_nearly_filled_by_whole_steps() {
        for widths in [vec![0.005], vec![0.005, 0.01], vec![0.005, 0.007, 0.02], vec![0.9, 0.001]] {
            let grid = Grid::new(9001.0, 14_880_952.0, &widths);
            for width in &widths {
                let steps = -(-width).ln_1p() / grid.unit;
                assert!(
                    steps >= 1.0 && steps.floor() / steps >= FILLED,
                    "{width} is {steps} steps of {grid:?}"
                );
            }
        }
        assert!(Grid::new(9001.0, 14_880_952.0, &[0.005]).max < 1500, "one width is one step");
    }

    proptest! {
        #[test]
        fn a_steps_load_is_that_step(min in 1.0f64..1e6, ratio in 1.1f64..1e6, part in 0.0f64..1.0) {
            let grid = Grid::new(min, min * ratio, &[0.005]);
            let step = (part * grid.max as f64) as i64;
            prop_assert_eq!(grid.step(grid.pps(step)), step);
            prop_assert!(grid.pps(step) <= grid.max_pps);
        }

        #[test]
        fn the_middle_lies_between_and_leaves_whole_widths(all in 2i64..1_000_000, width in 1i64..5000) {
            let middle = Grid::middle(7, 7 + all, width);
            prop_assert!(middle > 7 && middle < 7 + all);
            let parts = [middle - 7, 7 + all - middle];
            prop_assert!(parts[0] <= parts[1]);
            if all >= 2 * width {
                prop_assert!(parts.iter().any(|p| p % width == 0 && (p / width).count_ones() == 1), "{parts:?}");
                prop_assert!(parts[0] * 3 >= all - 3, "{parts:?} of {all}");
            }
        }
    }
}
