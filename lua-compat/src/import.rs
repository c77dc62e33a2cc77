//! From a script to a profile: read, run, lower.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use traffic::profile::{Profile, check};

use crate::api;
use crate::backend::Backend;
use crate::error::{ImportError, ImportErrorKind, Limit};
use crate::lower;
use crate::ports::MAX_PORTS;
use crate::record::Recorder;
use crate::report::Report;
use crate::sandbox::{Failure, Limits, Sandbox};

/// The largest script that is read, in bytes.
pub const MAX_SCRIPT_BYTES: u64 = 1 << 20;

/// How to import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// The port whose profile is wanted; `None` for port 0, or the first that the script starts.
    pub port: Option<u16>,
    /// Send what Pktgen 23.03 would have sent, not what the script means (`--pktgen-quirks`).
    pub quirks: bool,
    /// The capture that `pcap(ports, "on")` sends (Pktgen's `-s`).
    pub pcap: Option<std::path::PathBuf>,
    /// How much of the machine the script may use.
    pub limits: Limits,
}

/// A script that was imported.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// What the script sends, named by the file's stem.
    pub profile: Profile,
    /// What was not carried over, and what was decided where the script left it open.
    pub report: Report,
    /// What the script printed.
    pub output: String,
    /// The ports that the script starts; the one of the profile where it starts `"all"` or none.
    pub ports: Vec<u16>,
}

/// Imports a script file.
pub fn import_file(path: &Path, options: &ImportOptions) -> Result<Import, ImportError> {
    let fail = |kind| ImportError { file: path.display().to_string(), line: 0, kind };
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_SCRIPT_BYTES + 1).read_to_end(&mut text))
        .map_err(|cause| fail(ImportErrorKind::Read(cause)))?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    import_bytes(&path.display().to_string(), &stem, &text, options)
}

/// Imports a script; `name` is what errors call it, and its stem names the profile.
pub fn import_str(name: &str, text: &str, options: &ImportOptions) -> Result<Import, ImportError> {
    let stem =
        Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    import_bytes(name, &stem, text.as_bytes(), options)
}

fn import_bytes(file: &str, stem: &str, text: &[u8], options: &ImportOptions) -> Result<Import, ImportError> {
    let fail = |line, kind| ImportError { file: file.to_owned(), line, kind };
    if text.len() as u64 > MAX_SCRIPT_BYTES {
        return Err(fail(0, ImportErrorKind::TooLarge { max_bytes: MAX_SCRIPT_BYTES }));
    }
    if text.first() == Some(&0x1b) {
        return Err(fail(0, ImportErrorKind::Bytecode));
    }
    let (recorder, output) = record(text, options).map_err(|failure| fail(failure.line, failure.kind))?;
    let lowered = lower::lower(&recorder, stem, options)
        .map_err(|fault| fail(fault.line, ImportErrorKind::Profile(fault.message)))?;
    let faults = check::check(&lowered.profile);
    if !faults.is_empty() {
        let list: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let message = format!("the script's settings make no profile: {}", list.join("; "));
        return Err(fail(0, ImportErrorKind::Profile(message)));
    }
    Ok(Import { profile: lowered.profile, report: lowered.report, output, ports: lowered.ports })
}

/// Runs the script against a recorder. Lua raises an error for lack of memory without a place: a second run
/// that keeps every line finds it.
fn record(text: &[u8], options: &ImportOptions) -> Result<(Recorder, String), Failure> {
    match record_once(text, options, false) {
        Err((Failure { line: 0, kind: kind @ ImportErrorKind::Limit(Limit::Memory(_)) }, _)) => {
            let line = record_once(text, options, true).err().map_or(0, |(_, last)| last);
            Err(Failure { line, kind })
        }
        result => result.map_err(|(failure, _)| failure),
    }
}

/// One run; with the error, the line of the last statement of a traced run.
fn record_once(
    text: &[u8],
    options: &ImportOptions,
    trace: bool,
) -> Result<(Recorder, String), (Failure, u32)> {
    let machine =
        |cause: mlua::Error| (Failure { line: 0, kind: ImportErrorKind::Machine(cause.to_string()) }, 0);
    let port_count = options.port.unwrap_or(0).min(MAX_PORTS - 1) + 1;
    let recorder = Rc::new(RefCell::new(Recorder::new(port_count)));
    let backend: Rc<RefCell<dyn Backend>> = recorder.clone();
    let sandbox = Sandbox::new(options.limits, Rc::clone(&backend), trace).map_err(machine)?;
    api::install(&sandbox, &backend, None).map_err(machine)?;
    sandbox.run(&without_shebang(text)).map_err(|failure| (failure, sandbox.last_line()))?;
    let (output, cut) = sandbox.output();
    drop(sandbox);
    let mut recorder =
        Rc::try_unwrap(recorder).map_or_else(|held| held.borrow().clone(), RefCell::into_inner);
    if cut {
        let most = options.limits.output_bytes;
        recorder.report.info(0, format!("the script prints more than {most} bytes: the rest was cut off"));
    }
    Ok((recorder, output))
}

/// `#!/usr/bin/…` in the first line is no Lua; the lua program skips it too.
pub(crate) fn without_shebang(text: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if text.first() == Some(&b'#') { [b"--", text].concat().into() } else { text.into() }
}
