//! The control port: Lua text over TCP, as `pktgen -G` takes it. Each connection has a machine of its own, whose
//! globals live as long as it does; what is printed goes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lua_compat::{MAX_SCRIPT_BYTES, Session};

use super::backend::Live;
use super::script::session;
use super::{LuaError, Options};

/// Connections at once.
const MAX_CONNECTIONS: usize = 32;
/// How often a quiet connection looks whether it is the end.
const STEP: Duration = Duration::from_millis(50);
/// How long a reader may take to accept what was printed.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// Serves until the end.
pub fn serve(listener: &TcpListener, options: &Options, live: &Arc<Live>) {
    let there = AtomicUsize::new(0);
    if let Err(error) = listener.set_nonblocking(true) {
        crate::warnln!("warning: the control port can't be served: {error}");
        return;
    }
    std::thread::scope(|scope| {
        while !live.stopper.is_stopped() {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(_) => {
                    live.stopper.wait(STEP);
                    continue;
                }
            };
            if there.load(Ordering::Relaxed) >= MAX_CONNECTIONS {
                refuse(stream);
                continue;
            }
            there.fetch_add(1, Ordering::Relaxed);
            let there = &there;
            scope.spawn(move || {
                if let Err(error) = connection(stream, options, live) {
                    crate::warnln!("warning: a control connection ended: {error}");
                }
                there.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
}

fn refuse(mut stream: TcpStream) {
    // Whether it arrives is the client's business.
    let _ = writeln!(stream, "error: {MAX_CONNECTIONS} connections are open: close one first");
}

/// Runs what one connection sends: each piece as soon as it is whole.
fn connection(mut stream: TcpStream, options: &Options, live: &Arc<Live>) -> Result<(), LuaError> {
    let io = |cause| LuaError::Io { path: "the control connection".into(), cause };
    stream.set_nonblocking(false).map_err(io)?;
    stream.set_read_timeout(Some(STEP)).map_err(io)?;
    stream.set_write_timeout(Some(WRITE_LIMIT)).map_err(io)?;
    stream.set_nodelay(true).map_err(io)?;
    let mut out = stream.try_clone().map_err(io)?;
    // A reader that left does not end what it asked for.
    let sink = Box::new(move |text: &str| drop(out.write_all(text.as_bytes())));
    let folder = options.script.as_deref().and_then(Path::parent).filter(|p| !p.as_os_str().is_empty());
    let folder = folder.unwrap_or(&options.results);
    let session = session(options, live, folder, "control", sink)?.with_helpers()?;
    let mut pending: Vec<u8> = Vec::new();
    let mut buffer = [0; 8192];
    while !live.stopper.is_stopped() {
        match stream.read(&mut buffer) {
            Ok(0) => {
                run(&session, &mut stream, &mut pending);
                return Ok(());
            }
            Ok(count) => pending.extend_from_slice(&buffer[..count]),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                // What stands without a newline is run when nothing follows: Pktgen runs what one read brings.
                if !pending.is_empty() && !session.is_unfinished(&pending) {
                    run(&session, &mut stream, &mut pending);
                }
                continue;
            }
            Err(error) => return Err(io(error)),
        }
        if pending.len() as u64 > MAX_SCRIPT_BYTES {
            let _ = writeln!(stream, "error: more than {MAX_SCRIPT_BYTES} bytes without an end: closed");
            return Ok(());
        }
        if pending.ends_with(b"\n") && !session.is_unfinished(&pending) {
            run(&session, &mut stream, &mut pending);
        }
    }
    Ok(())
}

fn run(session: &Session, stream: &mut TcpStream, pending: &mut Vec<u8>) {
    let text = std::mem::take(pending);
    if text.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    if let Err(error) = session.run("control", &text) {
        let _ = writeln!(stream, "error: {error}");
    }
}
