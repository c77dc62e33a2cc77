//! A run, resolved: what was typed, checked and completed with defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;

use traffic::profile::{Profile, Stop};
use traffic::respond::Address;
use traffic::wire::{Checksums, Dump, MarkClock, Memory};

use crate::lab::CoreWish;
use crate::path::PathWish;
use crate::profile_source::LoadedProfile;

/// Seconds of sending when neither the command nor the profile says so.
const DEFAULT_DURATION_S: f64 = 60.0;
/// The longest run: the engines end by themselves after a day.
pub const DURATION_S_MAX: f64 = 86_000.0;

/// What one end is given.
#[derive(Debug, Clone, Copy)]
pub struct SideSettings {
    /// Of each queue.
    pub descriptors: u16,
    /// MiB; by the engine's formula when not given.
    pub socket_mem_mib: Option<u32>,
}

/// What the two ports of a pair answer for.
#[derive(Debug, Clone, Default)]
pub struct PortAddresses {
    /// The sender's.
    pub tx: Vec<Address>,
    /// The receiver's.
    pub rx: Vec<Address>,
}

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// A table, and live lines on standard error.
    Table,
    /// JSON lines.
    Json,
}

/// Everything about one trial that the user decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Of every pair that takes part, by its index.
    pub profiles: BTreeMap<usize, LoadedProfile>,
    /// Of sending, as typed.
    pub duration_s: Option<f64>,
    /// Of the warm-up; 0 is none.
    pub warmup_s: f64,
    /// Between the values of the sender's series.
    pub sample_interval_s: u32,
    /// At most so many values in the sender's series.
    pub sample_count: Option<u32>,
    /// The sender's.
    pub tx: SideSettings,
    /// The receiver's.
    pub rx: SideSettings,
    /// Frames a burst at most.
    pub burst: u16,
    /// Hugepages or not.
    pub memory: Memory,
    /// What marks' times are read from.
    pub clock: MarkClock,
    /// Frames that receivers keep.
    pub dump: Dump,
    /// So many flows' own books are told.
    pub per_flow: u32,
    /// Receivers send back what they receive, and senders book it.
    pub round_trip: bool,
    /// Who writes checksums.
    pub checksums: Checksums,
    /// What the ports answer for, by pair.
    pub addresses: BTreeMap<usize, PortAddresses>,
    /// What is made of the way between the ends.
    pub path: PathWish,
    /// Go on where a check says that it makes no sense.
    pub force: bool,
    /// Workers.
    pub cores: CoreWish,
    /// The results' root.
    pub results: PathBuf,
    /// How results are shown.
    pub output: OutputFormat,
    /// A live screen, and keys to steer by.
    pub interactive: bool,
    /// Show the arrays after the run.
    pub debug: bool,
    /// Every option as typed or by default, for `metadata.txt`.
    pub options: BTreeMap<String, String>,
}

impl Settings {
    /// Seconds that a sender of `profile` sends at most: as typed, else as the profile says, else a minute. A count
    /// takes as long as it takes.
    pub fn duration_s(&self, profile: &Profile) -> f64 {
        self.duration_s.unwrap_or(match profile.stop {
            Stop::DurationS(s) => s,
            Stop::Count(_) => DURATION_S_MAX,
            Stop::Never => DEFAULT_DURATION_S,
        })
    }

    /// Of all pairs.
    pub fn duration_s_max(&self) -> f64 {
        self.profiles.values().map(|p| self.duration_s(&p.profile)).fold(0.0, f64::max)
    }

    /// The same with other profiles.
    pub fn with_profiles(&self, profiles: BTreeMap<usize, LoadedProfile>) -> Settings {
        let mut settings = Settings { profiles, ..self.clone() };
        settings.options.insert("duration".into(), settings.duration_s_max().to_string());
        settings
    }

    /// The pairs that take part.
    pub fn pairs(&self) -> Vec<usize> {
        self.profiles.keys().copied().collect()
    }

    /// The largest frame of all profiles, bytes with FCS.
    pub fn frame_bytes_max(&self) -> u32 {
        let sizes = self
            .profiles
            .values()
            .flat_map(|p| &p.profile.streams)
            .map(|s| u32::from(s.frame_size.bounds().1));
        sizes.max().unwrap_or(64)
    }
}

/// The profile as the engine gets it: it ends by itself after `duration_s`, whoever is there to tell it to.
///
/// A count is kept, since it may end earlier; the orchestrator stops it at `duration_s`.
pub fn bounded(profile: &Profile, duration_s: f64) -> Profile {
    let stop = match profile.stop {
        Stop::Count(frames) => Stop::Count(frames),
        Stop::Never | Stop::DurationS(_) => Stop::DurationS(duration_s),
    };
    Profile { stop, ..profile.clone() }
}
