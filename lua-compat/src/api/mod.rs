//! Pktgen's functions for scripts: one list of all of them, each with what becomes of it here.

mod call;
mod control;
mod list;
mod range;
mod single;
mod suggest;

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{Lua, MultiValue, Value};

use crate::backend::{Answer, Backend};
use crate::sandbox::{ScriptFault, here};
use call::Call;
pub use list::FUNCTIONS;

/// Defines the globals of `require "Pktgen"`.
const HELPERS: &str = include_str!("helpers.lua");
/// What `pktgen.info` holds, for scripts that print it.
const INFO: [(&str, &str); 8] = [
    ("Lua_Version", "Lua 5.4"),
    ("Lua_Release", "Lua 5.4"),
    ("Lua_Copyright", "Lua.org, PUC-Rio"),
    ("Lua_Authors", "R. Ierusalimschy, L. H. de Figueiredo, W. Celes"),
    ("Pktgen_Version", concat!("dpdk-k8s-bench ", env!("CARGO_PKG_VERSION"))),
    ("Pktgen_Copyright", "the dpdk-k8s-bench authors"),
    ("Pktgen_Authors", "the dpdk-k8s-bench authors"),
    ("DPDK_Version", "none: the script is being imported"),
];

/// Which table a function is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `pktgen`.
    Top,
    /// `pktgen.range`.
    Range,
}

impl Table {
    /// The table as a script writes it.
    pub fn prefix(self) -> &'static str {
        match self {
            Table::Top => "pktgen",
            Table::Range => "pktgen.range",
        }
    }
}

/// What becomes of a function's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Carried over.
    Done,
    /// Accepted, and does nothing, for this reason.
    NoEffect(&'static str),
    /// Answers from a running port only.
    LiveOnly,
    /// Pktgen has it, this version does not.
    NotYet,
}

type Run = fn(&mut Call<'_>) -> Result<Option<Answer>, String>;

/// One function of Pktgen's.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Where it is.
    pub table: Table,
    /// Its name.
    pub name: &'static str,
    /// Its arguments by name, all of them demanded; `None` where Pktgen takes any number.
    pub args: Option<&'static [&'static str]>,
    /// What becomes of it.
    pub status: Status,
    run: Run,
}

impl Function {
    /// `pktgen.range.src_ip`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.table.prefix(), self.name)
    }
}

/// Puts `pktgen` and `require` into `lua`; calls go to `backend`, text that helpers print to `write`.
pub(crate) fn install(lua: &Lua, backend: Rc<RefCell<dyn Backend>>) -> mlua::Result<()> {
    let top = lua.create_table_with_capacity(0, FUNCTIONS.len())?;
    let range = lua.create_table_with_capacity(0, 20)?;
    for function in FUNCTIONS {
        let table = match function.table {
            Table::Top => &top,
            Table::Range => &range,
        };
        let backend = Rc::clone(&backend);
        let call = move |lua: &Lua, args: MultiValue| invoke(lua, function, args, &mut *backend.borrow_mut());
        table.raw_set(function.name, lua.create_function(call)?)?;
    }
    unknown_names(lua, &top, Table::Top)?;
    unknown_names(lua, &range, Table::Range)?;
    top.raw_set("range", range)?;
    top.raw_set("info", lua.create_table_from(INFO)?)?;
    install_require(lua, &top)?;
    lua.globals().raw_set("pktgen", top)
}

/// Checks the number of arguments, runs the function, and gives its error the script's line.
fn invoke(
    lua: &Lua,
    function: &'static Function,
    args: MultiValue,
    backend: &mut dyn Backend,
) -> mlua::Result<Value> {
    let line = here(lua);
    let args: Vec<Value> = args.into_iter().collect();
    let counted = match function.args {
        Some(names) if names.len() != args.len() => Err(format!(
            "{}: wrong number of arguments: {} instead of {} ({})",
            function.full_name(),
            args.len(),
            names.len(),
            names.join(", ")
        )),
        _ => Ok(()),
    };
    let answer = counted.and_then(|()| (function.run)(&mut Call { function, line, args: &args, backend }));
    match answer {
        Ok(None) => Ok(Value::Nil),
        Ok(Some(answer)) => to_lua(lua, answer),
        Err(message) => Err(mlua::Error::external(ScriptFault { line, message })),
    }
}

fn to_lua(lua: &Lua, answer: Answer) -> mlua::Result<Value> {
    Ok(match answer {
        Answer::Integer(n) => Value::Integer(n),
        Answer::Number(n) => Value::Number(n),
        Answer::Text(text) => Value::String(lua.create_string(text)?),
        Answer::Fields(fields) => {
            let table = lua.create_table()?;
            for (key, value) in fields {
                table.raw_set(key, to_lua(lua, value)?)?;
            }
            Value::Table(table)
        }
        Answer::Ports(ports) => {
            let table = lua.create_table()?;
            table.raw_set("n", ports.len())?;
            for (port, value) in ports {
                table.raw_set(port, to_lua(lua, value)?)?;
            }
            Value::Table(table)
        }
    })
}

/// A name that Pktgen never had gives a function that says so when it is called: better than "a nil value".
fn unknown_names(lua: &Lua, table: &mlua::Table, which: Table) -> mlua::Result<()> {
    let meta = lua.create_table()?;
    let index = lua.create_function(move |lua, (_, key): (Value, Value)| {
        let name = key.to_string()?;
        lua.create_function(move |lua, _: MultiValue| {
            let message = suggest::unknown(which, &name);
            Err::<(), _>(mlua::Error::external(ScriptFault { line: here(lua), message }))
        })
    })?;
    meta.raw_set("__index", index)?;
    if which == Table::Range {
        let call = lua.create_function(|lua, _: MultiValue| {
            let message = "pktgen.range is a table, as in Pktgen since 3.3: to switch range packets on or off call \
                           pktgen.set_range(ports, \"on\")";
            Err::<(), _>(mlua::Error::external(ScriptFault { line: here(lua), message: message.into() }))
        })?;
        meta.raw_set("__call", call)?;
    }
    table.set_metatable(Some(meta))
}

/// `require "Pktgen"` is answered from inside; no other module can be there.
fn install_require(lua: &Lua, pktgen: &mlua::Table) -> mlua::Result<()> {
    let pktgen = pktgen.clone();
    let loaded = std::cell::Cell::new(false);
    let require = lua.create_function(move |lua, name: Value| {
        let fault = |message| mlua::Error::external(ScriptFault { line: here(lua), message });
        let name = name.to_string()?;
        if name != "Pktgen" {
            return Err(fault(format!(
                "require: module `{name}` is not available: a script may only require \"Pktgen\""
            )));
        }
        if !loaded.replace(true) {
            let shell = lua.create_function(|lua, name: String| {
                let message = format!("{name} needs a shell, which an imported script does not have");
                Err::<(), _>(mlua::Error::external(ScriptFault { line: here(lua), message }))
            })?;
            let write: mlua::Function = lua.named_registry_value(crate::sandbox::WRITE)?;
            lua.load(HELPERS)
                .set_name("=helpers")
                .set_mode(mlua::chunk::ChunkMode::Text)
                .call::<()>((&pktgen, write, shell))?;
        }
        Ok(pktgen.clone())
    })?;
    lua.globals().raw_set("require", require)
}
