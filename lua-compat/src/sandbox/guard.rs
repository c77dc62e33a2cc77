//! The safe part of Lua's libraries: what is taken away, and what is watched because it loops inside C, where
//! the instruction counter does not reach.

use std::cell::RefCell;
use std::rc::Rc;

use mlua::chunk::ChunkMode;
use mlua::{Lua, MultiValue, Table, Value, Variadic};

use super::fault::{ScriptFault, caught_text, here, limit_error};
use super::{Limit, Usage};
use crate::backend::Backend;

/// Wraps the library functions; handed the table of checks below.
const PRELUDE: &str = include_str!("prelude.lua");
/// Where the function that adds to the script's output is kept for the API's helpers: out of the script's
/// reach.
pub(crate) const WRITE: &str = "write";
/// The most comparisons that one pattern match may need in the worst case: well under a second.
const MAX_PATTERN_STEPS: f64 = 2e8;

/// Makes `lua`'s globals safe, with `print` into `usage` and the clock ahead as `backend` says.
pub(super) fn install(lua: &Lua, usage: &Rc<Usage>, backend: Rc<RefCell<dyn Backend>>) -> mlua::Result<()> {
    let checks = lua.create_table()?;
    add_limit_checks(lua, usage, &checks)?;
    checks
        .set("ahead", lua.create_function(move |_, ()| Ok(backend.borrow().ahead_ms() as f64 / 1000.0))?)?;
    let out = Rc::clone(usage);
    let write = lua.create_function(move |_, text: mlua::LuaString| {
        out.print(&text.to_string_lossy());
        Ok(())
    })?;
    lua.set_named_registry_value(WRITE, write)?;
    let out = Rc::clone(usage);
    let print = lua.create_function(move |_, values: Variadic<Value>| {
        let words: Result<Vec<String>, _> = values.iter().map(Value::to_string).collect();
        out.print(&(words?.join("\t") + "\n"));
        Ok(())
    })?;
    lua.globals().set("print", print)?;
    lua.load(PRELUDE).set_name("=prelude").set_mode(ChunkMode::Text).call(checks)
}

fn add_limit_checks(lua: &Lua, usage: &Rc<Usage>, checks: &Table) -> mlua::Result<()> {
    let used = Rc::clone(usage);
    let settle = lua.create_function(move |lua, mut results: MultiValue| {
        used.check().map_err(|limit| limit_error(lua, limit))?;
        // A script expects text where our functions raise an error value of their own.
        if let Some(Value::Error(error)) = results.get(1) {
            let text = lua.create_string(caught_text(error))?;
            results = MultiValue::from_vec(vec![Value::Boolean(false), Value::String(text)]);
        }
        Ok(results)
    })?;
    checks.set("settle", settle)?;
    let used = Rc::clone(usage);
    let limits = lua.create_function(move |lua, ()| used.check().map_err(|limit| limit_error(lua, limit)))?;
    checks.set("limits", limits)?;
    let used = Rc::clone(usage);
    let pattern = lua.create_function(move |lua, (subject, pattern): (Value, Value)| {
        used.check().map_err(|limit| limit_error(lua, limit))?;
        let (Value::String(subject), Value::String(pattern)) = (subject, pattern) else { return Ok(()) };
        let steps = worst_steps(subject.as_bytes().len(), &pattern.as_bytes());
        if steps > MAX_PATTERN_STEPS {
            let message = format!(
                "the pattern `{}` on {} bytes may need {steps:.0e} steps (time limit): match shorter text or use \
                 fewer repetitions",
                pattern.to_string_lossy(),
                subject.as_bytes().len()
            );
            return Err(mlua::Error::external(ScriptFault { line: here(lua), message }));
        }
        Ok(())
    })?;
    checks.set("pattern", pattern)?;
    let used = Rc::clone(usage);
    let size = lua.create_function(move |lua, bytes: f64| {
        used.check().map_err(|limit| limit_error(lua, limit))?;
        let max = used.limits.memory_bytes;
        if bytes > max as f64 { Err(limit_error(lua, Limit::Memory(max))) } else { Ok(()) }
    })?;
    checks.set("size", size)
}

/// Comparisons that matching needs at worst: Lua backtracks over every repetition of a pattern.
fn worst_steps(subject_bytes: usize, pattern: &[u8]) -> f64 {
    let mut steps = if pattern.first() == Some(&b'^') { 1.0 } else { subject_bytes as f64 + 1.0 };
    let mut bytes = pattern.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                bytes.next();
            }
            b'*' | b'+' | b'-' => steps *= subject_bytes as f64 + 1.0,
            b'?' => steps *= 2.0,
            _ => {}
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::worst_steps;

    #[test]
    fn patterns_cost_what_they_may_backtrack() {
        assert_eq!(worst_steps(9, b"^abc$"), 1.0);
        assert_eq!(worst_steps(9, b"%*%+"), 10.0);
        assert_eq!(worst_steps(9, b"^%s*(.-)%s*$"), 1000.0);
        assert!(worst_steps(30, &b"a*".repeat(30)) > 1e40);
    }
}
