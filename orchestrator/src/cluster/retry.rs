//! Bounded retries for calls that may be made twice without harm: reads, server-side apply, deletion by uid.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::client::Cluster;
use super::error::ClusterError;

/// Calls at most.
const TRIES_MAX: u32 = 6;
/// One answer may take so long.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// All tries together may begin within this.
const TOTAL_LIMIT: Duration = Duration::from_secs(60);
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Makes a call until it comes off, fails for good, or the tries are used up. `what` reads on from "can't": "list
/// pods", "apply pod tx0".
pub async fn retry<T, F>(
    cluster: &Cluster,
    what: &str,
    mut call: impl FnMut() -> F,
) -> Result<T, ClusterError>
where
    F: Future<Output = Result<T, kube::Error>>,
{
    let begun = Instant::now();
    let mut tries = 0;
    loop {
        tries += 1;
        let answer = timeout(ANSWER_LIMIT, call()).await;
        let (error, wait) = match answer {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => {
                let wait = pause(&error, tries);
                (ClusterError::of(cluster, what, tries, error), wait)
            }
            Err(_) => (ClusterError::slow(cluster, what, tries, ANSWER_LIMIT), Some(PAUSE_MIN)),
        };
        let Some(wait) = wait else { return Err(error) };
        if tries >= TRIES_MAX || begun.elapsed() + wait > TOTAL_LIMIT {
            return Err(error);
        }
        sleep(wait).await;
    }
}

/// How long to wait before the next try; none when another would end as this one did.
pub fn pause(error: &kube::Error, tries: u32) -> Option<Duration> {
    let growing = PAUSE_MIN.saturating_mul(1 << tries.saturating_sub(1).min(8)).min(PAUSE_MAX);
    match error {
        kube::Error::Api(status) => {
            let asked = status.details.as_ref().map_or(0, |d| d.retry_after_seconds);
            let asked = Duration::from_secs(u64::from(asked)).min(TOTAL_LIMIT);
            is_passing(status.code, &status.message).then_some(growing.max(asked))
        }
        kube::Error::Service(cause) => (!is_certificate(&chain(cause.as_ref()))).then_some(growing),
        kube::Error::HyperError(_) | kube::Error::ReadEvents(_) => Some(growing),
        _ => None,
    }
}

/// Whether a server that says this may say otherwise a moment later.
fn is_passing(code: u16, message: &str) -> bool {
    // An old server knows a newer field no better the second time.
    let unknown_field = message.contains("field not declared in schema");
    matches!(code, 429 | 500 | 502 | 503 | 504) && !unknown_field
}

/// An error and all that lies beneath it, without saying anything twice.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let part = cause.to_string();
        if !text.contains(&part) {
            text = format!("{text}: {part}");
        }
        next = cause.source();
    }
    text
}

/// Whether TLS, rather than the way to the server, is what failed.
pub(super) fn is_certificate(text: &str) -> bool {
    let text = text.to_lowercase();
    ["certificate", "unknownissuer", "tls", "handshake"].iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;

    fn api(code: u16, message: &str) -> kube::Error {
        kube::Error::Api(Status::failure(message, "x").with_code(code).boxed())
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for code in [429, 500, 502, 503, 504] {
            assert!(pause(&api(code, "busy"), 1).is_some(), "{code}");
        }
        for code in [400, 401, 403, 404, 409, 410, 422] {
            assert!(pause(&api(code, "no"), 1).is_none(), "{code}");
        }
        assert!(pause(&api(500, ".spec.x: field not declared in schema"), 1).is_none());
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        let pauses: Vec<_> = (1..20).filter_map(|tries| pause(&api(503, "busy"), tries)).collect();
        assert_eq!(pauses.len(), 19);
        assert!(pauses.is_sorted() && pauses[0] == PAUSE_MIN && pauses[18] == PAUSE_MAX);
    }

    #[test]
    fn the_server_may_ask_for_a_longer_pause() {
        let mut status = Status::failure("busy", "TooManyRequests").with_code(429);
        status.details =
            Some(serde_json::from_value(serde_json::json!({"retryAfterSeconds": 7})).expect("details"));
        assert_eq!(pause(&kube::Error::Api(status.boxed()), 1), Some(Duration::from_secs(7)));
    }
}
