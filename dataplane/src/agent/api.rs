//! The HTTP API: one handler an endpoint, none longer than its sentence in the documentation.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::Deserialize;
use traffic::wire::{Command, Health, Inventory, NextHop, RunState, RunStatus, VERSION};

use super::body::{must_be_json, read_body};
use super::endpoints::{endpoints, metrics_endpoint};
use super::failure::{ApiError, RunId};
use super::limits::{Limits, REPLY_SAMPLES_MAX, WAIT_MS_MAX};
use super::load::Load;
use super::metrics;
use super::next_hop::next_hop;
use super::openapi;
use super::run::Run;
use super::runs::{Runs, RunsError};
use super::spec::parse_spec;
use crate::inventory::{self, HostFacts, Sources};

/// How long an engine may take to obey a start.
const START_LIMIT: Duration = Duration::from_secs(10);

/// What handlers share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// All runs.
    pub runs: Arc<Runs>,
    /// What only DPDK knows.
    pub facts: HostFacts,
    /// Keeps the agent from ending as idle.
    pub load: Load,
    /// Bounds.
    pub limits: Limits,
}

/// The whole API, for loopback.
pub fn router(shared: Shared) -> Router {
    let router = endpoints().into_iter().fold(Router::new(), |router, endpoint| {
        // Methods of one path are merged by the router.
        router.route(endpoint.path, endpoint.handler)
    });
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(shared.clone(), admit))
        .with_state(shared)
}

/// `/metrics` and nothing else. Scrapes do not count as somebody who needs the agent.
pub fn metrics_router(shared: Shared) -> Router {
    let endpoint = metrics_endpoint();
    Router::new()
        .route(endpoint.path, endpoint.handler)
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .with_state(shared)
}

/// Counts the request as somebody who needs the agent; turns away web pages, which any browser on this host
/// could otherwise make speak to a loopback port.
async fn admit(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let _busy = shared.load.begin();
    if request.headers().contains_key(header::ORIGIN) {
        let text =
            "requests from web pages (with an Origin header) are not answered: use the orchestrator or curl";
        return ApiError::new(StatusCode::FORBIDDEN, text).into_response();
    }
    next.run(request).await
}

async fn unknown_path(uri: Uri) -> ApiError {
    let text = format!(
        "there is nothing at {}: see /healthz, /metrics, /v1/inventory, /v1/next-hop and /v1/runs",
        uri.path()
    );
    ApiError::new(StatusCode::NOT_FOUND, text)
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    let text = format!("{} does not take {method}: read the API's table in ARCHITECTURE.md", uri.path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, text)
}

pub(super) async fn healthz() -> Json<Health> {
    let release = env!("CARGO_PKG_VERSION").to_owned();
    Json(Health { version: VERSION, release, pid: std::process::id() })
}

pub(super) async fn get_inventory(State(shared): State<Shared>) -> Result<Json<Inventory>, ApiError> {
    let facts = shared.facts;
    let read =
        tokio::task::spawn_blocking(move || Sources::host(facts).map(|sources| inventory::read(&sources)))
            .await;
    let failed = |text: String| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, text);
    read.map_err(|error| failed(format!("the inventory could not be read: {error}; ask again")))?
        .map(Json)
        .map_err(|error| failed(error.to_string()))
}

/// The OpenAPI document; made once.
pub(super) async fn get_openapi() -> impl IntoResponse {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi::document().to_string());
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], DOCUMENT.as_str())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NextHopQuery {
    /// An IPv4 or IPv6 address
    to: IpAddr,
    /// The interface to leave by; the kernel's choice when not given
    #[schemars(length(min = 1))]
    interface: Option<String>,
}

pub(super) async fn get_next_hop(
    query: Result<Query<NextHopQuery>, QueryRejection>,
) -> Result<Json<NextHop>, ApiError> {
    let Query(query) = query?;
    Ok(Json(next_hop(query.to, query.interface).await?))
}

pub(super) async fn get_metrics(State(shared): State<Shared>) -> impl IntoResponse {
    let runs = shared.runs.list();
    ([(header::CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE))], metrics::render(&runs))
}

pub(super) async fn list_runs(State(shared): State<Shared>) -> Json<Vec<RunStatus>> {
    Json(shared.runs.list().iter().map(|run| run.status()).collect())
}

pub(super) async fn create_run(
    State(shared): State<Shared>,
    request: Request,
) -> Result<(StatusCode, Json<RunStatus>), ApiError> {
    must_be_json(request.headers())?;
    let body = read_body(request.into_body(), shared.limits.body_read).await?;
    let spec = parse_spec(&body).map_err(RunsError::from)?;
    let runs = shared.runs;
    // Its own task: a client that goes away must not leave half a run.
    let status = whole(async move { runs.create(spec).await }).await?;
    Ok((StatusCode::CREATED, Json(status)))
}

/// What [`parse_states`] reads.
const STATES_PATTERN: &str = "^((preparing|ready|running|sent|stopping|done|failed)\
    (,(preparing|ready|running|sent|stopping|done|failed))*)?$";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunQuery {
    /// How long the answer may wait for the state, or for the end
    #[schemars(range(max = WAIT_MS_MAX))]
    wait_ms: Option<u64>,
    /// States to wait for, with commas between; none waits for the end, which ends every wait
    #[schemars(regex(pattern = STATES_PATTERN))]
    state: Option<String>,
}

pub(super) async fn get_run(
    State(shared): State<Shared>,
    RunId(id): RunId,
    query: Result<Query<RunQuery>, QueryRejection>,
) -> Result<Json<RunStatus>, ApiError> {
    let Query(query) = query?;
    let states = parse_states(query.state.as_deref().unwrap_or_default())?;
    let limit = wait_limit(query.wait_ms)?;
    let run = lookup(&shared, &id).await?;
    run.wait(limit, |status| states.contains(&status.state)).await;
    Ok(Json(run.status()))
}

pub(super) async fn delete_run(
    State(shared): State<Shared>,
    RunId(id): RunId,
) -> Result<StatusCode, ApiError> {
    let runs = shared.runs;
    whole(async move { runs.delete(&id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn start_run(
    State(shared): State<Shared>,
    RunId(id): RunId,
) -> Result<Json<RunStatus>, ApiError> {
    let run = lookup(&shared, &id).await?;
    run.start()?;
    // The answer says that the engine counts: whoever starts a receiver and then its sender loses no frame
    // between.
    run.wait(START_LIMIT, |status| status.state != RunState::Ready).await;
    Ok(Json(run.status()))
}

pub(super) async fn stop_run(
    State(shared): State<Shared>,
    RunId(id): RunId,
) -> Result<Json<RunStatus>, ApiError> {
    let run = lookup(&shared, &id).await?;
    run.stop();
    Ok(Json(run.status()))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RateQuery {
    /// Thousandths of the profile's rate
    #[schemars(range(min = 1, max = Command::RATE_PER_MILLE_MAX))]
    per_mille: u32,
}

pub(super) async fn set_rate(
    State(shared): State<Shared>,
    RunId(id): RunId,
    query: Result<Query<RateQuery>, QueryRejection>,
) -> Result<Json<RunStatus>, ApiError> {
    let Query(RateQuery { per_mille }) = query?;
    let most = Command::RATE_PER_MILLE_MAX;
    if !(1..=most).contains(&per_mille) {
        return Err(ApiError::bad_request(format!("per_mille is {per_mille} and must be 1 to {most}")));
    }
    let run = lookup(&shared, &id).await?;
    run.set_rate(per_mille)?;
    Ok(Json(run.status()))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SamplesQuery {
    /// Number of the first one wanted
    #[serde(default)]
    #[schemars(range(max = u64::MAX))]
    from: u64,
    /// How long the answer may wait for that one, or for the end
    #[schemars(range(max = WAIT_MS_MAX))]
    wait_ms: Option<u64>,
    /// How many at most
    #[schemars(range(min = 1, max = REPLY_SAMPLES_MAX))]
    max: Option<usize>,
}

/// What samples come as.
pub(super) const NDJSON: &str = "application/x-ndjson";

pub(super) async fn get_samples(
    State(shared): State<Shared>,
    RunId(id): RunId,
    query: Result<Query<SamplesQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query?;
    let max = query.max.unwrap_or(REPLY_SAMPLES_MAX);
    if !(1..=REPLY_SAMPLES_MAX).contains(&max) {
        return Err(ApiError::bad_request(format!("max is {max} and must be 1 to {REPLY_SAMPLES_MAX}")));
    }
    let limit = wait_limit(query.wait_ms)?;
    let run = lookup(&shared, &id).await?;
    run.wait(limit, |status| status.samples > query.from).await;
    let text = run.samples(query.from, max).await.map_err(|error| ApiError::new(StatusCode::GONE, error))?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON))], text).into_response())
}

/// The run; one that memory has forgotten is read from disk, away from the threads that serve.
async fn lookup(shared: &Shared, id: &str) -> Result<Arc<Run>, ApiError> {
    let (runs, id) = (shared.runs.clone(), id.to_owned());
    if let Some(run) = runs.remembered(&id) {
        return Ok(run);
    }
    tokio::task::spawn_blocking(move || runs.get(&id))
        .await
        .map_err(ApiError::crashed)?
        .map_err(ApiError::from)
}

/// Runs something to its end even when the client goes away.
async fn whole<T: Send + 'static>(
    work: impl Future<Output = Result<T, RunsError>> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::spawn(work).await.map_err(ApiError::crashed)?.map_err(ApiError::from)
}

fn wait_limit(wait_ms: Option<u64>) -> Result<Duration, ApiError> {
    match wait_ms.unwrap_or(0) {
        ms @ 0..=WAIT_MS_MAX => Ok(Duration::from_millis(ms)),
        ms => Err(ApiError::bad_request(format!(
            "wait_ms is {ms} and must be 0 to {WAIT_MS_MAX}: ask again after it"
        ))),
    }
}

fn parse_states(text: &str) -> Result<Vec<RunState>, ApiError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|word| {
            serde_json::from_value(word.into()).map_err(|_| {
                let known = "preparing, ready, running, sent, stopping, done or failed";
                ApiError::bad_request(format!(
                    "state `{word}` is none: write {known}, with commas between several"
                ))
            })
        })
        .collect()
}
