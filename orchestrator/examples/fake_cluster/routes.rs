//! From a request to its answer: what stands in its way first.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State, WebSocketUpgrade};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::fake::now_ns;
use crate::kinds::{self, Kind};
use crate::refusal::Refusal;
use crate::request::Ask;
use crate::state::{Fake, Seen};
use crate::{delete, forward, nodes, read, watch, write};

const BODY_MAX: usize = 3 << 20;
const REVIEW: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const PROTOCOLS: [&str; 2] = ["v4.channel.k8s.io", "v5.channel.k8s.io"];

/// Everything but the admin paths.
pub async fn answer(State(fake): State<Fake>, request: Request) -> Response {
    let ask = Ask::parse(request.method(), request.uri());
    let text = |of: Option<&str>| of.unwrap_or_default().to_owned();
    let agent = request.headers().get(header::USER_AGENT).and_then(|v| v.to_str().ok());
    let mut seen = Seen {
        unix_ns: now_ns(),
        method: request.method().to_string(),
        path: request.uri().to_string(),
        user_agent: text(agent),
        verb: text(ask.as_ref().map(|a| a.verb)),
        resource: ask.as_ref().map_or_else(String::new, Ask::resource),
        namespace: text(ask.as_ref().and_then(|a| a.namespace.as_deref())),
        name: text(ask.as_ref().and_then(|a| a.name.as_deref())),
        status: 0,
    };
    let answered = match ask {
        Some(ask) => of_api(&fake, ask, request).await,
        None => elsewhere(&fake, request).await,
    };
    let response = answered.unwrap_or_else(IntoResponse::into_response);
    seen.status = response.status().as_u16();
    fake.note(seen);
    response
}

/// Faults in the order in which a real server would come to them.
async fn stands(fake: &Fake, ask: &Ask) -> Result<(), Refusal> {
    if let Some(ms) = fake.faults.slow_ms(ask) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    if let Some(retry_after_s) = fake.faults.too_many(ask) {
        return Err(Refusal::too_many(retry_after_s));
    }
    if fake.faults.server_error(ask) {
        return Err(Refusal::internal());
    }
    let resource = ask.resource();
    // Newer servers want the right to create for a WebSocket, older ones the right to get.
    let verbs =
        if ask.sub.as_deref() == Some("portforward") { vec!["get", "create"] } else { vec![ask.verb] };
    for verb in verbs {
        if fake.faults.is_forbidden(verb, &resource) {
            let (namespace, name) = (ask.namespace.as_deref(), ask.name.as_deref());
            return Err(Refusal::forbidden(verb, &resource, namespace, name, ""));
        }
    }
    Ok(())
}

async fn of_api(fake: &Fake, ask: Ask, request: Request) -> Result<Response, Refusal> {
    stands(fake, &ask).await?;
    if let Some(sub) = ask.sub.clone() {
        return subresource(fake, &ask, &sub, request).await;
    }
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, BODY_MAX).await.map_err(|e| Refusal::bad_request(e.to_string()))?;
    let object = || if bytes.is_empty() { Ok(json!({})) } else { write::body(&bytes) };
    let (status, value) = match ask.verb {
        "watch" => return watch::open(fake, &ask),
        "list" => (StatusCode::OK, read::list(fake, &ask)?),
        "get" => (StatusCode::OK, read::get(fake, &ask)?),
        "create" => write::create(fake, &ask, object()?)?,
        "update" => write::update(fake, &ask, object()?)?,
        "patch" => write::patch(fake, &ask, &parts.headers, &bytes)?,
        "delete" => delete::one(fake, &ask, &object()?)?,
        _ => delete::collection(fake, &ask, &object()?)?,
    };
    Ok((status, Json(value)).into_response())
}

async fn subresource(fake: &Fake, ask: &Ask, sub: &str, request: Request) -> Result<Response, Refusal> {
    let object = read::get(fake, ask)?;
    match (ask.kind, sub) {
        (Kind::Pod, "log") => log(fake, ask, &object),
        (Kind::Pod, "portforward") => port_forward(fake, ask, object, request).await,
        (Kind::Node, "proxy") if ask.rest == "configz" => {
            Ok(Json(nodes::configz(&fake.args)).into_response())
        }
        (_, "status") if ask.verb == "get" => Ok(Json(object).into_response()),
        _ => Err(Refusal::no_such_path()),
    }
}

fn log(fake: &Fake, ask: &Ask, pod: &Value) -> Result<Response, Refusal> {
    let uid = pod["metadata"]["uid"].as_str().unwrap_or_default();
    let container = &pod["spec"]["containers"][0]["name"];
    if let (None, Some(reason)) =
        (fake.agent(uid), pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].as_str())
        && reason != "CrashLoopBackOff"
    {
        let what = if reason == "ErrImagePull" {
            "image can't be pulled"
        } else {
            "trying and failing to pull image"
        };
        let why = format!("container {container} in pod \"{}\" is waiting to start: {what}", ask.name());
        return Err(Refusal::bad_request(why));
    }
    let lines =
        [format!("dataplane agent of {} listens on 127.0.0.1:8480", ask.name()), "no run is live".to_owned()];
    let tail = ask.param("tailLines").parse::<usize>().unwrap_or(usize::MAX);
    let text: String =
        lines.iter().skip(lines.len().saturating_sub(tail)).map(|l| format!("{l}\n")).collect();
    Ok(([(header::CONTENT_TYPE, "text/plain")], text).into_response())
}

async fn port_forward(fake: &Fake, ask: &Ask, pod: Value, request: Request) -> Result<Response, Refusal> {
    if !pod["spec"]["nodeName"].is_string() {
        return Err(Refusal::bad_request(format!("pod {} does not have a host assigned", ask.name())));
    }
    let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    if fake.lost.borrow().contains(node) {
        let address = pod["status"]["hostIP"].as_str().unwrap_or_default();
        let why = format!("error dialing backend: dial tcp {address}:10250: connect: no route to host");
        return Err(Refusal::new(500, "InternalError", why));
    }
    let ports = forward::ports(ask.param("ports"));
    if ports.is_empty() {
        return Ok((StatusCode::BAD_REQUEST, "query parameter \"port\" is required").into_response());
    }
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let upgrade = upgrade.map_err(|_| Refusal::bad_request("Upgrade request required"))?;
    let fake = fake.clone();
    Ok(upgrade.protocols(PROTOCOLS).on_upgrade(move |socket| forward::serve(fake, pod, ports, socket)))
}

async fn elsewhere(fake: &Fake, request: Request) -> Result<Response, Refusal> {
    let path = request.uri().path().to_owned();
    let value = match (request.method(), path.trim_end_matches('/')) {
        (&Method::GET, "/version") => json!({"major": "1", "minor": "33", "gitVersion": "v1.33.0",
            "gitCommit": "fake", "gitTreeState": "clean", "buildDate": "2025-04-23T00:00:00Z", "goVersion": "go1.24.2",
            "compiler": "gc", "platform": "linux/amd64"}),
        (&Method::GET, "/api") => {
            json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        }
        (&Method::GET, "/apis") => json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []}),
        (&Method::GET, "/api/v1") => kinds::resources(),
        (&Method::GET, "/healthz" | "/readyz" | "/livez") => {
            return Ok(Response::new(Body::from("ok")));
        }
        (&Method::POST, REVIEW) => {
            let bytes = to_bytes(request.into_body(), BODY_MAX).await;
            let bytes = bytes.map_err(|e| Refusal::bad_request(e.to_string()))?;
            let review = write::access_review(fake, write::body(&bytes)?);
            return Ok((StatusCode::CREATED, Json(review)).into_response());
        }
        _ => return Err(Refusal::no_such_path()),
    };
    Ok(Json(value).into_response())
}
