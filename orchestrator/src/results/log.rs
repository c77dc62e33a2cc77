//! `rxN_stats.log` and `rxN_warmup.log`: testpmd's periodic statistics.

use std::fmt::Write;

use traffic::wire::Sample;

use super::ResultsError;
use super::names::line_time;
use crate::collect::series::port_rates;
use crate::trial::steer::UserEvent;

const FRAME: &str = "########################";

/// One block a sample, as `dpdk-testpmd --stats-period 1` prints it; empty without samples.
pub fn stats_log(samples: &[Sample]) -> String {
    let mut text = String::new();
    for (sample, rate) in samples.iter().zip(port_rates(samples)) {
        let p = &sample.port;
        let bits = |bytes: f64| (bytes * 8.0).round();
        // Writing to a String can't fail.
        let _ = write!(
            text,
            "\nPort statistics ====================================\n\
             \x20 {FRAME} NIC statistics for port 0  {FRAME}\n\
             \x20 RX-packets: {:<10} RX-missed: {:<10} RX-bytes: {}\n\
             \x20 RX-errors: {}\n\
             \x20 RX-nombuf: {}\n\
             \x20 TX-packets: {:<10} TX-errors: {:<10} TX-bytes: {}\n\
             \n\
             \x20 Throughput (since last show)\n\
             \x20 Rx-pps: {:>12.0}          Rx-bps: {:>12.0}\n\
             \x20 Tx-pps: {:>12.0}          Tx-bps: {:>12.0}\n\
             \x20 {FRAME}{FRAME}############################\n",
            p.ipackets,
            p.imissed,
            p.ibytes,
            p.ierrors,
            p.rx_nombuf,
            p.opackets,
            p.oerrors,
            p.obytes,
            rate.ipackets,
            bits(rate.ibytes),
            rate.opackets,
            bits(rate.obytes)
        );
    }
    text
}

/// `events.log`: what the user did while the trial ran, a line each: UTC, seconds since the sender's start, what.
pub fn events_log(events: &[UserEvent]) -> Result<String, ResultsError> {
    let line = |event: &UserEvent| {
        Ok(format!("{}Z {:8.1} s {}\n", line_time(event.unix_ns)?, event.elapsed_s, event.what))
    };
    events.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::wire::PortStats;

    /// `KEY: number` pairs of one block, as scrapers of the old system find them.
    fn numbers(log: &str) -> Vec<(String, u64)> {
        let words: Vec<&str> = log.split_whitespace().collect();
        words
            .windows(2)
            .filter_map(|w| Some((w[0].strip_suffix(':')?.to_owned(), w[1].parse().ok()?)))
            .collect()
    }

    #[test]
    fn every_line_of_testpmd_is_there() {
        let port = PortStats { ipackets: 10, ibytes: 600, imissed: 1, rx_nombuf: 2, ..PortStats::default() };
        let log = stats_log(&[Sample { elapsed_ns: 500_000_000, port, ..Sample::default() }]);
        let expected = [
            ("RX-packets", 10),
            ("RX-missed", 1),
            ("RX-bytes", 600),
            ("RX-errors", 0),
            ("RX-nombuf", 2),
            ("TX-packets", 0),
            ("TX-errors", 0),
            ("TX-bytes", 0),
            ("Rx-pps", 20),
            ("Rx-bps", 9600),
            ("Tx-pps", 0),
            ("Tx-bps", 0),
        ];
        assert_eq!(numbers(&log), expected.map(|(k, v)| (k.to_owned(), v)));
        for line in ["  RX-errors: 0\n", "  RX-nombuf: 2\n", "  RX-packets: 10         RX-missed: 1 "] {
            assert!(log.contains(line), "{line:?} in {log}");
        }
    }
}
