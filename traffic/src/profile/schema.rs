//! The profile's JSON schema: editors complete and check profiles by it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::model::Profile;

/// What a rate's text looks like; [`crate::units::Rate`] says what it means.
const RATE: &str = r"^\s*([mM][aA][xX]|[0-9.eE+-]+\s*(%|percent|[kMG]?(pps|bps|bpsL1)))\s*$";
/// What a MAC address looks like; read by [`crate::mac::Mac`].
const MAC: &str = "^[0-9A-Fa-f]{1,2}([:-][0-9A-Fa-f]{1,2}){5}$";

/// Derived from the model; published as `docs/profile.schema.json`.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Profile).to_value();
    if let Some(root) = schema.as_object_mut() {
        // It is read from wherever a user keeps it: no address of its own.
        root.remove("$id");
        root.remove("title");
    }
    for (name, pattern) in [("Rate", RATE), ("Mac", MAC)] {
        if let Some(def) = schema.pointer_mut(&format!("/$defs/{name}")).and_then(Value::as_object_mut) {
            def.insert("pattern".to_owned(), pattern.into());
        }
    }
    schema
}

/// Stands for an IPv4 address in the schema.
#[derive(Debug)]
pub(super) struct Ipv4Text;

impl JsonSchema for Ipv4Text {
    fn schema_name() -> Cow<'static, str> {
        "Ipv4Address".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "ipv4", "description": "Four numbers, such as 192.168.1.1." })
    }
}

/// Stands for an IPv6 address in the schema.
#[derive(Debug)]
pub(super) struct Ipv6Text;

impl JsonSchema for Ipv6Text {
    fn schema_name() -> Cow<'static, str> {
        "Ipv6Address".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "ipv6", "description": "An address such as 2001:db8::1." })
    }
}
