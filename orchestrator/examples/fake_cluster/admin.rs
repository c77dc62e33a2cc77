//! `/fake/…`: what tests tell and ask this program, on a port of its own that no outage closes.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::moments;
use crate::state::{Fake, Seen};

pub fn router(fake: Fake) -> Router {
    Router::new()
        .route("/fake/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/fake/log", get(log).delete(forget_log))
        .route("/fake/objects", get(objects))
        .with_state(fake)
}

async fn faults(State(fake): State<Fake>) -> Json<Vec<Fault>> {
    Json(fake.faults.all())
}

/// One, or a list.
async fn add_fault(State(fake): State<Fake>, Json(value): Json<Value>) -> (StatusCode, Json<Value>) {
    let list = if value.is_array() { value } else { json!([value]) };
    match serde_json::from_value::<Vec<Fault>>(list) {
        Ok(faults) => {
            faults.into_iter().for_each(|fault| moments::begin(&fake, fault));
            (StatusCode::OK, Json(json!({})))
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({"error": error.to_string()}))),
    }
}

async fn clear_faults(State(fake): State<Fake>) -> StatusCode {
    fake.faults.clear();
    StatusCode::NO_CONTENT
}

async fn log(State(fake): State<Fake>) -> Json<Vec<Seen>> {
    Json(fake.seen())
}

async fn forget_log(State(fake): State<Fake>) -> StatusCode {
    fake.forget_seen();
    StatusCode::NO_CONTENT
}

async fn objects(State(fake): State<Fake>) -> Json<Vec<Value>> {
    Json(fake.store().all().iter().map(|object| (**object).clone()).collect())
}
