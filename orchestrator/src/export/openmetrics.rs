//! Final figures as OpenMetrics text: a gauge a field, by trial, pair and profile. For a node exporter's text file, a
//! push gateway, or any reader of the format.

use std::fmt::Write;

use super::fields::{Field, Kind};
use super::rows::TRIALS;
use crate::results::stored::Stored;

/// Before every name.
const PREFIX: &str = "dpdk_bench_trial";
/// Fields that are on every sample.
const LABELS: [&str; 3] = ["expid", "pair", "profile"];

/// All of it.
pub fn text(results: &[Stored]) -> String {
    let mut text = String::new();
    info(&mut text, results);
    for field in TRIALS.iter().filter(|f| f.head().kind != Kind::Text) {
        let samples: Vec<(&Stored, f64)> =
            results.iter().filter_map(|s| Some((s, field.value(s).number()?))).collect();
        if samples.is_empty() {
            continue;
        }
        let name = format!("{PREFIX}_{}", field.name);
        // Writing to a String can't fail, here and below.
        let _ = writeln!(text, "# TYPE {name} gauge");
        if !field.unit.is_empty() {
            let _ = writeln!(text, "# UNIT {name} {}", field.unit);
        }
        let _ = writeln!(text, "# HELP {name} {}.", field.meaning);
        for (stored, value) in samples {
            let _ = writeln!(text, "{name}{{{}}} {value}", labels(stored, |f| LABELS.contains(&f.name)));
        }
    }
    text.push_str("# EOF\n");
    text
}

/// Every text as a label of a metric that is always 1.
fn info(text: &mut String, results: &[Stored]) {
    let _ = writeln!(text, "# TYPE {PREFIX} info\n# HELP {PREFIX} What a trial was, in words.");
    for stored in results {
        let labels = labels(stored, |field| field.head().kind == Kind::Text);
        let _ = writeln!(text, "{PREFIX}_info{{{labels}}} 1");
    }
}

/// `name="value"`, of those that are there.
fn labels(stored: &Stored, wanted: impl Fn(&Field<Stored>) -> bool) -> String {
    let mut labels = Vec::new();
    for field in TRIALS.iter().filter(|field| wanted(field)) {
        let value = field.value(stored).text();
        if !value.is_empty() {
            let escaped = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
            labels.push(format!("{}=\"{escaped}\"", field.name));
        }
    }
    labels.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::groups::tests::stored;

    #[test]
    fn what_was_not_measured_has_no_sample() {
        let results =
            [stored(|o| o.record.profile_name = "a \"b\"\n\\c".into()), stored(|o| o.rx.summary = None)];
        let text = text(&results);
        assert!(text.starts_with("# TYPE dpdk_bench_trial info\n") && text.ends_with("# EOF\n"));
        let lost: Vec<&str> =
            text.lines().filter(|l| l.starts_with("dpdk_bench_trial_lost_packets{")).collect();
        assert_eq!(
            lost,
            [r#"dpdk_bench_trial_lost_packets{expid="0badcafe",pair="tx0-rx0",profile="a \"b\"\n\\c"} 0"#]
        );
        assert!(text.contains("# UNIT dpdk_bench_trial_rx_pps pps\n"));
        assert!(!text.contains("mean_ns{expid=\"0badcafe\",pair=\"tx0-rx0\",profile=\"p\"}"));
    }
}
