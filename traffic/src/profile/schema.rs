//! The profile's JSON schema: editors complete and check profiles by it.

use super::model::Profile;

/// Derived from the model; published as `docs/profile.schema.json`.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Profile);
    // It is read from wherever a user keeps it: no address of its own.
    schema.remove("$id");
    schema.remove("title");
    schema.to_value()
}
