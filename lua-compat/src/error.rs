//! Why a script could not be imported, and where.

use std::fmt;
use std::time::Duration;

/// An import that failed. Shows as `file:line: message`.
#[derive(Debug, thiserror::Error)]
pub struct ImportError {
    /// The script, as the caller named it.
    pub file: String,
    /// Line in the script, from 1; 0 where the fault is in no line (a file that can't be read).
    pub line: u32,
    /// What went wrong.
    #[source]
    pub kind: ImportErrorKind,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.kind),
            line => write!(f, "{}:{line}: {}", self.file, self.kind),
        }
    }
}

/// What went wrong with a script.
#[derive(Debug, thiserror::Error)]
pub enum ImportErrorKind {
    /// The file can't be read.
    #[error("the script can't be read: {0}")]
    Read(#[source] std::io::Error),
    /// The file is larger than [`crate::MAX_SCRIPT_BYTES`].
    #[error(
        "the script has more than {max_bytes} bytes: a traffic script is far smaller, is this the right file?"
    )]
    TooLarge {
        /// The largest size accepted, in bytes.
        max_bytes: u64,
    },
    /// Compiled Lua.
    #[error("this is compiled Lua (bytecode): only source text is imported")]
    Bytecode,
    /// Not Lua.
    #[error("syntax error: {0}")]
    Syntax(String),
    /// The script used up one of its limits.
    #[error("{0}")]
    Limit(Limit),
    /// The script raised an error, called a function that does not exist, or gave one a wrong argument.
    #[error("{0}")]
    Script(String),
    /// The script ran, but what it set makes no profile.
    #[error("{0}")]
    Profile(String),
    /// The Lua machine could not be set up.
    #[error("the Lua machine can't be set up: {0}")]
    Machine(String),
}

/// A limit of the sandbox, and how much of it a script had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// Too many steps of the Lua machine.
    #[error(
        "the script ran for more than {0} Lua instructions (instruction limit): is this an endless loop?"
    )]
    Instructions(u64),
    /// Too much time.
    #[error("the script ran for more than {:.1} s (time limit): is this an endless loop?", .0.as_secs_f64())]
    Time(Duration),
    /// Too much time in all.
    #[error("the script ran for more than {:.0} s in all (--limit)", .0.as_secs_f64())]
    Total(Duration),
    /// Told to end.
    #[error("stopped")]
    Ended,
    /// Too much memory.
    #[error("the script needs more than {} MiB of memory (memory limit)", .0 / (1 << 20))]
    Memory(usize),
    /// Calls nest deeper than Lua's stack.
    #[error("calls nest too deeply (recursion limit): does a function call itself without an end?")]
    Recursion,
}
