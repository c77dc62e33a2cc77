//! Request bodies, of bounded size and within bounded time.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};
use tokio::time::timeout;

use super::failure::ApiError;
use super::limits::REQUEST_BODY_BYTES_MAX;

/// So much of a body that is too large is read over, so that its sender reads our answer rather than a reset.
const READ_OVER_BYTES_MAX: usize = 16 * REQUEST_BODY_BYTES_MAX;

/// What a web page may send without asking first, a form or plain text, is no request for this API.
pub fn must_be_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let found: String = kind.unwrap_or("nothing").chars().take(80).collect();
    let text =
        format!("the body is said to be {found}: send JSON with the header Content-Type: application/json");
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text))
}

/// The whole body, or why not.
pub async fn read_body(body: Body, limit: Duration) -> Result<Vec<u8>, ApiError> {
    timeout(limit, collect(body)).await.unwrap_or_else(|_| {
        let text = format!("the body had not come whole after {} s: send it at once", limit.as_secs_f64());
        Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, text))
    })
}

async fn collect(mut body: Body) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame
            .map_err(|error| ApiError::bad_request(format!("the body broke off ({error}): send it again")))?;
        let Some(data) = frame.data_ref() else { continue };
        length += data.len();
        if length > READ_OVER_BYTES_MAX {
            break;
        }
        if length <= REQUEST_BODY_BYTES_MAX {
            bytes.extend_from_slice(data);
        }
    }
    if length > REQUEST_BODY_BYTES_MAX {
        let text = format!(
            "the body is larger than {REQUEST_BODY_BYTES_MAX} bytes: no run needs so much, shorten its \
             profile"
        );
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, text));
    }
    Ok(bytes)
}
