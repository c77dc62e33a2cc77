//! What a request asks of the API, from its method, path and query.

use std::collections::HashMap;

use axum::http::{Method, Uri};

use crate::kinds::Kind;

#[derive(Clone, Debug)]
pub struct Ask {
    /// As RBAC calls it.
    pub verb: &'static str,
    pub kind: Kind,
    pub namespace: Option<String>,
    pub name: Option<String>,
    /// `log`, `portforward`, `proxy`, `status`.
    pub sub: Option<String>,
    /// Behind the subresource.
    pub rest: String,
    pub query: HashMap<String, String>,
}

impl Ask {
    /// None where the path is none of the core API's.
    pub fn parse(method: &Method, uri: &Uri) -> Option<Ask> {
        let path = uri.path().strip_prefix("/api/v1/")?;
        let words: Vec<&str> = path.split('/').filter(|w| !w.is_empty()).collect();
        let (namespace, words) = match words.as_slice() {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some((*namespace).to_owned()), rest),
            words => (None, words),
        };
        let kind = Kind::of_plural(words.first()?)?;
        let word = |at: usize| words.get(at).map(|w| (*w).to_owned());
        let query: HashMap<String, String> = query(uri.query().unwrap_or_default());
        let is_watch = query.get("watch").is_some_and(|w| w == "true" || w == "1");
        let name = word(1);
        let verb = match (method.as_str(), name.is_some()) {
            ("GET" | "HEAD", true) => "get",
            ("GET" | "HEAD", false) if is_watch => "watch",
            ("GET" | "HEAD", false) => "list",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", true) => "delete",
            ("DELETE", false) => "deletecollection",
            _ => return None,
        };
        let rest = words.iter().skip(3).copied().collect::<Vec<_>>().join("/");
        Some(Ask { verb, kind, namespace, name, sub: word(2), rest, query })
    }

    pub fn param(&self, key: &str) -> &str {
        self.query.get(key).map_or("", String::as_str)
    }

    pub fn flag(&self, key: &str) -> bool {
        matches!(self.param(key), "true" | "1")
    }

    /// As RBAC calls it, e.g. `pods/portforward`.
    pub fn resource(&self) -> String {
        let sub = self.sub.as_ref().map_or_else(String::new, |sub| format!("/{sub}"));
        format!("{}{sub}", self.kind.plural())
    }

    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}

fn query(text: &str) -> HashMap<String, String> {
    let pair = |part: &str| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(key), decoded(value))
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// Percent signs and pluses.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let hex = |h: &[u8]| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok();
        match (first, behind.get(..2).and_then(hex)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
        rest = behind;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
