//! Whether a run's spec is one that an engine may be started for. The profile itself is the engine's to
//! check.

use traffic::device::{Device, DeviceError};
use traffic::wire::{RunSpec, VERSION};

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
    let bounds = [
        ("sample_interval_ms", u64::from(spec.sample_interval_ms), 10, 3_600_000),
        ("burst", u64::from(spec.burst), 1, 64),
        ("descriptors", u64::from(spec.descriptors), 1, 32_768),
        ("tx_workers", u64::from(spec.tx_workers), 1, u64::from(u16::MAX)),
        ("workers", spec.workers.map_or(1, u64::from), 1, u64::from(u16::MAX)),
        ("limit_s", u64::from(spec.limit_s), 1, 31_536_000),
        ("drain_limit_ms", u64::from(spec.drain_limit_ms), 0, 3_600_000),
    ];
    for (name, value, least, most) in bounds {
        if !(least..=most).contains(&value) {
            return Err(SpecError::Range { name, value, least, most });
        }
    }
    Ok(())
}
