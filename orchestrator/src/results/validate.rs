//! Whether result files are whole: every array of an npz file can be read, and those that others rely on are there.

use std::fs;
use std::path::{Path, PathBuf};

use super::npz;
use super::read::ResultHead;
use crate::collect::{Column, Columns};
use crate::trial::Status;

/// Keys that a valid file has.
const TX_KEYS: [&str; 4] = ["pkts_tx", "obytes", "opackets", "port_obytes"];
const RX_KEYS: [&str; 4] = ["rx_pps", "tx_pps", "rx_bytes", "rx_packets"];

/// What is wrong with a result's files.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// Not there.
    #[error("{} is missing", .0.display())]
    Missing(PathBuf),
    /// No file of one end.
    #[error("there is no npz file of the {0} end")]
    NoArchive(&'static str),
    /// A name that leads elsewhere.
    #[error("result.json names the file `{0}`, which is not in its own folder")]
    Elsewhere(String),
    /// Not an archive, or cut, or damaged.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// Without an array that others rely on.
    #[error("{} has no array {key}", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// The array.
        key: &'static str,
    },
    /// Fewer values than wanted.
    #[error("{}: {key} has {values} values, fewer than {wanted}", path.display())]
    Short {
        /// The file.
        path: PathBuf,
        /// The array.
        key: &'static str,
        /// How many it has.
        values: usize,
        /// How many are wanted.
        wanted: usize,
    },
}

/// The end that an npz file is of, by its name.
pub fn role_of(file_name: &str) -> Option<&'static str> {
    let is = |role: &str| file_name.ends_with(".npz") && file_name.contains(&format!("_{role}_txcores_"));
    ["tx", "rx"].into_iter().find(|role| is(role))
}

/// Whether the files of a result in `folder` are all there, and its archives valid.
pub fn files(folder: &Path, head: &ResultHead, min_samples: usize) -> Result<(), FileFault> {
    let mut roles = Vec::new();
    for name in &head.files {
        if Path::new(name).components().count() != 1 || name.starts_with('.') {
            return Err(FileFault::Elsewhere(name.clone()));
        }
        let path = folder.join(name);
        if !fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file()) {
            return Err(FileFault::Missing(path));
        }
        if let Some(role) = role_of(name) {
            archive(&path, role, min_samples)?;
            roles.push(role);
        }
    }
    let missing = ["tx", "rx"].into_iter().find(|role| !roles.contains(role));
    match missing {
        Some(role) if head.status == Status::Complete => Err(FileFault::NoArchive(role)),
        _ => Ok(()),
    }
}

/// Whether every array of an archive can be read, and those that others rely on have `min_samples` values.
pub fn archive(path: &Path, role: &str, min_samples: usize) -> Result<Columns, FileFault> {
    let damaged =
        |error: npz::ReadError| FileFault::Damaged { path: path.to_owned(), reason: error.to_string() };
    let columns = npz::read(path).map_err(damaged)?;
    for key in if role == "tx" { TX_KEYS } else { RX_KEYS } {
        match columns.get(key).map(Column::len) {
            None => return Err(FileFault::NoKey { path: path.to_owned(), key }),
            Some(values) if values < min_samples => {
                return Err(FileFault::Short { path: path.to_owned(), key, values, wanted: min_samples });
            }
            Some(_) => {}
        }
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: &Path, role: &str, min: usize) -> String {
        archive(path, role, min).unwrap_err().to_string()
    }

    #[test]
    fn an_archive_is_valid_only_when_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0badcafe_tx0_tx_txcores_1_rxcores_1_spec_p_20250101_000000.npz");
        let mut columns = Columns::default();
        for key in TX_KEYS {
            columns.ints(key, 0..1000);
        }
        columns.floats("mbits_tx", [0.5]);
        columns.grid("core_tx_packets", &[vec![1, 2]]);
        npz::write(&path, &columns).unwrap();
        archive(&path, "tx", 1000).unwrap();
        assert_eq!(role_of(path.file_name().unwrap().to_str().unwrap()), Some("tx"));
        assert!(said(&path, "tx", 1001).contains("pkts_tx has 1000 values, fewer than 1001"));
        assert!(said(&path, "rx", 1).contains("has no array rx_pps"));

        let whole = fs::read(&path).unwrap();
        for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(said(&path, "tx", 1).contains("is damaged"), "{cut}");
        }
        let mut flipped = whole.clone();
        // In the middle of the first array's compressed values.
        flipped[100] ^= 0xff;
        fs::write(&path, flipped).unwrap();
        assert!(said(&path, "tx", 1).contains("is damaged"));
        assert!(said(&folder.path().join("none.npz"), "tx", 1).contains("No such file"));
    }
}
