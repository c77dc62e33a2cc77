//! Errors as HTTP says them: a status, and `{"error": "sentence with the next step"}`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::next_hop::NextHopError;
use super::run::StartError;
use super::runs::RunsError;

/// An answer that is an error.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    error: String,
}

impl ApiError {
    /// With this status.
    pub fn new(status: StatusCode, error: impl Into<String>) -> ApiError {
        ApiError { status, error: error.into() }
    }

    /// 400.
    pub fn bad_request(error: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, error)
    }

    /// A task of the agent's own panicked: its fault, and told as such.
    pub fn crashed(error: tokio::task::JoinError) -> ApiError {
        let text =
            format!("the agent failed at this request ({error}): report it with the agent's standard error");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(serde_json::json!({ "error": self.error }))).into_response()
    }
}

impl From<RunsError> for ApiError {
    fn from(error: RunsError) -> ApiError {
        let status = match &error {
            RunsError::Spec(_) => StatusCode::BAD_REQUEST,
            RunsError::Exists(_) | RunsError::DeviceHeld { .. } | RunsError::Full(_) => StatusCode::CONFLICT,
            RunsError::TooMany => StatusCode::TOO_MANY_REQUESTS,
            RunsError::Ending => StatusCode::SERVICE_UNAVAILABLE,
            RunsError::Unknown(_) => StatusCode::NOT_FOUND,
            RunsError::Disk { .. } | RunsError::Spawn { .. } | RunsError::Unkillable(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        ApiError::new(status, error.to_string())
    }
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> ApiError {
        ApiError::new(StatusCode::CONFLICT, error.to_string())
    }
}

impl From<NextHopError> for ApiError {
    fn from(error: NextHopError) -> ApiError {
        let status = match &error {
            NextHopError::NotUnicast(_) | NextHopError::NeedsInterface(_) => StatusCode::BAD_REQUEST,
            NextHopError::NoInterface { .. }
            | NextHopError::NoRoute { .. }
            | NextHopError::NoSource { .. } => StatusCode::NOT_FOUND,
            NextHopError::Kernel { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        ApiError::new(status, error.to_string())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(error: QueryRejection) -> ApiError {
        ApiError::bad_request(error.body_text())
    }
}
