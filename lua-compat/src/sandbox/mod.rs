//! The Lua machine that a script runs in: what it may call, and how much it may use.
//!
//! A script is somebody else's program. It gets the base, table, string, math and utf8 libraries and three
//! clock functions of os; no files, no shell, no bytecode, no debug library, no coroutines. It ends with an
//! error that names the limit and the line when it uses more instructions, time, memory or stack than
//! [`Limits`] gives it.

mod fault;
mod guard;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use mlua::chunk::ChunkMode;
use mlua::{HookTriggers, Lua, LuaOptions, StdLib, VmState};

use crate::backend::Backend;
use crate::error::{ImportErrorKind, Limit};

pub(crate) use fault::{CHUNK, Failure, ScriptFault, here};
pub(crate) use guard::WRITE;

/// How many instructions pass between two looks at the limits: rare enough to cost little, often enough that
/// slow instructions (joining megabytes of text) don't add up in between.
const HOOK_EVERY: u32 = 100;

/// How deep calls may nest. Lua's own limit is so high that a script would be out of memory before.
const MAX_DEPTH: usize = 10_000;

/// How much of the machine a script may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Instructions of the Lua machine.
    pub instructions: u64,
    /// Time that passes.
    pub time: Duration,
    /// Memory of the Lua machine, in bytes.
    pub memory_bytes: usize,
    /// Text printed, in bytes; more is cut off and said so.
    pub output_bytes: usize,
    /// Of a script whose delays really wait: instructions and time begin anew with each delay, and this is the time in
    /// all. `None`: delays pass at once, and change no limit.
    pub live: Option<Duration>,
}

impl Default for Limits {
    /// 20 million instructions, 5 s, 64 MiB, 64 KiB of output: a thousand times what a profile needs.
    fn default() -> Limits {
        Limits {
            instructions: 20_000_000,
            time: Duration::from_secs(5),
            memory_bytes: 64 << 20,
            output_bytes: 64 << 10,
            live: None,
        }
    }
}

impl Limits {
    /// Of a script on running ports: 20 million instructions and 5 s from one delay to the next, `total` in all.
    pub fn live(total: Duration) -> Limits {
        Limits { live: Some(total), output_bytes: usize::MAX, ..Limits::default() }
    }
}

/// Where a live script's output goes, as it comes.
pub type Sink = Box<dyn FnMut(&str)>;

/// What a run has used so far.
pub(crate) struct Usage {
    pub(crate) limits: Limits,
    began: Instant,
    started: Cell<Instant>,
    instructions: Cell<u64>,
    hit: Cell<Option<Limit>>,
    /// The last line seen, for errors that Lua raises without a place.
    line: Cell<u32>,
    output: RefCell<String>,
    cut: Cell<bool>,
    sink: RefCell<Option<Sink>>,
    backend: Rc<RefCell<dyn Backend>>,
}

impl Usage {
    /// An error once a limit is used up, and from then on at every look: a script's pcall must not outlive
    /// it.
    fn check(&self) -> Result<(), Limit> {
        if self.hit.get().is_none() {
            if self.instructions.get() > self.limits.instructions {
                self.hit.set(Some(Limit::Instructions(self.limits.instructions)));
            } else if self.started.get().elapsed() > self.limits.time {
                self.hit.set(Some(Limit::Time(self.limits.time)));
            } else if let Some(total) = self.limits.live.filter(|total| self.began.elapsed() > *total) {
                self.hit.set(Some(Limit::Total(total)));
            } else if self.backend.try_borrow().is_ok_and(|backend| backend.must_end()) {
                self.hit.set(Some(Limit::Ended));
            }
        }
        self.hit.get().map_or(Ok(()), Err)
    }

    /// After a call of Pktgen's: what waits for real gives the script a new share of time and instructions.
    pub(crate) fn rest(&self, lua: &Lua, function: &str) -> mlua::Result<()> {
        if self.limits.live.is_some() && matches!(function, "delay" | "sleep" | "pause") {
            self.begin();
        }
        self.check().map_err(|limit| fault::limit_error(lua, limit))
    }

    /// A new share of time and instructions.
    pub(crate) fn begin(&self) {
        self.instructions.set(0);
        self.started.set(Instant::now());
    }

    /// Adds to what the script printed, up to the limit.
    pub(crate) fn print(&self, text: &str) {
        if let Some(sink) = self.sink.borrow_mut().as_mut() {
            return sink(text);
        }
        let mut output = self.output.borrow_mut();
        let room = self.limits.output_bytes.saturating_sub(output.len());
        let mut fits = text.len().min(room);
        while !text.is_char_boundary(fits) {
            fits -= 1;
        }
        output.push_str(&text[..fits]);
        self.cut.set(self.cut.get() || fits < text.len());
    }
}

/// A Lua machine for one script.
pub(crate) struct Sandbox {
    lua: Lua,
    usage: Rc<Usage>,
}

impl Sandbox {
    /// A machine with the safe libraries, whose clock follows `backend`'s. With `trace` it keeps the line of
    /// every statement: ten times slower, for a second run that is to find the place of an error.
    pub(crate) fn new(
        limits: Limits,
        backend: Rc<RefCell<dyn Backend>>,
        trace: bool,
    ) -> mlua::Result<Sandbox> {
        let libs = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::UTF8 | StdLib::OS;
        let lua = Lua::new_with(libs, LuaOptions::default())?;
        let usage = Rc::new(Usage {
            limits,
            began: Instant::now(),
            started: Cell::new(Instant::now()),
            instructions: Cell::new(0),
            hit: Cell::new(None),
            line: Cell::new(0),
            output: RefCell::default(),
            cut: Cell::new(false),
            sink: RefCell::default(),
            backend: Rc::clone(&backend),
        });
        guard::install(&lua, &usage, backend)?;
        lua.set_memory_limit(limits.memory_bytes)?;
        let sandbox = Sandbox { lua, usage };
        sandbox.watch(trace)?;
        Ok(sandbox)
    }

    fn watch(&self, trace: bool) -> mlua::Result<()> {
        let usage = Rc::clone(&self.usage);
        let counting = HookTriggers::new().every_nth_instruction(HOOK_EVERY);
        let triggers = if trace { counting | HookTriggers::EVERY_LINE } else { counting };
        self.lua.set_hook(triggers, move |lua, debug| {
            if debug.event() == mlua::debug::DebugEvent::Line {
                usage.line.set(here(lua));
                return Ok(VmState::Continue);
            }
            usage.instructions.set(usage.instructions.get() + u64::from(HOOK_EVERY));
            usage.check().map_err(|limit| fault::limit_error(lua, limit))?;
            if lua.inspect_stack(MAX_DEPTH, |_| ()).is_some() {
                return Err(fault::limit_error(lua, Limit::Recursion));
            }
            Ok(VmState::Continue)
        })
    }

    /// The machine, to put functions into.
    pub(crate) fn lua(&self) -> &Lua {
        &self.lua
    }

    /// What the script uses.
    pub(crate) fn usage(&self) -> Rc<Usage> {
        Rc::clone(&self.usage)
    }

    /// Where output goes from now on, as it comes.
    pub(crate) fn set_sink(&self, sink: Sink) {
        *self.usage.sink.borrow_mut() = Some(sink);
    }

    /// Runs a script, text only.
    pub(crate) fn run(&self, text: &[u8]) -> Result<(), Failure> {
        // A text that used up a limit does not take the next one of the same connection along.
        self.usage.hit.set(None);
        self.usage.begin();
        let chunk = self.lua.load(text).set_name(format!("={CHUNK}")).set_mode(ChunkMode::Text);
        let result = chunk.exec().map_err(|error| fault::classify(&error, &self.usage));
        // A script may catch the limit's error as its last act: the limit counts all the same.
        match (result, self.usage.check()) {
            (Ok(()), Err(limit)) => Err(Failure { line: 0, kind: ImportErrorKind::Limit(limit) }),
            (result, _) => result,
        }
    }

    /// The line of the last statement of a run with `trace`.
    pub(crate) fn last_line(&self) -> u32 {
        self.usage.line.get()
    }

    /// What the script printed, and whether more was cut off.
    pub(crate) fn output(&self) -> (String, bool) {
        (self.usage.output.borrow().clone(), self.usage.cut.get())
    }
}
