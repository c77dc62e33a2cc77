//! Whether each pair's folder has every file that the old system's tools look for, and the removal of those that don't.

use std::fs;
use std::path::{Path, PathBuf};

use super::ResultsError;
use super::layout::PairFolder;
use super::tree::{folders_in, is_trial};
use super::validate::role_of;

/// What there is of one pair's folder.
#[derive(Debug, PartialEq, Eq)]
pub enum Whole {
    /// Every file.
    Yes,
    /// Some trial works on it, or one that was killed left what `results recover` can write.
    Unfinished,
    /// Without these.
    Lacks(Vec<&'static str>),
}

/// One folder.
#[derive(Debug)]
pub struct Checked {
    /// Of a pair; of a trial without one.
    pub folder: PathBuf,
    /// What there is of it.
    pub whole: Whole,
}

/// Checks every pair's folder of every trial in `results`. Other folders, hidden ones and links are not looked into.
pub fn check(results: &Path) -> Result<Vec<Checked>, ResultsError> {
    if !results.is_dir() {
        return Err(ResultsError::NoSuchPlace(results.to_owned()));
    }
    let mut checked = Vec::new();
    let name =
        |folder: &Path| folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    for trial in folders_in(results)?.into_iter().filter(|f| is_trial(&name(f))) {
        let pairs = folders_in(&trial)?;
        if pairs.is_empty() {
            checked.push(Checked { folder: trial, whole: Whole::Lacks(vec!["every pair's folder"]) });
            continue;
        }
        for folder in pairs {
            let whole = whole(&folder)?;
            checked.push(Checked { folder, whole });
        }
    }
    Ok(checked)
}

/// Whether a trial was begun here and not finished, or somebody works on it: a trial that has just begun has a lock and
/// nothing else yet.
fn is_in_hand(folder: &Path) -> bool {
    let pair = PairFolder::at(folder);
    pair.is_unfinished() || pair.state().is_dir() && matches!(pair.lock(), Err(ResultsError::Busy { .. }))
}

/// What there is of a pair's folder. Of a folder of the old system, too, which has no `result.json`.
fn whole(folder: &Path) -> Result<Whole, ResultsError> {
    if is_in_hand(folder) {
        return Ok(Whole::Unfinished);
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(ResultsError::io("reading", folder))? {
        let entry = entry.map_err(ResultsError::io("reading", folder))?;
        if entry.metadata().is_ok_and(|meta| meta.is_file()) {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    let has = |test: &dyn Fn(&str) -> bool| names.iter().any(|name| test(name));
    let ends = |start: &'static str, end: &'static str| {
        move |name: &str| name.starts_with(start) && name.ends_with(end)
    };
    let wanted: [(&'static str, bool); 7] = [
        ("the npz file of the tx end", has(&|n| role_of(n) == Some("tx"))),
        ("the npz file of the rx end", has(&|n| role_of(n) == Some("rx"))),
        ("metadata.txt", has(&|n| n == "metadata.txt")),
        ("rxN_stats.log", has(&ends("rx", "_stats.log"))),
        ("rxN_warmup.log", has(&ends("rx", "_warmup.log"))),
        ("txN_port_stats.csv", has(&ends("tx", "_port_stats.csv"))),
        ("txN_port_rate_stats.csv", has(&ends("tx", "_port_rate_stats.csv"))),
    ];
    let lacks: Vec<&str> = wanted.iter().filter(|(_, there)| !there).map(|(what, _)| *what).collect();
    Ok(if lacks.is_empty() { Whole::Yes } else { Whole::Lacks(lacks) })
}

/// Removes a folder that is not whole, and its trial's when nothing else is in that. What
/// somebody works on stays.
pub fn remove(results: &Path, folder: &Path) -> Result<(), ResultsError> {
    let outside = || ResultsError::Outside { folder: folder.to_owned(), results: results.to_owned() };
    let below = folder.strip_prefix(results).map_err(|_| outside())?;
    let plain = below.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let is_link = |path: &Path| fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_symlink());
    // Looked at again: it may have become a link since it was listed.
    let links = folder.ancestors().take_while(|path| *path != results).any(is_link);
    if !plain || links || below.as_os_str().is_empty() {
        return Err(outside());
    }
    if is_in_hand(folder) {
        // Between the listing and now a trial began here.
        return Ok(());
    }
    fs::remove_dir_all(folder).map_err(ResultsError::io("removing", folder))?;
    if let Some(trial) = folder.parent().filter(|trial| *trial != results) {
        // Not empty where another pair's results are.
        let _ = fs::remove_dir(trial);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::result_json::Judged;
    use crate::results::write::write_pair;
    use crate::trial::fixture;

    fn place() -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        let pair = PairFolder::at(&place.path().join("results/0badcafe/tx0-rx0"));
        write_pair(&pair, &Judged::of(fixture::outcome())).unwrap();
        fs::create_dir_all(place.path().join("results/0badcafe/tx1-rx1")).unwrap();
        fs::create_dir_all(place.path().join("results/00000001/tx0-rx0/.state")).unwrap();
        fs::write(place.path().join("results/00000001/tx0-rx0/.state/trial.json"), "{}").unwrap();
        fs::create_dir_all(place.path().join("results/00000002")).unwrap();
        fs::create_dir_all(place.path().join("results/mine/tx0-rx0")).unwrap();
        fs::create_dir_all(place.path().join("elsewhere/tx0-rx0")).unwrap();
        std::os::unix::fs::symlink(place.path().join("elsewhere"), place.path().join("results/00000003"))
            .unwrap();
        place
    }

    #[test]
    fn what_is_missing_is_named_and_nothing_else_goes() {
        let place = place();
        let results = place.path().join("results");
        let checked = check(&results).unwrap();
        let said: Vec<(String, &Whole)> = checked
            .iter()
            .map(|c| (c.folder.strip_prefix(&results).unwrap().display().to_string(), &c.whole))
            .collect();
        assert_eq!(said[0], ("00000001/tx0-rx0".into(), &Whole::Unfinished));
        assert_eq!(said[1].0, "00000002");
        assert_eq!(said[2], ("0badcafe/tx0-rx0".into(), &Whole::Yes));
        assert!(matches!(said[3].1, Whole::Lacks(what) if what.len() == 7), "{said:?}");
        assert_eq!(said.len(), 4);
        for broken in checked.iter().filter(|c| matches!(c.whole, Whole::Lacks(_))) {
            remove(&results, &broken.folder).unwrap();
        }
        assert!(results.join("0badcafe/tx0-rx0").is_dir() && !results.join("0badcafe/tx1-rx1").exists());
        assert!(!results.join("00000002").exists() && results.join("00000001/tx0-rx0").is_dir());
        assert!(results.join("mine/tx0-rx0").is_dir() && place.path().join("elsewhere/tx0-rx0").is_dir());
    }

    #[test]
    fn a_trial_that_has_just_begun_is_nobodys_rubbish() {
        let place = tempfile::tempdir().unwrap();
        let id = crate::expid::ExpId::try_from("0badcafe".to_owned()).unwrap();
        let pairs = ["tx0-rx0".to_owned()];
        let trial = crate::results::TrialFolder::create(place.path(), id, &pairs).unwrap();
        let folder = trial.pair("tx0-rx0").path().to_owned();
        assert_eq!(check(place.path()).unwrap()[0].whole, Whole::Unfinished);
        remove(place.path(), &folder).unwrap();
        assert!(folder.is_dir());
        drop(trial);
        // Its orchestrator is gone and left nothing that could be recovered.
        assert!(matches!(check(place.path()).unwrap()[0].whole, Whole::Lacks(_)));
    }

    #[test]
    fn nothing_outside_is_removed() {
        let place = place();
        let results = place.path().join("results");
        for folder in ["elsewhere/tx0-rx0", "results", "results/../elsewhere", "results/00000003/tx0-rx0"] {
            let folder = place.path().join(folder);
            assert!(remove(&results, &folder).is_err(), "{}", folder.display());
            assert!(folder.is_dir());
        }
    }
}
