//! `create`, `update` and `patch`.

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use crate::kinds::Kind;
use crate::kubelet;
use crate::owners::{Owner, conflict, merge, merge_patch};
use crate::pods::{check, check_update, provision, with_defaults};
use crate::refusal::Refusal;
use crate::request::Ask;
use crate::state::Fake;

pub type Written = Result<(StatusCode, Value), Refusal>;

const APPLY: &str = "application/apply-patch+yaml";

/// JSON or YAML.
pub fn body(bytes: &[u8]) -> Result<Value, Refusal> {
    let text = String::from_utf8_lossy(bytes);
    serde_json::from_str(&text)
        .or_else(|_| serde_saphyr::from_str(&text).map_err(|e| e.to_string()))
        .map_err(|e| Refusal::bad_request(format!("error decoding: {e}")))
}

fn is_dry_run(ask: &Ask) -> bool {
    ask.param("dryRun") == "All"
}

fn namespace_is_there(fake: &Fake, ask: &Ask) -> Result<(), Refusal> {
    let namespace = ask.namespace();
    if !ask.kind.is_namespaced() || fake.store().get(Kind::Namespace, "", namespace).is_some() {
        return Ok(());
    }
    Err(Refusal::not_found(Kind::Namespace, namespace))
}

pub fn create(fake: &Fake, ask: &Ask, mut object: Value) -> Written {
    namespace_is_there(fake, ask)?;
    if ask.kind.is_namespaced() {
        let given = object["metadata"]["namespace"].as_str().unwrap_or_default();
        if !given.is_empty() && given != ask.namespace() {
            return Err(Refusal::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        object["metadata"]["namespace"] = ask.namespace().into();
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    if let Some(there) = fake.store().get(ask.kind, ask.namespace(), &name) {
        let is_going = !there["metadata"]["deletionTimestamp"].is_null();
        return Err(Refusal::exists(ask.kind, &name, is_going));
    }
    let applied = object.clone();
    let created = add(fake, ask, object)?;
    if !is_dry_run(ask) {
        let manager =
            if ask.param("fieldManager").is_empty() { "unknown" } else { ask.param("fieldManager") };
        let key = crate::store::key_of(ask.kind, &created);
        fake.owners().create(&key, manager, &applied);
    }
    Ok((StatusCode::CREATED, created))
}

/// A new object with what the server adds; checked only, in a dry run.
fn add(fake: &Fake, ask: &Ask, mut object: Value) -> Result<Value, Refusal> {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["resourceVersion", "uid", "creationTimestamp", "managedFields"] {
            metadata.remove(field);
        }
    }
    with_defaults(ask.kind, &mut object);
    check(ask.kind, &object)?;
    if ask.kind == Kind::Pod && fake.faults.no_account() {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        return Err(Refusal::no_account(ask.namespace(), name));
    }
    let mut store = fake.store();
    store.dress(ask.kind, &mut object);
    if is_dry_run(ask) {
        return Ok(object);
    }
    let created = (*store.put(ask.kind, object)).clone();
    drop(store);
    if ask.kind == Kind::Pod {
        kubelet::adopt(fake, &created);
    }
    if ask.kind == Kind::Claim {
        provision(fake, &created);
    }
    // A pod may have waited for it.
    fake.room.notify_waiters();
    Ok(created)
}

pub fn patch(fake: &Fake, ask: &Ask, headers: &HeaderMap, bytes: &[u8]) -> Written {
    let content = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let patch = body(bytes)?;
    match content.split(';').next().unwrap_or_default() {
        APPLY => apply(fake, ask, patch),
        "application/merge-patch+json" | "application/strategic-merge-patch+json" => {
            change(fake, ask, |object| merge_patch(object, &patch))
        }
        other => {
            let known =
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
            let why = format!(
                "the body of the request was in an unknown format - accepted media types include: {known}"
            );
            Err(Refusal::new(415, "UnsupportedMediaType", format!("{why} ({other})")))
        }
    }
}

pub fn update(fake: &Fake, ask: &Ask, object: Value) -> Written {
    let version = object["metadata"]["resourceVersion"].clone();
    let there = fake.store().get(ask.kind, ask.namespace(), ask.name());
    if let (Some(there), true) = (there, version.is_string())
        && there["metadata"]["resourceVersion"] != version
    {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        return Err(Refusal::conflict(ask.kind.plural(), ask.name(), why));
    }
    change(fake, ask, |there| {
        for field in ["labels", "annotations"] {
            there["metadata"][field] = object["metadata"][field].clone();
        }
        merge(&mut there["spec"], &object["spec"]);
    })
}

/// An object that is there, changed.
fn change(fake: &Fake, ask: &Ask, act: impl FnOnce(&mut Value)) -> Written {
    let there = fake.store().get(ask.kind, ask.namespace(), ask.name());
    let there = there.ok_or_else(|| Refusal::not_found(ask.kind, ask.name()))?;
    let mut object = (*there).clone();
    act(&mut object);
    for field in ["uid", "creationTimestamp", "name", "namespace", "deletionTimestamp"] {
        object["metadata"][field] = there["metadata"][field].clone();
        if object["metadata"][field].is_null() {
            object["metadata"].as_object_mut().unwrap().remove(field);
        }
    }
    check_update(ask.kind, &there, &object)?;
    if is_dry_run(ask) {
        return Ok((StatusCode::OK, object));
    }
    let stored = fake.store().put(ask.kind, object);
    Ok((StatusCode::OK, (*stored).clone()))
}

fn apply(fake: &Fake, ask: &Ask, mut applied: Value) -> Written {
    let manager = ask.param("fieldManager");
    if manager.is_empty() {
        let why = "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch";
        return Err(Refusal::new(422, "Invalid", why));
    }
    if applied["apiVersion"] != "v1" || applied["kind"] != ask.kind.name() {
        let why = format!("invalid object type: {}, Kind={}", applied["apiVersion"], applied["kind"]);
        return Err(Refusal::bad_request(why));
    }
    let given = applied["metadata"]["name"].as_str().unwrap_or(ask.name()).to_owned();
    if given != ask.name() {
        let why =
            format!("the name of the object ({given}) does not match the name on the URL ({})", ask.name());
        return Err(Refusal::bad_request(why));
    }
    namespace_is_there(fake, ask)?;
    applied["metadata"]["name"] = ask.name().into();
    if ask.kind.is_namespaced() {
        applied["metadata"]["namespace"] = ask.namespace().into();
    }
    let force = ask.flag("force");
    if !force && fake.faults.apply_conflict() {
        let field = ".spec.containers[name=\"main\"].image".to_owned();
        return Err(conflict(&[(field, Owner::of_kubectl())]));
    }
    let key = crate::store::key_of(ask.kind, &applied);
    let there = fake.store().get(ask.kind, ask.namespace(), ask.name());
    let Some(there) = there else {
        let created = add(fake, ask, applied.clone())?;
        if !is_dry_run(ask) {
            fake.owners().claim(&key, manager, &applied);
        }
        return Ok((StatusCode::CREATED, created));
    };
    // Refused before anything is changed, and claimed only when nothing else stands in the way.
    fake.owners().check(&key, manager, &applied, &there, force)?;
    let gone = fake.owners().left_out(&key, manager, &applied);
    let written = change(fake, ask, |object| {
        gone.iter().for_each(|path| crate::owners::remove(object, path));
        merge(object, &applied);
        with_defaults(ask.kind, object);
    })?;
    if !is_dry_run(ask) {
        fake.owners().claim(&key, manager, &applied);
    }
    Ok(written)
}

/// `POST …/selfsubjectaccessreviews`.
pub fn access_review(fake: &Fake, mut review: Value) -> Value {
    let asked = &review["spec"]["resourceAttributes"];
    let text = |field: &str| asked[field].as_str().unwrap_or_default().to_owned();
    let sub = text("subresource");
    let resource = if sub.is_empty() { text("resource") } else { format!("{}/{sub}", text("resource")) };
    let denied = fake.faults.is_forbidden(&text("verb"), &resource);
    review["kind"] = "SelfSubjectAccessReview".into();
    review["apiVersion"] = "authorization.k8s.io/v1".into();
    review["status"] = json!({"allowed": !denied});
    review
}
