//! What cores, queues, clocks and frames did in one result.

use serde::Serialize;

use crate::collect::series::tx_end;
use crate::results::stored::Stored;
use crate::trial::SideOutcome;

/// One worker.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Core {
    /// `tx` or `rx`.
    pub end: &'static str,
    /// Its CPU.
    pub cpu: u32,
    /// Frames sent, or received, a second.
    pub pps: f64,
    /// Calls of the driver that moved frames, of all calls, percent: how busy it was.
    pub busy_percent: Option<f64>,
}

/// Of both ends.
pub fn cores(stored: &Stored) -> Vec<Core> {
    let outcome = &stored.judged.outcome;
    let seconds = stored.judged.verdict.rated_s.unwrap_or(outcome.record.duration_s);
    let end = |end: &'static str, side: &SideOutcome| {
        let totals = match &side.summary {
            Some(summary) => Some(tx_end(summary, &side.samples)),
            None => side.samples.last().cloned(),
        };
        let cores = totals.map_or_else(Vec::new, |t| t.cores);
        cores.into_iter().map(move |core| {
            let frames = if end == "tx" { core.tx_packets } else { core.rx_packets };
            let calls = core.bursts + core.idle_polls;
            Core {
                end,
                cpu: core.cpu,
                pps: if seconds > 0.0 { frames as f64 / seconds } else { 0.0 },
                busy_percent: (calls > 0).then(|| core.bursts as f64 / calls as f64 * 100.0),
            }
        })
    };
    end("tx", &outcome.tx).chain(end("rx", &outcome.rx)).collect()
}
