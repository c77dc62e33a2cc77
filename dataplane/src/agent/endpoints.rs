//! Every endpoint: its path, its handler, and what the OpenAPI document says of it. The router is made of this table,
//! and so is the document.

use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, post};
use schemars::SchemaGenerator;
use serde_json::{Value, json};
use traffic::wire::{Health, Inventory, NextHop, RunSpec, RunStatus, Sample, VERSION};

use super::api::{self, NextHopQuery, RateQuery, RunQuery, SamplesQuery, Shared};
use super::metrics;
use super::openapi::Operation;

/// One method of one path.
#[derive(Debug)]
pub struct Endpoint {
    /// As the router has it.
    pub path: &'static str,
    /// Which one.
    pub method: Method,
    /// Who answers.
    pub handler: MethodRouter<Shared>,
    /// For the document.
    pub operation: Operation,
}

fn on(path: &'static str, method: Method, handler: MethodRouter<Shared>, operation: Operation) -> Endpoint {
    Endpoint { path, method, handler, operation }
}

/// All of them.
pub fn endpoints() -> Vec<Endpoint> {
    let mut all = of_the_agent();
    all.extend(of_runs());
    all
}

/// `/metrics`, which a listener of its own may serve too.
pub fn metrics_endpoint() -> Endpoint {
    let operation = Operation::text(
        "metrics",
        "The latest sample of each run, for Prometheus",
        metrics::CONTENT_TYPE,
        plain_text,
    );
    on("/metrics", Method::GET, get(api::get_metrics), operation)
}

fn plain_text(_: &mut SchemaGenerator) -> Value {
    json!({ "type": "string" })
}

/// NDJSON is no JSON value; its lines are.
fn sample_lines(generator: &mut SchemaGenerator) -> Value {
    let sample = generator.subschema_for::<Sample>();
    json!({ "type": "string", "description": "One `Sample` a line, by number", "x-line-schema": sample })
}

fn of_the_agent() -> Vec<Endpoint> {
    vec![
        on(
            "/healthz",
            Method::GET,
            get(api::healthz),
            Operation::json::<Health>("health", "Which agent this is, and what it speaks"),
        ),
        metrics_endpoint(),
        on(
            "/openapi.json",
            Method::GET,
            get(api::get_openapi),
            Operation::json::<serde_json::Map<String, Value>>("openapi", "This document"),
        ),
        on(
            "/v1/inventory",
            Method::GET,
            get(api::get_inventory),
            Operation::json::<Inventory>("inventory", "What the pod may use and sees")
                .fails(500, "It can't be read"),
        ),
        on(
            "/v1/next-hop",
            Method::GET,
            get(api::get_next_hop),
            Operation::json::<NextHop>("nextHop", "Where frames to an address have to go")
                .query::<NextHopQuery>()
                .fails(404, "No such interface, or no route")
                .fails(500, "The kernel does not tell"),
        ),
    ]
}

fn of_runs() -> Vec<Endpoint> {
    const RUN: &str = "/v1/runs/{id}";
    vec![
        on(
            "/v1/runs",
            Method::GET,
            get(api::list_runs),
            Operation::json::<Vec<RunStatus>>(
                "listRuns",
                "Live runs and the last finished ones, oldest first",
            ),
        ),
        on(
            "/v1/runs",
            Method::POST,
            post(api::create_run),
            Operation::json::<RunStatus>(
                "createRun",
                "Starts the engine of a new run, which prepares its port",
            )
            .body::<RunSpec>(example())
            .creates(
                "The engine prepares: wait for `ready`",
                &["getRun", "startRun", "stopRun", "getSamples", "deleteRun"],
            )
            .fails(409, "The id or the device is taken, or too many runs are not acknowledged")
            .fails(429, "Too many runs are live")
            .fails(500, "The disk or the engine's program is at fault")
            .fails(503, "The agent is ending"),
        ),
        on(
            RUN,
            Method::GET,
            get(api::get_run),
            Operation::json::<RunStatus>("getRun", "Where a run is; may wait for a state")
                .of_run()
                .query::<RunQuery>(),
        ),
        on(
            RUN,
            Method::DELETE,
            delete(api::delete_run),
            Operation::empty(
                "deleteRun",
                "Acknowledges a run: ends it if need be, and forgets it with its files",
            )
            .of_run(),
        ),
        on(
            "/v1/runs/{id}/start",
            Method::POST,
            post(api::start_run),
            Operation::json::<RunStatus>(
                "startRun",
                "Starts a run that is ready; answers once its engine counts",
            )
            .of_run()
            .fails(409, "The run is not ready, or over"),
        ),
        on(
            "/v1/runs/{id}/stop",
            Method::POST,
            post(api::stop_run),
            Operation::json::<RunStatus>(
                "stopRun",
                "Ends sending or receiving; of a sender that is done, its port",
            )
            .of_run(),
        ),
        on(
            "/v1/runs/{id}/rate",
            Method::POST,
            post(api::set_rate),
            Operation::json::<RunStatus>(
                "setRate",
                "Has a running sender go on at a part of its profile's rate",
            )
            .of_run()
            .query::<RateQuery>()
            .fails(409, "The run has no rate that can be changed, or is not running"),
        ),
        on(
            "/v1/runs/{id}/samples",
            Method::GET,
            get(api::get_samples),
            Operation::text("getSamples", "Samples from any number on", api::NDJSON, sample_lines)
                .of_run()
                .query::<SamplesQuery>()
                .fails(410, "Those samples are lost: the error says from where on they are there"),
        ),
    ]
}

fn example() -> Value {
    json!({
        "version": VERSION, "id": "example", "role": "tx", "device": "vdev:net_null0", "tag": 1, "tx_workers": 1,
        "limit_s": 60,
        "profile": { "streams": [{
            "frame_size": 64,
            "ethernet": { "src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02" },
            "ipv4": { "src": "10.0.0.1", "dst": "10.0.0.2" },
            "udp": { "src": 1234, "dst": 5678 },
        }]},
    })
}
