//! The agent's API over HTTP.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use traffic::wire::{Health, Inventory, NextHop, Role, RunSpec, RunState, RunStatus};

use super::agent::{Agent, Setup};
use super::now_ns;
use super::run::Run;

/// Samples in one answer, as the real one.
const SAMPLES_MAX: u64 = 1000;

type Answer<T> = Result<T, (StatusCode, Json<Value>)>;

pub fn router(agent: Agent) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/v1/inventory", get(inventory))
        .route("/v1/next-hop", get(next_hop))
        .route("/v1/runs", get(list).post(prepare))
        .route("/v1/runs/{id}", get(status).delete(forget))
        .route("/v1/runs/{id}/start", post(start))
        .route("/v1/runs/{id}/stop", post(stop))
        .route("/v1/runs/{id}/samples", get(samples))
        .with_state(agent)
}

fn refused(status: StatusCode, text: String) -> (StatusCode, Json<Value>) {
    (status, Json(json!({ "error": text })))
}

async fn health(State(agent): State<Agent>) -> Json<Health> {
    Json(agent.health())
}

async fn inventory(State(agent): State<Agent>) -> Json<Inventory> {
    Json(agent.setup().inventory.clone())
}

async fn next_hop(
    State(agent): State<Agent>,
    Query(query): Query<HashMap<String, String>>,
) -> Answer<Json<NextHop>> {
    let text = query.get("to").cloned().unwrap_or_default();
    let no_address = || refused(StatusCode::BAD_REQUEST, format!("to is `{text}` and must be an IP address"));
    let to: IpAddr = text.parse().map_err(|_| no_address())?;
    let no_way = || refused(StatusCode::NOT_FOUND, format!("there is no way to {to} from here"));
    (agent.setup().route)(to).map(Json).ok_or_else(no_way)
}

async fn list(State(agent): State<Agent>) -> Json<Vec<RunStatus>> {
    let mode = agent.mode();
    let status = |id: String| agent.with(&id, |run, setup| run.status(setup, &mode));
    Json(agent.ids().into_iter().filter_map(status).collect())
}

async fn prepare(
    State(agent): State<Agent>,
    Json(spec): Json<RunSpec>,
) -> Answer<(StatusCode, Json<RunStatus>)> {
    let id = spec.id.clone();
    let exists = || refused(StatusCode::CONFLICT, format!("run `{id}` exists: choose another id"));
    let status = agent.prepare(spec).ok_or_else(exists)?;
    // As the real one, whose engine has only just been started.
    let status = RunStatus { state: RunState::Preparing, ready: None, error: None, ..status };
    Ok((StatusCode::CREATED, Json(status)))
}

fn with<T>(agent: &Agent, id: &str, act: impl FnOnce(&mut Run, &Setup) -> T) -> Answer<T> {
    let missing = || {
        let text = format!("there is no run `{id}` here: GET /v1/runs lists those there are");
        refused(StatusCode::NOT_FOUND, text)
    };
    agent.with(id, act).ok_or_else(missing)
}

/// Waits until `done` says something, the time is up, or the run is over.
async fn wait_for<T>(agent: &Agent, id: &str, wait_ms: u64, done: impl Fn(&Run, &Setup) -> T) -> Answer<T>
where
    T: Waited,
{
    let until = Instant::now() + Duration::from_millis(wait_ms);
    loop {
        // Before the look, so that a change behind it is not missed.
        let mut changed = std::pin::pin!(agent.changed().notified());
        changed.as_mut().enable();
        let (answer, next) = with(agent, id, |run, setup| (done(run, setup), run.next_change_ns(setup)))?;
        if answer.is_there() || Instant::now() >= until {
            return Ok(answer);
        }
        let next = next.map(|at| Instant::now() + Duration::from_nanos(at.saturating_sub(now_ns())));
        tokio::select! {
            () = sleep_until(next.map_or(until, |at| at.min(until))) => {}
            () = changed => {}
        }
    }
}

/// An answer that may not be there yet.
trait Waited {
    fn is_there(&self) -> bool;
}

struct Status(RunStatus, bool);

impl Waited for Status {
    fn is_there(&self) -> bool {
        self.1 || self.0.state.is_over()
    }
}

struct Lines(Vec<String>, bool);

impl Waited for Lines {
    fn is_there(&self) -> bool {
        self.1 || !self.0.is_empty()
    }
}

async fn status(
    State(agent): State<Agent>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answer<Json<RunStatus>> {
    let wait_ms = query.get("wait_ms").map_or(0, |w| w.parse().unwrap());
    let states = query.get("state").cloned().unwrap_or_default();
    let mode = agent.mode();
    let answer = wait_for(&agent, &id, wait_ms, |run, setup| {
        let status = run.status(setup, &mode);
        let word = format!("{:?}", status.state).to_lowercase();
        let is_awaited = states.split(',').any(|s| s == word);
        Status(status, is_awaited)
    });
    answer.await.map(|Status(status, _)| Json(status))
}

async fn start(State(agent): State<Agent>, Path(id): Path<String>) -> Answer<Json<RunStatus>> {
    let is_measured =
        with(&agent, &id, |run, _| run.spec.role == Role::Tx && !run.spec.id.ends_with("-warmup"))?;
    if let (true, Some(together)) = (is_measured, &agent.setup().together) {
        together.wait(&agent.setup().inventory.hostname, &id).await;
    }
    order(&agent, &id, Run::start)
}

async fn stop(State(agent): State<Agent>, Path(id): Path<String>) -> Answer<Json<RunStatus>> {
    let deaf = agent.mode() == "never-stops";
    order(&agent, &id, |run, setup| {
        // The port of one that is done sending is closed all the same.
        if !deaf || run.state(setup) == RunState::Sent {
            run.stop(setup);
        }
    })
}

fn order(agent: &Agent, id: &str, act: impl FnOnce(&mut Run, &Setup)) -> Answer<Json<RunStatus>> {
    let mode = agent.mode();
    let status = with(agent, id, |run, setup| {
        act(run, setup);
        run.status(setup, &mode)
    })?;
    agent.changed().notify_waiters();
    Ok(Json(status))
}

async fn forget(State(agent): State<Agent>, Path(id): Path<String>) -> StatusCode {
    if agent.remove(&id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

async fn samples(
    State(agent): State<Agent>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, u64>>,
) -> Answer<Body> {
    let ask = |key: &str| query.get(key).copied();
    let from = ask("from").unwrap_or(0);
    let max = ask("max").unwrap_or(SAMPLES_MAX).min(SAMPLES_MAX);
    let mode = agent.mode();
    let answer = wait_for(&agent, &id, ask("wait_ms").unwrap_or(0), |run, setup| {
        let to = run.samples(setup).min(from.saturating_add(max));
        let line = |n| format!("{}\n", serde_json::to_string(&run.sample(setup, &mode, n)).unwrap());
        Lines((from..to).map(line).collect(), run.state(setup).is_over())
    });
    let Lines(lines, _) = answer.await?;
    if !lines.is_empty() && agent.take_cut() {
        let half = Bytes::from(lines[0][..lines[0].len() / 2].to_owned());
        let parts = [Ok(half), Err(std::io::Error::other("cut"))];
        return Ok(Body::from_stream(futures_util::stream::iter(parts)));
    }
    Ok(Body::from(lines.concat()))
}
