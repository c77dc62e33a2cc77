//! What is to be created: pods and claims as JSON values, from our own types or from a user's template, and their YAML.

use k8s_openapi::Resource;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use serde::Serialize;
use serde_json::{Value, json};

use super::manifest;
use super::placement::PairNodes;
use super::settings::PodSettings;
use crate::cluster::labels::{self, PodRole};

/// Kinds of objects that this program makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A PersistentVolumeClaim; before the pod that mounts it.
    Claim,
    /// A Pod.
    Pod,
}

impl Kind {
    /// In messages.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Claim => "claim",
            Kind::Pod => "pod",
        }
    }
}

/// One object.
#[derive(Debug, Clone)]
pub struct Object {
    /// Of which kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// As it is sent.
    pub value: Value,
}

/// An object that can't be written as JSON or YAML.
#[derive(Debug, thiserror::Error)]
#[error("the {kind} {name} can't be written: {reason}")]
pub struct ObjectError {
    kind: &'static str,
    name: String,
    reason: String,
}

/// Claim and pod of one end, from our own types.
pub fn built_in(
    settings: &PodSettings,
    role: PodRole,
    pair: usize,
    nodes: &PairNodes,
) -> Result<Vec<Object>, ObjectError> {
    let mut all = Vec::new();
    if let Some(claim) = manifest::claim(settings, role, pair) {
        all.push(object::<PersistentVolumeClaim>(Kind::Claim, manifest::claim_name(role, pair), &claim)?);
    }
    let pod = manifest::pod(settings, role, pair, nodes);
    all.push(object::<Pod>(Kind::Pod, labels::pod_name(role, pair), &pod)?);
    Ok(all)
}

fn object<K: Resource + Serialize>(kind: Kind, name: String, typed: &K) -> Result<Object, ObjectError> {
    match serde_json::to_value(typed) {
        Ok(value) => Ok(Object { kind, name, value }),
        Err(error) => Err(ObjectError { kind: kind.word(), name, reason: error.to_string() }),
    }
}

/// Marks an object of a user's template as ours, in our namespace.
pub fn adopt(object: &mut Object, settings: &PodSettings, role: PodRole, pair: usize) {
    let value = &mut object.value;
    if !value["metadata"].is_object() {
        value["metadata"] = json!({});
    }
    let metadata = &mut value["metadata"];
    metadata["namespace"] = json!(settings.namespace);
    put_all(&mut metadata["labels"], labels::labels(role, pair), true);
    if object.kind == Kind::Pod {
        let own = [(labels::POD_TYPE, role.to_string()), (labels::DEVICE, settings.device(role, pair))];
        let own = own.map(|(key, text)| (key.to_owned(), text));
        put_all(&mut metadata["annotations"], own, false);
    }
}

/// Adds names and texts to a map; those that it has already give way or stay.
fn put_all(map: &mut Value, all: impl IntoIterator<Item = (String, String)>, give_way: bool) {
    if !map.is_object() {
        *map = json!({});
    }
    for (key, text) in all {
        if give_way || map[&key].is_null() {
            map[key] = json!(text);
        }
    }
}

/// The documents of a file, each behind a line `---`.
pub fn yaml<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Result<String, ObjectError> {
    let mut text = String::new();
    for object in objects {
        let document = document(&object.value).map_err(|reason| ObjectError {
            kind: object.kind.word(),
            name: object.name.clone(),
            reason,
        })?;
        text.push_str(&document);
    }
    Ok(text)
}

/// One document, with the line `---` before it.
pub fn document(value: &impl Serialize) -> Result<String, String> {
    // One line a value, so that a diff of two files shows what differs.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options)
        .map(|text| format!("---\n{}\n", text.trim_end()))
        .map_err(|error| error.to_string())
}
