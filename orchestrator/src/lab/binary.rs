//! Finds the `dataplane` program that local agents are made of.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::LabError;

/// `--dataplane`, else `$DATAPLANE`, else beside this executable, else in `$PATH`.
pub fn find_dataplane(flag: Option<&Path>) -> Result<PathBuf, LabError> {
    if let Some(path) = flag {
        return named("--dataplane", path);
    }
    if let Some(path) = env::var_os("DATAPLANE").filter(|p| !p.is_empty()) {
        return named("$DATAPLANE", Path::new(&path));
    }
    let beside = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("dataplane")));
    let in_path =
        env::var_os("PATH").map(|p| env::split_paths(&p).map(|d| d.join("dataplane")).collect::<Vec<_>>());
    beside
        .into_iter()
        .chain(in_path.unwrap_or_default())
        .find(|p| runnable(p).is_ok())
        .ok_or(LabError::NoDataplane)
}

fn named(place: &'static str, path: &Path) -> Result<PathBuf, LabError> {
    match runnable(path) {
        // Made absolute: a bare name would be looked up in $PATH by the system.
        Ok(()) => Ok(std::path::absolute(path).unwrap_or_else(|_| path.to_owned())),
        Err(reason) => Err(LabError::BadDataplane { place, path: path.to_owned(), reason }),
    }
}

fn runnable(path: &Path) -> Result<(), String> {
    let meta = path.metadata().map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return Err("not a file".into());
    }
    if meta.permissions().mode() & 0o111 == 0 {
        return Err("not executable".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_program_must_be_one() {
        let error = find_dataplane(Some(Path::new("/nonexistent/dataplane"))).unwrap_err();
        assert!(error.to_string().contains("--dataplane names `/nonexistent/dataplane`"), "{error}");
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = find_dataplane(Some(file.path())).unwrap_err();
        assert!(error.to_string().contains("not executable"), "{error}");
    }
}
