//! `dataplane agent --check`: for Kubernetes exec probes, which reach loopback where HTTP probes do not.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use traffic::wire::{Health, VERSION};

use super::error::AgentError;

/// An agent answers at once or is not well.
const LIMIT: Duration = Duration::from_secs(5);
/// A health is some 60 bytes.
const ANSWER_BYTES_MAX: usize = 4096;

/// Asks the agent at `address` how it is.
pub async fn check(address: SocketAddr) -> Result<Health, AgentError> {
    if address.port() == 0 {
        return Err(AgentError::CheckPort);
    }
    let answer = timeout(LIMIT, ask(address)).await;
    answer
        .unwrap_or_else(|_| Err(format!("it did not answer within {} s", LIMIT.as_secs())))
        .map_err(|reason| AgentError::Unhealthy { address, reason })
}

async fn ask(address: SocketAddr) -> Result<Health, String> {
    let words = |error: &dyn std::error::Error| error.to_string();
    let stream = TcpStream::connect(address).await.map_err(|error| words(&error))?;
    let (mut client, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| words(&error))?;
    let connection = tokio::spawn(connection);
    let request = Request::get("/healthz").header("host", address.to_string()).body(Body::empty());
    let response =
        client.send_request(request.map_err(|error| words(&error))?).await.map_err(|error| words(&error))?;
    let status = response.status();
    let body =
        to_bytes(Body::new(response.into_body()), ANSWER_BYTES_MAX).await.map_err(|error| words(&error))?;
    connection.abort();
    let health: Health =
        serde_json::from_slice(&body).map_err(|_| format!("it answered {status}, not as an agent does"))?;
    if health.version != VERSION {
        return Err(format!(
            "it speaks version {}, this program {VERSION}: use one release of both",
            health.version
        ));
    }
    Ok(health)
}
