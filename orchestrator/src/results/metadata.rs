//! `metadata.txt`: `#` comments and `key=value`.

use std::fmt::Write;

use traffic::wire::Ready;

use super::names::line_time;
use super::{ResultsError, command};
use crate::trial::PairOutcome;

/// Who, what, where and how of one pair's trial.
pub fn metadata(outcome: &PairOutcome) -> Result<String, ResultsError> {
    let record = &outcome.record;
    let (tx, rx) = (&record.tx, &record.rx);
    let mut text = String::from(
        "# dpdk-k8s-bench trial; everything is in result.json\n\
         # The commands do the same by hand, in the folder where the run was started: warmup_cmd_tx, then\n\
         # warmup_cmd_rx; rx_cmdline, then tx_cmdline\n",
    );
    let mut put = |key: &str, value: &str| {
        let line = value.replace(['\n', '\r'], " ");
        // Writing to a String can't fail.
        let _ = writeln!(text, "{key}={line}");
    };
    put("expid", &record.expid.to_string());
    put("timestamp", &line_time(record.started_unix_ns)?);
    put("profile", &record.profile_source);
    put("tx_pod", &tx.pod);
    put("rx_pod", &rx.pod);
    put("tx_node", &tx.node);
    put("rx_node", &rx.node);
    put("tx_mac", &mac(outcome.tx.ready.as_ref()));
    put("rx_mac", &mac(outcome.rx.ready.as_ref()));
    put("tx_numa", &numa(outcome.tx.ready.as_ref()));
    put("rx_numa", &numa(outcome.rx.ready.as_ref()));
    put("warmup_cmd_tx", &command::warmup(record, tx));
    put("warmup_cmd_rx", &command::warmup(record, rx));
    put("testpmd_cmd", &command::main_run(record, rx));
    put("tx_cmdline", &command::main_run(record, tx));
    put("rx_cmdline", &command::main_run(record, rx));
    put("lab", &record.lab);
    put("release", &record.release);
    let _ = writeln!(text, "# options of the run");
    for (key, value) in &record.options {
        let _ = writeln!(text, "{key}={}", value.replace(['\n', '\r'], " "));
    }
    Ok(text)
}

fn mac(ready: Option<&Ready>) -> String {
    ready.map(|r| r.mac.to_string()).unwrap_or_default()
}

fn numa(ready: Option<&Ready>) -> String {
    ready.map(|r| r.numa_node.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::fixture;

    #[test]
    fn every_key_of_the_old_system_is_there() {
        let text = metadata(&fixture::outcome()).unwrap();
        let pairs: std::collections::BTreeMap<&str, &str> =
            text.lines().filter(|l| !l.starts_with('#')).map(|l| l.split_once('=').unwrap()).collect();
        for key in [
            "expid",
            "timestamp",
            "profile",
            "tx_pod",
            "rx_pod",
            "tx_node",
            "rx_node",
            "tx_mac",
            "rx_mac",
            "tx_numa",
            "rx_numa",
            "warmup_cmd_tx",
            "warmup_cmd_rx",
            "testpmd_cmd",
            "tx_cmdline",
            "rx_cmdline",
            "burst",
        ] {
            assert!(pairs.contains_key(key), "{key}");
        }
        assert_eq!((pairs["expid"], pairs["timestamp"]), ("0badcafe", "2025-03-21T05:17:53"));
    }
}
