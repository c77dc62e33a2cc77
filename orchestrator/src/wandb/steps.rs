//! Arrays of npz files as steps: a step a second since the trial's start, at which each sample of each end stands.

use std::collections::BTreeMap;

use super::ToChild;
use crate::collect::{Column, Columns};

const SECOND_NS: u64 = 1_000_000_000;

/// Metrics by step.
#[derive(Debug, Default)]
pub struct Steps(BTreeMap<u64, BTreeMap<String, f64>>);

impl Steps {
    /// Adds every array of one end, named `{pod}/{key}`; of an array of cores, `{pod}/{key}/{place of the core}`.
    pub fn add(&mut self, pod: &str, columns: &Columns, started_unix_ns: u64) {
        let rows = columns.0.iter().map(|(_, column)| column.len()).max().unwrap_or(0);
        let mut next = 0;
        for row in 0..rows {
            let step = second(columns, row, started_unix_ns).map_or(next, |s| s.max(next));
            // Two samples of one end never share a step.
            next = step + 1;
            let metrics = self.0.entry(step).or_default();
            for (key, column) in &columns.0 {
                let name = format!("{pod}/{key}");
                match column {
                    Column::Int(values) => {
                        metrics.extend(values.get(row).map(|v| (name, *v as f64)));
                    }
                    Column::Float(values) => {
                        // JSON has no other numbers.
                        metrics.extend(values.get(row).filter(|v| v.is_finite()).map(|v| (name, *v)));
                    }
                    Column::Grid(grid) if row < grid.nrows() => {
                        let cores = grid.row(row).to_vec().into_iter().enumerate();
                        metrics.extend(cores.map(|(core, v)| (format!("{name}/{core}"), v as f64)));
                    }
                    Column::Grid(_) => {}
                }
            }
        }
    }

    /// In order, as W&B wants steps.
    pub fn into_lines(self) -> impl Iterator<Item = ToChild> {
        self.0.into_iter().map(|(step, metrics)| ToChild::Step { step, metrics })
    }
}

/// The sample's second since the start, by its own time.
fn second(columns: &Columns, row: usize, started_unix_ns: u64) -> Option<u64> {
    let Some(Column::Int(times)) = columns.get("sample_unix_ns") else { return None };
    let time = u64::try_from(*times.get(row)?).ok()?;
    Some(time.checked_sub(started_unix_ns)?.saturating_add(SECOND_NS / 2) / SECOND_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_both_ends_meet_at_their_second() {
        let start = 1_700_000_000_000_000_000;
        let at = |ms: u64| start + ms * 1_000_000;
        let mut rx = Columns::default();
        rx.ints("rx_pps", [5, 6, 7]);
        rx.ints("sample_unix_ns", [at(1900), at(2100), at(4000)]);
        let mut tx = Columns::default();
        tx.ints("pkts_tx", [9]);
        tx.ints("sample_unix_ns", [at(4010)]);
        tx.grid("core_tx_packets", &[vec![4, 5]]);
        tx.floats("mbits_tx", [f64::NAN]);
        let mut steps = Steps::default();
        steps.add("rx0", &rx, start);
        steps.add("tx0", &tx, start);
        assert_eq!(steps.0.keys().copied().collect::<Vec<_>>(), [2, 3, 4]);
        let last = &steps.0[&4];
        assert_eq!((last["rx0/rx_pps"], last["tx0/pkts_tx"]), (7.0, 9.0));
        assert_eq!((last["tx0/core_tx_packets/1"], last.contains_key("tx0/mbits_tx")), (5.0, false));
    }
}
