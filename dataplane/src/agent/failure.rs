//! Errors as HTTP says them: a status, and `{"error": "sentence with the next step"}`.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::next_hop::NextHopError;
use super::run::{RateError, StartError};
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

/// What every error looks like.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorBody {
    /// What is wrong, with its value, and the next step.
    error: String,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(ErrorBody { error: self.error })).into_response()
    }
}

/// The id in a path, whatever it is.
#[derive(Debug)]
pub struct RunId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for RunId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<RunId, ApiError> {
        let Path(id) = Path::from_request_parts(parts, state)
            .await
            .map_err(|error: PathRejection| ApiError::bad_request(error.body_text()))?;
        Ok(RunId(id))
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

impl From<RateError> for ApiError {
    fn from(error: RateError) -> ApiError {
        ApiError::new(StatusCode::CONFLICT, error.to_string())
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
