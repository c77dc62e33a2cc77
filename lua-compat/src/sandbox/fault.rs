//! Where a script failed, and why, out of what Lua says.

use mlua::{Error, Lua};

use super::Usage;
use crate::error::{ImportErrorKind, Limit};

/// What Lua calls the script in its messages: short, because Lua cuts long names, and replaced by the file's
/// own.
pub(crate) const CHUNK: &str = "script";
/// How far up the call stack the script's own line is looked for.
const MAX_LEVELS: usize = 32;
/// What Lua appends to the message of an error.
const TRACEBACK: &str = "\nstack traceback:";

/// An error that one of our functions raises in a script.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{CHUNK}:{line}: {message}")]
pub(crate) struct ScriptFault {
    pub(crate) line: u32,
    pub(crate) message: String,
}

/// A limit that was used up.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{CHUNK}:{line}: {limit}")]
struct LimitFault {
    line: u32,
    limit: Limit,
}

/// Why a run ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    /// From 1; 0 where Lua could not say.
    pub(crate) line: u32,
    pub(crate) kind: ImportErrorKind,
}

/// The line of the script that is running: its innermost call. 0 when none of the script is on the stack.
pub(crate) fn here(lua: &Lua) -> u32 {
    let line_at = |level| {
        lua.inspect_stack(level, |debug| match debug.source().short_src {
            Some(name) if name == CHUNK => {
                debug.current_line().and_then(|l| u32::try_from(l).ok()).unwrap_or(0)
            }
            _ => 0,
        })
    };
    (0..MAX_LEVELS).map_while(line_at).find(|line| *line > 0).unwrap_or(0)
}

/// The error that a limit ends the script with, at the line that is running.
pub(super) fn limit_error(lua: &Lua, limit: Limit) -> Error {
    Error::external(LimitFault { line: here(lua), limit })
}

/// The text of an error as a script that catches it sees it: one line with its place, as Lua's own.
pub(super) fn caught_text(error: &Error) -> String {
    match error {
        Error::CallbackError { cause, .. } => caught_text(cause),
        Error::ExternalError(cause) => cause.to_string(),
        other => other.to_string().split(TRACEBACK).next().unwrap_or_default().to_owned(),
    }
}

/// What an error that ended the script means to its user.
pub(super) fn classify(error: &Error, usage: &Usage) -> Failure {
    match error {
        Error::CallbackError { cause, traceback } => {
            let mut failure = classify(cause, usage);
            if failure.line == 0 {
                failure.line = traceback_line(traceback);
            }
            failure
        }
        Error::ExternalError(cause) => {
            if let Some(fault) = cause.downcast_ref::<LimitFault>() {
                Failure { line: fault.line, kind: ImportErrorKind::Limit(fault.limit) }
            } else if let Some(fault) = cause.downcast_ref::<ScriptFault>() {
                Failure { line: fault.line, kind: ImportErrorKind::Script(fault.message.clone()) }
            } else {
                Failure { line: 0, kind: ImportErrorKind::Script(cause.to_string()) }
            }
        }
        Error::MemoryError(_) => memory_failure(usage),
        Error::SyntaxError { message, .. } => {
            let (line, text) = split_place(message);
            Failure { line, kind: ImportErrorKind::Syntax(text.to_owned()) }
        }
        other => runtime(&other.to_string(), usage),
    }
}

fn memory_failure(usage: &Usage) -> Failure {
    Failure { line: 0, kind: ImportErrorKind::Limit(Limit::Memory(usage.limits.memory_bytes)) }
}

/// An error that Lua itself raised, or that the script raised with `error`.
fn runtime(message: &str, usage: &Usage) -> Failure {
    let message = message.strip_prefix("runtime error: ").unwrap_or(message);
    let (text, traceback) = message.split_once(TRACEBACK).unwrap_or((message, ""));
    let (line, text) = split_place(text);
    let line = if line == 0 { traceback_line(traceback) } else { line };
    if text.contains("stack overflow") || text.contains("error in error handling") {
        return Failure { line, kind: ImportErrorKind::Limit(Limit::Recursion) };
    }
    if text == "not enough memory" {
        return Failure { line, ..memory_failure(usage) };
    }
    Failure { line, kind: ImportErrorKind::Script(text.to_owned()) }
}

/// `script:12: text` → (12, `text`). The places of our own Lua code (`prelude:3: `) mean nothing to a user:
/// cut off.
fn split_place(message: &str) -> (u32, &str) {
    let place = |name: &str| {
        let rest = message.strip_prefix(name)?.strip_prefix(':')?;
        let (line, text) = rest.split_once(": ")?;
        Some((line.parse().ok()?, text))
    };
    if let Some(found) = place(CHUNK) {
        return found;
    }
    let ours = ["prelude", "helpers"].iter().find_map(|name| place(name));
    ours.map_or((0, message), |(_, text): (u32, &str)| (0, text))
}

/// The innermost line of the script in a traceback; 0 when there is none.
fn traceback_line(traceback: &str) -> u32 {
    let at = |row: &str| row.trim().strip_prefix(CHUNK)?.strip_prefix(':')?.split(':').next()?.parse().ok();
    traceback.lines().find_map(at).unwrap_or(0)
}
