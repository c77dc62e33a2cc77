//! Tests over the whole crate: scripts in, profiles or errors out.
mod api;
mod export;
mod golden;
mod lower;
mod paired;
mod sandbox;
mod tunnels;

use crate::{Import, ImportError, ImportOptions, import_str};

/// Imports text under the name `t.lua`.
fn import(text: &str) -> Result<Import, ImportError> {
    import_str("t.lua", text, &ImportOptions::default())
}

/// The whole error text of a script that must not import.
fn error(text: &str) -> String {
    import(text).unwrap_err().to_string()
}

/// The texts of an import's notes, with their lines.
fn notes(import: &Import) -> Vec<String> {
    import.report.notes.iter().map(ToString::to_string).collect()
}
