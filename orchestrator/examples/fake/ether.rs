//! The wire between fake agents: what a sender of a tag has sent at any moment.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

/// Frames a second, whatever the profile says.
pub const PPS: f64 = 1000.0;

/// One sender's run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Sending {
    pub started_ns: u64,
    /// Nanoseconds behind the start, at which it ends or has ended.
    pub ends_after_ns: u64,
}

/// Frames within so many nanoseconds.
pub fn frames(elapsed_ns: u64) -> u64 {
    (elapsed_ns as f64 / 1e9 * PPS).round() as u64
}

impl Sending {
    pub fn sent_at(&self, unix_ns: u64) -> u64 {
        frames(unix_ns.saturating_sub(self.started_ns).min(self.ends_after_ns))
    }
}

/// Between agents of one process, or of several with a common folder.
#[derive(Clone, Debug)]
pub enum Ether {
    Memory(Arc<Mutex<HashMap<u32, Sending>>>),
    Folder(PathBuf),
}

impl Ether {
    pub fn in_memory() -> Ether {
        Ether::Memory(Arc::default())
    }

    pub fn put(&self, tag: u32, sending: Sending) {
        match self {
            Ether::Memory(all) => {
                all.lock().unwrap().insert(tag, sending);
            }
            Ether::Folder(folder) => {
                // Renamed into place: a reader never sees half of it.
                let fresh = folder.join(format!("{tag}.new"));
                fs::write(&fresh, serde_json::to_string(&sending).unwrap()).unwrap();
                fs::rename(fresh, folder.join(tag.to_string())).unwrap();
            }
        }
    }

    /// Frames of this tag that were sent until then.
    pub fn sent_at(&self, tag: u32, unix_ns: u64) -> u64 {
        let sending = match self {
            Ether::Memory(all) => all.lock().unwrap().get(&tag).copied(),
            Ether::Folder(folder) => {
                let text = fs::read_to_string(folder.join(tag.to_string()));
                text.ok().and_then(|t| serde_json::from_str(&t).ok())
            }
        };
        sending.map_or(0, |s| s.sent_at(unix_ns))
    }
}
