//! A script's machine that lives on: one file, or the pieces of text that a control connection sends.

use std::cell::RefCell;
use std::rc::Rc;

use crate::api;
use crate::backend::Backend;
use crate::error::{ImportError, ImportErrorKind, Limit};
use crate::files::Files;
use crate::import::{MAX_SCRIPT_BYTES, without_shebang};
use crate::sandbox::{Limits, Sandbox, Sink};

/// A Lua machine in front of a backend. Globals stay from one piece of text to the next, as in Pktgen; locals do not.
pub struct Session {
    sandbox: Sandbox,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// A machine whose calls go to `backend`, whose output goes to `sink`, and which may use `files`.
    pub fn new(
        backend: Rc<RefCell<dyn Backend>>,
        limits: Limits,
        files: Option<Files>,
        sink: Sink,
    ) -> Result<Session, ImportError> {
        let machine = |cause: mlua::Error| ImportError {
            file: String::new(),
            line: 0,
            kind: ImportErrorKind::Machine(cause.to_string()),
        };
        // It keeps every line: a live script waits far more than it runs.
        let sandbox = Sandbox::new(limits, Rc::clone(&backend), true).map_err(machine)?;
        api::install(&sandbox, &backend, files.map(Rc::new).as_ref()).map_err(machine)?;
        sandbox.set_sink(sink);
        Ok(Session { sandbox })
    }

    /// Defines the helpers of `Pktgen.lua`, which a control connection has without asking.
    pub fn with_helpers(self) -> Result<Session, ImportError> {
        self.run("(start)", b"require \"Pktgen\"")?;
        Ok(self)
    }

    /// Runs a text; `name` is what errors call it.
    pub fn run(&self, name: &str, text: &[u8]) -> Result<(), ImportError> {
        let fail = |line, kind| ImportError { file: name.to_owned(), line, kind };
        if text.len() as u64 > MAX_SCRIPT_BYTES {
            return Err(fail(0, ImportErrorKind::TooLarge { max_bytes: MAX_SCRIPT_BYTES }));
        }
        if text.first() == Some(&0x1b) {
            return Err(fail(0, ImportErrorKind::Bytecode));
        }
        match self.sandbox.run(&without_shebang(text)) {
            Ok(()) => Ok(()),
            // Told to end by itself: `pktgen.quit()`, or by whoever runs it.
            Err(failure) if matches!(failure.kind, ImportErrorKind::Limit(Limit::Ended)) => Ok(()),
            // Lua tells no place where memory ends: it is the last line that ran.
            Err(failure) if failure.line == 0 => Err(fail(self.sandbox.last_line(), failure.kind)),
            Err(failure) => Err(fail(failure.line, failure.kind)),
        }
    }

    /// Whether a text is the beginning of a longer one: it is no Lua yet because its end is missing.
    pub fn is_unfinished(&self, text: &[u8]) -> bool {
        let chunk = self.sandbox.lua().load(text).set_mode(mlua::chunk::ChunkMode::Text);
        match chunk.into_function() {
            Err(mlua::Error::SyntaxError { incomplete_input, .. }) => incomplete_input,
            _ => false,
        }
    }
}
