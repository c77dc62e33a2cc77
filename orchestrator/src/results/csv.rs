//! `txN_port_stats.csv` and `txN_port_rate_stats.csv`: `2025-03-21T05:17:53,key=value,…`, one line a sample.

use std::fmt::Write;

use traffic::wire::{FlowBook, Sample};

use super::ResultsError;
use super::names::line_time;
use crate::collect::Columns;

/// Keys of the totals, as in the file; the npz file puts `port_` before them.
const PORT_KEYS: [&str; 8] =
    ["rx_nombuf", "opackets", "imissed", "ierrors", "ibytes", "oerrors", "obytes", "ipackets"];
/// Keys of the rates, the same in the npz file.
const RATE_KEYS: [&str; 12] = [
    "mbits_tx",
    "pkts_tx",
    "obytes",
    "opackets",
    "imissed",
    "oerrors",
    "rx_nombuf",
    "pkts_rx",
    "mbits_rx",
    "ipackets",
    "ibytes",
    "ierrors",
];

/// `rxN_flows.csv`: what became of each flow.
pub fn flows(books: &[FlowBook]) -> String {
    let lines = books.iter().map(|book| format!("{book}\n"));
    std::iter::once(format!("{}\n", FlowBook::CSV_HEADER)).chain(lines).collect()
}

/// The totals of every sample.
pub fn port_stats(ticks: &[Sample], columns: &Columns) -> Result<String, ResultsError> {
    lines(ticks, columns, &PORT_KEYS, "port_")
}

/// The rates of every sample.
pub fn rate_stats(ticks: &[Sample], columns: &Columns) -> Result<String, ResultsError> {
    lines(ticks, columns, &RATE_KEYS, "")
}

fn lines(ticks: &[Sample], columns: &Columns, keys: &[&str], prefix: &str) -> Result<String, ResultsError> {
    let mut text = String::new();
    for (row, tick) in ticks.iter().enumerate() {
        text.push_str(&line_time(tick.unix_ns)?);
        for key in keys {
            let value = columns.cell(&format!("{prefix}{key}"), row).unwrap_or_default();
            // Writing to a String can't fail.
            let _ = write!(text, ",{key}={value}");
        }
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::series::tx_columns;
    use traffic::wire::PortStats;

    #[test]
    fn lines_have_a_time_and_every_key() {
        let port = PortStats { opackets: 2000, obytes: 120_000, ..PortStats::default() };
        let tick = Sample {
            unix_ns: 1_742_534_273_500_000_000,
            elapsed_ns: 2_000_000_000,
            port,
            ..Sample::default()
        };
        let ticks = std::slice::from_ref(&tick);
        let columns = tx_columns(ticks);
        assert_eq!(
            port_stats(ticks, &columns).unwrap(),
            "2025-03-21T05:17:53,rx_nombuf=0,opackets=2000,imissed=0,ierrors=0,ibytes=0,oerrors=0,obytes=120000,\
             ipackets=0\n"
        );
        assert_eq!(
            rate_stats(ticks, &columns).unwrap(),
            "2025-03-21T05:17:53,mbits_tx=0.672,pkts_tx=1000,obytes=60000,opackets=1000,imissed=0,oerrors=0,\
             rx_nombuf=0,pkts_rx=0,mbits_rx=0.000,ipackets=0,ibytes=0,ierrors=0\n"
        );
    }
}
