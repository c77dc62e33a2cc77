//! `results validate`

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::results::layout::RESULT;
use crate::results::read::read_result;
use crate::results::stored::read_stored;
use crate::results::tree::pair_folders;
use crate::results::{content, validate};
use crate::say;
use crate::trial::Status;

/// What was looked at.
#[derive(Default)]
struct Checked {
    archives: usize,
    faults: Vec<String>,
}

/// Checks every npz file, and the figures of every result.
pub fn execute(paths: &[PathBuf], min_samples: usize) -> Result<ExitCode> {
    let mut checked = Checked::default();
    for path in paths {
        if path.extension() == Some(OsStr::new("npz")) {
            checked.archive(path, min_samples);
            continue;
        }
        for folder in pair_folders(path)? {
            checked.folder(&folder, min_samples)?;
        }
    }
    for fault in &checked.faults {
        say::out(format_args!("invalid: {fault}"))?;
    }
    if checked.archives == 0 && checked.faults.is_empty() {
        bail!(
            "there is no npz file to check: give the folder of results, of a trial (results/<expid>) or of a pair in it"
        );
    }
    let faults = checked.faults.len();
    say::out(format_args!("{} npz files checked, {faults} fault(s)", checked.archives))?;
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Checked {
    fn archive(&mut self, path: &Path, min_samples: usize) {
        self.archives += 1;
        let Some(role) = path.file_name().and_then(|n| validate::role_of(&n.to_string_lossy())) else {
            let what = "its name is not {expid}_{pod}_{tx or rx}_txcores_…_rxcores_…_spec_….npz, so nobody knows which arrays it should have";
            self.faults.push(format!("{}: {what}", path.display()));
            return;
        };
        match validate::archive(path, role, min_samples) {
            Ok(columns) => self.faults.extend(content::said(path, content::columns(role, &columns))),
            Err(fault) => self.faults.push(fault.to_string()),
        }
    }

    /// Every archive of a pair, whoever wrote it; and what `result.json` says, where there is one.
    fn folder(&mut self, folder: &Path, min_samples: usize) -> Result<()> {
        let mut archives = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if path.extension() == Some(OsStr::new("npz")) && entry.file_type()?.is_file() {
                archives.push(path);
            }
        }
        archives.sort();
        archives.iter().for_each(|path| self.archive(path, min_samples));
        match read_result(folder) {
            Ok(Some(head)) => {
                let short = validate::files(folder, &head, 0).err().map(|fault| fault.to_string());
                self.faults.extend(short.filter(|fault| !self.faults.contains(fault)));
                if head.status != Status::Complete {
                    let what = head.error.as_deref().unwrap_or("it was stopped early");
                    self.faults.push(format!("{}: the trial is not whole: {what}", folder.display()));
                }
            }
            Ok(None) if archives.is_empty() => {
                self.faults.push(format!("{}: neither an npz file nor {RESULT}", folder.display()));
            }
            Ok(None) => {}
            Err(error) => self.faults.push(error.to_string()),
        }
        if let Ok(Some(stored)) = read_stored(folder) {
            self.faults.extend(content::said(&folder.join(RESULT), content::figures(&stored.judged)));
        }
        Ok(())
    }
}
