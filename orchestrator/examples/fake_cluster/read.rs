//! `get` and `list`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::request::Ask;
use crate::select::Selector;
use crate::state::Fake;

pub fn selector(ask: &Ask) -> Result<Selector, Refusal> {
    Selector::parse(ask.kind, ask.param("labelSelector"), ask.param("fieldSelector"))
}

pub fn get(fake: &Fake, ask: &Ask) -> Result<Value, Refusal> {
    let found = fake.store().get(ask.kind, ask.namespace(), ask.name());
    let found = found.ok_or_else(|| Refusal::not_found(ask.kind, ask.name()))?;
    Ok((*found).clone())
}

/// In pages where a limit is given: the continue token is the place of the next object.
pub fn list(fake: &Fake, ask: &Ask) -> Result<Value, Refusal> {
    let selector = selector(ask)?;
    let (version, oldest, objects) = {
        let store = fake.store();
        (store.version(), store.oldest(), store.list(ask.kind, ask.namespace.as_deref()))
    };
    let matching: Vec<&Arc<Value>> = objects.iter().filter(|object| selector.matches(object)).collect();
    let (from, version) = match ask.param("continue") {
        "" => (0, version),
        token => resumed(token, oldest, &matching)?,
    };
    let limit = ask.param("limit").parse::<usize>().ok().filter(|n| *n > 0).unwrap_or(usize::MAX);
    let page: Vec<Value> = matching.iter().skip(from).take(limit).map(|object| item(object)).collect();
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if let Some(next) = matching.get(from + page.len()).filter(|_| limit != usize::MAX) {
        metadata["continue"] = format!("{version}~{}", place(next)).into();
        if selector.is_empty() {
            metadata["remainingItemCount"] = (matching.len() - from - page.len()).into();
        }
    }
    Ok(
        json!({"kind": format!("{}List", ask.kind.name()), "apiVersion": "v1", "metadata": metadata, "items": page}),
    )
}

fn place(object: &Value) -> String {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    format!("{}/{}", text("namespace"), text("name"))
}

fn resumed(token: &str, oldest: u64, matching: &[&Arc<Value>]) -> Result<(usize, u64), Refusal> {
    let parsed = token.split_once('~').and_then(|(version, next)| Some((version.parse::<u64>().ok()?, next)));
    let (version, next) = parsed.ok_or_else(|| {
        Refusal::bad_request("invalid continue token: continue key is not valid: invalid character")
    })?;
    if version < oldest {
        return Err(Refusal::expired_continue());
    }
    let from = matching.iter().position(|object| place(object).as_str() >= next);
    Ok((from.unwrap_or(matching.len()), version))
}

/// Lists tell the kind once.
fn item(object: &Value) -> Value {
    let mut item = object.clone();
    let fields = item.as_object_mut().unwrap();
    fields.remove("kind");
    fields.remove("apiVersion");
    item
}
