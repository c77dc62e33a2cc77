//! Result arrays, read by numpy: what users of the results do with them.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::bin;
use crate::process::run;

/// The arrays of one file.
#[derive(Debug)]
pub struct Npz(Value);

/// Loads `file` with `python`, which has numpy.
pub fn load(python: &Path, file: &Path) -> Npz {
    let done = run(Command::new(python).arg(bin::data("devices/read_npz.py")).arg(file));
    assert!(done.status.success(), "numpy can't load {}: {}", file.display(), done.stderr);
    Npz(serde_json::from_str(&done.stdout).unwrap_or_else(|e| panic!("{}: {e}", done.stdout)))
}

impl Npz {
    /// A one-dimensional array of int64.
    pub fn integers(&self, key: &str) -> Vec<i64> {
        let array = self.0.get(key).unwrap_or_else(|| panic!("no `{key}` in {:?}", self.keys()));
        assert_eq!(array["dtype"], "int64", "type of {key}");
        let values = array["values"].as_array().unwrap_or_else(|| panic!("`{key}` has no dimension"));
        values.iter().map(|v| v.as_i64().unwrap_or_else(|| panic!("{key}: {v}"))).collect()
    }

    /// Number of values of an array of numbers of any type.
    pub fn len(&self, key: &str) -> usize {
        let values = self.0.get(key).and_then(|array| array["values"].as_array());
        values.unwrap_or_else(|| panic!("no `{key}` in {:?}", self.keys())).len()
    }

    /// Names of all arrays.
    pub fn keys(&self) -> Vec<&str> {
        self.0.as_object().map(|o| o.keys().map(String::as_str).collect()).unwrap_or_default()
    }
}
