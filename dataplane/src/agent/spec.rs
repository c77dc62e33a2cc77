//! Whether a run's spec is one that an engine may be started for. The profile itself is the engine's to
//! check, but for the few numbers of a replay.

use traffic::device::{Device, DeviceError};
use traffic::profile::replay::check;
use traffic::wire::{FlowBook, RunSpec, VERSION};

use super::store::is_valid_id;

/// What is wrong with a spec.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// The two sides would misunderstand each other.
    #[error(
        "the request speaks version {0} and this agent speaks version {VERSION}: use the orchestrator and \
         the dataplane image of one release"
    )]
    Version(String),
    /// Not what a run is described by.
    #[error("the body is no run: {0}")]
    Json(#[from] serde_json::Error),
    /// Ids become file names.
    #[error("run id `{0}` must be 1 to 64 characters of a-z 0-9 - _")]
    Id(String),
    /// Unknown notation.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A replay's settings outside their bounds.
    #[error("profile.{0}")]
    Replay(String),
    /// A number outside its bounds.
    #[error("{name} is {value} and must be {least} to {most}")]
    Range {
        /// The setting.
        name: &'static str,
        /// As given.
        value: u64,
        /// Allowed.
        least: u64,
        /// Allowed.
        most: u64,
    },
}

/// What [`is_valid_id`] lets through.
pub const ID_PATTERN: &str = "^[a-z0-9_-]{1,64}$";
/// What [`Device`] reads.
pub const DEVICE_PATTERN: &str = "^(env|vdev:(net|eth)_[^\\u0000]*|(iface|xdp):[A-Za-z0-9_.@-]{1,15}|\
    pci:([0-9A-Fa-f]{4}:)?[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}[.][0-9A-Fa-f])$";

/// A number of a spec and what it may be.
#[derive(Debug)]
pub struct Bound {
    /// The setting.
    pub name: &'static str,
    /// Its value.
    pub of: fn(&RunSpec) -> u64,
    /// Allowed.
    pub least: u64,
    /// Allowed.
    pub most: u64,
}

const fn bound(name: &'static str, of: fn(&RunSpec) -> u64, least: u64, most: u64) -> Bound {
    Bound { name, of, least, most }
}

/// All bounds that the agent answers for.
pub const BOUNDS: [Bound; 8] = [
    bound("sample_interval_ms", |spec| spec.sample_interval_ms as u64, 10, 3_600_000),
    bound("burst", |spec| spec.burst as u64, 1, 64),
    bound("descriptors", |spec| spec.descriptors as u64, 1, 32_768),
    bound("tx_workers", |spec| spec.tx_workers as u64, 1, u16::MAX as u64),
    bound("workers", |spec| spec.workers.map_or(1, u64::from), 1, u16::MAX as u64),
    bound("limit_s", |spec| spec.limit_s as u64, 1, 31_536_000),
    bound("per_flow", |spec| spec.per_flow as u64, 0, FlowBook::ROWS_MAX as u64),
    bound("drain_limit_ms", |spec| spec.drain_limit_ms as u64, 0, 3_600_000),
];

/// Reads a request's body. The version is looked at first: a later one may have settings unknown here.
pub fn parse_spec(body: &[u8]) -> Result<RunSpec, SpecError> {
    let value: serde_json::Value = serde_json::from_slice(body)?;
    match value.get("version") {
        Some(version) if version.as_u64() == Some(u64::from(VERSION)) => {}
        Some(version) => return Err(SpecError::Version(version.to_string())),
        None => return Err(SpecError::Version("(none)".to_owned())),
    }
    Ok(serde_json::from_value(value)?)
}

/// Checks what the agent answers for.
pub fn check_spec(spec: &RunSpec) -> Result<(), SpecError> {
    if spec.version != VERSION {
        return Err(SpecError::Version(spec.version.to_string()));
    }
    if !is_valid_id(&spec.id) {
        return Err(SpecError::Id(spec.id.chars().take(80).collect()));
    }
    spec.device.parse::<Device>()?;
    if let Some(fault) = spec.profile.replay.as_ref().and_then(|replay| check(replay).into_iter().next()) {
        return Err(SpecError::Replay(format!("{}: {}", fault.path, fault.message)));
    }
    for Bound { name, of, least, most } in &BOUNDS {
        let (value, least, most) = (of(spec), *least, *most);
        if !(least..=most).contains(&value) {
            return Err(SpecError::Range { name, value, least, most });
        }
    }
    Ok(())
}
