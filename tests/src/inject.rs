//! Frames of a test's own making, put on an interface by the kernel.

use std::process::Command;

use crate::bin;
use crate::netns::Netns;
use crate::process::Process;

/// Puts `frames` on `interface` of `netns`, in order.
pub fn inject(netns: &Netns, interface: &str, frames: &[Vec<u8>]) {
    let mut command = Command::new("python3");
    command.arg(bin::data("devices/inject.py")).arg(interface);
    let mut process = Process::spawn(&mut netns.wrap(command));
    for frame in frames {
        process.say(&frame.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }
    process.close_stdin();
    let said = process.line();
    assert_eq!(said.as_deref(), Some(frames.len().to_string().as_str()), "its log: {}", process.stderr());
}
