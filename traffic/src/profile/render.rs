//! [`Profile`] → text that loads back as the same profile.

use super::model::Profile;

/// A profile can't be written as text.
#[derive(Debug, thiserror::Error)]
#[error("can't write the profile as TOML: {0}; check the profile first")]
pub struct RenderError(#[from] toml::ser::Error);

/// TOML with every setting said, defaults included.
pub fn to_toml(profile: &Profile) -> Result<String, RenderError> {
    Ok(toml::to_string_pretty(profile)?)
}
