//! Files for live scripts: `io.open`, `io.lines`, `io.write`, `dofile`, `pktgen.load`, `pktgen.save`, `pktgen.run`.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::rc::Rc;

use mlua::chunk::ChunkMode;
use mlua::{Lua, MultiValue, UserData, UserDataMethods, Value, Variadic};

use crate::backend::Backend;
use crate::files::{Files, FilesError};
use crate::ports::PortSet;
use crate::sandbox::{ScriptFault, WRITE, here};

fn fault(lua: &Lua, message: String) -> mlua::Error {
    mlua::Error::external(ScriptFault { line: here(lua), message })
}

/// A file as scripts know them.
struct ScriptFile {
    files: Rc<Files>,
    kind: Kind,
}

enum Kind {
    Read { bytes: Vec<u8>, at: usize },
    Write(File),
    Closed,
}

impl ScriptFile {
    fn close(&mut self) {
        if !matches!(self.kind, Kind::Closed) {
            self.kind = Kind::Closed;
            self.files.open.set(self.files.open.get().saturating_sub(1));
        }
    }

    /// What `read` gives for a format: `l`, `L`, `a`, `n` or a count of bytes.
    fn read(&mut self, lua: &Lua, format: &Value) -> mlua::Result<Value> {
        let Kind::Read { bytes, at } = &mut self.kind else {
            return Err(fault(lua, "this file is closed, or not open for reading".into()));
        };
        let rest = bytes.get(*at..).unwrap_or_default();
        let text = format.to_string().unwrap_or_default();
        let word = if format.is_nil() { "l" } else { text.trim_start_matches('*') };
        let line = rest.iter().position(|b| *b == b'\n');
        let (take, skip) = match word.as_bytes().first() {
            Some(b'a') => (rest.len(), 0),
            Some(b'0'..=b'9') => (word.parse::<usize>().unwrap_or(0).min(rest.len()), 0),
            _ if rest.is_empty() => return Ok(Value::Nil),
            Some(b'L') => (line.map_or(rest.len(), |n| n + 1), 0),
            _ => (line.unwrap_or(rest.len()), usize::from(line.is_some())),
        };
        let piece = &rest[..take];
        let value = match word {
            "n" => {
                let number = String::from_utf8_lossy(piece).trim().parse::<f64>();
                number.map_or(Value::Nil, Value::Number)
            }
            _ => Value::String(lua.create_string(piece)?),
        };
        *at += take + skip;
        Ok(value)
    }

    fn write(&mut self, lua: &Lua, values: &[Value]) -> mlua::Result<()> {
        for value in values {
            let text = match value {
                Value::String(text) => text.as_bytes().to_vec(),
                other => other.to_string()?.into_bytes(),
            };
            self.files.count(text.len()).map_err(|e| fault(lua, e.to_string()))?;
            let Kind::Write(file) = &mut self.kind else {
                return Err(fault(lua, "this file is closed, or not open for writing".into()));
            };
            file.write_all(&text).map_err(|e| fault(lua, format!("can't write: {e}")))?;
        }
        Ok(())
    }
}

impl Drop for ScriptFile {
    fn drop(&mut self) {
        self.close();
    }
}

impl UserData for ScriptFile {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method_mut("read", |lua, file, format: Option<Value>| {
            file.read(lua, &format.unwrap_or(Value::Nil))
        });
        methods.add_function("write", |lua, (file, values): (mlua::AnyUserData, Variadic<Value>)| {
            file.borrow_mut::<ScriptFile>()?.write(lua, &values)?;
            Ok(file)
        });
        methods.add_function("lines", |lua, file: mlua::AnyUserData| {
            lua.create_function(move |lua, ()| file.borrow_mut::<ScriptFile>()?.read(lua, &Value::Nil))
        });
        methods.add_method_mut("flush", |_, _, ()| Ok(true));
        methods.add_method_mut("setvbuf", |_, _, _: MultiValue| Ok(true));
        methods.add_method_mut("close", |_, file, ()| {
            file.close();
            Ok(true)
        });
    }
}

fn open(files: &Rc<Files>, path: &str, mode: &str) -> Result<ScriptFile, FilesError> {
    let kind = match mode.as_bytes().first() {
        None | Some(b'r') => Kind::Read { bytes: files.read(path)?, at: 0 },
        first => Kind::Write(files.create(path, first == Some(&b'a'))?),
    };
    files.opening()?;
    Ok(ScriptFile { files: Rc::clone(files), kind })
}

/// Puts them into the globals. Without `files` there is only `pktgen.run` with a text.
pub(super) fn install(
    lua: &Lua,
    pktgen: &mlua::Table,
    backend: &Rc<RefCell<dyn Backend>>,
    files: Option<&Rc<Files>>,
) -> mlua::Result<()> {
    pktgen.raw_set("run", lua.create_function(run)?)?;
    let Some(files) = files else { return Ok(()) };
    let io = lua.create_table()?;
    let own = Rc::clone(files);
    let opened = move |lua: &Lua, (path, mode): (String, Option<String>)| {
        match open(&own, &path, mode.as_deref().unwrap_or("r")) {
            Ok(file) => Ok(MultiValue::from_vec(vec![Value::UserData(lua.create_userdata(file)?)])),
            // As Lua's own: nil and a message.
            Err(error) => {
                let text = lua.create_string(error.to_string())?;
                Ok(MultiValue::from_vec(vec![Value::Nil, Value::String(text)]))
            }
        }
    };
    io.raw_set("open", lua.create_function(opened)?)?;
    let own = Rc::clone(files);
    let lines = move |lua: &Lua, path: String| {
        let mut file = open(&own, &path, "r").map_err(|e| fault(lua, e.to_string()))?;
        lua.create_function_mut(move |lua, ()| file.read(lua, &Value::Nil))
    };
    io.raw_set("lines", lua.create_function(lines)?)?;
    let write: mlua::Function = lua.named_registry_value(WRITE)?;
    let printed = move |_: &Lua, values: Variadic<Value>| {
        values.iter().try_for_each(|value| write.call::<()>(value.to_string()?))
    };
    io.raw_set("write", lua.create_function(printed)?)?;
    io.raw_set("read", lua.create_function(|_, _: MultiValue| Ok(Value::Nil))?)?;
    lua.globals().raw_set("io", io)?;

    let own = Rc::clone(files);
    let load = move |lua: &Lua, path: String| {
        let text = own.read(&path).map_err(|e| fault(lua, e.to_string()))?;
        let chunk = lua.load(text).set_name(format!("={path}")).set_mode(ChunkMode::Text);
        chunk.eval::<Value>()
    };
    let load = lua.create_function(load)?;
    pktgen.raw_set("load", &load)?;
    lua.globals().raw_set("dofile", load)?;
    let (own, backend) = (Rc::clone(files), Rc::clone(backend));
    let save = move |lua: &Lua, path: String| {
        let text = backend.borrow_mut().saved(PortSet::ALL).map_err(|e| fault(lua, e.to_string()))?;
        let mut file = open(&own, &path, "w").map_err(|e| fault(lua, e.to_string()))?;
        file.write(lua, &[Value::String(lua.create_string(text)?)])
    };
    pktgen.raw_set("save", lua.create_function(save)?)
}

/// `run("lua", text)`. Commands of Pktgen's prompt are another language.
fn run(lua: &Lua, (kind, text): (String, Option<String>)) -> mlua::Result<Value> {
    match (kind.as_str(), text) {
        ("lua", Some(text)) => lua.load(text).set_name("=(run)").set_mode(ChunkMode::Text).eval(),
        ("lua", None) => Err(fault(
            lua,
            "pktgen.run: wrong number of arguments: 1 instead of 2 to 3 (kind, text, more)".into(),
        )),
        ("cmd", _) => Err(fault(
            lua,
            "pktgen.run: commands of Pktgen's prompt are not understood: write them in Lua".into(),
        )),
        _ => Err(fault(lua, format!("pktgen.run: `{kind}` is neither \"lua\" nor \"cmd\""))),
    }
}
