//! Files that are written whole or not at all, and never over somebody's without being told.

use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use super::ExportError;

/// As any program makes a file; the user's mask takes away from it.
const MODE: u32 = 0o666;

/// A file on its way: under a name of its own in the folder where it will be.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: NamedTempFile,
    force: bool,
}

impl Draft {
    /// Begins what will be `path`; what is there already is refused before anything is read or written.
    pub fn begin(path: &Path, force: bool) -> Result<Draft, ExportError> {
        if !force && fs::symlink_metadata(path).is_ok() {
            return Err(ExportError::Exists(path.to_owned()));
        }
        let folder = folder_of(path);
        fs::create_dir_all(folder).map_err(ExportError::io("creating", folder))?;
        let file = Builder::new()
            .prefix(".export-")
            .permissions(Permissions::from_mode(MODE))
            .tempfile_in(folder)
            .map_err(ExportError::io("creating a file in", folder))?;
        Ok(Draft { path: path.to_owned(), file, force })
    }

    /// Where it will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// To write to.
    pub fn handle(&self) -> Result<File, ExportError> {
        self.file.as_file().try_clone().map_err(ExportError::io("opening", &self.path))
    }

    /// Writes all of it.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        self.file.write_all(bytes).map_err(ExportError::io("writing", &self.path))
    }

    /// Gives it its name, once it is on disk.
    pub fn finish(self) -> Result<PathBuf, ExportError> {
        let Draft { path, file, force } = self;
        file.as_file().sync_all().map_err(ExportError::io("writing", &path))?;
        let named = if force { file.persist(&path) } else { file.persist_noclobber(&path) };
        if let Err(failed) = named {
            // Somebody was quicker.
            return Err(match failed.error.kind() {
                ErrorKind::AlreadyExists => ExportError::Exists(path),
                _ => ExportError::io("renaming to", &path)(failed.error),
            });
        }
        let folder = folder_of(&path);
        File::open(folder).and_then(|f| f.sync_all()).map_err(ExportError::io("syncing", folder))?;
        Ok(path)
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_and_over_nobodys() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("deep/a.csv");
        let mut draft = Draft::begin(&path, false).unwrap();
        draft.write(b"half").unwrap();
        assert!(!path.exists());
        fs::write(&path, "somebody's").unwrap();
        assert!(matches!(draft.finish(), Err(ExportError::Exists(_))));
        assert!(matches!(Draft::begin(&path, false), Err(ExportError::Exists(_))));
        let mut draft = Draft::begin(&path, true).unwrap();
        draft.write(b"whole").unwrap();
        draft.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        drop(Draft::begin(&place.path().join("deep/b.csv"), false).unwrap());
        assert_eq!(fs::read_dir(place.path().join("deep")).unwrap().count(), 1, "nothing half is left");
    }
}
