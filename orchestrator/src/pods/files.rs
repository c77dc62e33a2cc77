//! `--dry-run=client`: what would be created, as files.

use std::io;
use std::path::{Path, PathBuf};

use super::objects::{Object, ObjectError, yaml};

/// Files that can't be written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// An object that is no YAML.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The file system's part.
    #[error("can't write {path}: {reason}")]
    Write {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}

/// Writes a file for each pod, its claim in it, into `folder`. All are written aside first and take their places
/// one by one, so no file is ever half one.
pub fn write(folder: &Path, pods: &[(String, Vec<Object>)]) -> Result<Vec<PathBuf>, FilesError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |reason| FilesError::Write { path, reason }
    };
    std::fs::create_dir_all(folder).map_err(at(folder))?;
    let aside = tempfile::Builder::new().prefix(".new-").tempdir_in(folder).map_err(at(folder))?;
    let names: Vec<String> = pods.iter().map(|(name, _)| format!("{name}.yaml")).collect();
    for ((_, objects), name) in pods.iter().zip(&names) {
        let path = aside.path().join(name);
        std::fs::write(&path, yaml(objects)?).map_err(at(&path))?;
    }
    let mut written = Vec::new();
    for name in &names {
        let path = folder.join(name);
        std::fs::rename(aside.path().join(name), &path).map_err(at(&path))?;
        written.push(path);
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pods::objects::Kind;
    use serde_json::json;

    #[test]
    fn files_are_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let object =
            Object { kind: Kind::Pod, name: "tx0".into(), value: json!({"kind": "Pod", "on": "yes"}) };
        let pods = [("tx0".to_owned(), vec![object.clone(), object])];
        std::fs::write(folder.path().join("tx0.yaml"), "old").unwrap();
        let written = write(folder.path(), &pods).unwrap();
        assert_eq!(written, [folder.path().join("tx0.yaml")]);
        let text = std::fs::read_to_string(&written[0]).unwrap();
        assert_eq!(text.matches("---\n").count(), 2, "{text}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = write(Path::new("/proc/nowhere"), &pods).unwrap_err().to_string();
        assert!(error.starts_with("can't write /proc/nowhere: "), "{error}");
    }
}
