//! What has to give way is moved, never removed: `results/backup-<time>/<expid>/<txN-rxN>`, and for profiles
//! `flows/backup-<time>/txN-rxN/`. Both stay in the folders that they come from, and links are not followed.

use std::cell::OnceCell;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::results::{ResultsError, names};

/// How many backups of one second there may be.
const TRIES: u32 = 100;

/// Where things of one experiment are moved to; made when the first one is.
#[derive(Debug)]
pub struct Aside {
    results: PathBuf,
    flows: PathBuf,
    of_results: OnceCell<PathBuf>,
    of_flows: OnceCell<PathBuf>,
}

impl Aside {
    /// Beside what is in these two folders.
    pub fn new(results: &Path, flows: &Path) -> Aside {
        let (of_results, of_flows) = (OnceCell::new(), OnceCell::new());
        Aside { results: results.to_owned(), flows: flows.to_owned(), of_results, of_flows }
    }

    /// The backup of results, if anything is in it.
    pub fn results(&self) -> Option<&Path> {
        self.of_results.get().map(PathBuf::as_path)
    }

    /// The backup of profiles, if anything is in it.
    pub fn flows(&self) -> Option<&Path> {
        self.of_flows.get().map(PathBuf::as_path)
    }

    /// Moves the folder `<expid>/<pair>` of the results.
    pub fn pair(&self, folder: &Path) -> Result<(), ResultsError> {
        moved(&self.results, folder, &self.of_results)?;
        if let Some(trial) = folder.parent() {
            // Stays where other pairs are in it.
            let _ = fs::remove_dir(trial);
        }
        Ok(())
    }

    /// Moves a file `<pair>/<name>` of the profiles.
    pub fn profile(&self, file: &Path) -> Result<(), ResultsError> {
        moved(&self.flows, file, &self.of_flows)
    }
}

/// Moves `root/<a>/<b>` to `root/backup-…/<a>/<b>`.
fn moved(root: &Path, from: &Path, backup: &OnceCell<PathBuf>) -> Result<(), ResultsError> {
    let inside = from.strip_prefix(root).ok().filter(|inside| inside.components().count() == 2);
    let elsewhere =
        || ResultsError::io("setting aside", from)(io::Error::other("it is not where it should be"));
    let inside = inside.ok_or_else(elsewhere)?;
    let is_real = from.parent().and_then(|p| fs::symlink_metadata(p).ok()).is_some_and(|meta| meta.is_dir());
    if !is_real {
        return Err(elsewhere());
    }
    let folder = match backup.get() {
        Some(folder) => folder,
        None => {
            let made = fresh(root)?;
            backup.get_or_init(|| made)
        }
    };
    let to = folder.join(inside);
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(ResultsError::io("creating", parent))?;
    }
    fs::rename(from, &to).map_err(ResultsError::io("setting aside", from))
}

fn fresh(root: &Path) -> Result<PathBuf, ResultsError> {
    let stamp = names::now_stamp()?;
    for n in 1..=TRIES {
        let path = root.join(if n == 1 { format!("backup-{stamp}") } else { format!("backup-{stamp}-{n}") });
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && n < TRIES => {}
            Err(error) => return Err(ResultsError::io("creating", &path)(error)),
        }
    }
    Err(ResultsError::io("creating", root)(io::Error::other("there are too many backups of this second")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_gives_way_is_kept_and_links_are_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("results");
        for folder in ["results/0badcafe/tx0-rx0", "results/0badcafe/tx1-rx1", "mine/tx0-rx0"] {
            fs::create_dir_all(place.path().join(folder)).unwrap();
        }
        fs::write(root.join("0badcafe/tx0-rx0/result.json"), "0").unwrap();
        fs::write(root.join("0badcafe/tx1-rx1/result.json"), "1").unwrap();
        symlink(place.path().join("mine"), root.join("0badf00d")).unwrap();
        let aside = Aside::new(&root, Path::new("flows"));
        assert!(aside.results().is_none());
        aside.pair(&root.join("0badcafe/tx0-rx0")).unwrap();
        assert!(root.join("0badcafe/tx1-rx1").is_dir());
        aside.pair(&root.join("0badcafe/tx1-rx1")).unwrap();
        assert!(!root.join("0badcafe").exists());
        let backup = aside.results().unwrap();
        assert!(backup.starts_with(&root));
        assert_eq!(fs::read_to_string(backup.join("0badcafe/tx1-rx1/result.json")).unwrap(), "1");

        assert!(aside.pair(&root.join("0badf00d/tx0-rx0")).is_err());
        assert!(aside.pair(&place.path().join("mine/tx0-rx0")).is_err());
        assert!(aside.pair(&root).is_err());
        assert!(place.path().join("mine/tx0-rx0").is_dir());
        // A second one in the same second has a folder of its own.
        fs::create_dir_all(root.join("0badcafe/tx0-rx0")).unwrap();
        let second = Aside::new(&root, Path::new("flows"));
        second.pair(&root.join("0badcafe/tx0-rx0")).unwrap();
        assert_ne!(second.results(), aside.results());
    }
}
