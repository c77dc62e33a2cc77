//! A file's text → [`Profile`], or all of its faults with their places.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::model::Profile;
use super::node::{Kind, Node};
use super::{check, json_nodes, read, toml_nodes, yaml_nodes};
use crate::fault::{Fault, Faults};

/// The largest profile file, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// The notations of a profile; all say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.toml`
    Toml,
    /// `.json`
    Json,
    /// `.yaml`, `.yml`
    Yaml,
}

impl Format {
    /// By the file's extension, in any case.
    pub fn of(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "toml" => Some(Format::Toml),
            "json" => Some(Format::Json),
            "yaml" | "yml" => Some(Format::Yaml),
            _ => None,
        }
    }
}

/// Why a file gives no profile.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("can't read the profile {path}: {source}; check the path and its permissions", path = path.display())]
    Io {
        /// As the user gave it.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Neither TOML nor JSON nor YAML by its name.
    #[error("the profile {path} has no extension that says its format: name it .toml, .json, .yaml or .yml", path = .0.display())]
    UnknownExtension(PathBuf),
    /// The file was read, and is wrong.
    #[error(transparent)]
    Faults(#[from] Faults),
}

/// Reads a profile; its name is the file's stem where it has none of its own, and a capture's path is taken from its
/// folder.
pub fn load_file(path: &Path) -> Result<Profile, LoadError> {
    let format = Format::of(path).ok_or_else(|| LoadError::UnknownExtension(path.to_owned()))?;
    let source_name = path.display().to_string();
    let bytes = read_bounded(path).map_err(|source| LoadError::Io { path: path.to_owned(), source })?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => {
            let place = e.utf8_error().valid_up_to();
            let before = e.as_bytes().iter().take(place).filter(|b| **b == b'\n').count();
            let line = u32::try_from(before + 1).unwrap_or(u32::MAX);
            let message = "is not UTF-8 text: save the file in that encoding".to_owned();
            return Err(one_fault(&source_name, Fault { line, path: String::new(), message }).into());
        }
    };
    let mut profile = load_str(&text, format, &source_name)?;
    if profile.name.is_none() {
        profile.name = path.file_stem().map(|stem| name_from(&stem.to_string_lossy()));
    }
    if let (Some(replay), Some(folder)) = (&mut profile.replay, path.parent()) {
        replay.file = folder.join(&replay.file);
    }
    Ok(profile)
}

/// Reads a profile's text; `source_name` is what its faults call it.
pub fn load_str(text: &str, format: Format, source_name: &str) -> Result<Profile, Faults> {
    let fail = |fault| one_fault(source_name, fault);
    if text.len() > MAX_FILE_BYTES {
        let message = format!("is larger than {MAX_FILE_BYTES} bytes: a profile is a few lines of text");
        return Err(fail(Fault { line: 0, path: String::new(), message }));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = match format {
        _ if text.trim().is_empty() => Ok(Node { line: 1, kind: Kind::Null }),
        Format::Toml => toml_nodes::parse(text),
        Format::Json => json_nodes::parse(text),
        Format::Yaml => yaml_nodes::parse(text),
    };
    let root = root.map_err(fail)?;
    read::profile(&root).map_err(|faults| Faults { source_name: source_name.to_owned(), faults })
}

/// At most one byte more than a profile may have: enough to see that it is too large.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    // Opening a pipe could wait for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn one_fault(source_name: &str, fault: Fault) -> Faults {
    Faults { source_name: source_name.to_owned(), faults: vec![fault] }
}

/// A file's stem as a profile's name: what a name can't hold becomes `_`.
fn name_from(stem: &str) -> String {
    let held = |c| if check::name_may_hold(c) { c } else { '_' };
    stem.chars().map(held).take(check::MAX_NAME_CHARS).collect()
}
