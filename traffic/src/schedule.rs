//! Which stream is next: groups of streams that are paced together, each in an order of its own.

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
            lanes.push(Lane {
                order: order.collect(),
                at: 0,
                stream: None,
                share: shared.iter().map(|(_, _, share)| share).sum::<f64>() / total.max(1.0),
                gap: plan.gap,
                start_delay_s: 0.0,
            });
        }
        for (i, state) in states.iter().enumerate() {
            let Some(own) = stream(state).filter(|p| p.rate.is_some()) else { continue };
            lanes.push(Lane {
                order: [i as u16].into(),
                at: 0,
                stream: Some(state.shard().stream),
                share: state.shard().rate_share(),
                gap: own.gap,
                start_delay_s: own.start_delay_s,
            });
        }
        lanes
    }

    /// The next state that `has` something to send; `None` when none has.
    #[inline]
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

    /// Goes back over one frame.
    pub fn step_back(&mut self) {
        self.at = self.at.checked_sub(1).unwrap_or(self.order.len().saturating_sub(1));
    }
}
