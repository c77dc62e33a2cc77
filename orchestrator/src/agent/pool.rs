//! Connections to one agent, kept for the next request: opening one through a cluster costs several round trips.

use std::sync::{Mutex, PoisonError};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use super::connect::Stream;

/// One request at a time is the rule, and a WebSocket through a cluster takes 128 KiB; more are closed when they are done.
const IDLE_MAX: usize = 1;

/// One HTTP/1.1 connection.
#[derive(Debug)]
pub struct Connection {
    /// Its sending half.
    pub sender: SendRequest<Full<Bytes>>,
    /// Aborted on every way out: a cancelled long poll must not leave its connection behind.
    _driver: AbortOnDrop,
}

impl Connection {
    /// Speaks HTTP on a fresh stream.
    pub async fn over(stream: Box<dyn Stream>) -> hyper::Result<Connection> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(async move {
            // How a connection ended is told by the request that was on it.
            let _ = connection.await;
        });
        Ok(Connection { sender, _driver: AbortOnDrop(driver) })
    }
}

/// Connections without a request on them.
#[derive(Debug, Default)]
pub struct Pool(Mutex<Vec<Connection>>);

impl Pool {
    /// The one that was used last, if it is still open.
    pub fn take(&self) -> Option<Connection> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connection) = idle.pop() {
            if !connection.sender.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps one whose answer was read to its end.
    pub fn give(&self, connection: Connection) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX && !connection.sender.is_closed() {
            idle.push(connection);
        }
    }
}

/// A task that ends with its owner.
#[derive(Debug)]
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
