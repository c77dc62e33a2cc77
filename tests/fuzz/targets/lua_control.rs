//! Whatever a control connection sends, in whatever pieces: each ends within its limits, and the machine goes on.
#![no_main]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use lua_compat::record::Recorder;
use lua_compat::{Limits, Session};

fuzz_target!(|data: &[u8]| {
    let backend = Rc::new(RefCell::new(Recorder::new(2)));
    let limits = Limits { instructions: 100_000, ..Limits::live(Duration::from_secs(2)) };
    let session = Session::new(backend, limits, None, Box::new(|_| ())).and_then(Session::with_helpers);
    let session = session.expect("a machine");
    let mut pending = Vec::new();
    for piece in data.split(|byte| *byte == 0) {
        pending.extend_from_slice(piece);
        if !session.is_unfinished(&pending) {
            let _ = session.run("fuzz", &std::mem::take(&mut pending));
        }
    }
});
