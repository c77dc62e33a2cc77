//! A script's file, run once.

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use lua_compat::backend::Backend;
use lua_compat::files::Files;
use lua_compat::{Limits, MAX_SCRIPT_BYTES, Session, Sink};

use super::backend::{Live, LiveBackend};
use super::{LuaError, Options};

/// Runs the script, if there is one, to its end.
pub fn run(options: &Options, live: &Arc<Live>) -> Result<(), LuaError> {
    let Some(path) = &options.script else { return Ok(()) };
    let io = |cause| LuaError::Io { path: path.clone(), cause };
    let mut text = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_SCRIPT_BYTES + 1).read_to_end(&mut text)).map_err(io)?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.display().to_string();
    let session = session(options, live, folder, &name, Box::new(print))?;
    Ok(session.run(&name, &text)?)
}

/// A machine on the ports. Scripts read files in `folder`.
pub fn session(
    options: &Options,
    live: &Arc<Live>,
    folder: &Path,
    name: &str,
    sink: Sink,
) -> Result<Session, LuaError> {
    let io = |cause| LuaError::Io { path: options.results.clone(), cause };
    let files = Files::new(folder, &options.results).map_err(io)?;
    let backend: Rc<RefCell<dyn Backend>> =
        Rc::new(RefCell::new(LiveBackend::new(Arc::clone(live), name, options.results.clone())));
    Ok(Session::new(backend, Limits::live(options.limit), Some(files), sink)?)
}

/// To standard output, as it comes.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    // Who reads no more does not end a measurement.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
