//! Who set which field: what server-side apply tells conflicts by.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::kinds::Kind;
use crate::refusal::Refusal;
use crate::store::Key;

/// Keys of lists whose elements are merged, as the schema of Kubernetes has them.
const LIST_KEYS: [&str; 5] = ["name", "mountPath", "containerPort", "uid", "topologyKey"];

/// Managers of each object's fields.
#[derive(Default)]
pub struct Owners(HashMap<Key, BTreeMap<String, String>>);

impl Owners {
    /// A conflict where fields belong to another manager and differ from what is there.
    pub fn check(
        &self,
        key: &Key,
        manager: &str,
        applied: &Value,
        there: &Value,
        force: bool,
    ) -> Result<(), Refusal> {
        let Some(owners) = self.0.get(key) else { return Ok(()) };
        let was = leaves(there);
        let foreign = |path: &String| owners.get(path).filter(|owner| *owner != manager).cloned();
        let conflicts: Vec<(String, String)> = leaves(applied)
            .into_iter()
            .filter(|(path, value)| was.get(path).is_some_and(|w| w != value))
            .filter_map(|(path, _)| foreign(&path).map(|owner| (path, owner)))
            .collect();
        if conflicts.is_empty() || force { Ok(()) } else { Err(conflict(key.0, &key.2, &conflicts)) }
    }

    /// All fields of what is applied belong to the manager from now on, and no others.
    pub fn claim(&mut self, key: &Key, manager: &str, applied: &Value) {
        let owners = self.0.entry(key.clone()).or_default();
        owners.retain(|_, owner| owner != manager);
        owners.extend(leaves(applied).into_keys().map(|path| (path, manager.to_owned())));
    }

    /// Fields that the manager applied before and does not any more: they go.
    pub fn left_out(&self, key: &Key, manager: &str, applied: &Value) -> Vec<String> {
        let now = leaves(applied);
        let owners = self.0.get(key).into_iter().flatten();
        let left_out = owners.filter(|(path, owner)| *owner == manager && !now.contains_key(*path));
        left_out.map(|(path, _)| path.clone()).collect()
    }

    pub fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }
}

/// As the real server words it: pairs of a field and its manager.
pub fn conflict(kind: Kind, name: &str, fields: &[(String, String)]) -> Refusal {
    let said = |(field, manager): &(String, String)| format!("\"{manager}\" using v1: {field}");
    let message = match fields {
        [one] => format!("Apply failed with 1 conflict: conflict with {}", said(one)),
        many => {
            // Of one manager after the other.
            let mut by_manager: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for (field, manager) in many {
                by_manager.entry(manager).or_default().push(field);
            }
            let list = |(manager, fields): (&&str, &Vec<&str>)| {
                format!("conflicts with \"{manager}\" using v1:\n- {}", fields.join("\n- "))
            };
            let parts: Vec<String> = by_manager.iter().map(list).collect();
            format!("Apply failed with {} conflicts: {}", many.len(), parts.join("\n"))
        }
    };
    let cause = |(field, manager): &(String, String)| {
        json!({"reason": "FieldManagerConflict", "message": format!("conflict with \"{manager}\" using v1"),
               "field": field})
    };
    Refusal::new(409, "Conflict", message).with_causes(kind, name, fields.iter().map(cause).collect())
}

/// Paths as managedFields has them: `.spec.containers[name="tx0"].image`.
fn leaves(value: &Value) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    collect(value, String::new(), &mut all);
    all
}

fn collect(value: &Value, path: String, into: &mut BTreeMap<String, Value>) {
    const NO_FIELDS: [&str; 4] = [".apiVersion", ".kind", ".metadata.name", ".metadata.namespace"];
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                collect(value, format!("{path}.{key}"), into);
            }
        }
        Value::Array(elements) if elements.iter().all(|e| list_key(e).is_some()) => {
            for element in elements {
                let key = list_key(element).unwrap();
                collect(element, format!("{path}[{key}={}]", element[key]), into);
            }
        }
        _ if NO_FIELDS.contains(&path.as_str()) => {}
        _ => {
            into.insert(path, value.clone());
        }
    }
}

/// Takes a label or annotation away: what else a manager may leave out can't be changed in these kinds anyway.
pub fn remove(object: &mut Value, path: &str) {
    for field in ["labels", "annotations"] {
        if let Some(key) = path.strip_prefix(&format!(".metadata.{field}."))
            && let Some(fields) = object["metadata"][field].as_object_mut()
        {
            fields.remove(key);
        }
    }
}

fn list_key(element: &Value) -> Option<&'static str> {
    LIST_KEYS.into_iter().find(|key| element.get(key).is_some())
}

/// Lays what is applied over what is there.
pub fn merge(there: &mut Value, applied: &Value) {
    match (there, applied) {
        (Value::Object(there), Value::Object(applied)) => {
            for (key, value) in applied {
                merge(there.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(there), Value::Array(applied)) if applied.iter().all(|e| list_key(e).is_some()) => {
            for element in applied {
                let key = list_key(element).unwrap();
                match there.iter_mut().find(|e| e[key] == element[key]) {
                    Some(found) => merge(found, element),
                    None => there.push(element.clone()),
                }
            }
        }
        (there, applied) => *there = applied.clone(),
    }
}

/// RFC 7386.
pub fn merge_patch(there: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *there = patch.clone();
        return;
    };
    if !there.is_object() {
        *there = json!({});
    }
    let fields = there.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            fields.remove(key);
        } else {
            merge_patch(fields.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}
