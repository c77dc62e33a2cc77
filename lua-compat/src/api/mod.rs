//! Pktgen's functions for scripts: one list of all of them, each with what becomes of it here.

mod call;
mod control;
pub mod docs;
mod files;
mod function;
mod header;
mod latency;
mod list;
mod query;
mod random;
mod range;
mod seq;
mod single;
mod suggest;

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{Lua, MultiValue, Value};

use crate::backend::{Answer, Backend};
use crate::files::Files;
use crate::sandbox::{Sandbox, ScriptFault, here};
use call::Call;
pub use function::{Function, Group, Status, Table};
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

/// Puts `pktgen`, `dpdk` and `require` into the sandbox; calls go to `backend`. With `files` a script may use those.
pub(crate) fn install(
    sandbox: &Sandbox,
    backend: &Rc<RefCell<dyn Backend>>,
    files: Option<&Rc<Files>>,
) -> mlua::Result<()> {
    let lua = sandbox.lua();
    let top = lua.create_table_with_capacity(0, FUNCTIONS.len())?;
    let (range, dpdk) = (lua.create_table_with_capacity(0, 20)?, lua.create_table_with_capacity(0, 20)?);
    for function in FUNCTIONS {
        let table = match function.table() {
            Table::Top => &top,
            Table::Range => &range,
            Table::Dpdk => &dpdk,
        };
        let (backend, usage) = (Rc::clone(backend), sandbox.usage());
        let call = move |lua: &Lua, args: MultiValue| {
            let result = invoke(lua, function, args, &mut *backend.borrow_mut());
            usage.rest(lua, function.name)?;
            result
        };
        table.raw_set(function.name, lua.create_function(call)?)?;
    }
    unknown_names(lua, &top, Table::Top)?;
    unknown_names(lua, &range, Table::Range)?;
    unknown_names(lua, &dpdk, Table::Dpdk)?;
    top.raw_set("range", range)?;
    let info = lua.create_table_from(INFO)?;
    if backend.borrow().is_live() {
        info.raw_set("DPDK_Version", "the running one: dataplane probe shows it")?;
    }
    top.raw_set("info", info)?;
    lua.globals().raw_set("dpdk", dpdk)?;
    files::install(lua, &top, backend, files)?;
    install_require(lua, &top, files)?;
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
    let counted = function.check_count(args.len());
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
        Answer::Rows(rows) => {
            let table = lua.create_table()?;
            for (key, value) in rows {
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

/// `require "Pktgen"` is answered from inside; other modules are the script's own files, where it has some.
fn install_require(lua: &Lua, pktgen: &mlua::Table, files: Option<&Rc<Files>>) -> mlua::Result<()> {
    let (pktgen, files) = (pktgen.clone(), files.cloned());
    let loaded = std::cell::Cell::new(false);
    let modules = lua.create_table()?;
    let require = lua.create_function(move |lua, name: Value| {
        let fault = |message| mlua::Error::external(ScriptFault { line: here(lua), message });
        let name = name.to_string()?;
        if name != "Pktgen" {
            let Some(files) = &files else {
                return Err(fault(format!(
                    "require: module `{name}` is not available: a script may only require \"Pktgen\""
                )));
            };
            let known: Value = modules.raw_get(name.as_str())?;
            if !known.is_nil() {
                return Ok(known);
            }
            let path = format!("{}.lua", name.replace('.', "/"));
            let text = files.read(&path).map_err(|e| fault(format!("require: {e}")))?;
            let chunk = lua.load(text).set_name(format!("={path}")).set_mode(mlua::chunk::ChunkMode::Text);
            let value: Value = chunk.eval()?;
            let value = if value.is_nil() { Value::Boolean(true) } else { value };
            modules.raw_set(name, &value)?;
            return Ok(value);
        }
        if !loaded.replace(true) {
            define_helpers(lua, &pktgen)?;
        }
        Ok(Value::Table(pktgen.clone()))
    })?;
    lua.globals().raw_set("require", require)
}

/// The globals of `Pktgen.lua`.
pub(crate) fn define_helpers(lua: &Lua, pktgen: &mlua::Table) -> mlua::Result<()> {
    let shell = lua.create_function(|lua, name: String| {
        let message = format!("{name} needs a shell, which an imported script does not have");
        Err::<(), _>(mlua::Error::external(ScriptFault { line: here(lua), message }))
    })?;
    let write: mlua::Function = lua.named_registry_value(crate::sandbox::WRITE)?;
    lua.load(HELPERS).set_name("=helpers").set_mode(mlua::chunk::ChunkMode::Text).call((pktgen, write, shell))
}
