//! The profile as data. What it may hold is said here; whether it makes sense is [`super::check`]'s business.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::replay::Replay;
use super::stream::Stream;
use crate::pacer::Gap;
use crate::units::Rate;

/// What one TX port sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["streams"] }, { "required": ["replay"] }]))]
pub struct Profile {
    /// Shown in tables and results; the file's stem where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 100))]
    pub name: Option<String>,
    /// Of the whole port, divided over its workers; streams with a rate of their own come on top.
    #[serde(default = "Profile::default_rate")]
    pub rate: Rate,
    /// How the gaps between frames are spread.
    #[serde(default, skip_serializing_if = "is_constant")]
    pub gap: Gap,
    /// When sending ends by itself.
    #[serde(default)]
    pub stop: Stop,
    /// Whether each frame carries the 18-byte mark that loss, order and latency are measured by.
    #[serde(default = "Profile::default_stamp")]
    pub stamp: bool,
    /// The packet templates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 4096))]
    pub streams: Vec<Stream>,
    /// A capture that is sent in place of streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Replay")]
    pub replay: Option<Replay>,
}

fn is_constant(gap: &Gap) -> bool {
    *gap == Gap::Constant
}

impl Profile {
    /// All of the link, as Pktgen starts with.
    pub fn default_rate() -> Rate {
        Rate::Percent(100.0)
    }

    /// Frames are marked unless the profile says otherwise.
    pub fn default_stamp() -> bool {
        true
    }

    /// These streams at all of the link, marked, until told to stop.
    pub fn of(streams: Vec<Stream>) -> Profile {
        Profile {
            name: None,
            rate: Profile::default_rate(),
            gap: Gap::Constant,
            stop: Stop::Never,
            stamp: true,
            streams,
            replay: None,
        }
    }
}

/// When a port stops by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Stop {
    /// Goes on until told.
    #[default]
    Never,
    /// After so many frames, over all workers.
    Count(#[schemars(range(min = 1))] u64),
    /// After so many seconds.
    DurationS(#[schemars(range(max = 604_800), extend("exclusiveMinimum" = 0))] f64),
}
