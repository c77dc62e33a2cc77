//! The files that a live script may use: those beside it to read, those of the results directory to read and write.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// The largest file that is read.
const MAX_READ_BYTES: u64 = 4 << 20;
/// What a script may write in all.
const MAX_WRITTEN_BYTES: u64 = 64 << 20;
/// Files that a script may have open at once.
pub const MAX_OPEN: u32 = 16;

/// Two directories, and what was used of them.
#[derive(Debug)]
pub struct Files {
    scripts: PathBuf,
    results: PathBuf,
    written: Cell<u64>,
    pub(crate) open: Cell<u32>,
}

/// A file that a script can't have.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// Outside.
    #[error(
        "`{path}` is outside of what a script may use: files beside the script ({scripts}) to read, files under {results} to \
         read and write"
    )]
    Outside {
        /// As the script named it.
        path: String,
        /// To read.
        scripts: PathBuf,
        /// To write.
        results: PathBuf,
    },
    /// The file itself.
    #[error("`{path}`: {cause}")]
    Io {
        /// As the script named it.
        path: String,
        /// What the system says.
        cause: io::Error,
    },
    /// Too large.
    #[error("`{path}` has more than {} MiB: a script reads smaller files", MAX_READ_BYTES >> 20)]
    Large {
        /// As the script named it.
        path: String,
    },
    /// Too much.
    #[error("the script wrote more than {} MiB: that is the most", MAX_WRITTEN_BYTES >> 20)]
    Written,
    /// Too many.
    #[error("the script has {MAX_OPEN} files open: close some")]
    Open,
}

impl Files {
    /// A script may read below `scripts`, and read and write below `results`; both must be there.
    pub fn new(scripts: &Path, results: &Path) -> io::Result<Files> {
        let (scripts, results) = (scripts.canonicalize()?, results.canonicalize()?);
        Ok(Files { scripts, results, written: Cell::new(0), open: Cell::new(0) })
    }

    fn fail(&self, path: &str, cause: io::Error) -> FilesError {
        FilesError::Io { path: path.to_owned(), cause }
    }

    fn outside(&self, path: &str) -> FilesError {
        FilesError::Outside {
            path: path.to_owned(),
            scripts: self.scripts.clone(),
            results: self.results.clone(),
        }
    }

    /// A whole file beside the script, or of the results.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, FilesError> {
        let found = self.find(path)?;
        let file = File::open(&found).map_err(|e| self.fail(path, e))?;
        // A device or a pipe has no end.
        if !file.metadata().is_ok_and(|m| m.is_file()) {
            return Err(self.outside(path));
        }
        let mut bytes = Vec::new();
        file.take(MAX_READ_BYTES + 1).read_to_end(&mut bytes).map_err(|e| self.fail(path, e))?;
        if bytes.len() as u64 > MAX_READ_BYTES {
            return Err(FilesError::Large { path: path.to_owned() });
        }
        Ok(bytes)
    }

    /// A file that is there, behind all links, in one of the directories.
    fn find(&self, path: &str) -> Result<PathBuf, FilesError> {
        let mut fault = None;
        for root in [&self.results, &self.scripts] {
            match root.join(path).canonicalize() {
                Ok(real) if real.starts_with(&self.results) || real.starts_with(&self.scripts) => {
                    return Ok(real);
                }
                Ok(_) => return Err(self.outside(path)),
                Err(cause) => fault = Some(cause),
            }
        }
        Err(self.fail(path, fault.unwrap_or_else(|| io::ErrorKind::NotFound.into())))
    }

    /// A file of the results, to write to from its beginning or its end.
    pub fn create(&self, path: &str, append: bool) -> Result<File, FilesError> {
        let given = Path::new(path);
        let relative = given.strip_prefix(&self.results).unwrap_or(given);
        let names = relative.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
        let Some(name) = relative.file_name().filter(|_| names) else { return Err(self.outside(path)) };
        let folder = relative.parent().unwrap_or(Path::new(""));
        let folder = self.results.join(folder);
        fs::create_dir_all(&folder).map_err(|e| self.fail(path, e))?;
        let folder = folder.canonicalize().map_err(|e| self.fail(path, e))?;
        let place = folder.join(name);
        // A link would lead elsewhere.
        let is_link = place.symlink_metadata().is_ok_and(|m| !m.is_file());
        if !folder.starts_with(&self.results) || is_link {
            return Err(self.outside(path));
        }
        let mut options = File::options();
        options.create(true).write(true).append(append).truncate(!append);
        options.open(&place).map_err(|e| self.fail(path, e))
    }

    /// Counts what is about to be written.
    pub(crate) fn count(&self, bytes: usize) -> Result<(), FilesError> {
        self.written.set(self.written.get().saturating_add(bytes as u64));
        if self.written.get() > MAX_WRITTEN_BYTES { Err(FilesError::Written) } else { Ok(()) }
    }

    /// Counts a file that is about to be opened.
    pub(crate) fn opening(&self) -> Result<(), FilesError> {
        if self.open.get() >= MAX_OPEN {
            return Err(FilesError::Open);
        }
        self.open.set(self.open.get() + 1);
        Ok(())
    }
}
