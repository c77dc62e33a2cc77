//! A table as CSV.

use std::fs::File;

use csv::Writer;

use super::ExportError;
use super::fields::{Head, Value};
use super::output::Draft;
use super::tables::Table;

/// A file that grows.
pub struct CsvTable {
    draft: Draft,
    writer: Writer<File>,
}

impl CsvTable {
    /// Writes the head.
    pub fn begin(draft: Draft, heads: &[Head]) -> Result<CsvTable, ExportError> {
        let mut table = CsvTable { writer: Writer::from_writer(draft.handle()?), draft };
        table.record(heads.iter().map(|head| head.name.to_owned()))?;
        Ok(table)
    }

    fn record(&mut self, cells: impl Iterator<Item = String>) -> Result<(), ExportError> {
        let path = self.draft.path();
        self.writer.write_record(cells).map_err(|source| ExportError::Csv { path: path.to_owned(), source })
    }
}

impl Table for CsvTable {
    fn append(&mut self, row: Vec<Value>) -> Result<(), ExportError> {
        self.record(row.iter().map(Value::text))
    }

    fn finish(mut self: Box<Self>) -> Result<Draft, ExportError> {
        self.writer.flush().map_err(ExportError::io("writing", self.draft.path()))?;
        Ok(self.draft)
    }
}
