//! A table as Parquet, without Arrow: every column is optional and typed.

use std::fs::File;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use super::ExportError;
use super::fields::{Head, Kind, Value};
use super::output::Draft;
use super::tables::Table;

/// Rows that wait in memory until a group of them is written.
const GROUP_ROWS: usize = 1 << 16;

/// A file that grows.
pub struct ParquetTable {
    draft: Draft,
    writer: SerializedFileWriter<File>,
    heads: Vec<Head>,
    waiting: Vec<Vec<Value>>,
}

impl ParquetTable {
    /// Begins a file with columns of these types.
    pub fn begin(draft: Draft, name: &str, heads: Vec<Head>) -> Result<ParquetTable, ExportError> {
        let path = draft.path().to_owned();
        let handle = draft.handle()?;
        let open = || -> Result<_, ParquetError> {
            let properties = WriterProperties::builder()
                .set_compression(Compression::ZSTD(ZstdLevel::default()))
                .set_created_by(format!("dpdk-k8s-bench {}", env!("CARGO_PKG_VERSION")))
                .build();
            SerializedFileWriter::new(handle, Arc::new(schema(name, &heads)?), Arc::new(properties))
        };
        let writer = open().map_err(|source| ExportError::Parquet { path, source })?;
        Ok(ParquetTable { draft, writer, heads, waiting: Vec::new() })
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        let rows = std::mem::take(&mut self.waiting);
        if rows.is_empty() {
            return Ok(());
        }
        group(&mut self.writer, &self.heads, &rows)
            .map_err(|source| ExportError::Parquet { path: self.draft.path().to_owned(), source })
    }
}

impl Table for ParquetTable {
    fn append(&mut self, row: Vec<Value>) -> Result<(), ExportError> {
        self.waiting.push(row);
        if self.waiting.len() >= GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<Draft, ExportError> {
        self.flush()?;
        let path = self.draft.path().to_owned();
        self.writer.close().map_err(|source| ExportError::Parquet { path, source })?;
        Ok(self.draft)
    }
}

fn schema(name: &str, heads: &[Head]) -> Result<Type, ParquetError> {
    let column = |head: &Head| -> Result<_, ParquetError> {
        let (physical, logical) = match head.kind {
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Int => (Physical::INT64, None),
            Kind::Real => (Physical::DOUBLE, None),
            Kind::Flag => (Physical::BOOLEAN, None),
        };
        let builder = Type::primitive_type_builder(head.name, physical);
        let column = builder.with_repetition(Repetition::OPTIONAL).with_logical_type(logical).build()?;
        Ok(Arc::new(column))
    };
    let columns = heads.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder(name).with_fields(columns).build()
}

fn group(
    writer: &mut SerializedFileWriter<File>,
    heads: &[Head],
    rows: &[Vec<Value>],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for (place, head) in heads.iter().enumerate() {
        let Some(mut column) = group.next_column()? else { break };
        let cells = || rows.iter().map(|row| row.get(place));
        match head.kind {
            Kind::Text => put::<ByteArrayType>(&mut column, cells(), |value| match value {
                Value::Text(text) => Some(ByteArray::from(text.as_str())),
                _ => None,
            }),
            Kind::Int => put::<Int64Type>(&mut column, cells(), |value| match value {
                Value::Int(n) => Some(*n),
                _ => None,
            }),
            Kind::Real => put::<DoubleType>(&mut column, cells(), |value| match value {
                Value::Real(v) => Some(*v),
                _ => None,
            }),
            Kind::Flag => put::<BoolType>(&mut column, cells(), |value| match value {
                Value::Flag(yes) => Some(*yes),
                _ => None,
            }),
        }?;
        column.close()?;
    }
    group.close().map(drop)
}

/// Values that are there, and for each row whether it has one.
fn put<'a, T: DataType>(
    column: &mut SerializedColumnWriter<'_>,
    cells: impl Iterator<Item = Option<&'a Value>>,
    typed: fn(&Value) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let cells: Vec<Option<T::T>> = cells.map(|cell| cell.and_then(typed)).collect();
    let there: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    column.typed::<T>().write_batch(&values, Some(&there), None).map(drop)
}
