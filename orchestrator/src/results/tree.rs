//! What lies under a folder of results: every pair's result, and what can't be read, each with its reason. Links are
//! not followed, and nothing is changed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::ResultsError;
use super::layout::{PairFolder, RESULT};
use super::stored::{Stored, read_stored};
use crate::expid::ExpId;

/// Everything under some paths.
#[derive(Debug, Default)]
pub struct Tree {
    /// Results, the oldest trial first, its pairs in order.
    pub results: Vec<Stored>,
    /// Folders without one.
    pub unread: Vec<Unread>,
}

/// A folder that should hold a result.
#[derive(Debug)]
pub struct Unread {
    /// Which.
    pub folder: PathBuf,
    /// Why it holds none, and what to do.
    pub reason: String,
}

impl Tree {
    /// Reads paths of any level: all results, a trial, a pair. A path that is not there is an error; what is damaged
    /// below one is not.
    pub fn read(paths: &[PathBuf]) -> Result<Tree, ResultsError> {
        let mut tree = Tree::default();
        let mut seen = Vec::new();
        for path in paths {
            for folder in pair_folders(path)? {
                // The same folder by two of the paths is one result.
                if !seen.contains(&folder) {
                    tree.take(&folder);
                    seen.push(folder);
                }
            }
        }
        let key = |s: &Stored| {
            let record = &s.judged.outcome.record;
            (record.started_unix_ns, record.expid.to_string(), pair_order(&record.pair), record.pair.clone())
        };
        tree.results.sort_by_cached_key(key);
        Ok(tree)
    }

    fn take(&mut self, folder: &Path) {
        let mut unread = |reason: String| self.unread.push(Unread { folder: folder.to_owned(), reason });
        if PairFolder::at(folder).is_unfinished() {
            return unread(
                "its trial is unfinished: it still runs, or `orchestrator results recover` writes its results"
                    .to_owned(),
            );
        }
        match read_stored(folder) {
            Ok(Some(stored)) => self.results.push(stored),
            Ok(None) => {
                unread(format!("it has no {RESULT}: `orchestrator results sanity` says what is missing"))
            }
            Err(error) => unread(error.to_string()),
        }
    }
}

/// Folders of pairs at or below `path`, in order: below a trial every folder is one.
pub fn pair_folders(path: &Path) -> Result<Vec<PathBuf>, ResultsError> {
    if !fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir()) && !path.is_dir() {
        return Err(ResultsError::NoSuchPlace(path.to_owned()));
    }
    let name = file_name(path);
    if is_pair(&name) {
        return Ok(vec![path.to_owned()]);
    }
    if is_trial(&name) {
        return folders_in(path);
    }
    let mut found = Vec::new();
    for folder in folders_in(path)? {
        let name = file_name(&folder);
        if is_pair(&name) {
            found.push(folder);
        } else if is_trial(&name) {
            let pairs = folders_in(&folder)?;
            // An empty trial is worth a word too.
            if pairs.is_empty() { found.push(folder) } else { found.extend(pairs) }
        }
    }
    Ok(found)
}

/// Whether a folder of that name is a trial's.
pub fn is_trial(name: &str) -> bool {
    ExpId::try_from(name.to_owned()).is_ok()
}

/// Whether a folder of that name is a pair's: `tx0-rx0`.
pub fn is_pair(name: &str) -> bool {
    let digits =
        |text: Option<&str>| text.is_some_and(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()));
    name.split_once('-')
        .is_some_and(|(tx, rx)| digits(tx.strip_prefix("tx")) && digits(rx.strip_prefix("rx")))
}

/// `tx10-rx10` comes behind `tx9-rx9`.
fn pair_order(pair: &str) -> u64 {
    pair.trim_start_matches("tx").split('-').next().and_then(|n| n.parse().ok()).unwrap_or(u64::MAX)
}

fn file_name(path: &Path) -> String {
    let real = path.file_name().map(|n| n.to_string_lossy().into_owned());
    // `.` and `..` have no name of their own.
    real.or_else(|| path.canonicalize().ok()?.file_name().map(|n| n.to_string_lossy().into_owned()))
        .unwrap_or_default()
}

/// Folders that are no links, in order; none where `path` is not there. Hidden ones are nobody's results.
pub fn folders_in(path: &Path) -> Result<Vec<PathBuf>, ResultsError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(ResultsError::io("reading", path)(error)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(ResultsError::io("reading", path))?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !is_hidden && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::result_json::Judged;
    use crate::results::write::write_pair;
    use crate::trial::fixture;

    #[test]
    fn one_damaged_folder_does_not_hide_the_others() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        write_pair(&PairFolder::at(&root.join("0badcafe/tx0-rx0")), &Judged::of(fixture::outcome())).unwrap();
        fs::create_dir_all(root.join("0badcafe/tx1-rx1")).unwrap();
        fs::write(root.join("0badcafe/tx1-rx1/result.json"), "{\"format\": 1").unwrap();
        fs::create_dir_all(root.join("00000001")).unwrap();
        fs::create_dir_all(root.join("notes/tx0-rx0")).unwrap();
        std::os::unix::fs::symlink(root.join("0badcafe"), root.join("00000002")).unwrap();
        let tree = Tree::read(&[root.to_owned(), root.join("0badcafe/tx0-rx0")]).unwrap();
        assert_eq!(tree.results.len(), 1);
        let unread: Vec<String> = tree.unread.iter().map(|u| file_name(&u.folder)).collect();
        assert_eq!(unread, ["00000001", "tx1-rx1"]);
        assert_eq!(Tree::read(&[root.join("0badcafe")]).unwrap().results.len(), 1);
        let said = Tree::read(&[root.join("nowhere")]).unwrap_err().to_string();
        assert!(said.contains("nowhere"), "{said}");
    }

    #[test]
    fn pairs_are_known_by_name() {
        assert!(is_pair("tx0-rx0") && is_pair("tx12-rx12") && !is_pair("tx-rx") && !is_pair("tx0"));
        assert!(pair_order("tx9-rx9") < pair_order("tx10-rx10"));
    }
}
