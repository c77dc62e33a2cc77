//! Listening, with outages.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, sleep_until};

use crate::state::Fake;

/// Between two tries to have the port back.
const REBIND: Duration = Duration::from_millis(5);

/// Serves the API; in an outage nobody listens there and all connections are cut.
pub async fn api(fake: Fake, mut listener: TcpListener, router: Router) {
    let address = listener.local_addr().unwrap();
    let mut outages = fake.outages.subscribe();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(connection(fake.clone(), stream, router.clone()));
                }
            }
            _ = outages.changed() => {
                outages.borrow_and_update();
                drop(listener);
                let until = Instant::now() + Duration::from_millis(*fake.outage_ms.borrow());
                sleep_until(until).await;
                listener = bound_again(address).await;
            }
        }
    }
}

async fn bound_again(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_) => sleep(REBIND).await,
        }
    }
}

async fn connection(fake: Fake, stream: TcpStream, router: Router) {
    let mut outages = fake.outages.subscribe();
    // Small frames in both directions.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::select! {
        // Whoever has gone has gone.
        _ = serving => {}
        _ = outages.changed() => {}
    }
}
