//! The child process: lines in, lines out, and an end in bounded time.

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::{FromChild, ToChild};

const SCRIPT: &str = include_str!("upload.py");
/// The package retries for as long as a network is away; no run of results takes that long to hand on.
const SILENCE: Duration = Duration::from_secs(600);

/// Why results were not handed on.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// No Python.
    #[error("{} can't be started: {source}; name a Python 3 that has the wandb package with --python", python.display())]
    Python {
        /// Which.
        python: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No package.
    #[error(
        "{} has no wandb package ({text}): install it with `{} -m pip install wandb`, or name another Python with --python",
        .python.display(), .python.display()
    )]
    Missing {
        /// Of which Python.
        python: PathBuf,
        /// What it said.
        text: String,
    },
    /// Not logged in.
    #[error(
        "wandb is not logged in ({text}): run `{} -m wandb login`, set WANDB_API_KEY, or write the runs to this machine with --offline",
        .python.display()
    )]
    Login {
        /// By which Python.
        python: PathBuf,
        /// What it said.
        text: String,
    },
    /// The package gave up.
    #[error("wandb gave up: {0}; with --offline the runs are written to this machine, for `wandb sync`")]
    Wandb(String),
    /// It ended without a word.
    #[error("the Python process ended early ({0}): what it wrote above says why")]
    Ended(std::process::ExitStatus),
    /// It hangs.
    #[error(
        "wandb made no progress for {} s and was ended: is its server within reach? With --offline it is not asked",
        SILENCE.as_secs()
    )]
    Silent,
    /// A pipe.
    #[error("talking to the Python process failed: {0}; try again")]
    Pipe(#[from] io::Error),
    /// Not our script's words.
    #[error("the Python process said `{0}`, which upload.py never says; is sitecustomize printing?")]
    Babble(String),
}

/// Hands on `lines`; `done` hears of each run.
pub fn upload(
    python: &Path,
    lines: Vec<ToChild>,
    mut done: impl FnMut(FromChild) -> io::Result<()>,
) -> Result<(), UploadError> {
    let mut child = Command::new(python)
        .args(["-u", "-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|source| UploadError::Python { python: python.to_owned(), source })?;
    let result = talk(&mut child, python, lines, &mut done);
    if result.is_err() {
        // Gone already, but where it hung.
        let _ = child.kill();
    }
    let status = child.wait()?;
    result?;
    if status.success() { Ok(()) } else { Err(UploadError::Ended(status)) }
}

fn talk(
    child: &mut Child,
    python: &Path,
    lines: Vec<ToChild>,
    done: &mut impl FnMut(FromChild) -> io::Result<()>,
) -> Result<(), UploadError> {
    if let Some(stdin) = child.stdin.take() {
        // In a thread: the child may not read before it is heard. A child that is gone is told of by its own words.
        thread::spawn(move || write_all(stdin, &lines));
    }
    let Some(stdout) = child.stdout.take() else { return Ok(()) };
    let heard = listen(stdout);
    loop {
        let line = match heard.recv_timeout(SILENCE) {
            Ok(line) => line?,
            Err(RecvTimeoutError::Timeout) => return Err(UploadError::Silent),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        let said: FromChild = serde_json::from_str(&line).map_err(|_| UploadError::Babble(line))?;
        let FromChild::Error { kind, text } = said else {
            done(said)?;
            continue;
        };
        let python = python.to_owned();
        return Err(match kind.as_str() {
            "missing" => UploadError::Missing { python, text },
            "login" => UploadError::Login { python, text },
            _ => UploadError::Wandb(text),
        });
    }
}

fn write_all(stdin: impl Write, lines: &[ToChild]) -> io::Result<()> {
    let mut pipe = BufWriter::new(stdin);
    for line in lines {
        serde_json::to_writer(&mut pipe, line)?;
        pipe.write_all(b"\n")?;
    }
    pipe.flush()
}

fn listen(stdout: impl io::Read + Send + 'static) -> Receiver<io::Result<String>> {
    let (sender, heard) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let is_last = line.is_err();
            if sender.send(line).is_err() || is_last {
                return;
            }
        }
    });
    heard
}
