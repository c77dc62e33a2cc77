//! Who set which field: what server-side apply tells conflicts by.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::store::Key;

/// Keys of lists whose elements are merged, as the schema of Kubernetes has them.
const LIST_KEYS: [&str; 5] = ["name", "mountPath", "containerPort", "uid", "topologyKey"];

/// Managers of each object's fields.
#[derive(Default)]
pub struct Owners(HashMap<Key, BTreeMap<String, Owner>>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    manager: String,
    /// It did not apply, but create or update.
    updated: bool,
}

impl Owner {
    /// As a conflict names it.
    pub fn said(&self) -> String {
        let how = if self.updated { " using v1" } else { "" };
        format!("\"{}\"{how}", self.manager)
    }

    /// What `kubectl apply` without `--server-side` leaves.
    pub fn of_kubectl() -> Owner {
        Owner { manager: "kubectl-client-side-apply".to_owned(), updated: true }
    }
}

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
        let foreign = |path: &String| owners.get(path).filter(|owner| owner.manager != manager).cloned();
        let conflicts: Vec<(String, Owner)> = leaves(applied)
            .into_iter()
            .filter(|(path, value)| was.get(path).is_some_and(|w| w != value))
            .filter_map(|(path, _)| foreign(&path).map(|owner| (path, owner)))
            .collect();
        if conflicts.is_empty() || force { Ok(()) } else { Err(conflict(&conflicts)) }
    }

    /// All fields of what is applied belong to the manager from now on, and no others.
    pub fn claim(&mut self, key: &Key, manager: &str, applied: &Value) {
        let owner = Owner { manager: manager.to_owned(), updated: false };
        let owners = self.0.entry(key.clone()).or_default();
        owners.retain(|_, other| other.manager != manager);
        owners.extend(leaves(applied).into_keys().map(|path| (path, owner.clone())));
    }

    /// All fields of what is created belong to the manager.
    pub fn create(&mut self, key: &Key, manager: &str, created: &Value) {
        let owner = Owner { manager: manager.to_owned(), updated: true };
        let owners = leaves(created).into_keys().map(|path| (path, owner.clone()));
        self.0.insert(key.clone(), owners.collect());
    }

    /// Fields that the manager applied before and does not any more: they go.
    pub fn left_out(&self, key: &Key, manager: &str, applied: &Value) -> Vec<String> {
        let now = leaves(applied);
        let owners = self.0.get(key).into_iter().flatten();
        let left_out = owners.filter(|(path, owner)| owner.manager == manager && !now.contains_key(*path));
        left_out.map(|(path, _)| path.clone()).collect()
    }

    pub fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }
}

/// As the real server words it: fields and their managers.
pub fn conflict(fields: &[(String, Owner)]) -> Refusal {
    let message = match fields {
        [(field, owner)] => format!("Apply failed with 1 conflict: conflict with {}: {field}", owner.said()),
        many => {
            // Of one manager after the other.
            let mut by_owner: BTreeMap<String, Vec<&str>> = BTreeMap::new();
            for (field, owner) in many {
                by_owner.entry(owner.said()).or_default().push(field);
            }
            let list = |(owner, fields): (&String, &Vec<&str>)| {
                format!("conflicts with {owner}:\n- {}", fields.join("\n- "))
            };
            let parts: Vec<String> = by_owner.iter().map(list).collect();
            format!("Apply failed with {} conflicts: {}", many.len(), parts.join("\n"))
        }
    };
    let cause = |(field, owner): &(String, Owner)| json!({"reason": "FieldManagerConflict", "message": format!("conflict with {}", owner.said()), "field": field});
    Refusal::new(409, "Conflict", message).with_causes(fields.iter().map(cause).collect())
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
