//! Standard output and standard error for people. A reader that has seen enough, such as `head`, ends neither
//! a measurement nor in a panic, which is what `println!` and `eprintln!` do.

use std::fmt::Arguments;
use std::io::{Write, stderr, stdout};

/// Writes text to standard output as it is; what nobody reads any more is dropped.
pub fn say(text: Arguments<'_>) {
    let mut out = stdout().lock();
    let _ = out.write_fmt(text).and_then(|()| out.flush());
}

/// As [`say`], to standard error.
pub fn warn(text: Arguments<'_>) {
    let _ = stderr().lock().write_fmt(text);
}

/// As `println!`, on [`say`].
#[macro_export]
macro_rules! sayln {
    ($($text:tt)*) => { $crate::cli::out::say(format_args!("{}\n", format_args!($($text)*))) };
}

/// As `eprintln!`, on [`warn`].
#[macro_export]
macro_rules! warnln {
    ($($text:tt)*) => { $crate::cli::out::warn(format_args!("{}\n", format_args!($($text)*))) };
}
