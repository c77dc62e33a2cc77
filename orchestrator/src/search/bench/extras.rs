//! What is measured beside the answer: latency under load, the loss curve of RFC 2544, the bursts of RFC 9004.

use super::SearchError;
use super::file::{BackToBack, CurvePoint, LatencyPoint, SearchFile};
use super::measure::{Bench, Load};
use super::session::answers;
use super::show;
use crate::lab::Lab;
use crate::search::burst::{Bursts, corrected_buffer_s};

/// Loads at which latency is told, as CSIT does, in per cent of the answer.
const LATENCY_PERCENT: [u32; 3] = [90, 50, 10];
/// The steps of the loss curve (RFC 2544 §26.3), in per cent of the highest load.
const CURVE_STEP_PERCENT: u32 = 10;
/// The longest burst (RFC 9004 §5.3).
const BURST_S: f64 = 2.0;

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Extras {
    /// Seconds of each latency trial; none is 0.
    pub latency_s: f64,
    /// Seconds of each trial of the loss curve; none is 0.
    pub curve_s: f64,
    /// Repetitions of the search for the longest burst.
    pub bursts: u32,
}

impl Extras {
    /// Trial seconds that all of it takes at most.
    pub fn bound_s(&self, max_pps: f64) -> f64 {
        let latency_s = self.latency_s * (LATENCY_PERCENT.len() + 1) as f64;
        let curve_s = self.curve_s * f64::from(100 / CURVE_STEP_PERCENT);
        let bursts = self.bursts * Bursts::trials_max((max_pps * BURST_S) as u64);
        latency_s + curve_s + f64::from(bursts) * BURST_S
    }
}

/// Measures what is wanted and not there yet.
pub async fn measure<L: Lab>(
    extras: &Extras,
    bench: &mut Bench<'_, L>,
    file: &mut SearchFile,
    index: usize,
) -> Result<(), SearchError> {
    if extras.latency_s > 0.0 {
        latency(extras.latency_s, bench, file, index).await?;
    }
    if extras.curve_s > 0.0 {
        loss_curve(extras.curve_s, bench, file, index).await?;
    }
    if extras.bursts > 0 {
        back_to_back(extras.bursts, bench, file, index).await?;
    }
    Ok(())
}

async fn latency<L: Lab>(
    trial_s: f64,
    bench: &mut Bench<'_, L>,
    file: &mut SearchFile,
    index: usize,
) -> Result<(), SearchError> {
    let Some(group) = file.groups.get(index) else { return Ok(()) };
    let Some((goal, answer_pps)) = answers(group, &file.config.goals).0 else { return Ok(()) };
    let shares = LATENCY_PERCENT
        .map(|percent| (format!("{percent} % of {goal}"), answer_pps * f64::from(percent) / 100.0));
    let lowest = ("lowest load".to_owned(), file.config.min_pps);
    for (name, load_pps) in shares.into_iter().chain([lowest]) {
        let is_there = |file: &SearchFile| {
            file.groups.get(index).is_some_and(|group| group.latency.iter().any(|point| point.name == name))
        };
        // Ten per cent of a low answer may be below the lowest load.
        if is_there(file) || load_pps < file.config.min_pps {
            continue;
        }
        let entry = bench.trial(Load::Rate(load_pps, trial_s)).await?;
        let Some(group) = file.groups.get_mut(index) else { return Ok(()) };
        group.latency.push(LatencyPoint { name, entry });
        show::latency(bench.settings.output, group);
        file.write(bench.folder)?;
    }
    Ok(())
}

/// From the highest load down, until two loads in a row lose nothing.
async fn loss_curve<L: Lab>(
    trial_s: f64,
    bench: &mut Bench<'_, L>,
    file: &mut SearchFile,
    index: usize,
) -> Result<(), SearchError> {
    let max_pps = file.config.max_pps;
    for percent in (1..=100 / CURVE_STEP_PERCENT).rev().map(|step| step * CURVE_STEP_PERCENT) {
        let Some(group) = file.groups.get(index) else { return Ok(()) };
        let whole = |point: &CurvePoint| point.entry.trial.loss_ratio() <= 0.0;
        if group.loss_curve.iter().rev().take(2).filter(|point| whole(point)).count() == 2 {
            return Ok(());
        }
        if group.loss_curve.iter().any(|point| point.percent == percent) {
            continue;
        }
        let load = Load::Rate(max_pps * f64::from(percent) / 100.0, trial_s);
        let entry = bench.trial(load).await?;
        let Some(group) = file.groups.get_mut(index) else { return Ok(()) };
        group.loss_curve.push(CurvePoint { percent, entry });
        show::curve(bench.settings.output, group);
        file.write(bench.folder)?;
    }
    Ok(())
}

async fn back_to_back<L: Lab>(
    repeats: u32,
    bench: &mut Bench<'_, L>,
    file: &mut SearchFile,
    index: usize,
) -> Result<(), SearchError> {
    let max_pps = file.config.max_pps;
    let longest = (max_pps * BURST_S) as u64;
    let Some(group) = file.groups.get(index) else { return Ok(()) };
    let throughput_pps = answers(group, &file.config.goals).1;
    let mut frames = group.back_to_back.as_ref().map_or_else(Vec::new, |found| found.frames.clone());
    while frames.len() < repeats as usize {
        let mut bursts = Bursts::new(longest);
        while let Some(length) = bursts.next() {
            let entry = bench.trial(Load::Burst(max_pps, length)).await?;
            bursts.tell(length, entry.trial.loss_ratio() <= 0.0);
        }
        frames.push(bursts.longest);
        let mean_frames = frames.iter().map(|n| *n as f64).sum::<f64>() / frames.len() as f64;
        let found = BackToBack {
            is_whole: frames.iter().all(|n| *n >= longest),
            frames: frames.clone(),
            mean_frames,
            corrected_buffer_s: throughput_pps.map(|pps| corrected_buffer_s(mean_frames, max_pps, pps)),
        };
        let Some(group) = file.groups.get_mut(index) else { return Ok(()) };
        group.back_to_back = Some(found);
        show::bursts(bench.settings.output, group);
        file.write(bench.folder)?;
    }
    Ok(())
}
