//! Columns as a NumPy archive.

use std::fs::File;
use std::path::Path;

use ndarray::{Array1, Array2};
use ndarray_npy::{NpzReader, NpzWriter, ReadNpzError};

use super::ResultsError;
use crate::collect::{Column, Columns};

/// Writes `columns` to a new file and waits until it is on disk.
pub fn write(path: &Path, columns: &Columns) -> Result<(), ResultsError> {
    let npz = |source| ResultsError::Npz { path: path.to_owned(), source };
    let file = File::create(path).map_err(ResultsError::io("creating", path))?;
    let synced = file.try_clone().map_err(ResultsError::io("opening", path))?;
    let mut archive = NpzWriter::new_compressed(file);
    for (name, column) in &columns.0 {
        match column {
            Column::Int(values) => archive.add_array(name.as_str(), &Array1::from_vec(values.clone())),
            Column::Float(values) => archive.add_array(name.as_str(), &Array1::from_vec(values.clone())),
            Column::Grid(grid) => archive.add_array(name.as_str(), grid),
        }
        .map_err(npz)?;
    }
    archive.finish().map_err(npz)?;
    synced.sync_all().map_err(ResultsError::io("writing", path))
}

/// An archive that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not even opened.
    #[error("{0}")]
    Open(#[from] std::io::Error),
    /// Cut, damaged, or no archive.
    #[error("{0}")]
    Npz(#[from] ReadNpzError),
}

/// Reads an archive whole: every array of it, in its own order. Arrays of other widths, as other programs write them,
/// become ours.
pub fn read(path: &Path) -> Result<Columns, ReadError> {
    let mut archive = NpzReader::new(File::open(path)?)?;
    let mut columns = Columns::default();
    for name in archive.names()? {
        let column = column(&mut archive, &name)?;
        columns.0.push((name, column));
    }
    Ok(columns)
}

fn column(archive: &mut NpzReader<File>, name: &str) -> Result<Column, ReadNpzError> {
    // The file says what it holds only by refusing what it does not.
    if let Ok(values) = archive.by_name::<_, _>(name).map(|values: Array1<i64>| values.to_vec()) {
        return Ok(Column::Int(values));
    }
    if let Ok(values) = archive.by_name::<_, _>(name).map(|values: Array1<f64>| values.to_vec()) {
        return Ok(Column::Float(values));
    }
    if let Ok(values) =
        archive.by_name::<_, _>(name).map(|values: Array1<i32>| values.mapv(i64::from).to_vec())
    {
        return Ok(Column::Int(values));
    }
    let wide = |v: u64| i64::try_from(v).unwrap_or(i64::MAX);
    if let Ok(values) = archive.by_name::<_, _>(name).map(|values: Array1<u64>| values.mapv(wide).to_vec()) {
        return Ok(Column::Int(values));
    }
    archive.by_name::<_, _>(name).map(|grid: Array2<i64>| Column::Grid(grid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numpy_reads_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        let mut columns = Columns::default();
        columns.ints("rx_pps", [1, 2, 3]);
        columns.floats("mbits_tx", [0.5, 1.5]);
        columns.grid("core_tx_packets", &[vec![1, 2], vec![3]]);
        columns.ints("huge", [u64::MAX]);
        write(&path, &columns).unwrap();
        assert_eq!(read(&path).unwrap(), columns);
        let script =
            "import numpy, sys\nz = numpy.load(sys.argv[1])\nfor k in z: print(k, z[k].dtype, z[k].tolist())";
        let output =
            std::process::Command::new("/usr/bin/python3").args(["-c", script]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "rx_pps int64 [1, 2, 3]\nmbits_tx float64 [0.5, 1.5]\ncore_tx_packets int64 [[1, 2], [3, 0]]\n\
             huge int64 [9223372036854775807]\n"
        );
    }
}
