//! What is said to people and programs. A reader that has seen enough, such as `head`, is neither an error nor a
//! panic: the work goes on, and what is said from there on is lost.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// One line (or text of several) on standard output. A full disk behind it is an error.
pub fn out(text: impl Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    quiet(writeln!(stdout, "{text}").and_then(|()| stdout.flush())).map_err(|error| {
        io::Error::new(error.kind(), format!("can't write to standard output: {error}; look where it leads"))
    })
}

/// One line on standard error. There is nowhere to say that this failed.
pub fn err(text: impl Display) {
    drop(writeln!(io::stderr(), "{text}"));
}

fn quiet(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
