//! Which stream is next: groups of streams that are paced together, each in an order of its own.

use crate::cursor::MAX_BURST;
use crate::mixed_state::State;
use crate::order::even_order;
use crate::pacer::Gap;
use crate::plan::Plan;

/// Streams that share a rate, or one that has its own.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Numbers of the worker's states, in turn.
    order: Box<[u16]>,
    at: usize,
    /// Frames that can be picked before somebody must look whether each state has some left.
    pub certain: u64,
    /// Whether each state's frames are counted: when some may have none left.
    pub counted: bool,
    /// The plan's stream, where the lane is that of a single one with a rate of its own.
    pub stream: Option<u16>,
    /// This worker's part of the lane's rate.
    pub share: f64,
    /// The lane's gaps.
    pub gap: Gap,
    /// Seconds before its first frame.
    pub start_delay_s: f64,
}

impl Lane {
    /// All lanes of a worker with these states: first the streams that share the plan's rate, then one for each of the
    /// others. None without streams.
    pub fn all(plan: &Plan, states: &[State]) -> Vec<Lane> {
        let stream = |s: &State| plan.streams.get(usize::from(s.shard().stream));
        let mut lanes = Vec::new();
        let shared: Vec<(u16, u32, f64)> = states
            .iter()
            .enumerate()
            .filter_map(|(i, s)| {
                let plan = stream(s).filter(|p| p.rate.is_none())?;
                Some((i as u16, plan.weight, f64::from(plan.weight) * s.shard().rate_share()))
            })
            .collect();
        if !shared.is_empty() {
            let weights: Vec<u32> = shared.iter().map(|(_, weight, _)| *weight).collect();
            let total: f64 = plan.shared().map(|s| f64::from(s.weight)).sum();
            let order = even_order(&weights).into_iter().filter_map(|i| Some(shared.get(usize::from(i))?.0));
            let order = whole_bursts(order.collect());
            lanes.push(Lane {
                order,
                at: 0,
                certain: 0,
                counted: false,
                stream: None,
                share: shared.iter().map(|(_, _, share)| share).sum::<f64>() / total.max(1.0),
                gap: plan.gap,
                start_delay_s: 0.0,
            });
        }
        for (i, state) in states.iter().enumerate() {
            let Some(own) = stream(state).filter(|p| p.rate.is_some()) else { continue };
            lanes.push(Lane {
                order: whole_bursts(vec![i as u16]),
                at: 0,
                certain: 0,
                counted: false,
                stream: Some(state.shard().stream),
                share: state.shard().rate_share(),
                gap: own.gap,
                start_delay_s: own.start_delay_s,
            });
        }
        lanes
    }

    /// The next states, of which all have something to send. Fills `picks`.
    #[inline(always)]
    pub fn fill(&mut self, mut picks: &mut [u16]) {
        while !picks.is_empty() {
            let ahead = self.order.get(self.at..).unwrap_or_default();
            let count = ahead.len().min(picks.len());
            if count == 0 {
                return;
            }
            let (now, later) = picks.split_at_mut(count);
            now.copy_from_slice(&ahead[..count]);
            picks = later;
            self.at = if self.at + count == self.order.len() { 0 } else { self.at + count };
        }
    }

    /// The next state that `has` something to send; `None` when none has.
    pub fn next(&mut self, mut has: impl FnMut(u16) -> bool) -> Option<u16> {
        for _ in 0..self.order.len() {
            let state = *self.order.get(self.at)?;
            self.at = if self.at + 1 == self.order.len() { 0 } else { self.at + 1 };
            if has(state) {
                return Some(state);
            }
        }
        None
    }

    /// Numbers of its states, each as often as it comes in a cycle.
    pub fn states(&self) -> &[u16] {
        &self.order
    }

    /// Goes back over one frame.
    pub fn step_back(&mut self) {
        self.at = self.at.checked_sub(1).unwrap_or(self.order.len().saturating_sub(1));
    }
}

/// A cycle as often as it takes to fill a burst: it is copied a piece at a time.
fn whole_bursts(cycle: Vec<u16>) -> Box<[u16]> {
    let times = MAX_BURST.div_ceil(cycle.len().max(1));
    cycle.repeat(times).into()
}
