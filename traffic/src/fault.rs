//! What is wrong with an input, and where: collected, never one at a time.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing wrong with a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Line in the file, from 1; 0 where the fault is in no line (a missing section, a profile that came as JSON).
    pub line: u32,
    /// The setting's path, such as `streams[0].ipv4.src.max`; empty for a syntax error.
    pub path: String,
    /// What is wrong, with the value, and what to write instead.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.path.as_str()) {
            (0, "") => f.write_str(&self.message),
            (0, path) => write!(f, "{path}: {}", self.message),
            (line, "") => write!(f, "line {line}: {}", self.message),
            (line, path) => write!(f, "line {line}: {path}: {}", self.message),
        }
    }
}

/// Everything that is wrong with one input: never empty when it is an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Faults {
    /// The file, or what else the input is called.
    pub source_name: String,
    /// In the order of the file.
    pub faults: Vec<Fault>,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.faults.len();
        write!(f, "{}: {n} fault{}", self.source_name, if n == 1 { "" } else { "s" })?;
        for fault in &self.faults {
            let place = if fault.line > 0 { format!(":{}", fault.line) } else { String::new() };
            let path = if fault.path.is_empty() { String::new() } else { format!("{}: ", fault.path) };
            write!(f, "\n  {}{place}: {path}{}", self.source_name, fault.message)?;
        }
        Ok(())
    }
}
