//! A child process that is watched, and killed by its id when its owner goes.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait::{self, PATIENCE};

/// How a process ended, and all that it said.
#[derive(Debug)]
pub struct Finished {
    /// Its exit.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `command` to its end.
pub fn run(command: &mut Command) -> Finished {
    run_within(command, wait::PATIENCE)
}

/// Runs `command` to its end, which may take as long as `limit`.
pub fn run_within(command: &mut Command, limit: Duration) -> Finished {
    let mut process = Process::spawn(command);
    let status = process.wait_within(limit);
    let mut stdout = String::new();
    while let Some(line) = process.line() {
        stdout += &line;
        stdout.push('\n');
    }
    Finished { status, stdout, stderr: process.stderr_at_end() }
}

/// A running child, its lines and its log.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: Arc<Mutex<Vec<u8>>>,
    stderr_reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts `command` with all three pipes.
    pub fn spawn(command: &mut Command) -> Process {
        let name = format!("{command:?}");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{name}: {e}"));
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let mut pipe = child.stderr.take().expect("piped");
        let log = Arc::clone(&stderr);
        let stderr_reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = pipe.read(&mut buffer) {
                log.lock().unwrap().extend_from_slice(&buffer[..n]);
            }
        });
        let stdin = child.stdin.take();
        Process { name, child, stdin, lines, stderr, stderr_reader: Some(stderr_reader) }
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of standard output; none at its end. Panics when none comes in time.
    pub fn line(&mut self) -> Option<String> {
        self.line_within(PATIENCE).unwrap_or_else(|| {
            panic!("{} said nothing for {} s; its log: {}", self.name, PATIENCE.as_secs(), self.stderr())
        })
    }

    /// `Some(None)` at the end of standard output, `None` when no line came within `limit`.
    pub fn line_within(&mut self, limit: Duration) -> Option<Option<String>> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => Some(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Some(None),
            Err(RecvTimeoutError::Timeout) => None,
        }
    }

    /// Writes a line to standard input.
    pub fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).expect("the process reads its input");
    }

    /// Ends its standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal, to this process alone.
    pub fn signal(&self, signal: Signal) {
        signal_pid(self.pid(), signal);
    }

    /// Its standard error so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap()).into_owned()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.wait_within(wait::PATIENCE)
    }

    fn wait_within(&mut self, limit: Duration) -> ExitStatus {
        let ended = wait::within(limit, || self.child.try_wait().expect("a child can be waited for"));
        ended.unwrap_or_else(|| panic!("the end of {}: not within {limit:?}", self.name))
    }

    /// Whether it is still there.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_none()
    }

    /// All of its standard error, after its end.
    pub fn stderr_at_end(&mut self) -> String {
        // A grandchild may hold the pipe open, so there is a limit.
        let reader = self.stderr_reader.take();
        wait::within(Duration::from_secs(5), || {
            reader.as_ref().is_none_or(JoinHandle::is_finished).then_some(())
        });
        self.stderr()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // By its id; errors would mean that it went in between.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Sends `signal` to one process.
pub fn signal_pid(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).expect("a process id"));
    kill(pid, signal).unwrap_or_else(|e| panic!("{signal} to {pid}: {e}"));
}

/// Whether a process with this id exists and is no zombie.
pub fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z')))
}
