//! Whether the values of result files can be true: numbers that no machine counts, and samples that are not there.

use std::path::Path;
use std::time::Duration;

use super::result_json::Judged;
use crate::collect::{Column, Columns};

/// Totals since the start, which never go back.
const TX_TOTALS: [&str; 9] = [
    "port_rx_nombuf",
    "port_opackets",
    "port_imissed",
    "port_ierrors",
    "port_ibytes",
    "port_oerrors",
    "port_obytes",
    "port_ipackets",
    "sample_unix_ns",
];
const RX_TOTALS: [&str; 8] = [
    "rx_bytes",
    "tx_bytes",
    "rx_packets",
    "tx_packets",
    "rx_errors",
    "rx_missed",
    "rx_nombuf",
    "sample_unix_ns",
];
/// A step of that many times the usual one is a hole.
const HOLE: i64 = 2;

/// What can't be true of an archive's values, a sentence each.
pub fn columns(role: &str, columns: &Columns) -> Vec<String> {
    let mut faults = Vec::new();
    faults.extend(columns.0.iter().filter_map(|(name, column)| impossible(name, column)));
    let totals = if role == "tx" { &TX_TOTALS[..] } else { &RX_TOTALS[..] };
    for (name, column) in &columns.0 {
        let is_total = totals.contains(&name.as_str()) || name.starts_with("core_");
        faults.extend(is_total.then(|| backwards(name, column)).flatten());
    }
    faults.extend(unequal(columns));
    if let Some(Column::Int(times)) = columns.get("sample_unix_ns") {
        faults.extend(holes(times));
    }
    faults
}

/// What can't be true of a result's figures.
pub fn figures(judged: &Judged) -> Vec<String> {
    let v = &judged.verdict;
    let mut faults = Vec::new();
    if let Some(lost) = v.lost.filter(|lost| *lost > v.offered) {
        faults.push(format!("{lost} frames lost are more than the {} offered", v.offered));
    }
    if v.lost.is_some() && v.received > v.sent && judged.outcome.tx.summary.is_some() {
        faults.push(format!("{} distinct frames received are more than the {} sent", v.received, v.sent));
    }
    for (name, value) in [("tx_pps", v.tx_pps), ("rx_pps", v.rx_pps), ("offered_pps", v.offered_pps)] {
        if !value.is_finite() || value < 0.0 {
            faults.push(format!("{name} is {value}"));
        }
    }
    for (end, side) in [("tx", &judged.outcome.tx), ("rx", &judged.outcome.rx)] {
        let gap = side.samples.iter().enumerate().find(|(place, sample)| sample.n != *place as u64);
        if let Some((place, sample)) = gap {
            faults.push(format!("{end} samples: after {place} of them comes number {}", sample.n));
        }
    }
    faults
}

/// Of a folder's archive with the place of each fault.
pub fn said(path: &Path, faults: Vec<String>) -> impl Iterator<Item = String> {
    let path = path.display().to_string();
    faults.into_iter().map(move |fault| format!("{path}: {fault}"))
}

fn impossible(name: &str, column: &Column) -> Option<String> {
    let at = |place: usize, value: &dyn std::fmt::Display| format!("{name} is {value} in sample {place}");
    match column {
        Column::Float(values) => {
            let found = values.iter().enumerate().find(|(_, v)| !v.is_finite() || **v < 0.0);
            found.map(|(place, value)| at(place, value))
        }
        Column::Int(values) => {
            values.iter().enumerate().find(|(_, v)| **v < 0).map(|(place, value)| at(place, value))
        }
        Column::Grid(grid) => {
            grid.indexed_iter().find(|(_, v)| **v < 0).map(|((place, _), value)| at(place, value))
        }
    }
}

fn backwards(name: &str, column: &Column) -> Option<String> {
    let first = |values: &[i64]| {
        values.windows(2).position(|w| w[1] < w[0]).map(|place| (place, values[place], values[place + 1]))
    };
    let (place, before, after) = match column {
        Column::Int(values) => first(values)?,
        Column::Grid(grid) => grid.columns().into_iter().find_map(|core| first(&core.to_vec()))?,
        Column::Float(_) => return None,
    };
    Some(format!("{name} goes back from {before} to {after} behind sample {place}"))
}

fn unequal(columns: &Columns) -> Option<String> {
    let (first, column) = columns.0.first()?;
    let len = column.len();
    let (name, other) = columns.0.iter().find(|(_, c)| c.len() != len)?;
    Some(format!("{first} has {len} values and {name} {}", other.len()))
}

fn holes(times: &[i64]) -> Option<String> {
    let steps: Vec<i64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    let place = {
        let mut sorted = steps.clone();
        sorted.sort_unstable();
        let usual = *sorted.get(sorted.len() / 2)?;
        steps.iter().position(|step| *step > usual.saturating_mul(HOLE)).map(|place| (place, usual))
    };
    let (place, usual) = place?;
    let seconds = |ns: i64| Duration::from_nanos(u64::try_from(ns).unwrap_or(0)).as_secs_f64();
    Some(format!(
        "samples are missing: {:.1} s pass between samples {place} and {}, where {:.1} s are usual",
        seconds(steps[place]),
        place + 1,
        seconds(usual)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::fixture;
    use ndarray::array;

    fn one(name: &str, column: Column) -> Columns {
        Columns(vec![(name.to_owned(), column)])
    }

    #[test]
    fn values_that_can_not_be_are_told_with_their_place() {
        assert_eq!(
            columns("tx", &one("mbits_tx", Column::Float(vec![1.0, f64::NAN]))),
            ["mbits_tx is NaN in sample 1"]
        );
        assert_eq!(columns("tx", &one("pkts_tx", Column::Int(vec![-1]))), ["pkts_tx is -1 in sample 0"]);
        let back = columns("rx", &one("rx_packets", Column::Int(vec![5, 7, 6])));
        assert_eq!(back, ["rx_packets goes back from 7 to 6 behind sample 1"]);
        // A rate may.
        assert!(columns("rx", &one("rx_pps", Column::Int(vec![5, 7, 6]))).is_empty());
        let grid = columns("tx", &one("core_tx_packets", Column::Grid(array![[1, 9], [2, 8]])));
        assert_eq!(grid, ["core_tx_packets goes back from 9 to 8 behind sample 0"]);
        let mut two = one("a", Column::Int(vec![1]));
        two.ints("b", [1, 2]);
        assert_eq!(columns("tx", &two), ["a has 1 values and b 2"]);
        let s = 1_000_000_000;
        let times = one("sample_unix_ns", Column::Int(vec![0, s, 2 * s, 6 * s, 7 * s]));
        assert_eq!(
            columns("tx", &times),
            ["samples are missing: 4.0 s pass between samples 2 and 3, where 1.0 s are usual"]
        );
    }

    #[test]
    fn figures_that_can_not_be_are_told() {
        let mut judged = Judged::of(fixture::outcome());
        assert!(figures(&judged).is_empty());
        judged.verdict.lost = Some(1011);
        judged.verdict.rx_pps = f64::INFINITY;
        assert_eq!(figures(&judged), ["1011 frames lost are more than the 1010 offered", "rx_pps is inf"]);
    }
}
