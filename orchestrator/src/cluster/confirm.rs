//! The question before anything is created or deleted.

use std::io::{self, BufRead, IsTerminal, Write};

use super::client::Cluster;
use super::error::ClusterError;
use crate::say;

/// Says where what is about to happen (`create 6 pods and 6 claims`), and goes on when told so: by `yes`, or by an
/// answer on the terminal.
pub fn confirm(cluster: &Cluster, what: &str, yes: bool) -> Result<(), ClusterError> {
    say::err(format_args!("{cluster} ({}): {what}", cluster.server));
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(ClusterError::NeedsYes { what: what.to_owned() });
    }
    let mut stderr = io::stderr().lock();
    drop(write!(stderr, "go on? [y/N] ").and_then(|()| stderr.flush()));
    let mut answer = String::new();
    // An unreadable terminal is no consent.
    let read = io::stdin().lock().read_line(&mut answer);
    match (read, answer.trim().to_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(()),
        _ => Err(ClusterError::Declined),
    }
}
