//! Columns as a NumPy archive.

use std::fs::File;
use std::path::Path;

use ndarray::Array1;
use ndarray_npy::NpzWriter;

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
