//! The figures that results are compared by.

use clap::ValueEnum;
use serde::Serialize;

use crate::collect::Verdict;

/// One figure of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Metric {
    /// Received packets a second.
    RxPps,
    /// Sent packets a second.
    TxPps,
    /// Lost of all sent, percent
    LossPercent,
    /// Median latency, nanoseconds.
    P50Ns,
    /// 99th percentile of latency, nanoseconds.
    P99Ns,
    /// 99.9th percentile of latency, nanoseconds
    P999Ns,
}

impl Metric {
    /// All of them, in the order of tables.
    pub const ALL: [Metric; 6] =
        [Metric::RxPps, Metric::TxPps, Metric::LossPercent, Metric::P50Ns, Metric::P99Ns, Metric::P999Ns];

    /// As it is typed and written.
    pub fn name(self) -> &'static str {
        match self {
            Metric::RxPps => "rx_pps",
            Metric::TxPps => "tx_pps",
            Metric::LossPercent => "loss_percent",
            Metric::P50Ns => "p50_ns",
            Metric::P99Ns => "p99_ns",
            Metric::P999Ns => "p999_ns",
        }
    }

    /// Of one result; none where it was not measured.
    pub fn of(self, verdict: &Verdict) -> Option<f64> {
        let latency = verdict.latency.as_ref();
        match self {
            Metric::RxPps => Some(verdict.rx_pps),
            Metric::TxPps => Some(verdict.tx_pps),
            Metric::LossPercent => loss_ratio(verdict).map(|ratio| ratio * 100.0),
            Metric::P50Ns => latency.map(|l| l.p50_ns as f64),
            Metric::P99Ns => latency.map(|l| l.p99_ns as f64),
            Metric::P999Ns => latency.map(|l| l.p99_9_ns as f64),
        }
    }

    /// Whether more of it is worse.
    pub fn more_is_worse(self) -> bool {
        !matches!(self, Metric::RxPps | Metric::TxPps)
    }

    /// Whether two of it are compared by their difference, and not by their ratio.
    pub fn is_share(self) -> bool {
        self == Metric::LossPercent
    }

    /// For the eye.
    pub fn text(self, value: f64) -> String {
        match self {
            Metric::RxPps | Metric::TxPps => crate::show::pps(value),
            Metric::LossPercent => format!("{value:.4} %"),
            Metric::P50Ns | Metric::P99Ns | Metric::P999Ns => {
                crate::show::nanos(value.round().max(0.0) as u64)
            }
        }
    }
}

/// Lost frames of all that were sent; none where it was not measured or nothing was sent.
pub fn loss_ratio(verdict: &Verdict) -> Option<f64> {
    let lost = verdict.lost? as f64;
    (verdict.sent > 0).then(|| lost / verdict.sent as f64)
}
