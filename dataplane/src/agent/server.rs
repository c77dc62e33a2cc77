//! Connections: how many, how long, and how they end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;

use super::error::AgentError;
use super::limits::{CONNECTIONS_MAX, Limits};
use super::log::note;

/// Requests being answered when the agent ends have so long to finish.
const FAREWELL: Duration = Duration::from_secs(1);
/// No file descriptor is free: one may be after this long. There is nothing to wait for but time.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Listens, or says who is in the way.
pub async fn listen(flag: &'static str, address: SocketAddr) -> Result<TcpListener, AgentError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => AgentError::PortTaken { flag, address },
        _ => AgentError::Listen { flag, address, source },
    })
}

/// Serves until `stop` says so.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, mut stop: watch::Receiver<bool>) {
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let told = stop.clone();
    loop {
        let accepted = async {
            let permit = free.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        tokio::select! {
            (permit, accepted) = accepted => match accepted {
                Ok((stream, _)) => {
                    let connection = answer(stream, router.clone(), limits, told.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    note(&format!("can't accept a connection: {error}"));
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = stopped(&mut stop) => break,
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    // Those that take longer are cut off with the runtime.
    let _ = timeout(FAREWELL, finished).await;
}

/// Returns once the agent ends.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Its error means that the agent is gone altogether.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn answer(stream: TcpStream, router: Router, limits: Limits, mut stop: watch::Receiver<bool>) {
    // Small answers must not wait for more to come.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.write));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router));
    tokio::pin!(connection);
    // A connection that breaks is its client's business; requests tell their own faults.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopped(&mut stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
