//! The state directory: `DIR/runs/<id>/{spec.json, ready.json, samples.ndjson, summary.json, error.txt,
//! engine.log}`. Everything is written as it happens, so that an agent or an orchestrator that dies loses
//! nothing.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::error::AgentError;
use super::limits::{ENGINE_LOG_BYTES_MAX, SAMPLES_FILE_BYTES_MAX};

/// 1 to 64 of `a-z 0-9 - _`: safe as a file name and as a part of a path.
pub fn is_valid_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

/// The directory of one agent, locked for as long as the value lives.
#[derive(Debug)]
pub struct Store {
    runs: PathBuf,
    _lock: std::fs::File,
}

impl Store {
    /// Makes the directory where it is missing, and refuses one that can't be written to or that another
    /// agent has.
    pub fn open(dir: &Path) -> Result<Store, AgentError> {
        let fault = |path: &Path| {
            let path = path.to_owned();
            move |source| AgentError::StateDir { path, source }
        };
        let runs = dir.join("runs");
        std::fs::create_dir_all(&runs).map_err(fault(&runs))?;
        // Relative paths would break if anything changed the working directory later.
        let runs = runs.canonicalize().map_err(fault(&runs))?;
        let lock_path = dir.join("agent.lock");
        let lock = std::fs::File::create(&lock_path).map_err(fault(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(AgentError::StateDirBusy { path: dir.to_owned() });
            }
            Err(std::fs::TryLockError::Error(source)) => {
                return Err(AgentError::StateDir { path: lock_path, source });
            }
        }
        // The lock file may exist and be ours while the folder of runs is another user's.
        let probe = runs.join(".writable");
        std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)).map_err(fault(&runs))?;
        Ok(Store { runs, _lock: lock })
    }

    /// The folder of a run; the id must be valid.
    pub fn run(&self, id: &str) -> RunDir {
        RunDir { path: self.runs.join(id) }
    }

    /// Ids of the runs on disk, the newest first.
    pub fn ids(&self) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.runs)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if is_valid_id(&name) && entry.file_type()?.is_dir() {
                found.push((entry.metadata()?.modified()?, name));
            }
        }
        found.sort_by(|a, b| b.cmp(a));
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }
}

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Of one of its files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether the run was ever written.
    pub fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// Makes it; an error when it exists.
    pub async fn create(&self) -> io::Result<()> {
        tokio::fs::create_dir(&self.path).await
    }

    /// Removes it with all its files.
    pub async fn remove(&self) -> io::Result<()> {
        match tokio::fs::remove_dir_all(&self.path).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// Writes JSON so that a reader finds all of it or nothing.
    pub async fn write_json<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(value)?;
        text.push(b'\n');
        self.write(name, &text).await
    }

    /// Writes under a temporary name, then renames.
    pub async fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.file(&format!(".{name}.part"));
        let written = async {
            let mut file = File::create(&temporary).await?;
            file.write_all(bytes).await?;
            // Only flush tells of a write that failed; sync_all alone would let half a file take the name.
            file.flush().await?;
            file.sync_all().await?;
            tokio::fs::rename(&temporary, self.file(name)).await
        };
        let written = written.await;
        if written.is_err() {
            // Best effort: the disk is at fault already.
            let _ = tokio::fs::remove_file(&temporary).await;
        }
        written
    }

    /// Reads JSON back; none when the file is not there or not whole. Blocks.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&std::fs::read(self.file(name)).ok()?).ok()
    }

    /// Reads text back; none when the file is not there. Blocks.
    pub fn read_text(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.file(name)).ok().map(|text| text.trim_end().to_owned())
    }
}

/// A file that only grows, up to a bound. After its first fault it takes nothing more, so that no line
/// follows a torn one.
#[derive(Debug)]
pub struct Appender {
    file: File,
    bytes: u64,
    bytes_max: u64,
    fault: Option<String>,
}

impl Appender {
    /// `samples.ndjson` of a new run.
    pub async fn samples(dir: &RunDir) -> io::Result<Appender> {
        Appender::create(&dir.file("samples.ndjson"), SAMPLES_FILE_BYTES_MAX).await
    }

    /// `engine.log` of a new run.
    pub async fn log(dir: &RunDir) -> io::Result<Appender> {
        Appender::create(&dir.file("engine.log"), ENGINE_LOG_BYTES_MAX).await
    }

    async fn create(path: &Path, bytes_max: u64) -> io::Result<Appender> {
        Ok(Appender { file: File::create_new(path).await?, bytes: 0, bytes_max, fault: None })
    }

    /// Writes a line and hands it to the kernel; whether that worked.
    pub async fn line(&mut self, line: &[u8]) -> bool {
        if self.fault.is_some() {
            return false;
        }
        let length = line.len() as u64 + 1;
        if self.bytes + length > self.bytes_max {
            self.fault = Some(format!("it reached its limit of {} MiB", self.bytes_max >> 20));
            return false;
        }
        let mut whole = Vec::with_capacity(line.len() + 1);
        whole.extend_from_slice(line);
        whole.push(b'\n');
        let written = async {
            self.file.write_all(&whole).await?;
            self.file.flush().await
        };
        match written.await {
            Ok(()) => self.bytes += length,
            Err(error) => self.fault = Some(error.to_string()),
        }
        self.fault.is_none()
    }

    /// One more line whatever the bound: the remark that ends a file. Best effort, as the disk may be full.
    pub async fn last_line(&mut self, line: &str) {
        if self.file.write_all(format!("{line}\n").as_bytes()).await.is_ok() {
            let _ = self.file.flush().await;
        }
    }

    /// Why it takes no more.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_told_and_leaves_the_old_file_whole() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir { path: dir.path().to_owned() };
        run.write("summary.json", b"old").await.unwrap();
        std::os::unix::fs::symlink("/dev/full", run.file(".summary.json.part")).unwrap();
        assert_eq!(run.write("summary.json", b"new").await.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(run.read_text("summary.json").unwrap(), "old");
        assert!(!run.file(".summary.json.part").is_symlink(), "no part is left behind");
    }

    #[tokio::test]
    async fn a_file_takes_nothing_after_its_first_fault() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        let mut file = Appender::create(&path, 10).await.unwrap();
        assert!(file.line(b"1234").await);
        assert!(!file.line(b"567890").await, "12 bytes would be too many");
        assert!(!file.line(b"5").await, "no line may follow a missing one");
        assert!(file.fault().unwrap().contains("limit"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1234\n");
    }
}
