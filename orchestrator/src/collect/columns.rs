//! Named columns over time: what an npz file holds.

use ndarray::Array2;

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// int64.
    Int(Vec<i64>),
    /// float64.
    Float(Vec<f64>),
    /// int64, samples × cores.
    Grid(Array2<i64>),
}

/// Columns in the order in which they are written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns(pub Vec<(String, Column)>);

impl Columns {
    /// Adds a column of counters; counters beyond int64 stand at its end.
    pub fn ints(&mut self, name: &str, values: impl IntoIterator<Item = u64>) {
        self.0.push((name.to_owned(), Column::Int(values.into_iter().map(to_i64).collect())));
    }

    /// Adds a column of real numbers.
    pub fn floats(&mut self, name: &str, values: impl IntoIterator<Item = f64>) {
        self.0.push((name.to_owned(), Column::Float(values.into_iter().collect())));
    }

    /// Adds counters of every core; rows are samples, and a core that a sample lacks counts 0.
    pub fn grid(&mut self, name: &str, rows: &[Vec<u64>]) {
        let cores = rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |(row, core): (usize, usize)| rows[row].get(core).copied().map_or(0, to_i64);
        self.0.push((name.to_owned(), Column::Grid(Array2::from_shape_fn((rows.len(), cores), cell))));
    }

    /// The column of that name.
    pub fn get(&self, name: &str) -> Option<&Column> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, column)| column)
    }

    /// One value as text, where the column is one-dimensional and long enough.
    pub fn cell(&self, name: &str, row: usize) -> Option<String> {
        match self.get(name)? {
            Column::Int(values) => values.get(row).map(i64::to_string),
            Column::Float(values) => values.get(row).map(|v| format!("{v:.3}")),
            Column::Grid(_) => None,
        }
    }
}

impl Column {
    /// Samples in the column.
    pub fn len(&self) -> usize {
        match self {
            Column::Int(values) => values.len(),
            Column::Float(values) => values.len(),
            Column::Grid(grid) => grid.nrows(),
        }
    }

    /// Smallest, mean and largest value; none for a grid or an empty column.
    pub fn range(&self) -> Option<(f64, f64, f64)> {
        let values: Vec<f64> = match self {
            Column::Int(values) => values.iter().map(|v| *v as f64).collect(),
            Column::Float(values) => values.clone(),
            Column::Grid(_) => return None,
        };
        let first = *values.first()?;
        let (min, max) = values.iter().fold((first, first), |(a, b), v| (a.min(*v), b.max(*v)));
        Some((min, values.iter().sum::<f64>() / values.len() as f64, max))
    }
}

fn to_i64(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
