//! Profiles by name: a path, or a file of `flows/txN-rxN/`; Lua scripts are imported, the others read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lua_compat::{Import, ImportError, ImportOptions, Note, Severity, import_file, import_str};
use traffic::fault::Faults;
use traffic::plan::Plan;
use traffic::profile::Profile;
use traffic::profile::load::{Format, LoadError, load_file, load_str};
use traffic::replay::{ReplayError, ReplayPlan};

use crate::lab::pair_name;

/// A profile that can be sent.
#[derive(Debug, Clone)]
pub struct LoadedProfile {
    /// Its file's stem.
    pub name: String,
    /// Its file.
    pub source: PathBuf,
    /// What it says.
    pub profile: Profile,
    /// What an import did not carry over.
    pub notes: Vec<String>,
}

/// A profile that can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No such file in either place.
    #[error(
        "profile `{name}` is neither {} nor a file here; make it with `orchestrator flows generate`, or give a path",
        looked.display()
    )]
    NotFound {
        /// As typed.
        name: String,
        /// Where it would be.
        looked: PathBuf,
    },
    /// A TOML, JSON or YAML file.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A Lua script.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Its capture.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A capture for what sends none.
    #[error("--pcap: {} sends no capture: a Lua script does that says pktgen.pcap(ports, \"on\")", .0.display())]
    NoCapture(PathBuf),
    /// What it says makes no sense.
    #[error(transparent)]
    Faults(#[from] Faults),
}

/// How a profile is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOptions<'a> {
    /// Send what Pktgen 23.03 would have sent.
    pub quirks: bool,
    /// Send without the mark.
    pub no_stamp: bool,
    /// The capture of a script that switches pcap on.
    pub pcap: Option<&'a Path>,
}

impl ReadOptions<'_> {
    fn import(&self) -> ImportOptions {
        ImportOptions { pcap: self.pcap.map(Path::to_path_buf), ..import_options(self.quirks) }
    }
}

/// The profile of every one of `pairs`, checked.
pub fn for_pairs(
    name: &str,
    flows_folder: &Path,
    pairs: &[usize],
    options: ReadOptions<'_>,
) -> Result<BTreeMap<usize, LoadedProfile>, SourceError> {
    pairs.iter().map(|pair| Ok((*pair, read(&find(name, flows_folder, *pair)?, options)?))).collect()
}

/// The file that `name` means for pair `index`: a path as it stands, a bare name in the pair's own folder first.
pub fn find(name: &str, flows_folder: &Path, index: usize) -> Result<PathBuf, SourceError> {
    let typed = PathBuf::from(name);
    if typed.components().count() > 1 {
        return Ok(typed);
    }
    let own = flows_folder.join(pair_name(index)).join(name);
    if own.is_file() {
        return Ok(own);
    }
    if typed.is_file() {
        Ok(typed)
    } else {
        Err(SourceError::NotFound { name: name.to_owned(), looked: own })
    }
}

/// Reads and checks one file.
pub fn read(path: &Path, options: ReadOptions<'_>) -> Result<LoadedProfile, SourceError> {
    if is_lua(path) {
        of_lua(path, import(path, &options.import())?, options)
    } else {
        if options.pcap.is_some() {
            return Err(SourceError::NoCapture(path.to_owned()));
        }
        checked(path, load_file(path)?, options)
    }
}

/// The same of a text that is about to be the file at `path`.
pub fn read_text(path: &Path, text: &str, options: ReadOptions<'_>) -> Result<LoadedProfile, SourceError> {
    let name = path.display().to_string();
    if is_lua(path) {
        let import = import_str(&name, text, &options.import())?;
        return of_lua(path, import, options);
    }
    let format = Format::of(path).ok_or_else(|| LoadError::UnknownExtension(path.to_owned()))?;
    checked(path, load_str(text, format, &name)?, options)
}

fn of_lua(path: &Path, import: Import, options: ReadOptions<'_>) -> Result<LoadedProfile, SourceError> {
    if options.pcap.is_some() && import.profile.replay.is_none() {
        return Err(SourceError::NoCapture(path.to_owned()));
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let notes = import.report.warnings().map(|n| format!("{}: {}", place(&file, n), n.text)).collect();
    Ok(LoadedProfile { notes, ..checked(path, import.profile, options)? })
}

fn checked(
    path: &Path,
    mut profile: Profile,
    options: ReadOptions<'_>,
) -> Result<LoadedProfile, SourceError> {
    profile.stamp &= !options.no_stamp;
    Plan::compile(&profile).map_err(|faults| Faults { source_name: path.display().to_string(), ..faults })?;
    if let Some(replay) = &mut profile.replay {
        // The engines run elsewhere than this.
        let absolute = std::path::absolute(&replay.file);
        replay.file = absolute.map_err(|source| ReplayError::Open { path: replay.file.clone(), source })?;
        ReplayPlan::load(replay, profile.rate, profile.stop)?;
    }
    let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(LoadedProfile { name, source: path.to_owned(), profile, notes: Vec::new() })
}

/// `file:line: warning: text`, as compilers say it.
pub fn placed(file: &str, note: &Note) -> String {
    let word = match note.severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
    };
    format!("{}: {word}: {}", place(file, note), note.text)
}

/// `file:line`; a note about the whole script has no line.
fn place(file: &str, note: &Note) -> String {
    if note.line == 0 { file.to_owned() } else { format!("{file}:{}", note.line) }
}

/// Imports a Lua script with its whole report.
pub fn import(path: &Path, options: &ImportOptions) -> Result<Import, SourceError> {
    Ok(import_file(path, options)?)
}

pub fn import_options(quirks: bool) -> ImportOptions {
    ImportOptions { quirks, ..ImportOptions::default() }
}

fn is_lua(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("lua"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_bare_name_is_each_pairs_own_file() {
        let folder = tempfile::tempdir().unwrap();
        for pair in ["tx0-rx0", "tx1-rx1"] {
            fs::create_dir(folder.path().join(pair)).unwrap();
            fs::write(folder.path().join(pair).join("p.lua"), "").unwrap();
        }
        assert_eq!(find("p.lua", folder.path(), 1).unwrap(), folder.path().join("tx1-rx1/p.lua"));
        assert_eq!(find("some/p.lua", folder.path(), 1).unwrap(), Path::new("some/p.lua"));
        let error = find("q.lua", folder.path(), 0).unwrap_err().to_string();
        assert!(error.contains("profile `q.lua` is neither") && error.contains("flows generate"), "{error}");
    }
}
