//! Folders for memif's sockets: `bench-<pid>-…`, named after the orchestrator that made them, so that what a killed one
//! left is known as such.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::LabError;

const PREFIX: &str = "bench-";
/// The kernel's limit for socket paths is 108 bytes; `/m123456.sock` must still fit.
const FOLDER_BYTES_MAX: usize = 90;
/// `/bench-4194304-abcdef`.
const NAME_BYTES: usize = 24;

/// A fresh folder whose path is short enough for sockets. What earlier, killed orchestrators left beside it goes.
pub fn fresh() -> Result<TempDir, LabError> {
    let wanted = std::env::temp_dir();
    let is_short = wanted.as_os_str().len() + NAME_BYTES <= FOLDER_BYTES_MAX;
    let place = if is_short { wanted } else { PathBuf::from("/tmp") };
    for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
        remove_stale(&entry.path());
    }
    tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .tempdir_in(&place)
        .map_err(|e| LabError::SocketFolder { place, reason: e.to_string() })
}

/// Removes such a folder if its maker is gone, and nothing but sockets with it. One that can't be removed harms nobody.
pub fn remove_stale(folder: &Path) {
    if !maker(folder).is_some_and(is_gone) || !folder.symlink_metadata().is_ok_and(|m| m.is_dir()) {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|t| t.is_socket()) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}

/// The process in the folder's name.
fn maker(folder: &Path) -> Option<u32> {
    let name = folder.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    name.split_once('-')?.0.parse().ok()
}

/// Never so where the system does not say.
fn is_gone(pid: u32) -> bool {
    let proc = Path::new("/proc");
    proc.join("self").exists() && !proc.join(pid.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn only_a_dead_orchestrators_sockets_go() {
        let place = tempfile::Builder::new().prefix("b").tempdir_in("/tmp").unwrap();
        let make = |name: String| {
            let folder = place.path().join(name);
            fs::create_dir(&folder).unwrap();
            drop(UnixListener::bind(folder.join("m0.sock")).unwrap());
            folder
        };
        // No process has this number.
        let dead = make(format!("bench-{}-abcdef", u32::MAX));
        let kept = [
            make(format!("bench-{}-abcdef", std::process::id())),
            make("bench-memifabc".into()),
            make(format!("other-{}-abcdef", u32::MAX)),
        ];
        let with_more = make(format!("bench-{}-ghijkl", u32::MAX));
        fs::write(with_more.join("notes"), "").unwrap();
        for folder in kept.iter().chain([&dead, &with_more]) {
            remove_stale(folder);
        }
        assert!(!dead.exists() && with_more.join("notes").exists());
        assert!(kept.iter().all(|k| k.join("m0.sock").exists()));
    }

    #[test]
    fn a_fresh_folder_is_its_makers() {
        let folder = fresh().unwrap();
        assert_eq!(maker(folder.path()), Some(std::process::id()));
        assert!(folder.path().as_os_str().len() <= FOLDER_BYTES_MAX);
    }
}
