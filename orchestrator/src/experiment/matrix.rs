//! Which profiles, for which pairs. Everything is read and compiled before anything runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use traffic::profile::load::Format;

use super::ExperimentError;
use super::backup::Aside;
use crate::lab::pair_name;
use crate::profile_source::{LoadedProfile, ReadOptions, find, read, read_text};
use crate::results::write::write_synced;

/// A profile on the pairs that it is for.
#[derive(Debug)]
pub struct Entry {
    /// Its name, which results carry.
    pub name: String,
    /// By the pair's index.
    pub pairs: BTreeMap<usize, Planned>,
}

/// One pair's profile.
#[derive(Debug)]
pub struct Planned {
    /// What is sent.
    pub loaded: LoadedProfile,
    /// The text of its file, where that is yet to be written.
    pub to_write: Option<String>,
    /// Its file says something else than the lists would make.
    pub is_own: bool,
}

impl Planned {
    fn there(loaded: LoadedProfile) -> Planned {
        Planned { loaded, to_write: None, is_own: false }
    }
}

/// Where profiles come from.
#[derive(Debug)]
pub enum Source {
    /// Generated: each pair's file names and texts. `anew` writes those too that are there already.
    Lists {
        /// By pair.
        files: BTreeMap<usize, Vec<(String, String)>>,
        /// Whatever is there.
        anew: bool,
    },
    /// Every file in the pairs' folders.
    Folder,
    /// These.
    Named(Vec<String>),
}

/// The profiles of `source` on `pairs` whose names `filter` lets through.
pub fn entries(
    source: &Source,
    flows_folder: &Path,
    pairs: &[usize],
    filter: &[String],
    options: ReadOptions<'_>,
) -> Result<Vec<Entry>, ExperimentError> {
    let mut matrix = Matrix { entries: Vec::new(), filter, passed_over: BTreeSet::new() };
    match source {
        Source::Lists { files, anew } => {
            for (pair, files) in files {
                for (name, text) in files {
                    let path = flows_folder.join(pair_name(*pair)).join(name);
                    matrix.take(*pair, &path, || generated(&path, text, *anew, options))?;
                }
            }
        }
        Source::Folder => {
            for pair in pairs {
                for path in profiles_in(&flows_folder.join(pair_name(*pair)))? {
                    matrix.take(*pair, &path, || Ok(Planned::there(read(&path, options)?)))?;
                }
            }
            if matrix.entries.is_empty() && matrix.passed_over.is_empty() {
                return Err(ExperimentError::NoProfiles(flows_folder.to_owned()));
            }
        }
        Source::Named(names) => {
            for name in names {
                for pair in pairs {
                    let path = find(name, flows_folder, *pair)?;
                    matrix.take(*pair, &path, || Ok(Planned::there(read(&path, options)?)))?;
                }
            }
        }
    }
    matrix.finish()
}

struct Matrix<'a> {
    entries: Vec<Entry>,
    filter: &'a [String],
    /// Names that the filter does not let through.
    passed_over: BTreeSet<String>,
}

impl Matrix<'_> {
    fn take(
        &mut self,
        pair: usize,
        path: &Path,
        load: impl FnOnce() -> Result<Planned, ExperimentError>,
    ) -> Result<(), ExperimentError> {
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        if !self.filter.is_empty() && !self.filter.iter().any(|part| name.contains(part.as_str())) {
            self.passed_over.insert(name);
            return Ok(());
        }
        let planned = load()?;
        let at = self.entries.iter().position(|entry| entry.name == name);
        let entry = match at {
            Some(at) => &mut self.entries[at],
            None => {
                self.entries.push(Entry { name: name.clone(), pairs: BTreeMap::new() });
                let last = self.entries.len() - 1;
                &mut self.entries[last]
            }
        };
        match entry.pairs.insert(pair, planned) {
            // The same one typed twice is one.
            Some(first) if first.loaded.source != path => {
                Err(ExperimentError::Twins { name, first: first.loaded.source, second: path.to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn finish(self) -> Result<Vec<Entry>, ExperimentError> {
        if !self.entries.is_empty() || self.passed_over.is_empty() {
            return Ok(self.entries);
        }
        let quoted: Vec<String> = self.filter.iter().map(|f| format!("`{f}`")).collect();
        let names: Vec<String> = self.passed_over.into_iter().collect();
        Err(ExperimentError::Filtered { filter: quoted.join(" or "), names: names.join(", ") })
    }
}

fn generated(
    path: &Path,
    text: &str,
    anew: bool,
    options: ReadOptions<'_>,
) -> Result<Planned, ExperimentError> {
    let there = fs::read(path);
    let is_same = there.as_ref().is_ok_and(|bytes| bytes == text.as_bytes());
    match there {
        Ok(_) if is_same || !anew => Ok(Planned { is_own: !is_same, ..Planned::there(read(path, options)?) }),
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(ExperimentError::Profiles { verb: "reading", path: path.to_owned(), source })
        }
        _ => {
            let loaded = read_text(path, text, options)?;
            Ok(Planned { to_write: Some(text.to_owned()), ..Planned::there(loaded) })
        }
    }
}

/// Profiles by their files' endings, in order; none where there is no folder.
fn profiles_in(folder: &Path) -> Result<Vec<PathBuf>, ExperimentError> {
    let fail = |source| ExperimentError::Profiles { verb: "reading", path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error)),
    };
    let paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>().map_err(fail)?;
    let is_profile = |path: &PathBuf| {
        let is_lua = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("lua"));
        path.is_file() && (is_lua || Format::of(path).is_some())
    };
    let mut paths: Vec<PathBuf> = paths.into_iter().filter(is_profile).collect();
    paths.sort();
    Ok(paths)
}

/// Writes what is yet to be written; what it takes the place of is set aside. Answers how many.
pub fn write(entries: &mut [Entry], aside: &Aside) -> Result<usize, ExperimentError> {
    let mut written = 0;
    for planned in entries.iter_mut().flat_map(|entry| entry.pairs.values_mut()) {
        let Some(text) = planned.to_write.take() else { continue };
        let path = &planned.loaded.source;
        let fail = |verb| {
            let path = path.clone();
            move |source| ExperimentError::Profiles { verb, path, source }
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(fail("creating the folder of"))?;
        }
        if fs::symlink_metadata(path).is_ok() {
            aside.profile(path)?;
        }
        write_synced(path, text.as_bytes())?;
        written += 1;
    }
    Ok(written)
}
