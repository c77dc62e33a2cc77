//! From a profile to a Pktgen script.

use traffic::profile::Profile;

/// A profile that no script of Pktgen's can say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ExportError(pub String);

/// The calls that set `port` to send what the profile says.
pub fn settings(profile: &Profile, port: u16) -> Result<String, ExportError> {
    let _ = (profile, port);
    Err(ExportError("not there".into()))
}
