//! `delete` and `deletecollection`.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::kinds::Kind;
use crate::refusal::Refusal;
use crate::request::Ask;
use crate::state::Fake;
use crate::write::Written;
use crate::{kubelet, read, times};

/// As in a manifest without one.
const GRACE_S: u64 = 30;

/// What the body and the query say.
struct Options {
    grace_s: Option<u64>,
    is_dry_run: bool,
    uid: Option<String>,
    version: Option<String>,
}

impl Options {
    fn of(ask: &Ask, body: &Value) -> Options {
        let text = |field: &str| body["preconditions"][field].as_str().map(str::to_owned);
        let dry = body["dryRun"].as_array().is_some_and(|d| d.iter().any(|v| v == "All"));
        Options {
            grace_s: body["gracePeriodSeconds"]
                .as_u64()
                .or_else(|| ask.param("gracePeriodSeconds").parse().ok()),
            is_dry_run: dry || ask.param("dryRun") == "All",
            uid: text("uid"),
            version: text("resourceVersion"),
        }
    }
}

pub fn one(fake: &Fake, ask: &Ask, body: &Value) -> Written {
    let found = fake.store().get(ask.kind, ask.namespace(), ask.name());
    let found = found.ok_or_else(|| Refusal::not_found(ask.kind, ask.name()))?;
    let options = Options::of(ask, body);
    let wanted = [("UID", "uid", &options.uid), ("ResourceVersion", "resourceVersion", &options.version)];
    for (what, field, wanted) in wanted {
        precondition(ask, what, field, wanted.as_deref(), &found)?;
    }
    let last = end(fake, ask.kind, &found, &options);
    if matches!(ask.kind, Kind::Pod | Kind::Claim) {
        return Ok((StatusCode::OK, last));
    }
    let details = json!({"name": ask.name(), "kind": ask.kind.plural(), "uid": found["metadata"]["uid"]});
    let done = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
    Ok((StatusCode::OK, done))
}

fn precondition(
    ask: &Ask,
    what: &str,
    field: &str,
    wanted: Option<&str>,
    found: &Value,
) -> Result<(), Refusal> {
    let is = found["metadata"][field].as_str().unwrap_or_default();
    match wanted {
        Some(wanted) if wanted != is => {
            let did = if field == "uid" { "deleted and then recreated" } else { "modified" };
            let why = format!(
                "the {what} in the precondition ({wanted}) does not match the {what} in record ({is}). The object might \
                 have been {did}"
            );
            Err(Refusal::conflict(ask.kind.name(), ask.name(), &why))
        }
        _ => Ok(()),
    }
}

/// All that match; the list of them as they were.
pub fn collection(fake: &Fake, ask: &Ask, body: &Value) -> Written {
    let selector = read::selector(ask)?;
    let list = read::list(fake, ask)?;
    let options = Options::of(ask, body);
    let all: Vec<Arc<Value>> = fake.store().list(ask.kind, ask.namespace.as_deref());
    for object in all.iter().filter(|object| selector.matches(object)) {
        end(fake, ask.kind, object, &options);
    }
    Ok((StatusCode::OK, list))
}

/// Ends an object, a pod after its grace; as it is told to those who watch.
fn end(fake: &Fake, kind: Kind, object: &Value, options: &Options) -> Value {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    let (namespace, name) = (text("namespace"), text("name"));
    let is_finished = matches!(object["status"]["phase"].as_str(), Some("Failed" | "Succeeded"));
    let is_bound = object["spec"]["nodeName"].is_string();
    // A pod that no kubelet has, or that has ended, needs no grace.
    let grace_s = match kind {
        Kind::Pod if is_bound && !is_finished => options
            .grace_s
            .or_else(|| object["spec"]["terminationGracePeriodSeconds"].as_u64())
            .unwrap_or(GRACE_S),
        _ => 0,
    };
    let mut going = object.clone();
    if going["metadata"]["deletionTimestamp"].is_null() {
        going["metadata"]["deletionTimestamp"] = times::now().into();
        going["metadata"]["deletionGracePeriodSeconds"] = grace_s.into();
    }
    if options.is_dry_run {
        return going;
    }
    match kind {
        Kind::Pod if grace_s == 0 => kubelet::remove(fake, namespace, name, text("uid")),
        Kind::Pod => {
            let first = object["metadata"]["deletionTimestamp"].is_null();
            going = (*fake.store().put(kind, going)).clone();
            if first {
                kubelet::end(fake, &going);
            }
        }
        // Protected as long as a pod uses it.
        Kind::Claim => {
            let mut store = fake.store();
            going = (*store.put(kind, going)).clone();
            if !kubelet::is_in_use(&store, namespace, name) {
                store.remove(kind, namespace, name);
            }
        }
        _ => {
            fake.store().remove(kind, namespace, name);
        }
    }
    if kind != Kind::Pod {
        fake.owners().forget(&(kind, namespace.to_owned(), name.to_owned()));
    }
    going
}

/// Not the client that is tested.
pub fn by_somebody(fake: &Fake, namespace: &str, name: &str) {
    let found = fake.store().get(Kind::Pod, namespace, name);
    if let Some(pod) = found {
        end(fake, Kind::Pod, &pod, &Options { grace_s: None, is_dry_run: false, uid: None, version: None });
    }
}
