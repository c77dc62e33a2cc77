//! Which fields of a paired profile vary.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which fields vary from flow to flow; all that do step together. The source address always does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlowMode {
    /// Source address.
    #[default]
    S,
    /// Source and destination address.
    Sd,
    /// Source address and source port.
    Sp,
    /// Source address and destination port.
    Dp,
    /// Source address, source port and destination address.
    Spd,
    /// Both addresses and both ports.
    Sdpp,
    /// The same as [`FlowMode::Sdpp`], under the other name that the old system had for it.
    Sdpd,
}

/// The fields that vary beside the source address.
pub(super) struct Varies {
    pub(super) dst_ip: bool,
    pub(super) src_port: bool,
    pub(super) dst_port: bool,
}

impl FlowMode {
    /// Every mode, in the order of the documentation.
    pub const ALL: [FlowMode; 7] = [
        FlowMode::S,
        FlowMode::Sd,
        FlowMode::Sp,
        FlowMode::Dp,
        FlowMode::Spd,
        FlowMode::Sdpp,
        FlowMode::Sdpd,
    ];

    /// The word for it in flags and file names.
    pub fn word(self) -> &'static str {
        match self {
            FlowMode::S => "s",
            FlowMode::Sd => "sd",
            FlowMode::Sp => "sp",
            FlowMode::Dp => "dp",
            FlowMode::Spd => "spd",
            FlowMode::Sdpp => "sdpp",
            FlowMode::Sdpd => "sdpd",
        }
    }

    pub(super) fn varies(self) -> Varies {
        use FlowMode::{Dp, Sd, Sdpd, Sdpp, Sp, Spd};
        Varies {
            dst_ip: matches!(self, Sd | Spd | Sdpp | Sdpd),
            src_port: matches!(self, Sp | Spd | Sdpp | Sdpd),
            dst_port: matches!(self, Dp | Sdpp | Sdpd),
        }
    }
}

impl fmt::Display for FlowMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Text that is no flow mode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("flow mode `{0}` is not known: write s, sd, sp, dp, spd, sdpp or sdpd")]
pub struct FlowModeError(pub String);

impl FromStr for FlowMode {
    type Err = FlowModeError;

    fn from_str(text: &str) -> Result<FlowMode, FlowModeError> {
        let known = FlowMode::ALL.into_iter().find(|mode| mode.word().eq_ignore_ascii_case(text));
        known.ok_or_else(|| FlowModeError(text.to_owned()))
    }
}
