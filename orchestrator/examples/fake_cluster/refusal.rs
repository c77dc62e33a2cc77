//! What a real API server says when it refuses: `kind: Status`, word for word.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::kinds::Kind;

#[derive(Clone, Debug)]
pub struct Refusal {
    code: u16,
    reason: &'static str,
    message: String,
    details: Value,
    retry_after_s: Option<u64>,
}

impl Refusal {
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, reason, message: message.into(), details: json!({}), retry_after_s: None }
    }

    fn of(mut self, kind: Kind, name: &str) -> Refusal {
        self.details = json!({"name": name, "kind": kind.plural()});
        self
    }

    pub fn not_found(kind: Kind, name: &str) -> Refusal {
        let message = format!("{} \"{name}\" not found", kind.plural());
        Refusal::new(404, "NotFound", message).of(kind, name)
    }

    pub fn no_such_path() -> Refusal {
        Refusal::new(404, "NotFound", "the server could not find the requested resource")
    }

    pub fn exists(kind: Kind, name: &str, is_going: bool) -> Refusal {
        let going = if is_going { "object is being deleted: " } else { "" };
        let message = format!("{going}{} \"{name}\" already exists", kind.plural());
        Refusal::new(409, "AlreadyExists", message).of(kind, name)
    }

    /// `what` is the resource, or the kind where a precondition is not met.
    pub fn conflict(what: &str, name: &str, why: &str) -> Refusal {
        let message = format!("Operation cannot be fulfilled on {what} \"{name}\": {why}");
        let mut refusal = Refusal::new(409, "Conflict", message);
        refusal.details = json!({"name": name, "kind": what});
        refusal
    }

    /// Faults as `field: Kind of fault: what`.
    pub fn invalid(kind: Kind, name: &str, faults: &[String]) -> Refusal {
        let what = if faults.len() == 1 { faults[0].clone() } else { format!("[{}]", faults.join(", ")) };
        let message = format!("{} \"{name}\" is invalid: {what}", kind.name());
        let cause = |fault: &String| {
            let (field, message) = fault.split_once(": ").unwrap_or_default();
            let reason = match message.split(':').next().unwrap_or_default() {
                "Required value" => "FieldValueRequired",
                "Forbidden" => "FieldValueForbidden",
                _ => "FieldValueInvalid",
            };
            json!({"reason": reason, "message": message, "field": field})
        };
        let causes: Vec<Value> = faults.iter().map(cause).collect();
        let mut refusal = Refusal::new(422, "Invalid", message);
        refusal.details = json!({"name": name, "kind": kind.name(), "causes": causes});
        refusal
    }

    pub fn bad_request(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "BadRequest", message)
    }

    /// `who` may not do this; `resource` with its subresource.
    pub fn forbidden(
        verb: &str,
        resource: &str,
        namespace: Option<&str>,
        name: Option<&str>,
        group: &str,
    ) -> Refusal {
        let plural = resource.split('/').next().unwrap();
        let subject = name.map_or(plural.to_owned(), |name| format!("{plural} \"{name}\""));
        let place = namespace.map_or("at the cluster scope".to_owned(), |namespace| {
            format!("in the namespace \"{namespace}\"")
        });
        let message = format!(
            "{subject} is forbidden: User \"fake-user\" cannot {verb} resource \"{resource}\" in API group \
             \"{group}\" {place}"
        );
        let mut refusal = Refusal::new(403, "Forbidden", message);
        refusal.details = json!({"kind": plural});
        if let Some(name) = name {
            refusal.details["name"] = name.into();
        }
        refusal
    }

    pub fn no_account(namespace: &str, pod: &str) -> Refusal {
        let message = format!(
            "pods \"{pod}\" is forbidden: error looking up service account {namespace}/default: serviceaccount \"default\" \
             not found"
        );
        Refusal::new(403, "Forbidden", message).of(Kind::Pod, pod)
    }

    pub fn too_many(retry_after_s: u64) -> Refusal {
        let message = "Too many requests, please try again later.";
        let mut refusal = Refusal::new(429, "TooManyRequests", message);
        refusal.details = json!({"retryAfterSeconds": retry_after_s});
        refusal.retry_after_s = Some(retry_after_s);
        refusal
    }

    pub fn internal() -> Refusal {
        let cause = "etcdserver: leader changed";
        let mut refusal = Refusal::new(500, "InternalError", format!("Internal error occurred: {cause}"));
        refusal.details = json!({"causes": [{"message": cause}]});
        refusal
    }

    /// What a watch or a list is behind has been forgotten.
    pub fn expired(asked: u64, oldest: u64) -> Refusal {
        Refusal::new(410, "Expired", format!("too old resource version: {asked} ({oldest})"))
    }

    pub fn expired_continue() -> Refusal {
        Refusal::new(
            410,
            "Expired",
            "The provided continue parameter is too old to display a consistent list result. You can start a \
             new list without the continue parameter.",
        )
    }

    pub fn with_causes(mut self, causes: Vec<Value>) -> Refusal {
        self.details = json!({"causes": causes});
        self
    }

    pub fn body(&self) -> Value {
        let mut body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if self.details != json!({}) {
            body["details"] = self.details.clone();
        }
        body
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code).unwrap();
        let mut response = (status, Json(self.body())).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
